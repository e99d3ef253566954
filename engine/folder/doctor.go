package folder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"pinion/engine/control"
	"pinion/engine/index"
	"pinion/engine/scan"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// Doctor looks the folder over: marker, disk, index, archive, limits, and how it
// stands with the others. deep reads every file, too. It changes nothing.
func (f *Folder) Doctor(ctx context.Context, deep bool) []control.Finding {
	x := &examination{f: f}
	c, err := f.opened()
	if err != nil {
		x.find("problem", "%v", err)
		return x.out
	}
	x.c = c
	if err := f.checkMarker(); err != nil {
		x.find("problem", "%v", err)
		return x.out
	}
	s := f.State()
	x.find("ok", "the marker is in place and %d files (%d bytes) are indexed", s.Files, s.Bytes)
	for _, look := range []func(context.Context) error{x.system, x.index, x.disk, x.archive, x.devices} {
		x.try(look(ctx))
	}
	if deep {
		x.try(x.contents(ctx))
	}
	for _, p := range s.Problems {
		x.find("problem", "%s: %s", p.Path, p.Error)
	}
	return x.out
}

// examination is one run of Doctor.
type examination struct {
	f   *Folder
	c   *cycle
	out []control.Finding
}

// maxFindings bounds how many paths of one kind are named.
const maxFindings = 20

func (x *examination) find(level, format string, args ...any) {
	x.out = append(x.out, control.Finding{Folder: x.f.cfg.Name, Level: level, Text: fmt.Sprintf(format, args...)})
}

func (x *examination) try(err error) {
	if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, index.ErrClosed) {
		x.find("problem", "could not be looked over: %v", err)
	}
}

// system looks at what the file system and the watcher can do.
func (x *examination) system(context.Context) error {
	if w := x.c.watcher.Warning(); w != nil {
		x.find("problem", "%v", w)
	}
	if !x.c.caps.Exchange {
		x.find("note", "the file system (%s) can't exchange two files in one step; a slower way with a written intent is used", x.c.caps.FSType)
	}
	return nil
}

// index looks at the index file itself and at what waits in it.
func (x *examination) index(ctx context.Context) error {
	if x.f.cfg.IndexFile == "" {
		if _, err := x.c.root.Lstat(tree.Private + "/index.db"); errors.Is(err, fs.ErrNotExist) {
			x.find("problem", "the index file is gone from disk although it is open; restart the engine to have it made anew")
			return nil
		}
	}
	err := x.c.index.Check(ctx)
	if errors.Is(err, index.ErrDamaged) {
		x.find("problem", "the index is damaged (%v); restart the engine: it is set aside and made anew by scanning, and nothing is deleted for it", err)
		return nil
	}
	if err != nil {
		return err
	}
	n, err := x.c.index.MissingCount(ctx)
	if err == nil && n > 0 {
		x.find("note", "%d paths are missing on disk and not taken as deleted yet", n)
	}
	return err
}

// disk compares what stands on the disk with the index, as a scan does, and
// leaves what differs to the scans.
func (x *examination) disk(ctx context.Context) error {
	var differ int64
	var first tree.Path
	s, err := x.c.newScanner(newHasher(), nil).Full(ctx, func(changes []scan.Change) error {
		if differ == 0 && len(changes) > 0 {
			first = changes[0].Path
		}
		differ += int64(len(changes))
		return nil
	})
	if err != nil {
		return err
	}
	if differ > 0 {
		x.find("note", "%d paths on disk (such as %s) are not what the index says: they have just changed, or were not noticed; pinion scan %s takes them in", differ, first, x.f.cfg.Name)
	} else {
		x.find("ok", "the index agrees with the disk: %d files, %d directories, %d symlinks", s.Files, s.Dirs, s.Symlinks)
	}
	return nil
}

