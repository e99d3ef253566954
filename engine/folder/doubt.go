package folder

import (
	"context"
	"fmt"

	"pinion/engine/index"
	"pinion/engine/tree"
)

// After a power cut a file can hold other bytes under the size and time that it
// had. What its index row says is then doubted: it is read anew, and what stands
// there counts as a change made here. Who holds the recorded content archives it.

// doubted is a change of a row that has the next scan read its file.
func doubted(row tree.Record) (index.Change, bool) {
	if !row.Exists() || row.Kind != tree.File || row.Disk.MTime == 0 {
		return index.Change{}, false
	}
	row.Disk.MTime = 0
	return index.Change{Record: row, If: row.Seq, Quiet: true}, true
}

// doubt has a file read anew whose bytes were found to be others than its row
// says. It may be called from any goroutine but the loop.
func (c *cycle) doubt(ctx context.Context, p tree.Path) {
	c.ask(func() {
		row, _, err := c.index.Get(ctx, p)
		ch, ok := doubted(row)
		if err != nil || !ok {
			return
		}
		c.log.Warn("a file does not hold what was read from it, although its size and time are the same; it is read anew", "path", p)
		if _, err := c.index.Commit(ctx, index.Update{Changes: []index.Change{ch}}); err == nil {
			c.notice.look(string(p))
		}
	})
}

const (
	doubtFor = 120 // seconds for which a system may keep back what was written
	doubtRun = 500 // rows in a commit
)

// doubtYoung doubts, after an end that was not orderly, what was noticed here
// shortly before the last thing that was: its bytes may not have reached the disk.
func (c *cycle) doubtYoung(ctx context.Context) error {
	if !c.index.Unclean() {
		return nil
	}
	self, newest := c.index.Self().ID, uint64(0)
	err := c.index.Walk(ctx, "", "", func(r tree.Record) (bool, error) {
		newest = max(newest, r.Version.Counter(self))
		return true, nil
	})
	if err != nil || newest == 0 {
		return err
	}
	var u index.Update
	commit := func() error {
		_, err := c.index.Commit(ctx, u)
		u = index.Update{}
		return err
	}
	err = c.index.Walk(ctx, "", "", func(r tree.Record) (bool, error) {
		if r.Author != self || r.Version.Counter(self)+doubtFor < newest {
			return true, nil
		}
		if ch, ok := doubted(r); ok {
			u.Changes = append(u.Changes, ch)
		}
		if len(u.Changes) < doubtRun {
			return true, nil
		}
		return true, commit()
	})
	if err == nil && len(u.Changes) > 0 {
		err = commit()
	}
	if err != nil {
		return fmt.Errorf("doubt what was written last: %w", err)
	}
	return nil
}
