package index

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
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

// conn is one connection with its prepared statements. It speaks to SQLite itself
// (https://sqlite.org/c3ref/funclist.html): the driver of database/sql spends more
// on a row than SQLite does. One user at a time, which is why it takes no mutex.
type conn struct {
	tls   *libc.TLS
	db    uintptr
	stmts map[string]uintptr
	args  arena // of the statement that runs
	r     row
}

// sqlitePatched is what the driver does before the first connection.
var sqlitePatched = sync.OnceFunc(sqlite3.PatchIssue199)

// dial opens a connection. The name goes as a path and never as a URI.
func dial(file string) (*conn, error) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	sqlitePatched()
	c := &conn{tls: libc.NewTLS(), stmts: map[string]uintptr{}}
	name, err := libc.CString(filepath.ToSlash(abs))
	if err != nil {
		c.tls.Close()
		return nil, err
	}
	defer libc.Xfree(c.tls, name)
	out := libc.Xmalloc(c.tls, wordSize)
	if out == 0 {
		c.tls.Close()
		return nil, errNoMemory
	}
	defer libc.Xfree(c.tls, out)
	const flags = sqlite3.SQLITE_OPEN_READWRITE | sqlite3.SQLITE_OPEN_CREATE | sqlite3.SQLITE_OPEN_NOMUTEX
	rc := sqlite3.Xsqlite3_open_v2(c.tls, name, out, flags, 0)
	c.db = *(*uintptr)(pointer(out))
	if rc == sqlite3.SQLITE_OK {
		rc = sqlite3.Xsqlite3_extended_result_codes(c.tls, c.db, 1)
	}
	if rc != sqlite3.SQLITE_OK {
		return nil, errors.Join(c.fail(rc), c.Close())
	}
	return c, nil
}

const wordSize = 8 // of a pointer, at least

var errNoMemory = errors.New("SQLite has no memory left")

// pointer reaches memory of SQLite's own, which Go's collector does not know.
func pointer(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

func (c *conn) Close() error {
	for _, s := range c.stmts {
		sqlite3.Xsqlite3_finalize(c.tls, s) // its error was told when it ran
	}
	rc := sqlite3.Xsqlite3_close_v2(c.tls, c.db)
	c.args.free(c.tls)
	c.tls.Close()
	if rc != sqlite3.SQLITE_OK {
		return &sqliteError{code: int(rc)}
	}
	return nil
}

// sqliteError is what SQLite says.
type sqliteError struct {
	code int // extended
	text string
}

func (e *sqliteError) Error() string { return fmt.Sprintf("sqlite: %s (%d)", e.text, e.code) }

func (c *conn) fail(rc int32) error {
	e := &sqliteError{code: int(rc), text: libc.GoString(sqlite3.Xsqlite3_errstr(c.tls, rc))}
	if c.db != 0 {
		e.text = libc.GoString(sqlite3.Xsqlite3_errmsg(c.tls, c.db))
	}
	return damage(e)
}

func (c *conn) prepare(query string) (uintptr, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	text, err := libc.CString(query)
	if err != nil {
		return 0, err
	}
	defer libc.Xfree(c.tls, text)
	out := libc.Xmalloc(c.tls, wordSize)
	if out == 0 {
		return 0, errNoMemory
	}
	defer libc.Xfree(c.tls, out)
	if rc := sqlite3.Xsqlite3_prepare_v2(c.tls, c.db, text, -1, out, 0); rc != sqlite3.SQLITE_OK {
		return 0, c.fail(rc)
	}
	s := *(*uintptr)(pointer(out))
	c.stmts[query] = s
	return s, nil
}

// arena is memory of SQLite's own that holds the bytes of a statement's arguments
// while it runs.
type arena struct {
	at         uintptr
	size, used int
}

// reserve makes room for n bytes; what was there is gone.
func (a *arena) reserve(tls *libc.TLS, n int) error {
	if a.used = 0; n <= a.size {
		return nil
	}
	a.free(tls)
	n += n / 2
	if a.at = libc.Xmalloc(tls, libc.Tsize_t(n)); a.at == 0 {
		return errNoMemory
	}
	a.size = n
	return nil
}

// keep copies bytes for which reserve has made room.
func (a *arena) keep(b []byte) uintptr {
	p := a.at + uintptr(a.used)
	a.used += copy(unsafe.Slice((*byte)(pointer(p)), len(b)), b)
	return p
}

func (a *arena) free(tls *libc.TLS) {
	if a.at != 0 {
		libc.Xfree(tls, a.at)
	}
	*a = arena{}
}

// bind gives a statement its arguments: int, int64, uint64, string, []byte or nil.
func (c *conn) bind(s uintptr, args []any) error {
	n := 1 // no pointer to nothing, which would be NULL
	for _, a := range args {
		switch x := a.(type) {
		case []byte:
			n += len(x)
		case string:
			n += len(x)
		}
	}
	if err := c.args.reserve(c.tls, n); err != nil {
		return err
	}
	for i, a := range args {
		at, rc := int32(i+1), int32(0)
		switch x := a.(type) {
		case nil:
			rc = sqlite3.Xsqlite3_bind_null(c.tls, s, at)
		case int:
			rc = sqlite3.Xsqlite3_bind_int64(c.tls, s, at, sqlite3.Tsqlite_int64(x))
		case int64:
			rc = sqlite3.Xsqlite3_bind_int64(c.tls, s, at, sqlite3.Tsqlite_int64(x))
		case uint64:
			rc = sqlite3.Xsqlite3_bind_int64(c.tls, s, at, sqlite3.Tsqlite_int64(x))
		case string:
			rc = sqlite3.Xsqlite3_bind_text(c.tls, s, at, c.args.keep([]byte(x)), int32(len(x)), 0)
		case []byte:
			if x == nil {
				rc = sqlite3.Xsqlite3_bind_null(c.tls, s, at)
				break
			}
			rc = sqlite3.Xsqlite3_bind_blob(c.tls, s, at, c.args.keep(x), int32(len(x)), 0)
		default:
			return fmt.Errorf("an argument of type %T", a)
		}
		if rc != sqlite3.SQLITE_OK {
			return c.fail(rc)
		}
	}
	return nil
}

// exec runs a statement and gives the number of rows it changed.
func (c *conn) exec(query string, args ...any) (int64, error) {
	if err := c.query(func(*row) error { return nil }, query, args...); err != nil {
		return 0, err
	}
	return int64(sqlite3.Xsqlite3_changes(c.tls, c.db)), nil
}

// script runs statements that take no arguments and are used once.
func (c *conn) script(text string) error {
	sql, err := libc.CString(text)
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, sql)
	if rc := sqlite3.Xsqlite3_exec(c.tls, c.db, sql, 0, 0, 0); rc != sqlite3.SQLITE_OK {
		return c.fail(rc)
	}
	return nil
}