// archive looks whether what the index lists as archived is there.
func (x *examination) archive(ctx context.Context) error {
	var files, bytes, gone int64
	for after := int64(0); ; {
		rows, err := x.c.index.Archived(ctx, index.ArchiveQuery{Oldest: true, Before: after, Limit: 500})
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		for _, r := range rows {
			after = r.ID
			switch info, err := x.c.root.Lstat(r.File); {
			case errors.Is(err, fs.ErrNotExist):
				gone++
			case err != nil:
				return err
			case info.Kind == rootfs.Regular:
				files, bytes = files+1, bytes+info.Size
			}
		}
	}
	x.find("ok", "the archive holds %d old versions (%d bytes)", files, bytes)
	if gone > 0 {
		x.find("note", "%d old versions that the archive lists are not there any more: somebody removed them by hand", gone)
	}
	return nil
}

// devices looks at how the folder stands with the other devices.
func (x *examination) devices(context.Context) error {
	x.c.ask(func() {
		for _, p := range x.c.exchange.Peers() {
			name := x.f.cfg.NameOf(p.Device)
			x.stands(name, p.State.Digest, level(p))
			if h := x.c.accord.healed[p.Device]; h.times > 0 {
				x.find("note", "was found to differ from %s at %s although both were level, and everything was told again; please report it", name, h.at.Format(time.DateTime))
			}
			if d := p.Ahead.Abs(); d > clockOff {
				way := "behind"
				if p.Ahead > 0 {
					way = "ahead of"
				}
				x.find("problem", "the clock of %s is %v %s this device's; set both by the network (timedatectl set-ntp true), since the order of changes comes from them", name, d.Round(time.Second), way)
			}
		}
	})
	return nil
}

func (x *examination) stands(name string, theirs uint64, level bool) {
	own := x.c.saying.digest
	switch {
	case !level:
		x.find("note", "is not level with %s yet", name)
	case own == 0 || theirs == 0:
	case own == theirs:
		x.find("ok", "holds the same as %s (digest %016x)", name, own)
	default:
		x.find("problem", "holds something else than %s although both are level; it is compared again by itself within a minute", name)
	}
}

// contents reads every file that the index knows and compares it with what is
// recorded: a disk that goes bad changes bytes without changing times.
func (x *examination) contents(ctx context.Context) error {
	var files, bytes, bad int64
	disk, hasher := x.c.root.Apply(), newHasher()
	err := x.c.index.Walk(ctx, "", "", func(r tree.Record) (bool, error) {
		if r.Kind != tree.File {
			return true, ctx.Err()
		}
		same, err := unaltered(ctx, x.c.root, func(p string) (io.ReadCloser, error) { return disk.Open(p) }, hasher, r)
		switch {
		case err != nil:
			x.find("problem", "%s can't be read: %v", r.Path, err)
			bad++
		case !same:
			x.find("problem", "%s holds other bytes than were recorded, although its size and time are the same: the disk may be failing, or a program changed it without touching its time. If the file is damaged, bring a good version back from another device (pinion history %s); if it is right: touch it", r.Path, r.Path)
			bad++
		}
		files, bytes = files+1, bytes+r.Size
		return bad < maxFindings, ctx.Err()
	})
	if err != nil {
		return err
	}
	if bad == 0 {
		x.find("ok", "all %d files (%d bytes) were read and are what was recorded", files, bytes)
	} else if bad == maxFindings {
		x.find("problem", "there may be more; the reading ended here")
	}
	return nil
}

// unaltered says whether a file holds what is recorded of it; one that lstat
// shows to have changed is a scan's business.
func unaltered(ctx context.Context, root Disk, open func(string) (io.ReadCloser, error), h *hasher, r tree.Record) (bool, error) {
	looks := func() (bool, error) {
		info, err := root.Lstat(string(r.Path))
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return err == nil && info.Kind == rootfs.Regular && info.Size == r.Disk.Size && info.MTime == r.Disk.MTime, err
	}
	if ok, err := looks(); !ok || err != nil {
		return err == nil, err
	}
	file, err := open(string(r.Path))
	if err != nil {
		return false, err
	}
	_, id, err := h.hash(ctx, file, r.Size)
	file.Close()
	if err == nil && id == r.Content {
		return true, nil
	}
	ok, lerr := looks()
	return !ok && lerr == nil, errors.Join(err, lerr)
}
