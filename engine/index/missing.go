package index

import (
	"context"

	"pinion/engine/tree"
)

// HoldMissing remembers paths that were found missing on the disk and wait for
// the guard against mass deletion.
func (ix *Index) HoldMissing(ctx context.Context, paths []tree.Path) error {
	return ix.write(ctx, "hold missing paths", func(tx *txn) error {
		for _, p := range paths {
			n, err := tx.c.exec("INSERT INTO missing VALUES (?) ON CONFLICT (path) DO NOTHING", pathKey(p))
			if err != nil {
				return err
			}
			tx.head.Missing += n
		}
		return nil
	})
}

// Missing gives held paths in tree.Path.Compare's order.
func (ix *Index) Missing(ctx context.Context, after tree.Path, limit int) (out []tree.Path, err error) {
	err = ix.read(ctx, "list missing paths", func(c *conn) error {
		return c.query(func(r *row) error {
			p, err := keyPath(r.blob(0))
			out = append(out, p)
			return err
		}, "SELECT path FROM missing WHERE path > ? ORDER BY path LIMIT ?", cursor(after), limit)
	})
	return out, err
}

// MissingCount is how many paths are held.
func (ix *Index) MissingCount(ctx context.Context) (int64, error) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	return ix.head.Missing, ctx.Err()
}

// ReleaseMissing holds nothing any more. A Commit of a path releases that path
// by itself.
func (ix *Index) ReleaseMissing(ctx context.Context) error {
	return ix.write(ctx, "release missing paths", func(tx *txn) error {
		if tx.head.Missing == 0 {
			return nil
		}
		tx.head.Missing = 0
		_, err := tx.c.exec("DELETE FROM missing")
		return err
	})
}

// FoundAgain releases single paths that were seen on the disk after all.
func (ix *Index) FoundAgain(ctx context.Context, paths []tree.Path) error {
	return ix.write(ctx, "release missing paths", func(tx *txn) error {
		for _, p := range paths {
			if tx.head.Missing == 0 {
				return nil
			}
			if err := tx.found(pathKey(p)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (tx *txn) found(key []byte) error {
	n, err := tx.c.exec("DELETE FROM missing WHERE path = ?", key)
	tx.head.Missing -= n
	return err
}
