package rootfstest

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pinion/platform/rootfs"
)

// FS is what is tested: what changes a folder goes through.
type FS interface {
	Lstat(path string) (rootfs.Info, error)
	OpenFile(path string) (*os.File, rootfs.Info, error)
	OpenRW(path string) (*os.File, error)
	Create(path string, perm uint32) (*os.File, error)
	Readlink(path string) (string, error)
	Mkdir(path string, perm uint32) error
	Symlink(target, path string) error
	Remove(path string) error
	RemoveDir(path string) error
	RenameNoReplace(from, to string) error
	Exchange(a, b string) error
	Link(from, to string) error
	SetMode(path string, mode uint32) error
	SetMTime(path string, ns int64) error
	Writers(path string) (bool, error)
	SyncFS() error
	SyncDir(path string) error
}

// lister is what a handle may also have.
type lister interface {
	OpenDir(path string) (*rootfs.Dir, error)
}

// Run runs the suite. open opens the directory dir, which is new and empty, and
// closes the handle when the test ends. The directories are made in parent, or
// in the test's temporary directory where parent is "".
func Run(t *testing.T, parent string, open func(t *testing.T, dir string) FS) {
	for name, test := range map[string]func(*world){
		"Lstat":                   testLstat,
		"Create":                  testCreate,
		"OpenFile":                testOpenFile,
		"OpenRW":                  testOpenRW,
		"Directories":             testDirectories,
		"Symlinks":                testSymlinks,
		"Remove":                  testRemove,
		"RemoveDir":               testRemoveDir,
		"RenameNoReplace":         testRename,
		"RenameNoReplaceExists":   testRenameExists,
		"Exchange":                testExchange,
		"ExchangeRefuses":         testExchangeRefuses,
		"Link":                    testLink,
		"SetMode":                 testSetMode,
		"SetMTime":                testSetMTime,
		"Sync":                    testSync,
		"Writers":                 testWriters,
		"List":                    testList,
		"BadPaths":                testBadPaths,
		"SymlinkInTheWay":         testSymlinkInTheWay,
		"FileInTheWay":            testFileInTheWay,
		"SpecialFiles":            testSpecialFiles,
		"MagicLinks":              testMagicLinks,
		"SwappedParentNeverLeaks": testSwappedParent,
	} {
		t.Run(name, func(t *testing.T) {
			base := parent
			if base == "" {
				base = t.TempDir()
			} else {
				base = tempIn(t, parent)
			}
			w := &world{T: t, dir: filepath.Join(base, "root"), outside: filepath.Join(base, "outside")}
			w.must(os.Mkdir(w.dir, 0o755))
			w.must(os.Mkdir(w.outside, 0o755))
			w.fs = open(t, w.dir)
			test(w)
		})
	}
}

func tempIn(t *testing.T, parent string) string {
	dir, err := os.MkdirTemp(parent, "rootfstest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Log(err)
		}
	})
	return dir
}

// world is one test's folder, and a directory beside it that nothing may reach.
type world struct {
	*testing.T
	fs      FS
	dir     string
	outside string
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// is fails the test unless err is the wanted error and an *fs.PathError.
func (w *world) is(err, want error) {
	w.Helper()
	if !errors.Is(err, want) {
		w.Fatalf("error is %v, want %v", err, want)
	}
	if _, ok := errors.AsType[*fs.PathError](err); !ok {
		w.Fatalf("error %v is no *fs.PathError", err)
	}
}

// make builds what the entries say: "d/" a directory, "f" a file that holds its
// own path, "a => b" a symlink to b. It skips the test where that can't be made.
func (w *world) make(entries ...string) {
	w.Helper()
	for _, e := range entries {
		link, target, isLink := strings.Cut(e, " => ")
		path := filepath.Join(w.dir, link)
		switch {
		case isLink:
			if err := os.Symlink(strings.ReplaceAll(target, "OUTSIDE", w.outside), path); err != nil {
				w.Skipf("no symlinks here: %v", err)
			}
		case strings.HasSuffix(e, "/"):
			w.must(os.MkdirAll(path, 0o755))
		default:
			w.must(os.WriteFile(path, []byte(e), 0o644))
		}
	}
}

// holds fails the test unless the file at path (behind the handle's back) has
// the content.
func (w *world) holds(path, content string) {
	w.Helper()
	b, err := os.ReadFile(filepath.Join(w.dir, path))
	w.must(err)
	if string(b) != content {
		w.Fatalf("%s holds %q, want %q", path, b, content)
	}
}

func (w *world) absent(path string) {
	w.Helper()
	if _, err := os.Lstat(filepath.Join(w.dir, path)); !errors.Is(err, fs.ErrNotExist) {
		w.Fatalf("%s is there (%v)", path, err)
	}
}

func (w *world) unlessUnsupported(err error) {
	w.Helper()
	if errors.Is(err, errors.ErrUnsupported) {
		w.Skipf("not here: %v", err)
	}
	w.must(err)
}

func (w *world) read(f *os.File) string {
	w.Helper()
	b, err := io.ReadAll(f)
	w.must(err)
	w.must(f.Close())
	return string(b)
}

func (w *world) write(f *os.File, text string) {
	w.Helper()
	_, err := f.WriteString(text)
	w.must(err)
	w.must(f.Close())
}
