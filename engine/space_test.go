package engine_test

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pinion/engine"
	"pinion/engine/control"
	"pinion/engine/enginetest"
	"pinion/engine/index"
	"pinion/engine/status"
	"pinion/engine/tree"
	"pinion/platform/drive"
)

// smallDisk is a disk of 100 MB, 10 MB of which are the reserve, that one folder
// of a device is on.
type smallDisk struct {
	dir   string
	other atomic.Int64 // bytes that belong to others
	ahead atomic.Int64 // of the device's clock
}

const smallDiskSize = 100_000_000

func (d *smallDisk) space(string) (drive.Space, error) {
	used := d.other.Load()
	_ = filepath.WalkDir(d.dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(e.Name(), "index.db") {
			return nil
		}
		if info, err := e.Info(); err == nil {
			used += info.Size()
		}
		return nil
	})
	return drive.Space{Free: uint64(max(0, smallDiskSize-used)), Total: smallDiskSize}, nil
}

// on puts a device's folder on a small disk. The archive is looked through soon
// after each start.
func on(w *enginetest.World, dev, folder string) *smallDisk {
	d := &smallDisk{dir: w.Path(dev, folder)}
	w.Device(dev).Tune = func(o *engine.Options) {
		o.Machine.Space = d.space
		o.Limits.Archive = 50 * time.Millisecond
		o.Now = func() time.Time { return time.Now().Add(time.Duration(d.ahead.Load())) }
	}
	w.Stop(dev)
	w.Start(dev)
	return d
}

// noise is text that no two calls share.
func noise(seed uint64, n int) string {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = r.Read(b)
	return string(b)
}

func TestWhatDoesNotFitWaitsForRoom(t *testing.T) {
	t.Parallel()
	w := enginetest.New(t, "laptop", "pi")
	disk := on(w, "pi", "docs")
	w.Share("docs", "laptop", "pi")
	w.Settle()
	disk.other.Store(88_000_000) // 2 MB besides the reserve
	w.Write("laptop", "docs/film", noise(1, 5_000_000))
	w.Write("laptop", "docs/small", "fits")
	w.AwaitFile("pi", "docs/small", "fits")
	w.Await("only the film to be lacking", func() bool {
		f, _ := folderOf(w, "pi", "docs")
		return f.State == status.Full && f.Need.Files == 1
	})
	st := w.State("pi", "docs")
	if len(st.Problems) != 1 || st.Problems[0].Path != "film" || !strings.Contains(st.Problems[0].Error, "needs 5.0 MB and pi has 2.0 MB free besides the reserve of 10 MB: free 3.0 MB") {
		t.Errorf("the problem is told as %+v", st.Problems)
	}
	if !strings.HasPrefix(st.Reason, "film needs 5.0 MB") || st.Disk == nil || st.Disk.Reserve != 10_000_000 {
		t.Errorf("the state is %+v", st)
	}
	w.Await("the laptop to hear that pi has no room", func() bool {
		p := w.State("laptop", "docs").Peers
		return len(p) == 1 && p[0].NoRoom == 1 && p[0].NeedFiles == 1
	})
	w.Await("the laptop to hear how full pi's disk is", func() bool {
		p := w.State("laptop", "docs").Peers
		return len(p) == 1 && p[0].Disk != nil && p[0].Disk.Total == smallDiskSize && p[0].Disk.Free < 13_000_000
	})
	// What others do goes on meanwhile, and the film is not begun.
	w.Write("laptop", "docs/other", "fits too")
	w.Write("pi", "docs/own", "from pi")
	w.AwaitFile("pi", "docs/other", "fits too")
	w.AwaitFile("laptop", "docs/own", "from pi")
	w.HasNot("docs/film", "pi")
	disk.other.Store(10_000_000)
	w.Settle()
	w.Same("docs")
	if st := w.State("pi", "docs"); len(st.Problems) != 0 {
		t.Errorf("with room there are problems: %+v", st.Problems)
	}
}

