package engine_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pinion/engine/status"
	"pinion/engine/tree"
)

const indexFile = "docs/" + tree.Private + "/index.db"

func TestOfflineChangesAreFoundAtTheNextStart(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/stays.txt", "stays")
	w.Write("laptop", "docs/edited.txt", "old")
	w.Write("laptop", "docs/gone.txt", "gone")
	w.Write("laptop", "docs/old/moved.txt", "moved")
	shared(w, "laptop", "pi1")
	served := w.Served("laptop")
	w.Stop("laptop")
	w.Write("laptop", "docs/edited.txt", "new")
	w.Delete("laptop", "docs/gone.txt")
	w.Move("laptop", "docs/old", "docs/renamed")
	w.Write("laptop", "docs/added.txt", "added")
	w.Write("pi1", "docs/other.txt", "from the other side")
	w.Start("laptop")
	w.Settle()
	w.Has("docs/edited.txt", "new", "pi1")
	w.HasNot("docs/gone.txt", "pi1")
	w.Has("docs/renamed/moved.txt", "moved", "pi1")
	w.HasNot("docs/old", "pi1")
	w.Has("docs/added.txt", "added", "pi1")
	w.Has("docs/other.txt", "from the other side", "laptop")
	if n := w.Served("laptop") - served; n != int64(len("new")+len("added")) {
		t.Errorf("%d bytes were fetched for 8 that are new", n)
	}
}

func TestRestartsOfAllSayNothingNew(t *testing.T) {
	w := two(t)
	w.Fill("laptop", "docs", 30)
	shared(w, "laptop", "pi1")
	served := w.Served("laptop") + w.Served("pi1")
	w.Stop("laptop", "pi1")
	w.Start("laptop", "pi1")
	w.Settle()
	if n := w.Served("laptop") + w.Served("pi1") - served; n != 0 {
		t.Errorf("%d bytes were fetched after a restart", n)
	}
}

func TestDamagedIndexIsRebuiltAndNothingIsDeletedForIt(t *testing.T) {
	w := two(t)
	w.Fill("laptop", "docs/many", 40)
	shared(w, "laptop", "pi1")
	w.Stop("pi1")
	w.Write("laptop", "docs/many/000", "edited meanwhile")
	w.Delete("laptop", "docs/many/001")
	w.Write("pi1", "docs/many/002", "edited on pi1")
	w.Write("pi1", "docs/own.txt", "pi1's own")
	w.Rest()
	must(t, os.WriteFile(w.Path("pi1", indexFile), []byte(strings.Repeat("this is no database ", 1000)), 0o600))
	w.Start("pi1")
	w.Settle()
	w.Has("docs/own.txt", "pi1's own", "laptop", "pi1")
	w.Has("docs/many/039", "this is docs/many number 39", "laptop", "pi1")
	found := 0
	for _, text := range w.Texts("laptop", "docs") {
		if text == "edited meanwhile" || text == "edited on pi1" {
			found++
		}
	}
	if found != 2 {
		t.Errorf("%d of 2 edits are there: %q", found, w.Texts("laptop", "docs"))
	}
	w.HasNot("docs/many/001", "pi1", "laptop") // what is here is what the tombstone took away
	problems := w.State("pi1", "docs").Problems
	if len(problems) != 1 || !strings.Contains(problems[0].Error, "damaged") {
		t.Errorf("the person is told %+v", problems)
	}
	kept := 0
	list, _ := os.ReadDir(w.Path("pi1", "docs/"+tree.Private))
	for _, e := range list {
		if strings.Contains(e.Name(), "damaged") {
			kept++
		}
	}
	if kept == 0 {
		t.Error("the damaged index was not set aside")
	}
}

func TestLostIndexIsRebuilt(t *testing.T) {
	w := two(t)
	w.Fill("laptop", "docs", 40)
	shared(w, "laptop", "pi1")
	served := w.Served("laptop") + w.Served("pi1")
	w.Stop("pi1")
	w.Delete("pi1", indexFile)
	w.Start("pi1")
	w.Settle()
	if n := len(w.Names("laptop", "docs")); n != 40 {
		t.Errorf("the laptop has %d files instead of 40", n)
	}
	if n := w.Served("laptop") + w.Served("pi1") - served; n != 0 {
		t.Errorf("%d bytes were fetched for a lost index", n)
	}
}

