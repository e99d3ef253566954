package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"pinion/engine/chunk"
	"pinion/engine/tree"
)

// The names in Staging. A finished stage is <id>-<life>-<number>, where life is
// drawn anew for each run.
func partName(id tree.ContentID) string { return Staging + "/" + id.String() + ".part" }
func listName(id tree.ContentID) string { return Staging + "/" + id.String() + ".chunks" }
func haveName(id tree.ContentID) string { return Staging + "/" + id.String() + ".have" }

func (f *Fetcher) stageName(id tree.ContentID) string {
	return Staging + "/" + id.String() + "-" + f.life + "-" + strconv.FormatUint(f.serial.Add(1), 10)
}

// parseName takes a name in Staging apart: its content and what follows it. ok is
// false for names that are not this package's.
func parseName(name string) (id tree.ContentID, rest string, ok bool) {
	const digits = 2 * len(id)
	if len(name) <= digits {
		return id, "", false
	}
	id, err := tree.ParseContentID(name[:digits])
	rest = name[digits:]
	ok = err == nil && (rest == ".part" || rest == ".chunks" || rest == ".have" || rest[0] == '-')
	return id, rest, ok
}

// maxOlder bounds how many stages of earlier runs are remembered.
const maxOlder = 8192

// finishedStages finds what earlier runs handed out and nobody gave a name.
func (f *Fetcher) finishedStages() (map[tree.ContentID][]string, error) {
	names, err := f.o.FS.Names(Staging)
	if err != nil {
		return nil, err
	}
	older := map[tree.ContentID][]string{}
	for _, name := range names {
		if id, rest, ok := parseName(name); ok && rest[0] == '-' && len(older) < maxOlder {
			older[id] = append(older[id], Staging+"/"+name)
		}
	}
	return older, nil
}

// maxGivenBack bounds how many stages of one content are remembered.
const maxGivenBack = 4

// GiveBack takes back a stage that was handed out and got no name: it is used when
// its content is asked for again. Nothing is removed here, since only reading it
// would show that it still is what it was.
func (f *Fetcher) GiveBack(content tree.ContentID, staged string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	old := f.older[content]
	if f.older == nil || len(old) == 0 && len(f.older) >= maxOlder {
		return
	}
	f.older[content] = append([]string{staged}, old[:min(len(old), maxGivenBack-1)]...)
}

func (f *Fetcher) olderStages(id tree.ContentID) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.older[id]
}

// writeFile makes a file; one that is there already goes first.
func (f *Fetcher) writeFile(name string, data []byte, flush bool) (err error) {
	if err := remove(f.o.FS, name); err != nil {
		return err
	}
	return createFile(f.o.FS, name, data, flush)
}

func createFile(disk FS, name string, data []byte, flush bool) (err error) {
	file, err := disk.Create(name)
	if err != nil {
		return err
	}
	if len(data) > 0 {
		_, err = file.WriteAt(data, 0)
	}
	if err == nil && flush {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, disk.Remove(name))
	}
	if flush {
		return disk.SyncDir(Staging)
	}
	return nil
}

// stageSmall stages a content, with the mode and mtime of e where one is given
// that leaves it readable and where that is easily done.
func (f *Fetcher) stageSmall(disk FS, id tree.ContentID, data []byte, e *tree.Entry) (string, error) {
	name := f.stageName(id)
	w, ok := disk.(Writer)
	if !ok || e == nil || e.Mode&0o400 == 0 {
		if err := createFile(disk, name, data, false); err != nil {
			return "", fmt.Errorf("stage: %w", err)
		}
		return name, nil
	}
	if err := w.WriteNew(name, data, e.Mode, e.MTime); err != nil {
		return "", errors.Join(fmt.Errorf("stage: %w", err), remove(disk, name))
	}
	return name, nil
}

// remove removes what may not be there.
func remove(disk FS, name string) error {
	if err := disk.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// copyStage makes another stage of a content that is staged.
func (f *Fetcher) copyStage(ctx context.Context, id tree.ContentID, staged string) (_ string, err error) {
	name := f.stageName(id)
	src, stat, err := f.o.FS.Open(staged)
	if err != nil {
		return "", fmt.Errorf("copy a stage: %w", err)
	}
	defer src.Close()
	dst, err := f.o.FS.Create(name)
	if err != nil {
		return "", fmt.Errorf("copy a stage: %w", err)
	}
	if err = f.o.FS.Reflink(dst, src); err != nil {
		err = copyAll(ctx, dst, src, stat.Size)
	}
	if err = errors.Join(err, dst.Close()); err != nil {
		return "", errors.Join(fmt.Errorf("copy a stage: %w", err), f.o.FS.Remove(name))
	}
	return name, nil
}

func copyAll(ctx context.Context, dst io.WriterAt, src io.ReaderAt, size int64) error {
	buf := make([]byte, 256<<10)
	for at := int64(0); at < size; {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		n, err := src.ReadAt(buf[:min(int64(len(buf)), size-at)], at)
		if n == 0 && err != nil {
			return err
		}
		if _, err := dst.WriteAt(buf[:n], at); err != nil {
			return err
		}
		at += int64(n)
	}
	return nil
}

// flushListFrom is the size of a content from which on its chunk list is worth a
// flush: a smaller one costs less to fetch again than the flush.
const flushListFrom = 32 << 20

// writeList puts the chunk list on the disk, unless it is there.
func (f *Fetcher) writeList(n *need, m tree.Manifest) error {
	if f.readList(n) != nil {
		return nil
	}
	if err := f.writeFile(listName(n.content), chunk.Pack(nil, m), n.size >= flushListFrom); err != nil {
		return fmt.Errorf("stage the chunk list: %w", err)
	}
	return nil
}

// readList reads the chunk list beside a part; nil if there is none that is right.
func (f *Fetcher) readList(n *need) tree.Manifest {
	b := f.readFile(listName(n.content), chunk.PackedSize(chunk.MaxChunks(n.size)))
	if b == nil {
		return nil
	}
	m, err := chunk.Unpack(b)
	if err != nil || chunk.Verify(m, n.content, n.size) != nil {
		return nil
	}
	return m
}

// readFile reads a file of at most this many bytes; nil if that can't be done.
func (f *Fetcher) readFile(name string, most int64) []byte {
	file, stat, err := f.o.FS.Open(name)
	if err != nil {
		return nil
	}
	defer file.Close()
	if stat.Size > most {
		return nil
	}
	b := make([]byte, stat.Size)
	if _, err := file.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil
	}
	return b
}