// A file that will never come because its device took it back is no problem.
func TestWhatWaitsForRoomIsForgottenWithItsFile(t *testing.T) {
	t.Parallel()
	w := enginetest.New(t, "laptop", "pi")
	disk := on(w, "pi", "docs")
	w.Share("docs", "laptop", "pi")
	w.Write("laptop", "docs/letter", "stays")
	w.Settle()
	disk.other.Store(88_000_000)
	w.Write("laptop", "docs/film", noise(1, 5_000_000))
	w.AwaitState("pi", "docs", status.Full)
	w.Delete("laptop", "docs/film")
	w.Settle()
	if st := w.State("pi", "docs"); len(st.Problems) != 0 {
		t.Errorf("problems: %+v", st.Problems)
	}
}

// The archive makes room: what is oldest goes, the last version of each path stays
// for as long as others do, and what would not help is not given up.
func TestTheArchiveMakesRoom(t *testing.T) {
	t.Parallel()
	w := enginetest.New(t, "laptop", "pi")
	disk := on(w, "pi", "docs")
	w.Share("docs", "laptop", "pi")
	for i := range 5 { // 4 old versions of a, none of b
		w.Write("laptop", "docs/a", noise(uint64(i), 1_000_000))
		w.Settle()
	}
	w.Write("laptop", "docs/b", noise(100, 1_000_000))
	w.Settle()
	w.Delete("laptop", "docs/b")
	w.Settle()
	kept := func() (a, b int) {
		for _, k := range w.Archive("pi", "docs") {
			switch {
			case k.Path == "a" && devIs(k, "pi"):
				a++
			case k.Path == "b" && devIs(k, "pi"):
				b++
			}
		}
		return a, b
	}
	if n := w.State("pi", "docs").Archive; n.Files != 5 || n.Bytes != 5_000_000 {
		t.Fatalf("%+v are kept", n)
	}
	disk.ahead.Store(int64(time.Hour)) // they are young no more
	used := int64(6_000_000)

	// A film that could not come if all of the archive went.
	disk.other.Store(smallDiskSize - 10_000_000 - used - 1_000_000)
	w.Write("laptop", "docs/film", noise(200, 20_000_000))
	w.AwaitState("pi", "docs", status.Full)
	if n := w.State("pi", "docs").Archive; n.Files != 5 {
		t.Errorf("for a film that never fits, %d of 5 versions are kept", n.Files)
	}
	w.Delete("laptop", "docs/film")
	w.Settle()

	// One that comes if two old versions go.
	w.Write("laptop", "docs/film", noise(201, 2_900_000))
	w.Settle()
	w.Same("docs")
	if a, b := kept(); a != 2 || b != 1 {
		t.Errorf("%d versions of a and %d of b are kept", a, b)
	}
	if n := w.State("pi", "docs").Archive; n.Files != 3 || n.Bytes != 3_000_000 {
		t.Errorf("%+v are kept", n)
	}
	// Others take so much that the reserve is short: what is kept goes, in the end
	// all of it, and what lives stays.
	disk.other.Add(3_500_000)
	w.Stop("pi")
	w.Start("pi")
	w.Await("the archive to make the reserve good", func() bool {
		f, ok := folderOf(w, "pi", "docs")
		return ok && f.Archive.Files == 0
	})
	w.Rest()
	w.Same("docs")
	if _, err := os.Stat(w.Path("pi", "docs/.pinion/archive")); err != nil {
		t.Error(err)
	}
}

func devIs(k control.Kept, _ string) bool { return k.Folder == "docs" }

func folderOf(w *enginetest.World, dev, folder string) (status.Folder, bool) {
	for _, f := range w.Status(dev).Folders {
		if f.Name == folder {
			return f, true
		}
	}
	return status.Folder{}, false
}

// later restarts a device some time later.
func later(w *enginetest.World, dev string, disk *smallDisk, d time.Duration) {
	w.Stop(dev)
	disk.ahead.Add(int64(d))
	w.Start(dev)
}