func TestIndexRestoredFromAnOlderCopy(t *testing.T) {
	w := three(t)
	w.Write("laptop", "docs/a.txt", "one")
	w.Write("laptop", "docs/b.txt", "b")
	w.Write("laptop", "docs/c.txt", "c")
	shared(w, "laptop", "pi1", "pi2")
	w.Stop("pi1")
	w.Copy(w.Path("pi1", indexFile), w.Path("pi1", "backup.db"))
	w.Start("pi1")
	w.Settle()
	w.Write("pi1", "docs/a.txt", "two")
	w.Write("pi1", "docs/new.txt", "made after the copy")
	w.Delete("pi1", "docs/b.txt")
	w.Write("laptop", "docs/c.txt", "c, edited after the copy")
	w.Settle()

	w.Stop("pi1")
	w.Copy(w.Path("pi1", "backup.db"), w.Path("pi1", indexFile))
	w.Start("pi1")
	w.Settle()
	w.Has("docs/a.txt", "two", "laptop", "pi1", "pi2")
	w.Has("docs/new.txt", "made after the copy", "laptop", "pi1", "pi2")
	w.Has("docs/c.txt", "c, edited after the copy", "laptop", "pi1", "pi2")
	w.HasNot("docs/b.txt", "laptop", "pi1", "pi2")
	w.Write("pi1", "docs/a.txt", "three")
	w.Settle()
	wantTexts(t, w, "docs", "three", "made after the copy", "c, edited after the copy")
}

func TestIndexRolledBackAndFilesEditedMeanwhile(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", "one")
	w.Write("pi1", "docs/own.txt", "pi1's own")
	shared(w, "laptop", "pi1")
	w.Stop("pi1")
	w.Copy(w.Path("pi1", indexFile), w.Path("pi1", "backup.db"))
	w.Start("pi1")
	w.Settle()
	w.Write("pi1", "docs/a.txt", "two")
	w.Settle()
	w.Stop("pi1")
	w.Copy(w.Path("pi1", "backup.db"), w.Path("pi1", indexFile))
	w.Write("pi1", "docs/a.txt", "three")
	w.Write("pi1", "docs/own.txt", "edited by pi1 alone")
	w.Start("pi1")
	w.Settle()
	w.Kept("docs", "two")
	w.Kept("docs", "three")
	w.Write("pi1", "docs/b.txt", "still heard")
	w.Settle()
	w.Has("docs/b.txt", "still heard", "laptop")
}

// A whole disk that is put back as it was an hour ago, index and all, must not take
// back what was done since.
func TestWholeFolderRestoredFromAnOlderCopy(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", "one")
	w.Write("laptop", "docs/b.txt", "b")
	shared(w, "laptop", "pi1")
	w.Stop("pi1")
	must(t, os.CopyFS(w.Path("pi1", "image"), os.DirFS(w.Path("pi1", "docs"))))
	w.Start("pi1")
	w.Settle()
	w.Write("pi1", "docs/a.txt", "two")
	w.Write("laptop", "docs/b.txt", "b, later")
	w.Settle()
	w.Stop("pi1")
	w.Delete("pi1", "docs")
	w.Move("pi1", "image", "docs")
	w.Start("pi1")
	w.Settle()
	w.Has("docs/b.txt", "b, later", "laptop", "pi1")
	w.Kept("docs", "two")
}

// What a rolled-back index writes before it hears of its peers claims to know what
// it has forgotten, and overrules it.
func TestRolledBackIndexDoesNotOverrule(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", "one")
	w.Write("pi1", "docs/own.txt", "pi1's own")
	shared(w, "laptop", "pi1")
	w.Stop("pi1")
	w.Copy(w.Path("pi1", indexFile), w.Path("pi1", "backup.db"))
	w.Start("pi1")
	w.Settle()
	w.Write("pi1", "docs/a.txt", "two")
	w.Settle()
	w.Stop("pi1")
	w.Copy(w.Path("pi1", "backup.db"), w.Path("pi1", indexFile))
	w.Write("pi1", "docs/a.txt", "three")
	w.Write("pi1", "docs/own.txt", "edited by pi1 alone")
	w.Cut("laptop", "pi1")
	w.Start("pi1")
	w.Rest()
	w.Restore("laptop", "pi1")
	w.Settle()
	wantTexts(t, w, "docs", "two", "three", "edited by pi1 alone") // and no copy of what only pi1 changed
}

