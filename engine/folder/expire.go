package folder

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"pinion/engine/apply"
	"pinion/engine/history"
	"pinion/engine/index"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// keeper looks through the archive, beside the loop.
type keeper struct {
	c *cycle
}

// Nothing here runs in the loop. What goes is removed first and its row after
// it: a row without a file is harmless, and dropped by the next look; a file
// without a row would be forgotten.

const (
	expirePage  = 256
	expireRest  = 10 * time.Millisecond // between pages, so that others have the disk
	expireEvery = 24 * time.Hour
	expireSoon  = time.Hour          // after a look that could not trust the clock
	auditEvery  = 7 * 24 * time.Hour // how often the archive's rows and files are compared
	keepDefault = 30 * 24 * time.Hour
)

// expired is what looking through the archive came to.
type expired struct {
	want  want
	files int64
	bytes int64
	short bool          // what was wanted could not be had
	next  time.Duration // until the next daily look
}

// rules are how long and how much is kept, on a disk of total bytes.
func (f *Folder) rules(total int64) history.Rules {
	r := history.Rules{Keep: f.cfg.Keep, Bytes: f.cfg.KeepBytes}
	switch {
	case r.Keep == 0:
		r.Keep = keepDefault
	case r.Keep < 0:
		r.Keep = 0
	}
	switch {
	case r.Bytes == 0:
		r.Bytes = total / 4
	case r.Bytes < 0:
		r.Bytes = 0
	}
	return r
}

// Expires says until when a version that was archived at when (nanoseconds since
// 1970) is kept at most; nil: for ever.
func (f *Folder) Expires(when int64) *time.Time { return f.rules(0).Expires(when) }

const (
	keyExpired = "expired" // when the archive was last looked through for what is due
	keyAudited = "audited" // when its rows and files were last compared
)

func (k *keeper) stamp(ctx context.Context, key string) (t time.Time, err error) {
	b, _, err := k.c.index.Meta(ctx, key)
	if err == nil && len(b) == 8 {
		t = time.Unix(0, int64(binary.BigEndian.Uint64(b)))
	}
	return t, err
}

func (k *keeper) setStamp(ctx context.Context, key string, t time.Time) error {
	return k.c.index.SetMeta(ctx, key, binary.BigEndian.AppendUint64(nil, uint64(t.UnixNano())))
}

// expire looks through the archive and removes what is due, or wanted.
func (k *keeper) expire(ctx context.Context, w want) expired {
	c := k.c
	out := expired{want: w, next: expireEvery}
	err := k.thin(ctx, w, &out)
	if err != nil && ctx.Err() == nil {
		c.log.Warn("old versions can't be looked through", "err", err)
		out.short, out.next = true, expireSoon
	}
	if out.files > 0 {
		word := "versions"
		if out.files == 1 {
			word = "version"
		}
		c.log.Info(fmt.Sprintf("%d old %s of %s expired, %s", out.files, word, c.f.cfg.Name, sizeWord(out.bytes)), "files", out.files, "bytes", out.bytes, "for_room", w.bytes > 0)
		if !w.alone {
			c.ask(func() {
				now := c.f.cfg.Now().UnixNano()
				a := index.Activity{Time: now, Path: apply.Archive, Action: "expired", Device: c.f.cfg.Device}
				if err := c.commit(ctx, index.Update{Activity: []index.Activity{a}}); err != nil {
					c.log.Info("not noted that versions expired", "err", err)
				}
			})
		}
	}
	return out
}

func (k *keeper) thin(ctx context.Context, w want, out *expired) error {
	c := k.c
	now := c.f.cfg.Now()
	last, err := k.stamp(ctx, keyExpired)
	if err != nil {
		return err
	}
	if w.daily {
		if err := k.audit(ctx, now); err != nil {
			return err
		}
	}
	files, bytes, err := c.index.Kept(ctx)
	if err != nil || files == 0 {
		out.short = w.bytes > 0
		return err
	}
	byAge := history.TrustClock(now, last)
	total := int64(0)
	if s, err := c.f.cfg.Machine.space(c.f.cfg.Path); err == nil {
		total = bytesOf(s.Total)
	}
	rules := c.f.rules(total)
	need := w.bytes
	if w.all && need > 0 {
		free, err := k.couldFree(ctx, history.NewThinning(rules, now, byAge, bytes, need), need)
		if err != nil {
			return err
		}
		if free < need {
			out.short, need = true, 0
		}
	}
	t := history.NewThinning(rules, now, byAge, bytes, need)
	for _, p := range history.Passes() {
		if err := k.pass(ctx, t, p, out); err != nil {
			return err
		}
	}
	out.short = out.short || t.Over() > 0 && need > 0
	if !w.daily {
		return nil
	}
	if !byAge {
		out.next = expireSoon
	}
	return k.setStamp(ctx, keyExpired, now)
}

// couldFree adds up what could be freed, as far as it has to be.
func (k *keeper) couldFree(ctx context.Context, t *history.Thinning, need int64) (free int64, err error) {
	for at := index.FirstPlace(); free < need; {
		rows, versions, err := k.agingPage(ctx, at)
		if err != nil || len(rows) == 0 {
			return free, err
		}
		free += t.Frees(versions)
		at = rows[len(rows)-1].Place()
	}
	return free, nil
}

