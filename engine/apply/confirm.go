package apply

import (
	"errors"
	"io/fs"
	"time"

	"pinion/engine/plan"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// confirm looks at each path that is done, and writes down what the index is to
// say of it: always the lstat of what was put there, never a later one, which
// could hide an edit.
func (g *group) confirm() {
	for _, it := range g.items {
		if it.status != Done || g.dead != nil {
			continue
		}
		if err := g.confirmed(it); err != nil {
			it.changes = nil
			it.fail(err)
			if dead(err) {
				g.dead = err
			}
		}
	}
}

func (g *group) confirmed(it *item) error {
	act := it.act
	rec := tree.Record{Entry: act.Entry}
	if act.Entry.Exists() {
		rec.Disk = it.want
	}
	if act.Entry.Exists() && act.Op != plan.Adopt {
		asOf := g.a.o.Now()
		info, err := g.a.fs.Lstat(it.path())
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, rootfs.ErrNotDirectory) {
			return err
		}
		rec.Disk.CTime, rec.Disk.Looked = 0, 0
		if err == nil {
			g.date(&rec, info, asOf)
		}
	}
	it.changes = append(it.changes, Change{Record: rec, If: act.Was.Seq})
	if act.Op == plan.Move {
		it.changes = append(it.changes, Change{Record: tree.Record{Entry: *act.FromGone}, If: act.From.Seq})
	}
	if act.Keep == nil || it.gone {
		return nil
	}
	_, err := g.a.fs.Lstat(string(act.Keep.Path))
	if err == nil {
		kept := act.Was.Disk
		kept.CTime, kept.Looked = 0, 0 // a rename moves it
		it.changes = append(it.changes, Change{Record: tree.Record{Entry: *act.Keep, Disk: kept}})
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // removed again at once, or it found its place taken: a scan tells
	}
	return err
}

// date notes the ctime of a file that was put, which spares the next scan a closer
// look: info, of asOf, is of what was put there, and attributes that are looked at
// after it are those that were put on it.
func (g *group) date(rec *tree.Record, info rootfs.Info, asOf time.Time) {
	grain := g.a.caps.CTimeGrain
	if rec.Disk.Kind != tree.File || !g.a.same(statOf(info), rec.Disk) || grain == 0 || asOf.Sub(time.Unix(0, info.CTime)) < grain {
		return
	}
	if sum, known := g.a.sumOf(string(rec.Path)); known && sum == rec.Disk.Attrs {
		rec.Disk.CTime, rec.Disk.Looked = info.CTime, uint8(g.a.o.Attributes.Kinds)
	}
}
