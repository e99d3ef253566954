package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pinion/engine/control"
	"pinion/engine/enginetest"
	"pinion/engine/tree"
)

// listed is the one conflict that a device lists.
func listed(t *testing.T, w *enginetest.World, dev string) control.Conflict {
	t.Helper()
	page, err := w.Engine(dev).ListConflicts(context.Background(), control.ConflictsRequest{})
	must(t, err)
	if len(page.Conflicts) != 1 {
		t.Fatalf("%s lists %+v", dev, page)
	}
	return page.Conflicts[0]
}

func content(w *enginetest.World, dev string, r control.ContentRequest) (control.Content, error) {
	r.Folder = "docs"
	return w.Engine(dev).Content(context.Background(), r)
}

func TestContentOfBothSidesAndTheBase(t *testing.T) {
	laptop, pi := ten(map[int]string{2: "the laptop's"}), ten(map[int]string{9: "the Pi's"})
	w := apart(t, false, []string{laptop}, []string{pi})
	c := listed(t, w, "laptop")
	for _, x := range []struct {
		name, want, from string
		r                control.ContentRequest
		id               tree.ContentID
	}{
		{"this", pi, "", control.ContentRequest{Path: c.Path}, c.ThisContent},
		{"that", laptop, "", control.ContentRequest{Path: c.Copy}, c.ThatContent},
		{"that, by its id", laptop, "", control.ContentRequest{Content: c.ThatContent}, c.ThatContent},
		{"the base, which only pi2 has", ten(nil), "pi2", control.ContentRequest{Path: c.Path, Content: c.Base}, c.Base},
		{"a part", laptop[5:12], "", control.ContentRequest{Path: c.Copy, Offset: 5, Limit: 7}, c.ThatContent},
		{"past the end", "", "", control.ContentRequest{Path: c.Copy, Offset: 1 << 40}, c.ThatContent},
	} {
		got, err := content(w, "laptop", x.r)
		if err != nil || string(got.Data) != x.want || got.From != x.from || got.Content != x.id {
			t.Errorf("%s: %q of %d, from %q, %v", x.name, got.Data, got.Size, got.From, err)
		}
		if x.r.Offset == 0 && got.Media != "text/plain" {
			t.Errorf("%s: is %q", x.name, got.Media)
		}
	}
	w.Resolve("laptop", "a.txt", control.KeepThis)
	w.Settle()
	if got, err := content(w, "laptop", control.ContentRequest{Content: c.ThatContent}); err != nil || string(got.Data) != laptop {
		t.Errorf("from the archive: %q %v", got.Data, err)
	}
}

func TestContentIsBoundedAndStaysInside(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/big", strings.Repeat("x", control.MaxContent+10))
	w.Write("laptop", "outside.txt", "a secret")
	shared(w, "laptop", "pi1")
	got, err := content(w, "laptop", control.ContentRequest{Path: "big", Limit: 1 << 40})
	if err != nil || len(got.Data) != control.MaxContent || got.Size != control.MaxContent+10 {
		t.Errorf("%d of %d bytes, %v", len(got.Data), got.Size, err)
	}
	for _, r := range []control.ContentRequest{
		{Path: "../outside.txt"}, {Path: "/etc/passwd"}, {Path: ".pinion/folder.toml"}, {Path: "nothing"}, {},
		{Path: "big", Offset: -1}, {Path: "big", Limit: -1}, {Content: tree.ContentID{tree.HashBLAKE3, 1}},
	} {
		if got, err := content(w, "laptop", r); err == nil {
			t.Errorf("%+v: %q", r, got.Data)
		}
	}
}