func TestPauseInTheMiddleOfATransfer(t *testing.T) {
	w := shared(two(t), "laptop", "pi1")
	w.Stall("laptop", 1<<20)
	text := strings.Repeat("a big file that takes its time. ", 1<<17) // 4 MiB
	w.Write("laptop", "docs/big.txt", varied(text))
	w.AwaitStalled("laptop")
	w.Await("the file to be named as moving", func() bool {
		m := w.State("pi1", "docs").Moving
		return len(m) == 1 && m[0].Path == "big.txt" && m[0].Total == 4<<20 && slices.Equal(m[0].From, []string{"laptop"})
	})
	w.Pause("pi1", "docs")
	w.AwaitState("pi1", "docs", status.Paused)
	w.Await("the laptop to be alone with the folder", func() bool { return len(w.State("laptop", "docs").Peers) == 0 })
	w.Flow("laptop")
	w.Write("laptop", "docs/small.txt", "small")
	served := w.Served("laptop")
	w.Write("pi1", "docs/noticed.txt", "noticed while paused")
	time.Sleep(300 * time.Millisecond)
	if n := w.Served("laptop") - served; n != 0 {
		t.Errorf("%d bytes moved while paused", n)
	}
	w.HasNot("docs/big.txt", "pi1")
	w.HasNot("docs/small.txt", "pi1")
	w.HasNot("docs/noticed.txt", "laptop")
	w.Resume("pi1", "docs")
	w.Settle()
	w.Has("docs/big.txt", varied(text), "pi1")
	w.Has("docs/noticed.txt", "noticed while paused", "laptop")
	if n := w.Served("laptop"); n > int64(len(text))+2<<20 {
		t.Errorf("%d bytes were sent for a file of %d", n, len(text))
	}
}

// varied makes text into as many different chunks as it is long.
func varied(text string) string {
	b := []byte(text)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] ^= byte(x >> 24)
	}
	return string(b)
}

func TestPauseSurvivesARestart(t *testing.T) {
	w := shared(two(t), "laptop", "pi1")
	w.Pause("pi1", "")
	w.Stop("pi1")
	w.Start("pi1")
	w.AwaitState("pi1", "docs", status.Paused)
	w.Write("laptop", "docs/a.txt", "a")
	w.Await("the laptop to have it", func() bool { return w.State("laptop", "docs").Files == 1 })
	w.HasNot("docs/a.txt", "pi1")
	w.Resume("pi1", "")
	w.AwaitFile("pi1", "docs/a.txt", "a")
}

func TestTransferGoesOnAfterACut(t *testing.T) {
	w := shared(two(t), "laptop", "pi1")
	text := varied(strings.Repeat("x", 8<<20))
	w.Stall("laptop", 4<<20)
	w.Write("laptop", "docs/big.bin", text)
	w.AwaitStalled("laptop")
	w.Cut("laptop", "pi1")
	w.Flow("laptop")
	w.Restore("laptop", "pi1")
	w.Settle()
	w.Has("docs/big.bin", text, "pi1")
	if n := w.Served("laptop"); n > int64(len(text))+2<<20 {
		t.Errorf("%d bytes were sent for a file of %d after a cut", n, len(text))
	}
}

func TestTransferGoesOnAfterTheReceiverWasStopped(t *testing.T) {
	w := shared(two(t), "laptop", "pi1")
	text := varied(strings.Repeat("x", 8<<20))
	w.Stall("laptop", 4<<20)
	w.Write("laptop", "docs/big.bin", text)
	w.AwaitStalled("laptop")
	w.Stop("pi1")
	w.Flow("laptop")
	w.Start("pi1")
	w.Settle()
	w.Has("docs/big.bin", text, "pi1")
	if n := w.Served("laptop"); n > int64(len(text))+2<<20 {
		t.Errorf("%d bytes were sent for a file of %d after a stop", n, len(text))
	}
}

func TestAnotherMemberServesWhatTheFirstStoppedSending(t *testing.T) {
	w := shared(three(t), "laptop", "pi1", "pi2")
	text := varied(strings.Repeat("y", 4<<20))
	w.Alone("pi2")
	w.Write("laptop", "docs/big.bin", text)
	w.AwaitFile("pi1", "docs/big.bin", text)
	w.Stall("laptop", 0)
	w.Together("pi2")
	w.AwaitFile("pi2", "docs/big.bin", text)
	w.Flow("laptop")
	w.Settle()
}
