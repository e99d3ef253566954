package scan

import (
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// former is a directory that has another path now than the index knows. What is in
// it is compared with the rows below the old path, in one order, so that nothing has
// to be looked up for what came along.
type former struct {
	path  tree.Path // in the index
	cur   *cursor   // live rows below it, or below one above it that came along, too
	row   *tree.Record
	fresh bool // there is no row below the new path
	apart bool // not all that is recorded in it has come along
}

// next goes to the row of a name.
func (f *former) next(name string) error {
	f.apart = f.apart || f.row != nil // the last one was something else
	f.row = nil
	for {
		row, err := f.cur.peek()
		if err != nil || row == nil || !row.Path.Within(f.path) {
			return err
		}
		have, direct := nameIn(row.Path, f.path)
		if have > name {
			return nil
		}
		rec := *row
		f.cur.advance()
		if have == name && direct {
			f.row = &rec
			return nil
		}
		f.apart = true
	}
}

// end goes past what is left, and says whether all has come along.
func (f *former) end() (whole bool, err error) {
	row, err := f.cur.peek()
	if err != nil {
		return false, err
	}
	f.apart = f.apart || f.row != nil || row != nil && row.Path.Within(f.path)
	return !f.apart, f.cur.skip(f.path)
}

// kinOf takes the row that what is being compared had in the directory that it came
// along with, if its lstat is that row's.
func (r *run) kinOf(kin *former, info rootfs.Info) *tree.Record {
	if kin == nil || kin.row == nil || info.Inode == 0 || kin.row.Disk.Inode != info.Inode || !r.o.Caps.Inodes {
		return nil
	}
	row := kin.row
	if row.Kind != row.Disk.Kind || row.Kind != kindOf(info.Kind) || row.Kind != tree.Dir && !r.provenBy(row.Disk, info) {
		return nil
	}
	kin.row = nil
	return row
}

// provenBy says whether inode, size and mtime prove a content: not where mtimes are
// coarse.
func (r *run) provenBy(was tree.Stat, info rootfs.Info) bool {
	grain := r.o.Caps.MTimeGrain
	return grain > 0 && grain <= tick && r.untouched(was, info)
}

// whence finds the row of a directory that is new at path and stood elsewhere, where
// nothing stands any more.
func (r *run) whence(path tree.Path, info rootfs.Info) (*tree.Record, error) {
	if !r.known || !r.o.Caps.Inodes || info.Inode == 0 {
		return nil, nil
	}
	found, err := r.o.Index.ByInode(r.ctx, info.Inode, 8)
	if err != nil {
		return nil, indexError(err)
	}
	for i := range found {
		f := &found[i]
		if f.Kind != tree.Dir || f.Disk.Kind != tree.Dir || f.Disk.Inode != info.Inode || f.Path == path {
			continue
		}
		d, err := r.o.FS.OpenDir(string(f.Path))
		if err == nil {
			_ = d.Close()
		} else if absent(err) {
			return f, nil
		}
	}
	return nil, nil
}

// walkMoved compares a directory that came from elsewhere (r.came). Once all that is
// recorded in it was found in it, its old path is told.
func (r *run) walkMoved(above, at place, cur *cursor) error {
	came := r.came.Was
	along := r.came.Along
	r.came = nil
	at.old = &former{path: came.Path}
	if along {
		at.old.cur, at.old.fresh = above.old.cur, above.old.fresh
	} else {
		at.old.cur = r.entire(came.Path)
		defer at.old.cur.close()
		fresh, err := r.o.Index.Fresh(r.ctx, at.path)
		if err != nil {
			return indexError(err)
		}
		at.old.fresh = fresh
	}
	if err := r.walk(at, cur); err != nil {
		return err
	}
	whole, err := at.old.end()
	if err != nil {
		return indexError(err)
	}
	if !whole {
		if along {
			above.old.apart = true
		}
		return nil
	}
	return r.add(Change{Path: came.Path, BasedOn: came.Seq, Now: tree.Entry{Path: came.Path}, To: at.path, Was: came, Along: along})
}