func TestAnEditedMergeIsKeptEverywhere(t *testing.T) {
	for name, text := range map[string]string{"edited": "mine\r\nalone \xe9", "empty": ""} {
		t.Run(name, func(t *testing.T) {
			laptop, pi := ten(map[int]string{2: "the laptop's"}), ten(map[int]string{2: "the Pi's"})
			w := apart(t, false, []string{laptop}, []string{pi})
			c := listed(t, w, "laptop")
			r := control.Resolve{Path: "docs/" + c.Copy, Keep: control.KeepMerge, Text: []byte(text), If: &control.Seen{This: c.ThisContent, That: c.ThatContent}}
			must(t, w.Engine("laptop").Resolve(context.Background(), r))
			w.Settle()
			wantTexts(t, w, "docs", text)
			w.Has("docs/a.txt", text, "laptop", "pi1", "pi2")
			w.Kept("docs", laptop)
			w.Kept("docs", pi)
			// And back again, as it was.
			must(t, w.Engine("laptop").Undo(context.Background(), control.Undo{Conflict: c, Keep: control.KeepMerge}))
			w.Settle()
			wantTexts(t, w, "docs", laptop, pi)
			w.Has("docs/a.txt", pi, "laptop", "pi1", "pi2")
		})
	}
}

// Whoever settles what he has not seen changes nothing.
func TestTheFence(t *testing.T) {
	for _, side := range []string{"this", "that"} {
		t.Run(side, func(t *testing.T) {
			w := inConflict(t)
			c := listed(t, w, "laptop")
			path, texts := c.Path, []string{"a new thought", "the laptop's"}
			if side == "that" {
				path, texts = c.Copy, []string{"the Pi's", "a new thought"}
			}
			w.Write("pi1", "docs/"+path, "a new thought")
			w.Settle()
			for _, r := range []control.Resolve{
				{Keep: control.KeepThis}, {Keep: control.KeepThat}, {Keep: control.KeepBoth}, {Keep: control.KeepMerge}, {Keep: control.KeepMerge, Text: []byte("x")},
			} {
				r.Path, r.If = "docs/"+c.Copy, &control.Seen{This: c.ThisContent, That: c.ThatContent}
				err := w.Engine("laptop").Resolve(context.Background(), r)
				var e *control.Error
				if !errors.As(err, &e) || e.Kind != control.KindChanged || !strings.Contains(e.Text, "nothing was changed") {
					t.Errorf("%s: %v", r.Keep, err)
				}
			}
			w.Settle()
			wantTexts(t, w, "docs", texts...)
			if n := len(w.Conflicts("pi2")); n != 1 {
				t.Errorf("%d conflicts", n)
			}
		})
	}
}

func TestUndoBringsTheConflictBack(t *testing.T) {
	for _, keep := range []string{"this", "that", "both", "merge"} {
		t.Run(keep, func(t *testing.T) {
			laptop, pi := ten(map[int]string{2: "the laptop's"}), ten(map[int]string{9: "the Pi's"})
			w := apart(t, false, []string{laptop}, []string{pi})
			c := listed(t, w, "pi2")
			w.Resolve("pi2", "a.txt", keep)
			w.Settle()
			must(t, w.Engine("pi2").Undo(context.Background(), control.Undo{Conflict: c, Keep: keep}))
			w.Settle()
			wantTexts(t, w, "docs", laptop, pi)
			for _, dev := range []string{"laptop", "pi1", "pi2"} {
				w.Has("docs/a.txt", pi, dev)
				again := listed(t, w, dev)
				if again.Path != c.Path || again.Copy != c.Copy || again.ThisContent != c.ThisContent || again.ThatContent != c.ThatContent || again.Base != c.Base {
					t.Errorf("%s lists %+v", dev, again)
				}
				if again.That.MTime.Unix() != c.That.MTime.Unix() {
					t.Errorf("%s: the copy is of %v, not %v", dev, again.That.MTime, c.That.MTime)
				}
			}
			w.Resolve("pi1", "a.txt", control.KeepThat) // and it can be settled like any other
			w.Settle()
			wantTexts(t, w, "docs", laptop)
		})
	}
}

func TestUndoAfterAnEditChangesNothing(t *testing.T) {
	w := inConflict(t)
	c := listed(t, w, "laptop")
	w.Resolve("laptop", "a.txt", control.KeepThat)
	w.Settle()
	w.Write("laptop", "docs/a.txt", "written after that")
	w.Settle()
	err := w.Engine("laptop").Undo(context.Background(), control.Undo{Conflict: c, Keep: control.KeepThat})
	if err == nil || !strings.Contains(err.Error(), "has been changed since") {
		t.Errorf("said %v", err)
	}
	w.Settle()
	wantTexts(t, w, "docs", "written after that")
}

