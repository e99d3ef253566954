package index

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
)

// ErrDamaged is returned when the file is not a sound index. The remedy is
// SetAside and a new index.
var ErrDamaged = errors.New("the index is damaged")

// ErrFull is returned when the disk has no room for what is to be written.
// Nothing has happened then.
var ErrFull = errors.New("the disk of the index is full")

// ErrDisk is returned when the disk itself fails: it can't be read, or not be
// written any more.
var ErrDisk = errors.New("the disk of the index fails")

// Result codes of SQLite (https://sqlite.org/rescode.html).
const (
	sqliteReadOnly = 8
	sqliteIO       = 10
	sqliteCorrupt  = 11
	sqliteFull     = 13
	sqliteCantOpen = 14
	sqliteNotADB   = 26
	sqliteNoShm    = 10 | 19<<8 // the file beside the WAL could not be made longer
)

// conn is one connection with its prepared statements. It speaks to the driver
// itself: database/sql would spend more on a row than SQLite does. One user at
// a time.
type conn struct {
	raw   driver.Conn
	stmts map[string]driver.Stmt
	args  []driver.NamedValue
}

// dial opens a connection. The name goes as a URI, because a question mark in a
// plain name would start the driver's options.
func dial(file string) (*conn, error) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	name := filepath.ToSlash(abs)
	if !strings.HasPrefix(name, "/") {
		name = "/" + name
	}
	name = strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(name)
	raw, err := (&sqlite.Driver{}).Open("file://" + name)
	if err != nil {
		return nil, damage(err)
	}
	return &conn{raw: raw, stmts: map[string]driver.Stmt{}}, nil
}

func (c *conn) Close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.raw.Close())...)
}

func (c *conn) prepare(query string) (driver.Stmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	s, err := c.raw.Prepare(query)
	if err != nil {
		return nil, damage(err)
	}
	c.stmts[query] = s
	return s, nil
}

// values gives the arguments in the driver's form; valid until the next call.
func (c *conn) values(args []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, a := range args {
		switch x := a.(type) {
		case int:
			a = int64(x)
		case uint64:
			a = int64(x)
		}
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return c.args
}

// exec runs a statement and gives the number of rows it changed.
func (c *conn) exec(query string, args ...any) (int64, error) {
	s, err := c.prepare(query)
	if err != nil {
		return 0, err
	}
	res, err := s.(driver.StmtExecContext).ExecContext(context.Background(), c.values(args))
	if err != nil {
		return 0, damage(err)
	}
	return res.RowsAffected()
}

// script runs statements that take no arguments and are used once.
func (c *conn) script(text string) error {
	s, err := c.raw.Prepare(text)
	if err != nil {
		return damage(err)
	}
	_, err = s.(driver.StmtExecContext).ExecContext(context.Background(), nil)
	return errors.Join(damage(err), s.Close())
}

// query calls fn for each row. fn must not use the connection.
func (c *conn) query(fn func(*row) error, query string, args ...any) (err error) {
	s, err := c.prepare(query)
	if err != nil {
		return err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(context.Background(), c.values(args))
	if err != nil {
		return damage(err)
	}
	defer func() {
		if e := rows.Close(); err == nil && e != nil {
			err = damage(e)
		}
	}()
	r := row{v: make([]driver.Value, len(rows.Columns()))}
	for {
		switch err := rows.Next(r.v); {
		case err == io.EOF:
			return nil
		case err != nil:
			return damage(err)
		}
		if err := fn(&r); err != nil {
			return err
		}
		if r.bad {
			return fmt.Errorf("%w: a column is of an unexpected type", ErrDamaged)
		}
	}
}

// integer gives the first column of the only row; 0 if there is none.
func (c *conn) integer(query string, args ...any) (n int64, err error) {
	err = c.query(func(r *row) error { n = r.int(0); return nil }, query, args...)
	return n, err
}

// row is one row of a result. A column that is not of the asked type reads as
// zero and marks the row as bad.
type row struct {
	v   []driver.Value
	bad bool
}

func (r *row) int(i int) int64 {
	n, ok := r.v[i].(int64)
	r.bad = r.bad || !ok
	return n
}

// blob gives a blob that the caller may keep.
func (r *row) blob(i int) []byte {
	b, ok := r.v[i].([]byte)
	r.bad = r.bad || !ok
	return b
}

func (r *row) text(i int) string {
	s, ok := r.v[i].(string)
	r.bad = r.bad || !ok
	return s
}

func (r *row) null(i int) bool { return r.v[i] == nil }

// damage marks SQLite's ways of saying that the file is broken as ErrDamaged, and
// that there is no room as ErrFull, that the disk fails as ErrDisk.
func damage(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Code()&0xff == sqliteCorrupt, e.Code()&0xff == sqliteNotADB:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case e.Code()&0xff == sqliteFull, e.Code() == sqliteNoShm:
		return fmt.Errorf("%w: %w", ErrFull, err)
	case e.Code()&0xff == sqliteReadOnly, e.Code()&0xff == sqliteIO, e.Code()&0xff == sqliteCantOpen:
		return fmt.Errorf("%w: %w", ErrDisk, err)
	}
	return err
}
