package scan

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// model is an index in memory.
type model struct {
	mu   sync.Mutex // a scan reads ahead of what it tells
	rows map[tree.Path]tree.Record
	seq  uint64
	had  map[tree.ContentID]bool // contents that were ever recorded
}

func newModel() *model {
	return &model{rows: map[tree.Path]tree.Record{}, had: map[tree.ContentID]bool{}}
}

func (m *model) clone() *model {
	return &model{rows: maps.Clone(m.rows), seq: m.seq, had: maps.Clone(m.had)}
}

func (m *model) Position() tree.Position {
	m.mu.Lock()
	defer m.mu.Unlock()
	return tree.Position{Seq: m.seq}
}

func (m *model) Get(_ context.Context, p tree.Path) (tree.Record, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rec, ok := m.rows[p]
	return rec, ok, nil
}

func (m *model) At(ctx context.Context, paths []tree.Path) (map[tree.Path]tree.Record, error) {
	out := map[tree.Path]tree.Record{}
	for _, p := range paths {
		if rec, ok, _ := m.Get(ctx, p); ok {
			out[p] = rec
		}
	}
	return out, nil
}

func (m *model) live() []tree.Path {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []tree.Path
	for p, rec := range m.rows {
		if rec.Exists() {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, tree.Path.Compare)
	return out
}

func (m *model) Standing(ctx context.Context, under tree.Path, page func([]tree.Record) (bool, error)) error {
	fn, rest := paged(page)
	err := m.Walk(ctx, under, "", func(r tree.Record) (bool, error) {
		lean := tree.Record{Entry: tree.Entry{Path: r.Path, Kind: r.Kind, Attrs: r.Attrs, Target: r.Target, Conflict: r.Conflict}, Disk: r.Disk, Seq: r.Seq}
		return fn(lean)
	})
	if err != nil {
		return err
	}
	return rest()
}

func (m *model) Walk(ctx context.Context, under, after tree.Path, fn func(tree.Record) (bool, error)) error {
	for _, p := range m.live() {
		if p == under || !p.Within(under) || after != "" && p.Compare(after) <= 0 {
			continue
		}
		rec, _, _ := m.Get(ctx, p)
		if more, err := fn(rec); !more || err != nil {
			return err
		}
	}
	return nil
}

func (m *model) Children(ctx context.Context, dir tree.Path, fn func(tree.Record) (bool, error)) error {
	return m.Walk(ctx, dir, "", func(rec tree.Record) (bool, error) {
		if rec.Path.Dir() != dir {
			return true, nil
		}
		return fn(rec)
	})
}

func (m *model) Fresh(_ context.Context, p tree.Path) (bool, error) {
	for q := range m.rows {
		if q.Within(p) {
			return false, nil
		}
	}
	return true, nil
}

func (m *model) ByInode(_ context.Context, inode uint64, limit int) (out []tree.Record, err error) {
	for _, p := range m.live() {
		if rec, _, _ := m.Get(context.Background(), p); rec.Kind != tree.Symlink && rec.Disk.Inode == inode && len(out) < limit {
			out = append(out, rec)
		}
	}
	return out, nil
}

// commit takes changes in as the index would.
func (m *model) commit(changes []Change) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range changes {
		if old := m.rows[c.Path]; old.Seq != c.BasedOn {
			return fmt.Errorf("%q is based on %d, and the row is at %d", c.Path, c.BasedOn, old.Seq)
		}
		m.seq++
		switch {
		case c.Ignored:
			delete(m.rows, c.Path)
		case c.Missing(), c.To != "":
			old := m.rows[c.Path]
			old.Deleted, old.Disk, old.Seq = true, tree.Stat{}, m.seq
			m.rows[c.Path] = old
		default:
			if c.From != "" && !m.had[c.Now.Content] {
				return fmt.Errorf("%q says to have the content that %q had, which it never had", c.Path, c.From)
			}
			m.had[c.Now.Content] = true
			m.rows[c.Path] = tree.Record{Entry: c.Now, Disk: c.Disk, Seq: m.seq}
		}
	}
	return nil
}

