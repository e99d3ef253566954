package netproto

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"pinion/engine/tree"
	"pinion/netproto/wire"
)

// archivist is a recorder that also keeps.
type archivist struct {
	*recorder
	kept func(folder tree.FolderID, q tree.KeptQuery) (tree.KeptPage, error)
}

func (a archivist) Kept(_ context.Context, _ *Session, folder tree.FolderID, q tree.KeptQuery) (tree.KeptPage, error) {
	return a.kept(folder, q)
}

func keptRow(i int) tree.Kept {
	return tree.Kept{Path: tree.Path(fmt.Sprintf("d/%04d", i)), Seq: uint64(i + 1), When: 5, Kind: tree.File, Size: 7, Reason: tree.Removed}
}

// keptPages answers from n rows.
func keptPages(n int) func(tree.FolderID, tree.KeptQuery) (tree.KeptPage, error) {
	return func(folder tree.FolderID, q tree.KeptQuery) (tree.KeptPage, error) {
		if folder != (tree.FolderID{1}) {
			return tree.KeptPage{}, errors.New("no such folder")
		}
		var page tree.KeptPage
		for i := range n {
			k := keptRow(i)
			if k.Precedes(q.Path, q.Seq) || !k.Path.Within(q.Within) {
				continue
			}
			if page.More = len(page.Rows) == tree.MaxKept; page.More {
				break
			}
			page.Rows = append(page.Rows, k)
		}
		return page, nil
	}
}

func TestKept(t *testing.T) {
	r := newRecorder()
	a := launch(t, nil, nil)
	b := launch(t, func(c *Config) { c.Handler = archivist{r, keptPages(2500)} }, r)
	ab, ba := meet(t, a, b)

	var got []tree.Kept
	q := tree.KeptQuery{Within: "d"}
	for pages := 1; ; pages++ {
		page, err := ab.Kept(t.Context(), tree.FolderID{1}, q)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, page.Rows...)
		q = q.After(page)
		if !page.More {
			if pages != 3 {
				t.Errorf("%d pages", pages)
			}
			break
		}
	}
	if len(got) != 2500 || got[2499] != keptRow(2499) {
		t.Errorf("%d rows", len(got))
	}
	if _, err := ab.Kept(t.Context(), tree.FolderID{2}, tree.KeptQuery{}); !errors.Is(err, ErrGone) {
		t.Errorf("another folder: %v", err)
	}
	if _, err := ba.Kept(t.Context(), tree.FolderID{1}, tree.KeptQuery{}); !errors.Is(err, ErrUnsupported) {
		t.Errorf("a peer that does not keep: %v", err)
	}
	if _, err := ab.Manifest(t.Context(), tree.FolderID{1}, tree.ContentID{1, 2}, tree.ContentID{}, 1<<22); !errors.Is(err, ErrGone) {
		t.Errorf("the lane is of no more use: %v", err)
	}
}

// TestKeptThatWasNotAskedFor: rows of another place, and rows from before where
// the page begins, end the session.
func TestKeptThatWasNotAskedFor(t *testing.T) {
	for name, q := range map[string]tree.KeptQuery{
		"elsewhere": {Within: "e"},
		"before":    {Path: "d/0005", Seq: 6},
		"again":     {Path: "d/0003", Seq: 4},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecorder()
			liar := func(tree.FolderID, tree.KeptQuery) (tree.KeptPage, error) {
				return tree.KeptPage{Rows: []tree.Kept{keptRow(3)}}, nil
			}
			a := launch(t, nil, nil)
			b := launch(t, func(c *Config) { c.Handler = archivist{r, liar} }, r)
			ab, _ := meet(t, a, b)
			_, err := ab.Kept(t.Context(), tree.FolderID{1}, q)
			if e, ok := errors.AsType[*Error](err); !ok || e.Code != wire.BadMessage {
				t.Errorf("it was taken: %v", err)
			}
		})
	}
}
