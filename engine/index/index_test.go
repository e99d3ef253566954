package index

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pinion/engine/tree"
)

// world is what a test's indexes share: a clock that stands and a random source
// that repeats from run to run.
type world struct {
	now  time.Time
	rand io.Reader
}

func newWorld() *world {
	return &world{now: time.Unix(1_800_000_000, 0), rand: rand.NewChaCha8([32]byte{1})}
}

func device(n byte) (d tree.DeviceID) { d[0], d[31] = n, n; return d }

func (w *world) options() Options {
	return Options{Now: func() time.Time { return w.now }, Rand: w.rand, Device: device(1), DeviceName: "laptop"}
}

func (w *world) open(t testing.TB, file string) *Index {
	t.Helper()
	ix, err := Open(context.Background(), file, w.options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ix.Close(); err != nil {
			t.Error(err)
		}
	})
	return ix
}

func fresh(t testing.TB) (*Index, *world) {
	w := newWorld()
	return w.open(t, filepath.Join(t.TempDir(), "index.db")), w
}

func content(n int) tree.ContentID {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n))
	sum := sha256.Sum256(b[:])
	return tree.ContentID(append([]byte{tree.HashBLAKE3}, sum[:]...))
}

// peer is another device with its replica.
func peer(n byte) tree.Replica {
	return tree.Replica{ID: tree.ReplicaID(n), Device: device(n), Name: fmt.Sprint("pi", n)}
}

// file is an entry of a file that r wrote at counter n.
func file(p tree.Path, c int, r tree.ReplicaID, n uint64) tree.Entry {
	return tree.Entry{Path: p, Kind: tree.File, Size: int64(c), MTime: 1_500_000_000_000_000_000 + int64(c), Mode: 0o644,
		Content: content(c), Version: tree.Version{{Replica: r, N: n}}, Author: r}
}

func gone(e tree.Entry, r tree.ReplicaID, n uint64) tree.Entry {
	e.Deleted, e.Version, e.Author = true, e.Version.Bump(r, n), r
	return e
}

func rec(e tree.Entry) Change { return Change{Record: tree.Record{Entry: e}} }

