//go:build crashpoints

package folder

import (
	"context"
	"errors"

	"pinion/engine/apply"
	"pinion/engine/crash"
	"pinion/engine/exchange"
	"pinion/engine/transfer"
	"pinion/engine/tree"
)

// The stages' disks with a named moment before and after each change.

func crashApply(d apply.FS) apply.FS                { return applyCrash{d} }
func crashTransfer(d transfer.FS) transfer.FS       { return transferCrash{d} }
func crashExchange(x exchange.Index) exchange.Index { return indexCrash{x} }

func between(point string, do func() error) error {
	crash.At(point + ".before")
	err := do()
	crash.At(point + ".after")
	return err
}

type applyCrash struct{ apply.FS }

func (d applyCrash) Batch() (apply.FS, func()) {
	b, ok := d.FS.(apply.Batcher)
	if !ok {
		return d, func() {}
	}
	fs, end := b.Batch()
	return applyCrash{fs}, end
}
func (d applyCrash) WriteNew(path string, data []byte) error {
	return between("apply.note", func() error { return d.FS.WriteNew(path, data) })
}
func (d applyCrash) Mkdir(path string, perm uint32) error {
	return between("apply.mkdir", func() error { return d.FS.Mkdir(path, perm) })
}
func (d applyCrash) Symlink(target, path string) error {
	return between("apply.symlink", func() error { return d.FS.Symlink(target, path) })
}
func (d applyCrash) Remove(path string) error {
	return between("apply.remove", func() error { return d.FS.Remove(path) })
}
func (d applyCrash) RemoveDir(path string) error {
	return between("apply.rmdir", func() error { return d.FS.RemoveDir(path) })
}
func (d applyCrash) RenameNoReplace(from, to string) error {
	return between("apply.rename", func() error { return d.FS.RenameNoReplace(from, to) })
}
func (d applyCrash) Exchange(a, b string) error {
	return between("apply.exchange", func() error { return d.FS.Exchange(a, b) })
}
func (d applyCrash) SetMode(path string, mode uint32) error {
	return between("apply.mode", func() error { return d.FS.SetMode(path, mode) })
}
func (d applyCrash) SetMTime(path string, ns int64) error {
	return between("apply.mtime", func() error { return d.FS.SetMTime(path, ns) })
}
func (d applyCrash) SyncFS() error {
	return between("apply.syncfs", d.FS.SyncFS)
}
func (d applyCrash) SyncFile(path string) error {
	return between("apply.syncfile", func() error { return d.FS.SyncFile(path) })
}
func (d applyCrash) SyncDir(path string) error {
	return between("apply.syncdir", func() error { return d.FS.SyncDir(path) })
}

type transferCrash struct{ transfer.FS }

func (d transferCrash) Create(path string) (f transfer.File, err error) {
	err = between("transfer.create", func() error { f, err = d.FS.Create(path); return err })
	return crashingFile(f, err)
}
func (d transferCrash) Batch() (transfer.FS, func()) {
	b, ok := d.FS.(transfer.Batcher)
	if !ok {
		return d, func() {}
	}
	fs, end := b.Batch()
	return transferCrash{fs}, end
}

// WriteNew writes a half first, to be killed there.
func (d transferCrash) WriteNew(path string, data []byte, mode uint32, mtime int64) error {
	f, err := d.Create(path)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(data, 0)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	w, ok := d.FS.(transfer.Writer)
	if !ok {
		return nil
	}
	return errors.Join(d.FS.Remove(path), between("transfer.new", func() error { return w.WriteNew(path, data, mode, mtime) }))
}
func (d transferCrash) OpenRW(path string) (transfer.File, error) {
	return crashingFile(d.FS.OpenRW(path))
}
func (d transferCrash) Remove(path string) error {
	return between("transfer.remove", func() error { return d.FS.Remove(path) })
}
func (d transferCrash) RenameNoReplace(from, to string) error {
	return between("transfer.rename", func() error { return d.FS.RenameNoReplace(from, to) })
}
func (d transferCrash) SyncDir(path string) error {
	return between("transfer.syncdir", func() error { return d.FS.SyncDir(path) })
}
func (d transferCrash) Reflink(dst, src transfer.File) error {
	return between("transfer.reflink", func() error { return d.FS.Reflink(plainFile(dst), plainFile(src)) })
}

type fileCrash struct{ transfer.File }

func crashingFile(f transfer.File, err error) (transfer.File, error) {
	if err != nil {
		return nil, err
	}
	return fileCrash{f}, nil
}

func plainFile(f transfer.File) transfer.File {
	if c, ok := f.(fileCrash); ok {
		return c.File
	}
	return f
}

func (f fileCrash) WriteAt(p []byte, off int64) (int, error) {
	crash.At("transfer.write.before")
	half := len(p) / 2
	n, err := f.File.WriteAt(p[:half], off)
	if err != nil {
		return n, err
	}
	crash.At("transfer.write.half")
	m, err := f.File.WriteAt(p[half:], off+int64(half))
	crash.At("transfer.write.after")
	return n + m, err
}
func (f fileCrash) Truncate(size int64) error {
	return between("transfer.truncate", func() error { return f.File.Truncate(size) })
}
func (f fileCrash) Sync() error { return between("transfer.sync", f.File.Sync) }

type indexCrash struct{ exchange.Index }

func (x indexCrash) Observe(ctx context.Context, from tree.DeviceID, b tree.Batch) (news int, err error) {
	err = between("index.observe", func() error { news, err = x.Index.Observe(ctx, from, b); return err })
	return news, err
}
