package index

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"pinion/engine/tree"
)

func kept(p tree.Path, when int64, c int) Archived {
	return Archived{Path: p, When: when, Size: 10, Content: content(c), Reason: Replaced, File: fmt.Sprintf(".pinion/archive/%s~%d", p, when)}
}

func archive(t testing.TB, ix *Index, rows ...Archived) {
	t.Helper()
	ok(ix.Commit(context.Background(), Update{Archived: rows}))(t)
}

func TestTheArchiveByTime(t *testing.T) {
	ctx := context.Background()
	ix, _ := fresh(t)
	// Not in the order in which they were committed: an adopted one comes late.
	archive(t, ix, kept("b", 20, 1), kept("a", 10, 2), kept("a", 30, 3))
	archive(t, ix, kept("a", 5, 4), kept("b", 20, 5))
	var got []string
	for at := FirstPlace(); ; {
		page := ok(ix.Oldest(ctx, at, 2))(t)
		if len(page) == 0 {
			break
		}
		for _, a := range page {
			got = append(got, fmt.Sprintf("%s %d %v", a.Path, a.When, a.Newest))
			at = a.Place()
		}
	}
	want := []string{"a 5 false", "a 10 false", "b 20 false", "b 20 true", "a 30 true"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	size := func(files, bytes int64) {
		t.Helper()
		if f, b, err := ix.Kept(ctx); f != files || b != bytes || err != nil {
			t.Errorf("%d files of %d bytes are kept, %v; want %d of %d", f, b, err, files, bytes)
		}
	}
	size(5, 50)
	if err := ix.RemoveArchived(ctx, []int64{1, 2, 99}); err != nil {
		t.Fatal(err)
	}
	size(3, 30)
	if has := ok(ix.HasArchived(ctx, "a", ".pinion/archive/a~30", 0))(t); !has {
		t.Error("an archived file has no row")
	}
	if has := ok(ix.HasArchived(ctx, "", ".pinion/archive/a~30", 3))(t); has {
		t.Error("a file's only row is another one's")
	}
}

func TestWhatIsNeededOfTheArchive(t *testing.T) {
	ctx := context.Background()
	ix, _ := fresh(t)
	conflict := file("x (conflict)", 1, ix.Self().ID, 1)
	conflict.Conflict = &tree.Conflict{Of: "x", Base: content(2)}
	missing := file("m", 3, ix.Self().ID, 1)
	commit(t, ix, rec(conflict), rec(missing))
	p := peer(2)
	observe(t, ix, p, file("p", 4, p.ID, 1))
	if err := ix.HoldMissing(ctx, []tree.Path{"m"}); err != nil {
		t.Fatal(err)
	}
	got := ok(ix.Needed(ctx, []tree.ContentID{content(1), content(2), content(3), content(4), content(5), {}}))(t)
	if !got[content(2)] || !got[content(3)] || !got[content(4)] || len(got) != 3 {
		t.Errorf("needed: the base %v, the missing %v, the pending %v; %d in all", got[content(2)], got[content(3)], got[content(4)], len(got))
	}
}

// An index of the first version gets the archive's size when it is opened.
func TestTheArchiveOfAnEarlierVersionIsMeasured(t *testing.T) {
	ctx := context.Background()
	name := filepath.Join(t.TempDir(), "index.db")
	old, err := dial(name)
	if err != nil {
		t.Fatal(err)
	}
	first := fmt.Sprintf(`%s PRAGMA application_id = %d; PRAGMA user_version = 1;
		INSERT INTO archive (path, at, size, author, reason, file) VALUES (x'61', 1, 10, 0, 1, 'a~1'), (x'61', 2, 10, 0, 1, 'a~2');`, schema1, applicationID)
	if err := errors.Join(old.script(first), old.Close()); err != nil {
		t.Fatal(err)
	}
	w := newWorld()
	if f, b, err := w.open(t, name).Kept(ctx); f != 2 || b != 20 || err != nil {
		t.Errorf("%d files of %d bytes, %v", f, b, err)
	}
}

func TestAFullDiskIsNamedAndHarmsNothing(t *testing.T) {
	ctx := context.Background()
	ix, _ := fresh(t)
	commit(t, ix, rec(file("a", 1, ix.Self().ID, 1)))
	if err := ix.w.script("PRAGMA max_page_count = 1"); err != nil { // no more than there are
		t.Fatal(err)
	}
	var many []Change
	for i := range 2000 {
		many = append(many, rec(file(tree.Path(fmt.Sprintf("f%d", i)), i, ix.Self().ID, 2)))
	}
	if _, err := ix.Commit(ctx, Update{Changes: many}); !errors.Is(err, ErrFull) {
		t.Fatalf("a full disk gives %v", err)
	}
	if n := ix.Counts().Files; n != 1 {
		t.Errorf("%d files are counted", n)
	}
	if err := ix.w.script("PRAGMA max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	commit(t, ix, many...)
	if n := ix.Counts().Files; n != 2001 {
		t.Errorf("%d files are counted once there is room", n)
	}
}