// query calls fn for each row. fn must not use the connection, nor the row
// afterwards.
func (c *conn) query(fn func(*row) error, query string, args ...any) (err error) {
	s, err := c.prepare(query)
	if err != nil {
		return err
	}
	if err := c.bind(s, args); err != nil {
		return err
	}
	defer sqlite3.Xsqlite3_reset(c.tls, s) // it repeats the error of the last step
	c.r = row{tls: c.tls, stmt: s}
	for {
		switch rc := sqlite3.Xsqlite3_step(c.tls, s); rc {
		case sqlite3.SQLITE_ROW:
		case sqlite3.SQLITE_DONE:
			return nil
		default:
			return c.fail(rc)
		}
		if err := fn(&c.r); err != nil {
			return err
		}
		if c.r.bad {
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
	tls  *libc.TLS
	stmt uintptr
	bad  bool
}

// is says whether a column is of a type, and marks the row as bad if not.
func (r *row) is(i int, kind int32) bool {
	ok := sqlite3.Xsqlite3_column_type(r.tls, r.stmt, int32(i)) == kind
	r.bad = r.bad || !ok
	return ok
}

func (r *row) int(i int) int64 {
	if !r.is(i, sqlite3.SQLITE_INTEGER) {
		return 0
	}
	return int64(sqlite3.Xsqlite3_column_int64(r.tls, r.stmt, int32(i)))
}

// optional gives an integer, or nil where there is none.
func (r *row) optional(i int) any {
	if r.null(i) {
		return nil
	}
	return r.int(i)
}

// bytes gives a blob that is valid until the callback returns.
func (r *row) bytes(i int) []byte {
	if !r.is(i, sqlite3.SQLITE_BLOB) {
		return nil
	}
	p := sqlite3.Xsqlite3_column_blob(r.tls, r.stmt, int32(i))
	n := sqlite3.Xsqlite3_column_bytes(r.tls, r.stmt, int32(i))
	if p == 0 || n == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(pointer(p)), n)
}

// blob gives a blob that the caller may keep.
func (r *row) blob(i int) []byte { return bytes.Clone(r.bytes(i)) }

func (r *row) text(i int) string {
	if !r.is(i, sqlite3.SQLITE_TEXT) {
		return ""
	}
	return libc.GoString(sqlite3.Xsqlite3_column_text(r.tls, r.stmt, int32(i)))
}

func (r *row) null(i int) bool {
	return sqlite3.Xsqlite3_column_type(r.tls, r.stmt, int32(i)) == sqlite3.SQLITE_NULL
}

// damage marks SQLite's ways of saying that the file is broken as ErrDamaged, and
// that there is no room as ErrFull, that the disk fails as ErrDisk.
func damage(err error) error {
	var e *sqliteError
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.code&0xff == sqliteCorrupt, e.code&0xff == sqliteNotADB:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case e.code&0xff == sqliteFull, e.code == sqliteNoShm:
		return fmt.Errorf("%w: %w", ErrFull, err)
	case e.code&0xff == sqliteReadOnly, e.code&0xff == sqliteIO, e.code&0xff == sqliteCantOpen:
		return fmt.Errorf("%w: %w", ErrDisk, err)
	}
	return err
}
