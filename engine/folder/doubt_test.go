package folder

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pinion/engine/index"
	"pinion/engine/tree"
)

// After a power cut what was noticed last is read anew, and nothing else is; after
// an orderly end nothing is.
func TestDoubtYoung(t *testing.T) {
	dir := t.TempDir()
	now := time.Unix(1_700_000_000, 0)
	open := func(name string) *index.Index {
		x, err := index.Open(t.Context(), filepath.Join(dir, name), index.Options{
			Now: func() time.Time { return now }, Rand: rand.Reader, Device: tree.DeviceID{1}, DeviceName: "here",
		})
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	x := open("index.db")
	add := func(p tree.Path, by tree.ReplicaID) {
		e := tree.Entry{Path: p, Kind: tree.File, Content: tree.ContentID{1}, Size: 1, MTime: 7, Version: tree.Version{}.Bump(by, x.Clock()), Author: by}
		row := tree.Record{Entry: e, Disk: tree.Stat{Kind: tree.File, Size: 1, MTime: 7}}
		if _, err := x.Commit(t.Context(), index.Update{Changes: []index.Change{{Record: row}}}); err != nil {
			t.Fatal(err)
		}
	}
	add("old", x.Self().ID)
	now = now.Add(time.Hour)
	for i := range doubtRun + 1 {
		add(tree.Path(fmt.Sprint("young", i)), x.Self().ID)
	}
	now = now.Add(time.Minute)
	add("last", x.Self().ID)
	for _, suffix := range []string{"", "-wal"} { // as a power cut leaves it
		b, err := os.ReadFile(filepath.Join(dir, "index.db"+suffix))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "cut.db"+suffix), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"index.db": 0, "cut.db": doubtRun + 2} {
		x := open(name)
		c := &cycle{f: &Folder{}, log: slog.New(slog.DiscardHandler), index: x}
		if err := c.doubtYoung(t.Context()); err != nil {
			t.Fatal(err)
		}
		n := 0
		err := x.Walk(t.Context(), "", "", func(r tree.Record) (bool, error) {
			if r.Disk.MTime == 0 {
				n++
			}
			if r.Disk.MTime == 0 && r.Path == "old" {
				t.Errorf("%s: an old file is doubted", name)
			}
			return true, nil
		})
		if err != nil || n != want {
			t.Errorf("%s: %d files are doubted, not %d (%v)", name, n, want, err)
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