// takeNote reads the note of an orderly stop and removes it: from now on the part
// changes.
func (f *Fetcher) takeNote(n *need, chunks int) *kept {
	b := f.readFile(haveName(n.content), int64(17+8*len(newBits(chunks))+len(n.content)))
	if b == nil {
		return nil
	}
	if err := f.o.FS.Remove(haveName(n.content)); err != nil {
		return nil
	}
	return readNote(b, chunks)
}

func (f *Fetcher) removeNotes(id tree.ContentID) {
	for _, name := range []string{listName(id), haveName(id)} {
		if err := remove(f.o.FS, name); err != nil {
			f.o.Log.Debug("a note of a part stays", "err", err)
		}
	}
}

// adopt takes over a finished stage that an earlier run left or that was given
// back, if it holds what its name says.
func (f *Fetcher) adopt(ctx context.Context, n *need) (string, tree.Manifest) {
	for _, old := range f.olderStages(n.content) {
		m, ok := f.holds(ctx, old, n.content, n.size)
		if !ok {
			continue
		}
		staged := f.stageName(n.content)
		if err := f.o.FS.RenameNoReplace(old, staged); err != nil {
			continue
		}
		f.mu.Lock()
		delete(f.older, n.content)
		n.reused, n.reusedAll = n.size, true
		f.mu.Unlock()
		return staged, m
	}
	return "", nil
}

// holds reads a file to see whether it has this content. A negative size stands
// for any.
func (f *Fetcher) holds(ctx context.Context, name string, id tree.ContentID, size int64) (tree.Manifest, bool) {
	file, stat, err := f.o.FS.Open(name)
	if err != nil {
		return nil, false
	}
	defer file.Close()
	if size >= 0 && stat.Size != size {
		return nil, false
	}
	m, got, _, err := chunk.Of(ctxReader{ctx, io.NewSectionReader(file, 0, stat.Size)}, stat.Size)
	return m, err == nil && got == id
}

// ctxReader ends when its context does.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (r ctxReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// Swept is what Sweep did.
type Swept struct {
	Removed int
	Bytes   int64
	Strange []string // finished stages that don't hold what their names say; they are left alone
}

// sweepAge is how long what nobody wants is kept: it may be wanted again soon.
const sweepAge = time.Hour

// Sweep removes from the staging directory what earlier runs left and nobody
// wants: parts and notes that have not changed for an hour, and finished stages,
// which are read first. What this run made is not looked at. It is to be called
// while Run runs, and after apply has recovered.
func (f *Fetcher) Sweep(ctx context.Context, wanted func(tree.ContentID) bool) (out Swept, err error) {
	names, err := f.o.FS.Names(Staging)
	if err != nil {
		return out, fmt.Errorf("sweep the staging directory: %w", err)
	}
	for _, name := range names {
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		id, rest, ok := parseName(name)
		if !ok || wanted(id) || f.busy(id, rest) {
			continue
		}
		path := Staging + "/" + name
		stat, err := f.o.FS.Lstat(path)
		if err != nil || stat.Kind != tree.File {
			continue
		}
		if rest[0] == '-' {
			if _, ok := f.holds(ctx, path, id, -1); !ok && ctx.Err() == nil {
				out.Strange = append(out.Strange, path)
				continue
			}
		} else if f.o.Now().Sub(time.Unix(0, stat.MTime)) < sweepAge {
			continue
		}
		if f.busy(id, rest) {
			continue // somebody began to want it while it was read
		}
		if err := f.o.FS.Remove(path); err != nil {
			f.o.Log.Debug("a stage stays", "err", err)
			continue
		}
		out.Removed++
		out.Bytes += stat.Size
	}
	return out, nil
}

// busy says whether a name in Staging is in use, or may have been handed out.
func (f *Fetcher) busy(id tree.ContentID, rest string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.needs[id] != nil || f.life == "" || strings.HasPrefix(rest, "-"+f.life+"-")
}