// ok fails the test on an error and gives the value.
func ok[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func commit(t testing.TB, ix *Index, changes ...Change) {
	t.Helper()
	if refused := ok(ix.Commit(context.Background(), Update{Changes: changes}))(t); len(refused) > 0 {
		t.Fatalf("refused: %q", refused)
	}
}

func observe(t testing.TB, ix *Index, r tree.Replica, entries ...tree.Entry) int {
	t.Helper()
	return ok(ix.Observe(context.Background(), r.Device, tree.Batch{Entries: entries, Replicas: []tree.Replica{r}}))(t)
}

func pendingPaths(t testing.TB, ix *Index) (out []tree.Path) {
	t.Helper()
	rows, _, err := ix.Pending(context.Background(), PendingQuery{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range rows {
		out = append(out, p.Path)
	}
	return out
}

func TestCommitRefusesARowThatMovedOn(t *testing.T) {
	ix, _ := fresh(t)
	ctx, self := context.Background(), ix.Self().ID
	commit(t, ix, rec(file("a", 1, self, 5)))
	one := ok(ix.Commit(ctx, Update{Changes: []Change{rec(file("a", 2, self, 6)), rec(file("b", 2, self, 6))}}))(t)
	if !slices.Equal(one, []tree.Path{"a"}) {
		t.Fatalf("refused %q", one)
	}
	got, found, err := ix.Get(ctx, "a")
	if err != nil || !found || got.Seq != 1 || got.Content != content(1) {
		t.Fatalf("%+v %v %v", got, found, err)
	}
	u := []Change{rec(file("a", 3, self, 7))}
	u[0].If = got.Seq
	commit(t, ix, u...)
	if u[0].Record.Seq != 3 {
		t.Errorf("Seq %d was told", u[0].Record.Seq)
	}
	if refused := ok(ix.Commit(ctx, Update{Changes: u}))(t); len(refused) != 1 {
		t.Error("an old Seq was accepted")
	}
	forget := Change{Record: tree.Record{Entry: tree.Entry{Path: "b"}}, If: 2, Forget: true}
	commit(t, ix, forget)
	if _, found, _ := ix.Get(ctx, "b"); found {
		t.Error("b is not forgotten")
	}
	if c := ix.Counts(); c.Files != 1 || c.Bytes != 3 || c.Tombstones != 0 {
		t.Errorf("%+v", c)
	}
}

func TestWalkIsInPathOrderAndChildrenAreDirect(t *testing.T) {
	ix, _ := fresh(t)
	ctx, self := context.Background(), ix.Self().ID
	paths := []tree.Path{"a", "a/b", "a/b/c", "a/b/d", "a/b-", "a/bb", "a-", "a-/x", "b", "ä", "a/ü"}
	for i := range 600 {
		paths = append(paths, tree.Path(fmt.Sprintf("a/b/deep%03d", i)), tree.Path(fmt.Sprintf("a/n%03d", i)))
	}
	for _, p := range paths {
		commit(t, ix, rec(file(p, 1, self, 1)))
	}
	commit(t, ix, rec(gone(file("a/gone", 1, self, 1), self, 2)))
	slices.SortFunc(paths, tree.Path.Compare)
	for _, dir := range []tree.Path{"", "a", "a/b", "a-"} {
		var below, direct, walked, children []tree.Path
		for _, p := range paths {
			if p != dir && p.Within(dir) {
				below = append(below, p)
				if p.Dir() == dir {
					direct = append(direct, p)
				}
			}
		}
		collect := func(to *[]tree.Path) func(tree.Record) (bool, error) {
			return func(r tree.Record) (bool, error) { *to = append(*to, r.Path); return true, nil }
		}
		if err := errors.Join(ix.Walk(ctx, dir, "", collect(&walked)), ix.Children(ctx, dir, collect(&children))); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(walked, below) {
			t.Errorf("Walk %q: %d rows instead of %d", dir, len(walked), len(below))
		}
		if !slices.Equal(children, direct) {
			t.Errorf("Children %q: %q instead of %q", dir, children, direct)
		}
	}
	var rest []tree.Path
	_ = ix.Walk(ctx, "a", "a/n598", func(r tree.Record) (bool, error) { rest = append(rest, r.Path); return true, nil })
	if !slices.Equal(rest, []tree.Path{"a/n599", "a/ü"}) {
		t.Errorf("after a/n598: %q", rest)
	}
}

func TestLookUps(t *testing.T) {
	ix, _ := fresh(t)
	ctx, self := context.Background(), ix.Self().ID
	a, b := rec(file("a", 7, self, 1)), rec(file("b", 7, self, 1))
	a.Record.Disk, b.Record.Disk = tree.Stat{Kind: tree.File, Inode: 1 << 63}, tree.Stat{Kind: tree.File, Inode: 12}
	c := rec(gone(file("c", 7, self, 1), self, 2))
	commit(t, ix, a, b, c)
	if got := ok(ix.ByContent(ctx, content(7), 10))(t); len(got) != 2 {
		t.Errorf("by content: %v", got)
	}
	if got := ok(ix.ByContent(ctx, content(7), 1))(t); len(got) != 1 {
		t.Errorf("by content, one: %v", got)
	}
	if got := ok(ix.ByInode(ctx, 1<<63, 10))(t); len(got) != 1 || got[0].Path != "a" {
		t.Errorf("by inode: %v", got)
	}
	if got := ok(ix.Since(ctx, 1, 10))(t); len(got) != 2 || got[0].Path != "b" || !got[1].Deleted {
		t.Errorf("since: %v", got)
	}
	odd := file("x (conflict)", 9, self, 1)
	odd.Conflict = &tree.Conflict{Of: "x"}
	commit(t, ix, rec(odd))
	if got := ok(ix.Conflicts(ctx, "", 10))(t); len(got) != 1 || got[0].Conflict.Of != "x" || ix.Counts().Conflicts != 1 {
		t.Errorf("conflicts: %v", got)
	}
}

func TestManifests(t *testing.T) {
	ix, w := fresh(t)
	ctx, self := context.Background(), ix.Self().ID
	m := tree.Manifest{{ID: content(1), Len: 70000}, {ID: content(2), Len: 1}}
	c := rec(file("big", 3, self, 1))
	c.Manifest = m
	commit(t, ix, c)
	get := func(n int) tree.Manifest {
		got, _, err := ix.Manifest(ctx, content(n))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	maintain := func() { ok(ix.Maintain(ctx, MaintainOptions{}))(t) }
	if !slices.Equal(get(3), m) {
		t.Fatalf("%v", get(3))
	}
	// It stays as somebody's base, as what a peer offers, and as an archived one.
	next := rec(file("big", 4, self, 2))
	next.Record.Base, next.If = content(3), 1
	commit(t, ix, next)
	if maintain(); get(3) == nil {
		t.Fatal("the base's chunk list is gone")
	}
	observe(t, ix, peer(2), file("other", 3, 2, 1))
	last := rec(file("big", 5, self, 3))
	last.If = 2
	commit(t, ix, last)
	if maintain(); get(3) == nil {
		t.Fatal("a pending file's chunk list is gone")
	}
	a := Archived{Path: "big", When: w.now.UnixNano(), Content: content(3), Reason: Replaced, File: "big~"}
	ok(ix.Commit(ctx, Update{Archived: []Archived{a}}))(t)
	if err := ix.DropPending(ctx, []Told{{Path: "other"}}); err != nil {
		t.Fatal(err)
	}
	if maintain(); get(3) == nil {
		t.Fatal("an archived file's chunk list is gone")
	}
	found := ok(ix.FindArchived(ctx, content(3), 5))(t)
	if err := ix.RemoveArchived(ctx, []int64{found[0].ID}); err != nil {
		t.Fatal(err)
	}
	if maintain(); get(3) != nil {
		t.Fatal("nothing names the chunk list, and it stays")
	}
}

func TestTombstonesAreForgottenWhenAllHaveSeenThem(t *testing.T) {
	ix, w := fresh(t)
	ctx, self := context.Background(), ix.Self().ID
	now := uint64(w.now.Unix())
	commit(t, ix, rec(gone(file("old", 1, self, 1), self, now-1000)), rec(gone(file("told", 1, self, 1), self, now-1000)),
		rec(gone(file("young", 1, self, 1), self, now)), rec(gone(file("unseen", 1, self, 1), self, now-1000)))
	observe(t, ix, peer(2), file("told", 2, 2, 1))
	m := ok(ix.Maintain(ctx, MaintainOptions{Seen: 3, TombstoneAge: time.Minute}))(t)
	if _, found, _ := ix.Get(ctx, "old"); found || m.Tombstones != 1 || ix.Counts().Tombstones != 3 {
		t.Errorf("%+v %+v", m, ix.Counts())
	}
}

func TestArchiveAndActivity(t *testing.T) {
	ix, w := fresh(t)
	ctx, self := context.Background(), ix.Self().ID
	row := func(p tree.Path, n int, why Reason) Archived {
		return Archived{Path: p, When: w.now.UnixNano() + int64(n), Size: int64(n), Content: content(n), By: self, Reason: why, File: fmt.Sprint(p, "~", n)}
	}
	rows := []Archived{row("d/a", 1, Replaced), row("d/a", 2, Deleted), row("e", 3, Conflicted), row("d/b", 4, Deleted)}
	done := Activity{Time: 5, Path: "d/a", Action: "replaced", Device: device(3)}
	ok(ix.Commit(ctx, Update{Changes: []Change{rec(file("d/b", 1, self, 1))}, Archived: rows, Activity: []Activity{done}}))(t)
	for i := range rows {
		rows[i].ID = int64(i + 1)
	}
	for _, c := range []struct {
		q    ArchiveQuery
		want []Archived
	}{
		{ArchiveQuery{Limit: 9}, []Archived{rows[3], rows[2], rows[1], rows[0]}},
		{ArchiveQuery{Limit: 1, Before: 3}, []Archived{rows[1]}},
		{ArchiveQuery{Limit: 2, Oldest: true, Before: 1}, []Archived{rows[1], rows[2]}},
		{ArchiveQuery{Limit: 9, Path: "d/a"}, []Archived{rows[1], rows[0]}},
		{ArchiveQuery{Limit: 9, Under: "d"}, []Archived{rows[3], rows[1], rows[0]}},
		{ArchiveQuery{Limit: 9, Under: "d", Deleted: true}, []Archived{rows[1], rows[0]}},
	} {
		if got := ok(ix.Archived(ctx, c.q))(t); !slices.Equal(got, c.want) {
			t.Errorf("%+v:\n%v\ninstead of\n%v", c.q, got, c.want)
		}
	}
	done.ID = 1
	if got := ok(ix.Activity(ctx, 0, 9))(t); !slices.Equal(got, []Activity{done}) {
		t.Errorf("%v", got)
	}
	many := make([]Activity, maxActivity)
	for i := range many {
		many[i] = Activity{Time: int64(i), Path: "x", Action: "made"}
	}
	ok(ix.Commit(ctx, Update{Activity: many}))(t)
	if got := ok(ix.Activity(ctx, 0, 1))(t); got[0].Path != "x" || got[0].ID != 2 {
		t.Errorf("the oldest is %v", got)
	}
	if got := ok(ix.LastActivity(ctx, 1))(t); got[0].ID != maxActivity+1 {
		t.Errorf("the newest is %v", got)
	}
}

func TestMissingPaths(t *testing.T) {
	ix, _ := fresh(t)
	ctx, self := context.Background(), ix.Self().ID
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(ix.HoldMissing(ctx, []tree.Path{"b", "a", "a/x"}))
	must(ix.HoldMissing(ctx, []tree.Path{"a", "c", "d"}))
	must(ix.FoundAgain(ctx, []tree.Path{"d", "never"}))
	commit(t, ix, rec(gone(file("c", 1, self, 1), self, 2)))
	if got := ok(ix.Missing(ctx, "a", 9))(t); !slices.Equal(got, []tree.Path{"a/x", "b"}) {
		t.Errorf("%q", got)
	}
	if n := ok(ix.MissingCount(ctx))(t); n != 3 {
		t.Errorf("%d held", n)
	}
	must(ix.ReleaseMissing(ctx))
	if got := ok(ix.Missing(ctx, "", 9))(t); len(got) != 0 || ok(ix.MissingCount(ctx))(t) != 0 {
		t.Errorf("%q", got)
	}
}

func TestMetaSurvives(t *testing.T) {
	w, name := newWorld(), filepath.Join(t.TempDir(), "odd name?#%41.db")
	ctx := context.Background()
	ix := w.open(t, name)
	if err := errors.Join(ix.SetMeta(ctx, "head", []byte("x")), ix.SetMeta(ctx, "k", []byte("v")), ix.SetMeta(ctx, "k", nil), ix.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(name); err != nil {
		t.Fatal(err)
	}
	ix = w.open(t, name)
	v, found, err := ix.Meta(ctx, "head")
	if err != nil || !found || string(v) != "x" {
		t.Errorf("%q %v %v", v, found, err)
	}
	if _, found, _ = ix.Meta(ctx, "k"); found {
		t.Error("k is still there")
	}
}

func TestClosedIndexSaysSo(t *testing.T) {
	ix, _ := fresh(t)
	if err := errors.Join(ix.Close(), ix.Close()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ix.Get(context.Background(), "a"); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, err := ix.Commit(context.Background(), Update{}); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func TestAFileOfAnotherProgramIsDamaged(t *testing.T) {
	name := filepath.Join(t.TempDir(), "index.db")
	c, err := dial(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.script("CREATE TABLE x (y)"), c.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), name, newWorld().options()); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
}

// TestArchiveByPaths: pages of the archive in the order of a walk, also of one
// path and what is below it, and not of its neighbours.
func TestArchiveByPaths(t *testing.T) {
	ix, w := fresh(t)
	ctx, self := context.Background(), ix.Self().ID
	row := func(p tree.Path, n int) Archived {
		return Archived{Path: p, When: w.now.UnixNano(), Size: int64(n), Content: content(n), By: self, Reason: Deleted, File: fmt.Sprint(p, "~", n)}
	}
	rows := []Archived{row("d.x", 1), row("d/a", 2), row("e", 3), row("d", 4), row("d/a", 5), row("d/b/c", 6)}
	ok(ix.Commit(ctx, Update{Changes: []Change{rec(file("d/b/c", 1, self, 1)), rec(folder("d", self))}, Archived: rows}))(t)
	for i := range rows {
		rows[i].ID = int64(i + 1)
	}
	all := []Archived{rows[3], rows[1], rows[4], rows[5], rows[0], rows[2]}
	for _, c := range []struct {
		q    ArchivePageQuery
		want []Archived
	}{
		{ArchivePageQuery{Limit: 9}, all},
		{ArchivePageQuery{Limit: 9, Within: "d"}, all[:4]},
		{ArchivePageQuery{Limit: 2, Within: "d"}, all[:2]},
		{ArchivePageQuery{Limit: 9, Within: "d", Path: "d/a", ID: 2}, all[2:4]},
		{ArchivePageQuery{Limit: 9, Within: "d", Path: "d/a", ID: 5}, all[3:4]},
		{ArchivePageQuery{Limit: 9, Within: "d/a"}, all[1:3]},
		{ArchivePageQuery{Limit: 9, Within: "d/b"}, all[3:4]},
		{ArchivePageQuery{Limit: 9, Within: "never"}, nil},
		{ArchivePageQuery{Limit: 9, Deleted: true}, []Archived{rows[1], rows[4], rows[0], rows[2]}},
	} {
		if got := ok(ix.ArchivePage(ctx, c.q))(t); !slices.Equal(got, c.want) {
			t.Errorf("%+v:\n%v\ninstead of\n%v", c.q, got, c.want)
		}
	}
}

// TestDeletedDirectories, and whether anything but directories was ever in them.
func TestDeletedDirectories(t *testing.T) {
	ix, _ := fresh(t)
	ctx, self := context.Background(), ix.Self().ID
	ok(ix.Commit(ctx, Update{Changes: []Change{
		rec(folder("d", self)), rec(gone(folder("d/empty", self), self, 2)), rec(gone(folder("d/empty/deep", self), self, 2)), rec(gone(folder("d/held", self), self, 2)),
		rec(gone(file("d/held/a", 1, self, 1), self, 2)), rec(gone(file("d/file", 2, self, 1), self, 2)), rec(gone(folder("other", self), self, 2)),
	}}))(t)
	var got []tree.Path
	err := ix.Gone(ctx, "d", tree.Dir, func(r tree.Record) (bool, error) {
		if ok(ix.EverHeld(ctx, r.Path))(t) {
			return true, nil
		}
		got = append(got, r.Path)
		return true, nil
	})
	if err != nil || !slices.Equal(got, []tree.Path{"d/empty", "d/empty/deep"}) {
		t.Errorf("%q, %v", got, err)
	}
	for within, want := range map[tree.Path][]tree.Path{"": {"d/file", "d/held/a"}, "d/held": {"d/held/a"}, "d/file": {"d/file"}, "other": nil} {
		got = nil
		err = ix.Gone(ctx, within, tree.File, func(r tree.Record) (bool, error) { got = append(got, r.Path); return true, nil })
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("files in %q: %q, %v", within, got, err)
		}
	}
}

func folder(p tree.Path, r tree.ReplicaID) tree.Entry {
	return tree.Entry{Path: p, Kind: tree.Dir, Mode: 0o755, Version: tree.Version{{Replica: r, N: 1}}, Author: r}
}
