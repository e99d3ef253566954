package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pinion/engine/tree"
)

func kept(path string, seq uint64) tree.Kept {
	return tree.Kept{
		Path: tree.Path(path), Seq: seq, When: 1_700_000_000_000_000_000 + int64(seq), Kind: tree.File, Size: 12, MTime: 1_600_000_000_000_000_000,
		Mode: 0o640, Content: id(byte(seq)), By: tree.DeviceID{1}, Reason: tree.Replaced,
	}
}

func keptQuestion() KeptRequest {
	return KeptRequest{Folder: tree.FolderID{9}, Query: tree.KeptQuery{Within: "a", Deleted: true, Path: "a/b", Seq: 7, Names: true, At: 1_700_000_000_000_000_000, Limit: 200}}
}

func keptAnswer() KeptPart {
	gone := kept("a/c", 1)
	gone.Reason, gone.By, gone.Expires = tree.Removed, tree.DeviceID{2}, gone.When+5
	unknown := kept("a/d", 3)
	unknown.Content, unknown.By, unknown.MTime, unknown.Mode, unknown.Size, unknown.Reason = tree.ContentID{}, tree.DeviceID{}, 0, 0, 0, tree.Conflicted
	link := tree.Kept{Path: "a/l", Seq: 2, When: 5, Kind: tree.Symlink, MTime: -1, Target: "../\xff", Reason: tree.Replaced, By: tree.DeviceID{1}}
	return KeptPart{Page: tree.KeptPage{Rows: []tree.Kept{kept("a/b", 8), kept("a/b", 9), gone, unknown, link}, More: true}}
}

func TestKeptThatMayNotBe(t *testing.T) {
	change := func(f func(*tree.Kept)) tree.Kept { k := kept("f", 1); f(&k); return k }
	for name, k := range map[string]tree.Kept{
		"no path":             change(func(k *tree.Kept) { k.Path = "" }),
		"no place":            change(func(k *tree.Kept) { k.Seq = 0 }),
		"place beyond":        change(func(k *tree.Kept) { k.Seq = 1 << 63 }),
		"no time":             change(func(k *tree.Kept) { k.When = 0 }),
		"far future":          change(func(k *tree.Kept) { k.When = tree.LastMoment + 1 }),
		"expired before 1970": change(func(k *tree.Kept) { k.Expires = -1 }),
		"no reason":           change(func(k *tree.Kept) { k.Reason = 0 }),
		"huge":                change(func(k *tree.Kept) { k.Size = MaxSize }),
		"setuid":              change(func(k *tree.Kept) { k.Mode = 0o4755 }),
		"file with target":    change(func(k *tree.Kept) { k.Target = "x" }),
		"directory":           change(func(k *tree.Kept) { k.Kind = tree.Dir }),
		"symlink to nothing":  change(func(k *tree.Kept) { k.Kind = tree.Symlink }),
		"symlink with zero":   {Path: "l", Seq: 1, When: 1, Kind: tree.Symlink, Target: "a\x00", Reason: tree.Replaced},
	} {
		if err := CheckKept(k); !errors.Is(err, ErrBad) {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := AppendKeptPart(nil, KeptPart{Page: tree.KeptPage{Rows: []tree.Kept{k}}}); !errors.Is(err, ErrBad) {
			t.Errorf("%s was sent: %v", name, err)
		}
		// A peer that does not check sends it all the same.
		body := append(append([]byte{0, 1}, bytes.Repeat([]byte{1}, 32)...), 1) // one device, one row
		body = (&keptRun{}).append(body, k, 0)
		if got, err := ParseKeptPart(body); !errors.Is(err, ErrBad) && name != "file with target" && name != "directory" {
			t.Errorf("%s was taken: %+v, %v", name, got, err)
		}
	}
	for _, p := range []string{"../x", "/x", "a//b", ".pinion/x", "a\x00", "e\u0301", "\xff"} {
		b, _, err := AppendKeptPart(nil, KeptPart{Page: tree.KeptPage{Rows: []tree.Kept{kept(p, 1)}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseKeptPart(b[HeaderLen:]); !errors.Is(err, ErrBad) {
			t.Errorf("%q: %v", p, err)
		}
		b, err = AppendKeptRequest(nil, KeptRequest{Query: tree.KeptQuery{Within: tree.Path(p)}})
		if err == nil {
			_, err = ParseKeptRequest(b[HeaderLen:])
		}
		if !errors.Is(err, ErrBad) && p != "\xff" { // which CBOR refuses to write
			t.Errorf("a question for %q: %v", p, err)
		}
	}
}

func TestKeptInOrder(t *testing.T) {
	for _, rows := range [][]tree.Kept{{kept("b", 1), kept("a", 2)}, {kept("a", 2), kept("a", 2)}, {kept("a", 2), kept("a", 1)}, {kept("a.b", 1), kept("a/b", 2)}} {
		if _, _, err := AppendKeptPart(nil, KeptPart{Page: tree.KeptPage{Rows: rows}}); !errors.Is(err, ErrBad) {
			t.Errorf("%s before %s was sent", rows[0].Path, rows[1].Path)
		}
		run := keptRun{}
		body := append([]byte{0, 1}, bytes.Repeat([]byte{1}, 32)...)
		body = run.append(append(body, 2), rows[0], 0)
		body = run.append(body, rows[1], 0)
		if _, err := ParseKeptPart(body); !errors.Is(err, ErrBad) {
			t.Errorf("%s before %s was taken: %v", rows[0].Path, rows[1].Path, err)
		}
	}
	for _, q := range []tree.KeptQuery{{Seq: 1}, {Within: "a", Path: "b"}, {Path: "a", Seq: 1 << 63}, {At: 5}, {Names: true, At: -1}, {Limit: tree.MaxKept + 1}, {Limit: -1}} {
		if _, err := AppendKeptRequest(nil, KeptRequest{Query: q}); !errors.Is(err, ErrBad) {
			t.Errorf("%+v was asked: %v", q, err)
		}
	}
	if _, _, err := AppendKeptPart(nil, KeptPart{Gone: true, Page: tree.KeptPage{More: true}}); !errors.Is(err, ErrBad) {
		t.Error("a page was gone and there")
	}
}

// TestKeptPagesAreCut: what does not fit is told by the next page.
func TestKeptPagesAreCut(t *testing.T) {
	var rows []tree.Kept
	for i := range 3000 {
		rows = append(rows, kept(fmt.Sprintf("%s/%05d", strings.Repeat(fmt.Sprintf("%05d", i), 40), i), uint64(i+1)))
	}
	got := 0
	for pages := 0; got < len(rows); pages++ {
		b, n, err := AppendKeptPart(nil, KeptPart{Page: tree.KeptPage{Rows: rows[got:]}})
		if err != nil || n == 0 || n > tree.MaxKept || len(b) > TypeKeptPart.Max()+HeaderLen || pages > 10 {
			t.Fatal(n, len(b), err)
		}
		p, err := ParseKeptPart(b[HeaderLen:])
		if err != nil || len(p.Page.Rows) != n || p.Page.More != (got+n < len(rows)) {
			t.Fatal(len(p.Page.Rows), p.Page.More, err)
		}
		if p.Page.Rows[0] != rows[got] || p.Page.Rows[n-1] != rows[got+n-1] {
			t.Fatal("other rows came out")
		}
		got += n
	}
}