// world is a folder on the disk with an index in memory and a scanner.
type world struct {
	t       testing.TB
	dir     string
	root    *rootfs.Root
	model   *model
	o       Options
	scanner *Scanner
	hashed  []string // sizes of what was read
	stamp   int64
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := worldIn(t, t.TempDir(), rootfs.Capabilities{})
	caps, err := w.root.Probe()
	w.must(err)
	return w.with(func(o *Options) { o.Caps = caps })
}

// worldIn spares probing what is known.
func worldIn(t testing.TB, dir string, caps rootfs.Capabilities) *world {
	t.Helper()
	w := &world{t: t, dir: dir, model: newModel(), stamp: 1_700_000_000}
	w.must(os.MkdirAll(filepath.Join(dir, tree.Private, "tmp"), 0o755))
	var err error
	w.root, err = rootfs.Open(dir)
	w.must(err)
	t.Cleanup(func() { _ = w.root.Close() })
	w.o = Options{
		FS: Disk(w.root), Index: w.model, Caps: caps, Hash: w.hash,
		Ignored: func(p string, _ bool) bool { return strings.HasSuffix(p, ".tmp") },
		Now:     func() time.Time { return time.Now().Add(time.Hour) }, // no file is young
	}
	w.scanner = New(w.o)
	return w
}

// with changes the scanner's options.
func (w *world) with(f func(o *Options)) *world {
	f(&w.o)
	w.scanner = New(w.o)
	return w
}

func (w *world) hash(_ context.Context, r io.Reader, size int64) (tree.Manifest, tree.ContentID, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, tree.ContentID{}, err
	}
	if int64(len(data)) != size {
		return nil, tree.ContentID{}, errors.New("another size")
	}
	w.hashed = append(w.hashed, fmt.Sprint(size))
	return tree.Manifest{{ID: sum(data), Len: uint32(size)}}, sum(data), nil
}

func sum(data []byte) (id tree.ContentID) {
	h := sha256.Sum256(data)
	id[0] = tree.HashBLAKE3
	copy(id[1:], h[:])
	return id
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) path(rel string) string { return filepath.Join(w.dir, filepath.FromSlash(rel)) }

// put makes things: "d/" is a directory, "f=text" a file, "l->t" a symlink.
// Each file gets an mtime of its own.
func (w *world) put(specs ...string) {
	w.t.Helper()
	for _, s := range specs {
		if name, target, ok := strings.Cut(s, "->"); ok {
			w.must(os.Symlink(target, w.path(name)))
		} else if name, text, ok := strings.Cut(s, "="); ok {
			w.must(os.MkdirAll(filepath.Dir(w.path(name)), 0o755))
			w.must(os.WriteFile(w.path(name), []byte(text), 0o644))
			w.touch(name)
		} else {
			w.must(os.MkdirAll(w.path(s), 0o755))
		}
	}
}

func (w *world) touch(rel string) {
	w.t.Helper()
	w.stamp++
	w.must(os.Chtimes(w.path(rel), time.Unix(w.stamp, 0), time.Unix(w.stamp, 0)))
}

func (w *world) rm(rel string) { w.t.Helper(); w.must(os.RemoveAll(w.path(rel))) }

func (w *world) mv(from, to string) { w.t.Helper(); w.must(os.Rename(w.path(from), w.path(to))) }

// collect is an emit that commits to m and lists what came.
func (w *world) collect(m *model, out *[]Change) func([]Change) error {
	seen := map[tree.Path]bool{}
	return func(batch []Change) error {
		for _, c := range batch {
			if seen[c.Path] {
				return fmt.Errorf("%q was told twice", c.Path)
			}
			seen[c.Path] = true
		}
		*out = append(*out, batch...)
		return m.commit(batch)
	}
}

func (w *world) full() (changes []Change, s Summary) {
	w.t.Helper()
	s, err := w.scanner.Full(context.Background(), w.collect(w.model, &changes))
	w.must(err)
	return changes, s
}

func (w *world) paths(paths, deep []string) (changes []Change, s Summary) {
	w.t.Helper()
	s, err := w.scanner.Paths(context.Background(), paths, deep, w.collect(w.model, &changes))
	w.must(err)
	return changes, s
}

