package index

import (
	"context"
	"fmt"

	"pinion/engine/tree"
)

// maxActivity is how many of the last changes are kept.
const maxActivity = 10_000

// maxAction is how long an action's word may be, in bytes.
const maxAction = 64

// Activity is one of the last changes.
type Activity struct {
	ID     int64 // given by Commit, ascending
	Time   int64 // nanoseconds since 1970
	Path   tree.Path
	Action string
	Device tree.DeviceID // by which it was done
}

// Activity gives changes with an ID above after, oldest first.
func (ix *Index) Activity(ctx context.Context, after int64, limit int) ([]Activity, error) {
	return ix.activities(ctx, "id > ? ORDER BY id LIMIT ?", after, limit)
}

// LastActivity gives the newest changes, newest first.
func (ix *Index) LastActivity(ctx context.Context, limit int) ([]Activity, error) {
	return ix.activities(ctx, "1 ORDER BY id DESC LIMIT ?", limit)
}

func (ix *Index) activities(ctx context.Context, query string, args ...any) (out []Activity, err error) {
	err = ix.read(ctx, "list the last changes", func(c *conn) error {
		return c.query(func(r *row) error {
			p, err := keyPath(r.blob(2))
			if err != nil {
				return err
			}
			a := Activity{ID: r.int(0), Time: r.int(1), Path: p, Action: r.text(3)}
			if n := r.int(4); n != 0 {
				a.Device, err = ix.names.device(n)
			}
			out = append(out, a)
			return err
		}, "SELECT id, at, path, action, dev FROM activity WHERE "+query, args...)
	})
	return out, err
}

func (tx *txn) activity(rows []Activity) error {
	if len(rows) == 0 {
		return nil
	}
	rows = rows[max(0, len(rows)-maxActivity):]
	for i := range rows {
		a := &rows[i]
		if a.Path == "" || len(a.Path) > tree.MaxPath || len(a.Action) > maxAction {
			return fmt.Errorf("note %q of %q: out of bounds", a.Action, a.Path)
		}
		var dev int64
		if !a.Device.IsZero() {
			var err error
			if dev, err = tx.device(a.Device); err != nil {
				return err
			}
		}
		_, err := tx.c.exec("INSERT INTO activity (at, path, action, dev) VALUES (?, ?, ?, ?)", a.Time, pathKey(a.Path), a.Action, dev)
		if err != nil {
			return err
		}
	}
	_, err := tx.c.exec("DELETE FROM activity WHERE id <= (SELECT max(id) FROM activity) - ?", maxActivity)
	return err
}