// agingPage reads the versions after a place, and which of them must stay.
func (k *keeper) agingPage(ctx context.Context, at index.Place) ([]index.Aging, []history.Version, error) {
	c := k.c
	rows, err := c.index.Oldest(ctx, at, expirePage)
	if err != nil {
		return nil, nil, err
	}
	contents := make([]tree.ContentID, len(rows))
	for i, a := range rows {
		contents[i] = a.Content
	}
	needed, err := c.index.Needed(ctx, contents)
	if err != nil {
		return nil, nil, err
	}
	versions := make([]history.Version, len(rows))
	for i, a := range rows {
		versions[i] = history.Version{ID: a.ID, When: a.When, Size: a.Size, Newest: a.Newest, Pinned: needed[a.Content]}
	}
	return rows, versions, nil
}

// pass goes through the archive once, and removes what may go.
func (k *keeper) pass(ctx context.Context, t *history.Thinning, p history.Pass, out *expired) error {
	c := k.c
	for at, more := index.FirstPlace(), true; more; {
		rows, versions, err := k.agingPage(ctx, at)
		if err != nil || len(rows) == 0 {
			return err
		}
		var drop []int
		drop, more = t.Take(p, versions)
		var gone []int64
		dirs := map[string]bool{}
		for _, i := range drop {
			if ctx.Err() != nil {
				break
			}
			removed, err := k.removeKept(ctx, rows[i].Archived)
			if err != nil {
				c.log.Warn("an old version stays", "file", rows[i].File, "err", err)
				continue
			}
			gone = append(gone, rows[i].ID)
			if removed {
				out.files, out.bytes = out.files+1, out.bytes+rows[i].Size
				dirs[path.Dir(rows[i].File)] = true
			}
		}
		if len(gone) > 0 {
			// With room for not even that the rows stay, without their files.
			if err := c.index.RemoveArchived(ctx, gone); err != nil && !errors.Is(err, index.ErrFull) {
				return err
			}
		}
		if !out.want.alone {
			k.prune(dirs)
		}
		at = rows[len(rows)-1].Place()
		if more {
			if err := pause(ctx, expireRest); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// removeKept removes the file of an archived version. Without an error the row
// may go. Only ever a file below the archive is touched, whatever the row says.
func (k *keeper) removeKept(ctx context.Context, a index.Archived) (removed bool, err error) {
	c := k.c
	if !inArchive(a.File) {
		c.log.Warn("a version is listed that is not in the archive; only the line goes", "path", a.Path, "file", a.File)
		return false, nil
	}
	if shared, err := c.index.HasArchived(ctx, a.Path, a.File, a.ID); shared || err != nil {
		return false, err
	}
	disk := c.root.Apply()
	info, err := disk.Lstat(a.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case info.Kind == rootfs.Directory:
		c.log.Warn("a version is listed that is a directory; only the line goes", "path", a.Path, "file", a.File)
		return false, nil
	}
	if err := disk.Remove(a.File); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	return true, nil
}

func inArchive(file string) bool {
	return strings.HasPrefix(file, apply.Archive+"/") && fs.ValidPath(file)
}

// prune removes directories of the archive that are empty now. It is done in the
// loop while nothing is applied, which could be about to put a file there.
func (k *keeper) prune(dirs map[string]bool) {
	c := k.c
	if len(dirs) == 0 {
		return
	}
	c.ask(func() {
		if c.carry.running {
			return // the next audit does it
		}
		disk := c.root.Apply()
		for dir := range dirs {
			for inArchive(dir) && disk.RemoveDir(dir) == nil {
				dir = path.Dir(dir)
			}
		}
	})
}

// audit compares the archive's rows with its files, now and then: rows whose
// files somebody removed are dropped, files without a row (the index was made
// anew, or a crash came between) get one.
func (k *keeper) audit(ctx context.Context, now time.Time) error {
	c := k.c
	last, err := k.stamp(ctx, keyAudited)
	if err != nil || !last.IsZero() && now.Sub(last) < auditEvery && now.After(last.Add(-auditEvery)) {
		return err
	}
	if err := k.dropOrphanRows(ctx); err != nil {
		return err
	}
	a := adoption{c: c, now: now, disk: c.root.Apply()}
	if _, err := a.walk(ctx, apply.Archive, 0); err != nil {
		return err
	}
	if err := a.flush(ctx); err != nil {
		return err
	}
	if files, _, err := c.index.Kept(ctx); files == 0 && last.IsZero() || err != nil {
		return err // nothing is written where nothing was ever archived
	}
	return k.setStamp(ctx, keyAudited, now)
}

// dropOrphanRows drops rows whose files are gone.
func (k *keeper) dropOrphanRows(ctx context.Context) error {
	c := k.c
	disk := c.root.Apply()
	for at := index.FirstPlace(); ; {
		rows, err := c.index.Oldest(ctx, at, expirePage)
		if err != nil || len(rows) == 0 {
			return err
		}
		at = rows[len(rows)-1].Place()
		var gone []int64
		for _, r := range rows {
			if _, err := disk.Lstat(r.File); errors.Is(err, fs.ErrNotExist) {
				gone = append(gone, r.ID)
			}
		}
		if err := disk.Same(); err != nil {
			return err // what is missing may be so with its disk
		}
		if len(gone) > 0 {
			c.log.Info("versions were removed from the archive by hand; their lines go", "files", len(gone))
			if err := c.index.RemoveArchived(ctx, gone); err != nil {
				return err
			}
		}
		if err := pause(ctx, expireRest); err != nil {
			return err
		}
	}
}