func archiveFiles(t *testing.T, dir string) (out []string) {
	t.Helper()
	root := filepath.Join(dir, ".pinion/archive")
	_ = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(root, file)
			out = append(out, filepath.ToSlash(rel))
		}
		return nil
	})
	return out
}

const day = 24 * time.Hour

func TestOldVersionsExpire(t *testing.T) {
	t.Parallel()
	w := enginetest.New(t, "laptop", "pi")
	disk := on(w, "pi", "docs")
	w.Share("docs", "laptop", "pi")
	w.Write("laptop", "docs/in/a", "first")
	w.Write("laptop", "docs/b", "gone soon")
	w.Settle()
	w.Write("laptop", "docs/in/a", "second")
	w.Delete("laptop", "docs/b")
	w.Settle()
	files := func(want int) {
		t.Helper()
		w.Await(fmt.Sprintf("%d versions to be kept", want), func() bool {
			f, ok := folderOf(w, "pi", "docs")
			return ok && f.Archive.Files == int64(want) && len(archiveFiles(t, disk.dir)) == want
		})
	}
	files(2)
	// The clock jumps by a year: nothing is believed.
	later(w, "pi", disk, 365*day)
	w.Settle()
	time.Sleep(300 * time.Millisecond)
	files(2)
	later(w, "pi", disk, -365*day)
	w.Settle()
	// Four weeks go by as they do.
	for range 4 {
		later(w, "pi", disk, 7*day)
		w.Settle()
		time.Sleep(200 * time.Millisecond)
	}
	files(2)
	later(w, "pi", disk, 3*day)
	files(0)
	if _, err := os.Stat(w.Path("pi", "docs/.pinion/archive/in")); err == nil {
		t.Error("an empty directory of the archive is left")
	}
	w.Rest()
	w.Same("docs")
}

// Rows without files go, files without rows are listed again, and a row that
// names something else than an archived file is not obeyed.
func TestTheArchiveIsComparedWithItsRows(t *testing.T) {
	t.Parallel()
	w := enginetest.New(t, "laptop", "pi")
	disk := on(w, "pi", "docs")
	w.Share("docs", "laptop", "pi")
	w.Write("laptop", "docs/a", "first")
	w.Write("laptop", "docs/in/b", "b once")
	w.Settle()
	w.Write("laptop", "docs/a", "second")
	w.Delete("laptop", "docs/in/b")
	w.Settle()
	w.Stop("pi")

	// The index is lost; a person put a file into the archive and took one out.
	for _, f := range []string{"index.db", "index.db-wal", "index.db-shm"} {
		_ = os.Remove(filepath.Join(disk.dir, ".pinion", f))
	}
	must(t, os.WriteFile(filepath.Join(disk.dir, ".pinion/archive/mine.txt"), []byte("put here by hand"), 0o600))
	disk.ahead.Store(int64(2 * time.Hour))
	w.Start("pi")
	w.Await("the archive to be listed again", func() bool {
		f, ok := folderOf(w, "pi", "docs")
		return ok && f.Archive.Files == 3
	})
	w.Settle()
	got := map[string]string{}
	for _, k := range w.Archive("pi", "docs") {
		got[k.Path] = k.Reason
	}
	if got["a"] != "replaced" || got["in/b"] != "deleted" || got["mine.txt"] != "deleted" {
		t.Errorf("listed are %v", got)
	}
	w.RestoreFrom("pi", "docs/in/b")
	w.AwaitFile("laptop", "docs/in/b", "b once")
	w.Settle()

	// A file is taken out; a damaged row names what is no version.
	w.Stop("pi")
	must(t, os.Remove(filepath.Join(disk.dir, ".pinion/archive/mine.txt")))
	must(t, os.WriteFile(filepath.Join(disk.dir, "precious"), []byte("precious"), 0o600))
	must(t, os.WriteFile(filepath.Join(filepath.Dir(disk.dir), "outside"), []byte("outside"), 0o600))
	ix, err := index.Open(context.Background(), filepath.Join(disk.dir, ".pinion/index.db"), index.Options{
		Now: time.Now, Rand: rand.NewChaCha8([32]byte{}), Device: w.Device("pi").ID, DeviceName: "pi",
	})
	must(t, err)
	var rows []index.Archived
	for i, file := range []string{"precious", "../outside", ".pinion/archive/../../precious", ".pinion/folder.toml", ".pinion/archive", "/etc/hostname"} {
		rows = append(rows, index.Archived{Path: tree.Path(fmt.Sprint("x", i)), File: file, When: 1, Size: 1, Reason: index.Replaced})
	}
	must(t, ix.RemoveArchived(context.Background(), nil))
	_, err = ix.Commit(context.Background(), index.Update{Archived: rows})
	must(t, err)
	must(t, ix.Close())
	w.Start("pi")
	w.Settle() // precious is synced
	for range 2 {
		later(w, "pi", disk, 8*day)
	}
	w.Await("what is no version to be listed no more", func() bool {
		f, ok := folderOf(w, "pi", "docs")
		return ok && f.Archive.Files == 2
	})
	w.Settle()
	w.Has("docs/precious", "precious", "pi", "laptop")
	if b, _ := os.ReadFile(filepath.Join(filepath.Dir(disk.dir), "outside")); string(b) != "outside" {
		t.Error("a row reached outside")
	}
	for _, k := range w.Archive("pi", "docs") {
		if strings.HasPrefix(k.Path, "x") || k.Path == "mine.txt" {
			t.Errorf("%s is still listed", k.Path)
		}
	}
}