// tell puts changes into words: "+d/" "+f" "-f" "~f" (known before) "!f"
// (ignored) "f<g" (taken from g).
func tell(changes []Change) string {
	var words []string
	for _, c := range changes {
		word := "+" + string(c.Path)
		switch {
		case c.Ignored:
			word = "!" + string(c.Path)
		case c.Missing(), c.To != "":
			word = "-" + string(c.Path)
		case c.From != "":
			word = string(c.Path) + "<" + string(c.From)
		case c.BasedOn != 0:
			word = "~" + string(c.Path)
		}
		if c.Now.Kind == tree.Dir {
			word += "/"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func (w *world) want(changes []Change, want string) {
	w.t.Helper()
	if got := tell(changes); got != want {
		w.t.Fatalf("told  %s\nwant  %s", got, want)
	}
}

// onDisk is what stands in the folder, said by other means than a scan.
func (w *world) onDisk() map[tree.Path]tree.Entry {
	out := map[tree.Path]tree.Entry{}
	w.must(filepath.WalkDir(w.dir, func(name string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(w.dir, name)
		switch {
		case err != nil || rel == ".":
			return err
		case rel == tree.Private || strings.HasSuffix(rel, ".tmp"):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		e := tree.Entry{Path: tree.Path(filepath.ToSlash(rel)), Mode: uint32(info.Mode().Perm()), MTime: info.ModTime().UnixNano()}
		switch {
		case d.IsDir():
			e.Kind, e.MTime = tree.Dir, 0
		case info.Mode()&fs.ModeSymlink != 0:
			e.Kind, e.Mode = tree.Symlink, 0
			e.Target, err = os.Readlink(name)
		default:
			var data []byte
			data, err = os.ReadFile(name)
			e.Kind, e.Size, e.Content = tree.File, info.Size(), sum(data)
		}
		out[e.Path] = e
		return err
	}))
	return out
}

// diff says how the live rows of m differ from what stands on the disk.
func (w *world) diff(m *model) string {
	var wrong []string
	disk := w.onDisk()
	for p, e := range disk {
		rec := m.rows[p]
		if !rec.Exists() || rec.Kind != e.Kind || rec.Content != e.Content || rec.Target != e.Target ||
			rec.Mode != e.Mode || rec.MTime != e.MTime || rec.Size != e.Size {
			wrong = append(wrong, fmt.Sprintf("%s: the disk has %+v, the index %+v", p, e, rec.Entry))
		}
	}
	for _, p := range m.live() {
		if _, ok := disk[p]; !ok {
			wrong = append(wrong, fmt.Sprintf("%s: only the index has it", p))
		}
	}
	slices.Sort(wrong)
	return strings.Join(wrong, "\n")
}

// broken is an FS with faults, by path.
type broken struct {
	FS
	open  map[string]error  // OpenDir fails
	list  map[string]error  // Names fails
	dev   map[string]uint64 // Lstat says that it is on another device
	lstat func(path string) // called before each Lstat of a name
}

func (b *broken) OpenDir(path string) (Dir, error) {
	if err := b.open[path]; err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	d, err := b.FS.OpenDir(path)
	if err != nil {
		return nil, err
	}
	return brokenDir{d, b, path}, nil
}

type brokenDir struct {
	Dir
	b    *broken
	path string
}

func (d brokenDir) below(name string) string {
	if d.path == "" {
		return name
	}
	return d.path + "/" + name
}

func (d brokenDir) OpenDir(name string) (Dir, error) { return d.b.OpenDir(d.below(name)) }

func (d brokenDir) Names() ([]string, error) {
	if err := d.b.list[d.path]; err != nil {
		return nil, &fs.PathError{Op: "list", Path: d.path, Err: err}
	}
	return d.Dir.Names()
}

func (d brokenDir) Lstat(name string) (rootfs.Info, error) {
	if d.b.lstat != nil {
		d.b.lstat(d.below(name))
	}
	info, err := d.Dir.Lstat(name)
	if dev, ok := d.b.dev[d.below(name)]; ok {
		info.Dev = dev
	}
	return info, err
}

// breaks puts faults between the scanner and the disk.
func (w *world) breaks(b broken) *broken {
	b.FS = Disk(w.root)
	w.with(func(o *Options) { o.FS = &b })
	return &b
}
