package folder

import (
	"context"
	"sync"
	"time"

	"pinion/engine/index"
	"pinion/engine/status"
	"pinion/engine/tree"
)

// tidyEvery is how often a folder that is in sync is tidied up.
const tidyEvery = 24 * time.Hour

// startTidying removes what nobody wants any more: stages that were left over,
// chunk lists of contents that are gone, free pages of the index. It waits until
// the folder is in sync, since then nothing that was begun is still wanted.
func (c *cycle) startTidying(ctx context.Context, beside *sync.WaitGroup) {
	s := &c.saying
	if s.state == status.Synced {
		c.reading.Forget()
	}
	if s.state != status.Synced || len(c.work.units) > 0 || !s.tidied.IsZero() && time.Since(s.tidied) < tidyEvery {
		return
	}
	s.tidied = time.Now()
	beside.Go(func() {
		swept, err := c.fetcher.Sweep(ctx, func(tree.ContentID) bool { return false })
		if err != nil && ctx.Err() == nil {
			c.log.Info("tidy the staging directory", "err", err)
		}
		if swept.Removed > 0 {
			c.log.Info("left-over stages are removed", "files", swept.Removed, "bytes", swept.Bytes)
		}
		if _, err := c.index.Maintain(ctx, index.MaintainOptions{}); err != nil && ctx.Err() == nil {
			c.log.Info("tidy the index", "err", err)
		}
	})
}
