package engine_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pinion/engine/control"
	"pinion/engine/index"
	"pinion/engine/status"
	"pinion/engine/tree"
)

func findings(t *testing.T, e control.Engine, deep bool) (all string, problems int) {
	t.Helper()
	list, err := e.Doctor(context.Background(), control.DoctorRequest{Deep: deep})
	must(t, err)
	var b strings.Builder
	for _, f := range list {
		b.WriteString(f.Level + " " + f.Text + "\n")
		if f.Level == "problem" {
			problems++
		}
	}
	return b.String(), problems
}

// A row that is lost without a trace leaves two devices level that hold
// different things. Nothing but the digest can tell.
func TestDevicesThatDifferUnnoticedHealThemselves(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/kept.txt", "kept")
	w.Write("laptop", "docs/lost.txt", "lost on pi1")
	shared(w, "laptop", "pi1")
	w.Stop("pi1")
	forget(t, w.Path("pi1", indexFile), "lost.txt")
	must(t, os.Remove(w.Path("pi1", "docs/lost.txt")))
	w.Start("pi1")
	w.AwaitFile("pi1", "docs/lost.txt", "lost on pi1")
	w.Settle()
	w.Await("pi1 to have noted the defect", func() bool {
		all, _ := findings(t, w.Engine("pi1"), false)
		return strings.Contains(all, "was found to differ from laptop") && strings.Contains(all, "holds the same as laptop")
	})
}

// forget drops a row of an index as no engine would.
func forget(t *testing.T, file string, path tree.Path) {
	t.Helper()
	tamper(t, file, path, func(row tree.Record) index.Change {
		return index.Change{Record: tree.Record{Entry: tree.Entry{Path: path}}, If: row.Seq, Forget: true}
	})
}

// tamper changes a row of an index as no engine would.
func tamper(t *testing.T, file string, path tree.Path, change func(tree.Record) index.Change) {
	t.Helper()
	ctx := context.Background()
	seed := strings.NewReader(strings.Repeat("some bytes ", 100))
	ix, err := index.Open(ctx, file, index.Options{Now: time.Now, Rand: seed, Device: ownerOf(t, file), DeviceName: "pi1"})
	must(t, err)
	row, _, err := ix.Get(ctx, path)
	must(t, err)
	_, err = ix.Commit(ctx, index.Update{Changes: []index.Change{change(row)}})
	must(t, errors.Join(err, ix.Close()))
}

// ownerOf reads whose folder it is from the marker.
func ownerOf(t *testing.T, indexFile string) (d tree.DeviceID) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(filepath.Dir(indexFile), "folder.toml"))
	must(t, err)
	for line := range strings.Lines(string(text)) {
		if id, ok := strings.CutPrefix(line, "device = "); ok {
			d, err = tree.ParseDeviceID(strings.Trim(strings.TrimSpace(id), `'"`))
			must(t, err)
		}
	}
	return d
}

func TestDoctorFindsBytesThatChangedBehindTheTimesBack(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", "what was written")
	w.Write("laptop", "docs/b.txt", "another")
	shared(w, "laptop", "pi1")
	if all, n := findings(t, w.Engine("pi1"), true); n != 0 || !strings.Contains(all, "were read and are what was recorded") || !strings.Contains(all, "agrees with the disk") {
		t.Fatalf("a healthy folder: %s", all)
	}
	w.Stop("pi1")
	file := w.Path("pi1", "docs/a.txt")
	st, err := os.Stat(file)
	must(t, err)
	must(t, os.WriteFile(file, []byte("what was wr!tten"), st.Mode()))
	must(t, os.Chtimes(file, st.ModTime(), st.ModTime()))
	// What changes bytes without a sign leaves the ctime alone as well.
	tamper(t, w.Path("pi1", indexFile), "a.txt", func(row tree.Record) index.Change {
		row.Disk.CTime, row.Disk.Looked = 0, 0
		return index.Change{Record: row, If: row.Seq, Quiet: true}
	})
	w.Start("pi1")
	w.AwaitState("pi1", "docs", status.Synced)
	if all, n := findings(t, w.Engine("pi1"), false); n != 0 {
		t.Errorf("a quick look found: %s", all)
	}
	if all, n := findings(t, w.Engine("pi1"), true); n != 1 || !strings.Contains(all, "a.txt holds other bytes") {
		t.Errorf("a deep look found %d: %s", n, all)
	}
}

func TestDoctorOfOneFolder(t *testing.T) {
	w := shared(two(t), "laptop", "pi1")
	if _, err := w.Engine("laptop").Doctor(context.Background(), control.DoctorRequest{Folder: "none"}); err == nil {
		t.Error("a folder that is not there is looked over")
	}
	must(t, os.Remove(w.Path("laptop", "docs/"+tree.Private+"/folder.toml")))
	if all, n := findings(t, w.Engine("laptop"), false); n == 0 || !strings.Contains(all, "not mounted") {
		t.Errorf("no marker: %s", all)
	}
}
