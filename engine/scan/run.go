package scan

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"time"

	"golang.org/x/text/unicode/norm"

	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// run is the state of one scan. One goroutine owns it.
type run struct {
	o      *Options
	ctx    context.Context
	emit   func([]Change) error
	inline int64 // the largest file that is read; 0: any
	known  bool  // the index held rows when the scan began
	dev    uint64
	whole  bool      // everything is looked at
	asOf   time.Time // not after the lstat at hand

	batch   []Change
	chunks  int  // in the batch's manifests
	missing bool // the batch holds missing paths
	flushed time.Time
	looked  int64
	head    []byte // the first bytes of the file that was read last

	kin  *former // of what is compared next: the directory that it came along with; nil: none
	came *Change // of the directory that was compared last, if it stood elsewhere

	gone     []gone // found missing, to be told at the end
	goneSize int
	sum      Summary
}

// begin checks the marker and that the root can be looked at.
func (r *run) begin() error {
	if err := r.marker(); err != nil {
		return err
	}
	root, err := r.o.FS.OpenDir("")
	if err != nil {
		return rootError(err)
	}
	defer root.Close()
	info, err := root.Info()
	if err != nil {
		return rootError(err)
	}
	r.dev = info.Dev
	return nil
}

func rootError(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, rootfs.ErrGone) {
		return fmt.Errorf("%w: %w", ErrRootGone, err)
	}
	return fmt.Errorf("open the folder: %w", err)
}

func (r *run) marker() error {
	if err := r.o.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrRootGone, err)
	}
	return nil
}

// add puts a change into the batch.
func (r *run) add(c Change) error {
	if c.Missing() {
		r.missing = true
		r.sum.Missing++
	} else {
		r.sum.Changed++
	}
	r.batch = append(r.batch, c)
	r.chunks += len(c.Manifest)
	if len(r.batch) >= batchChanges || r.chunks >= batchChunks || r.o.Now().Sub(r.flushed) >= batchTime {
		return r.flush()
	}
	return nil
}

// flush hands the batch out.
func (r *run) flush() error {
	r.flushed = r.o.Now()
	if len(r.batch) == 0 {
		return nil
	}
	if r.missing {
		if err := r.marker(); err != nil {
			return err
		}
	}
	batch := r.batch
	r.batch, r.chunks, r.missing = nil, 0, false
	return r.emit(batch)
}

// tick is called for each path that is looked at: it ends a cancelled scan, and
// now and then tells the progress and hands out what waits.
func (r *run) tick() error {
	r.looked++
	if r.looked%64 != 0 {
		return nil
	}
	if err := r.ctx.Err(); err != nil {
		return err
	}
	if r.looked%256 == 0 {
		r.o.Progress(r.progress())
	}
	if len(r.batch) > 0 && r.o.Now().Sub(r.flushed) >= batchTime {
		return r.flush()
	}
	return nil
}

func (r *run) progress() Progress { return Progress{Files: r.looked, Hashed: r.sum.HashedBytes} }

func (r *run) problem(path, why string) {
	if len(r.sum.Problems) >= MaxProblems {
		r.sum.MoreProblems++
		return
	}
	r.sum.Problems = append(r.sum.Problems, Problem{Path: path, Why: why})
}

func (r *run) unstable(p tree.Path) {
	if len(r.sum.Unstable) >= MaxUnstable {
		r.sum.MoreUnstable = true
		return
	}
	r.sum.Unstable = append(r.sum.Unstable, p)
}

// unreadable words the problem of something that can't be looked at.
func (r *run) unreadable(path string, err error) {
	var bare *fs.PathError
	if errors.As(err, &bare) {
		err = bare.Err
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		r.problem(path, "can't be read for lack of permission and is left as it is on the other devices. Give the user that Pinion runs as the right to read it, for example with chmod or chown.")
	case errors.Is(err, rootfs.ErrEscapes):
		r.otherDevice(path)
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		r.problem(path, "can't be read because too many files are open. Raise the limit on open files (ulimit -n).")
	default:
		r.problem(path, fmt.Sprintf("can't be read (%v) and is left as it is on the other devices. Check the disk and its cable; then run pinion scan.", err))
	}
}

func (r *run) otherDevice(path string) {
	r.problem(path, "lies on another file system (a mount point or a subvolume) and is not synced with this folder. Add it as a folder of its own, or list it in .pinionignore.")
}

func (r *run) special(path string) {
	r.problem(path, "is a socket, FIFO, device or other special file, which can't be synced. Remove it, or list it in .pinionignore.")
}

// badName words the problem of a name that no Path can hold.
func (r *run) badName(path string, err error) {
	why := "can't be synced"
	var bad *tree.PathError
	if errors.As(err, &bad) {
		why = bad.Why
	}
	r.problem(path, "is not synced: its name "+why+". Rename it, or list it in .pinionignore."+r.cure(path))
}

// cure gives the command that mends a name: in the shell's notation, since two
// Unicode forms of a name look the same.
func (r *run) cure(path string) string {
	better := norm.NFC.String(strings.ToValidUTF8(path, "_"))
	if _, err := tree.ParsePath(better); err != nil || better == path || strings.Contains(path, "'") {
		return ""
	}
	return " In " + r.o.where() + " this does it: mv -n -- " + shellWord(path) + " " + shellWord(better)
}

func (o *Options) where() string {
	if o.Name == "" {
		return "the folder"
	}
	return o.Name
}

// shellWord is a word that bash, zsh and ksh read as s.
func shellWord(s string) string {
	var b strings.Builder
	b.WriteString("$'")
	for _, c := range []byte(s) {
		switch {
		case c == '\\':
			b.WriteString(`\\`)
		case c < 0x20 || c > 0x7e:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String() + "'"
}

// absent says whether err tells that nothing stands there.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) }
