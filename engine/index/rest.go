package index

import (
	"context"
	"fmt"
)

// Rest lets go of the memory that serves only while there is much to do: SQLite's
// page caches. They fill again as they are used.
func (ix *Index) Rest(ctx context.Context) error {
	const forget = "PRAGMA shrink_memory"
	if err := ix.outside(ctx, "let go of the writer's cache", func(c *conn) error { return c.script(forget) }); err != nil {
		return err
	}
	// The readers wait in a row: who was served goes to its end.
	for range readers {
		if err := ix.read(ctx, "let go of a reader's cache", func(c *conn) error { return c.script(forget) }); err != nil {
			return fmt.Errorf("rest: %w", err)
		}
	}
	return nil
}