// What a standing conflict was edited from is kept past its time, so that it can
// still be merged; and goes once it is settled.
func TestTheBaseOfAConflictIsKept(t *testing.T) {
	t.Parallel()
	w := enginetest.New(t, "laptop", "pi")
	disk := on(w, "pi", "docs")
	w.Share("docs", "laptop", "pi")
	w.Write("laptop", "docs/a", "base")
	w.Settle()
	w.Cut("laptop", "pi")
	w.Write("laptop", "docs/a", "of the laptop")
	w.Write("pi", "docs/a", "of the pi")
	w.Scan("pi", "docs")
	w.Restore("laptop", "pi")
	w.Await("a conflict", func() bool { return len(w.Conflicts("pi")) == 1 && len(w.Conflicts("laptop")) == 1 })
	w.Settle()
	w.Stop("pi")
	ix, err := index.Open(context.Background(), filepath.Join(disk.dir, ".pinion/index.db"), index.Options{
		Now: time.Now, Rand: rand.NewChaCha8([32]byte{}), Device: w.Device("pi").ID, DeviceName: "pi",
	})
	must(t, err)
	rows, err := ix.Conflicts(context.Background(), "", 1)
	must(t, err)
	base := ".pinion/archive/a~20200101T000000Z"
	must(t, os.WriteFile(filepath.Join(disk.dir, base), []byte("base"), 0o600))
	_, err = ix.Commit(context.Background(), index.Update{Archived: []index.Archived{
		{Path: "a", File: base, When: time.Now().Add(-100 * day).UnixNano(), Size: 4, Content: rows[0].Conflict.Base, Reason: index.Replaced},
	}})
	must(t, err)
	must(t, ix.Close())
	w.Start("pi")
	w.Settle()
	stands := func() bool { _, err := os.Stat(filepath.Join(disk.dir, base)); return err == nil }
	for range 3 {
		later(w, "pi", disk, 8*day)
		w.Settle()
		time.Sleep(200 * time.Millisecond)
	}
	if !stands() {
		t.Fatal("the base of a standing conflict expired")
	}
	w.Resolve("pi", w.Conflicts("pi")[0].Path, "this")
	w.Settle()
	later(w, "pi", disk, day)
	w.Await("the base of a settled conflict to expire", func() bool { return !stands() })
}