func TestEditAndDeletionAreFencedAndUndone(t *testing.T) {
	w := beaten(t, "a.txt")
	c := listed(t, w, "laptop")
	r := control.Resolve{Path: "docs/a.txt", Keep: control.KeepDeletion, If: &control.Seen{This: tree.ContentID{tree.HashBLAKE3}}}
	if err := w.Engine("laptop").Resolve(context.Background(), r); err == nil {
		t.Error("what was not seen is deleted")
	}
	r.If = &control.Seen{This: c.ThisContent}
	must(t, w.Engine("laptop").Resolve(context.Background(), r))
	w.Settle()
	w.HasNot("docs/a.txt", "laptop", "pi1", "pi2")
	must(t, w.Engine("laptop").Undo(context.Background(), control.Undo{Conflict: c, Keep: control.KeepDeletion}))
	w.Settle()
	w.Has("docs/a.txt", "a.txt, edited", "laptop", "pi1", "pi2")
}

func TestConflictsAreListedInPages(t *testing.T) {
	w := two(t)
	for _, folder := range []string{"docs", "notes"} {
		for i := range 7 {
			w.WriteAt("laptop", fmt.Sprintf("%s/%d.txt", folder, i), "base", 5*time.Hour)
		}
		w.Share(folder, "laptop", "pi1")
	}
	w.Settle()
	w.Cut("laptop", "pi1")
	want := map[string]bool{}
	for _, folder := range []string{"docs", "notes"} {
		for i := range 7 {
			file := fmt.Sprintf("%s/%d.txt", folder, i)
			want[file] = true
			w.WriteAt("pi1", file, "the Pi's", 2*time.Hour)
			if i < 4 {
				w.WriteAt("laptop", file, "the laptop's", 3*time.Hour)
			} else {
				w.Delete("laptop", file)
			}
		}
	}
	w.Rest()
	w.Restore("laptop", "pi1")
	w.Settle()
	for _, limit := range []int{1, 2, 3, 4, 5, 7, 200} {
		seen := map[string]bool{}
		r := control.ConflictsRequest{Limit: limit}
		for pages := 0; ; pages++ {
			page, err := w.Engine("laptop").ListConflicts(context.Background(), r)
			must(t, err)
			if len(page.Folders) != 2 || page.Folders[0].Count != 7 || len(page.Conflicts) > limit || pages > 14 {
				t.Fatalf("%d conflicts; folders %+v", len(page.Conflicts), page.Folders)
			}
			for _, c := range page.Conflicts {
				if file := c.Folder + "/" + c.Path; seen[file] {
					t.Errorf("%s is listed twice", file)
				} else {
					seen[file] = true
				}
			}
			if r.After = page.Next; page.Next == "" {
				break
			}
		}
		if len(seen) != len(want) {
			t.Errorf("%d a page: %d of %d are listed", limit, len(seen), len(want))
		}
	}
	page, err := w.Engine("laptop").ListConflicts(context.Background(), control.ConflictsRequest{Folder: "notes", Path: "5.txt"})
	if err != nil || len(page.Conflicts) != 1 || page.Conflicts[0].Kind != control.EditDelete || len(page.Folders) != 1 {
		t.Errorf("%+v, %v", page, err)
	}
	for _, r := range []control.ConflictsRequest{{Folder: "none"}, {Path: "5.txt"}, {After: "gone/"}} {
		if _, err := w.Engine("laptop").ListConflicts(context.Background(), r); err == nil {
			t.Errorf("%+v is answered", r)
		}
	}
}

func TestAContentIsKnownByItsBeginning(t *testing.T) {
	w := two(t)
	png := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), bytes.Repeat([]byte{0}, 40)...)
	w.Write("laptop", "docs/picture", string(png))
	shared(w, "laptop", "pi1")
	if got, err := content(w, "laptop", control.ContentRequest{Path: "picture"}); err != nil || got.Media != "image/png" {
		t.Errorf("%q, %v", got.Media, err)
	}
}
