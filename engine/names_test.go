package engine_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pinion/engine"
	"pinion/engine/enginetest"
	"pinion/engine/enginetest/memdisk"
	"pinion/engine/folder"
	"pinion/platform/watch"
)

// stick is a USB stick: a disk without case, without exchange, with coarse times.
type stick struct {
	t *testing.T
	w *enginetest.World
	*memdisk.Disk
}

// withStick is a world in which all devices hold docs, and pi1 has it on a stick.
func withStick(t *testing.T, devs ...string) stick {
	t.Helper()
	t.Parallel()
	w := enginetest.New(t, devs...)
	s := stick{t, w, memdisk.New(w.Path("pi1", "docs"), memdisk.Options{Now: time.Now, Grain: time.Second, NoExchange: true, FoldCase: true, NoSymlinks: true})}
	gate := memdisk.Gate{Pass: func(string, string) error { return nil }, Alive: func() error { return nil }}
	w.Stop("pi1")
	w.Device("pi1").Tune = func(o *engine.Options) {
		o.Machine = folder.Machine{
			OpenDisk: func(dir string) (folder.Disk, error) {
				text, err := os.ReadFile(filepath.Join(dir, ".pinion/folder.toml"))
				if err == nil {
					err = errors.Join(ifNew(s.Mkdir(".pinion")), ifNew(s.Write(".pinion/folder.toml", text)))
				}
				return s.Open(gate), err
			},
			Watch: func(string, watch.Options) (folder.Watcher, error) { return s.Watch(gate), nil },
		}
	}
	w.Start("pi1")
	w.Share("docs", devs...)
	s.rest()
	return s
}

func ifNew(err error) error {
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

func (s stick) rest() { s.t.Helper(); s.w.Rest() }

func (s stick) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// holds waits until the stick has just these paths, files with their content as
// "path=content".
func (s stick) holds(want ...string) {
	s.t.Helper()
	slices.Sort(want)
	var have []string
	defer func() {
		if s.t.Failed() {
			s.t.Logf("the stick has %q; problems %v", have, s.w.State("pi1", "docs").Problems)
		}
	}()
	s.w.Await("the stick to hold "+strings.Join(want, ", "), func() bool {
		have = nil
		for _, x := range s.Tree(false) {
			if x.Data != "" {
				x.Path += "=" + x.Data
			}
			have = append(have, x.Path)
		}
		slices.Sort(have)
		return slices.Equal(have, want)
	})
}

// lists waits until the problems on the stick are those of these paths, and each
// says how it is cured.
func (s stick) lists(want ...string) {
	s.t.Helper()
	s.w.Await("the problems of "+strings.Join(want, ", "), func() bool {
		var have []string
		for _, p := range s.w.State("pi1", "docs").Problems {
			if strings.Contains(p.Error, "Rename") || strings.Contains(p.Error, "symlink") {
				have = append(have, p.Path)
			}
		}
		slices.Sort(have)
		return slices.Equal(have, want) && len(s.w.State("pi1", "docs").Problems) == len(want)
	})
}

func TestACaseTwinIsSetAsideUntilItIsCured(t *testing.T) {
	s := withStick(t, "laptop", "pi1", "pi2")
	s.w.Write("laptop", "docs/readme.txt", "small")
	s.holds("readme.txt=small")
	s.w.Write("laptop", "docs/README.txt", "LARGE")
	s.lists("README.txt")
	s.rest() // in sync: what can't be here is no need
	s.holds("readme.txt=small")
	s.w.Has("docs/README.txt", "LARGE", "laptop", "pi2")
	s.w.Has("docs/readme.txt", "small", "laptop", "pi2")
	if n := s.w.State("pi1", "docs").Need.Files; n != 0 {
		t.Errorf("it needs %d files", n)
	}

	// It is edited meanwhile, and fetched by nobody who can't have it.
	served := s.w.Served("laptop") + s.w.Served("pi2")
	s.w.Write("pi2", "docs/README.txt", "LARGER")
	s.w.AwaitFile("laptop", "docs/README.txt", "LARGER")
	s.rest()
	if n := s.w.Served("laptop") + s.w.Served("pi2") - served; n != 6 {
		t.Errorf("%d bytes were served instead of 6", n)
	}
	s.holds("readme.txt=small")

	// A restart changes nothing.
	s.w.Stop("pi1")
	s.w.Start("pi1")
	s.lists("README.txt")
	s.rest()

	// The twin is renamed here: the other comes by itself.
	s.must(s.Rename("readme.txt", "notes.txt"))
	s.holds("notes.txt=small", "README.txt=LARGER")
	s.lists()
	s.rest()
	s.w.Has("docs/notes.txt", "small", "laptop", "pi2")
	s.w.Has("docs/README.txt", "LARGER", "laptop", "pi2")
}

func TestASymlinkThatADiskCanNotHoldIsSetAside(t *testing.T) {
	s := withStick(t, "laptop", "pi1", "pi2")
	s.w.Write("laptop", "docs/a.txt", "a")
	s.w.Link("laptop", "docs/link", "a.txt")
	s.lists("link")
	s.rest()
	s.holds("a.txt=a")
	s.w.Delete("laptop", "docs/link")
	s.w.Write("laptop", "docs/link", "a file now")
	s.holds("a.txt=a", "link=a file now")
	s.lists()
	s.rest()
}

func TestATwinIsCuredOnAnotherDevice(t *testing.T) {
	s := withStick(t, "laptop", "pi1")
	s.w.Write("laptop", "docs/a.txt", "small")
	s.holds("a.txt=small")
	s.w.Write("laptop", "docs/A.txt", "LARGE")
	s.lists("A.txt")
	s.w.Move("laptop", "docs/A.txt", "docs/b.txt")
	s.holds("a.txt=small", "b.txt=LARGE")
	s.lists()
	s.rest()

	s.w.Write("laptop", "docs/B.txt", "again")
	s.lists("B.txt")
	s.w.Delete("laptop", "docs/B.txt")
	s.lists()
	s.rest()
	s.w.Has("docs/b.txt", "LARGE", "laptop")
}

func TestADirectoryThatIsATwinIsSetAsideWithAllInIt(t *testing.T) {
	s := withStick(t, "laptop", "pi1", "pi2")
	s.w.Write("laptop", "docs/photos/a", "1")
	s.holds("photos", "photos/a=1")
	s.w.Write("laptop", "docs/Photos/a", "2")
	s.w.Write("laptop", "docs/Photos/deep/b", "3")
	s.lists("Photos")
	s.rest()
	s.holds("photos", "photos/a=1")
	s.w.Has("docs/Photos/deep/b", "3", "laptop", "pi2")
	s.w.Move("pi2", "docs/photos", "docs/pictures")
	s.holds("pictures", "pictures/a=1", "Photos", "Photos/a=2", "Photos/deep", "Photos/deep/b=3")
	s.lists()
	s.rest()
}

func TestARenameThatOnlyChangesCase(t *testing.T) {
	s := withStick(t, "laptop", "pi1")
	s.w.Write("laptop", "docs/README", "text")
	s.w.Write("laptop", "docs/Letters/anna", "dear Anna")
	s.w.Write("laptop", "docs/Letters/deep/bert", "dear Bert")
	s.holds("README=text", "Letters", "Letters/anna=dear Anna", "Letters/deep", "Letters/deep/bert=dear Bert")
	s.rest()
	s.w.Move("laptop", "docs/README", "docs/Readme")
	s.w.Move("laptop", "docs/Letters", "docs/letters")
	s.holds("Readme=text", "letters", "letters/anna=dear Anna", "letters/deep", "letters/deep/bert=dear Bert")
	s.rest()
	s.lists()

	// With an edit in the same breath.
	s.w.Cut("laptop", "pi1")
	s.w.Move("laptop", "docs/Readme", "docs/readME")
	s.w.Write("laptop", "docs/readME", "another text")
	s.w.Restore("laptop", "pi1")
	s.holds("readME=another text", "letters", "letters/anna=dear Anna", "letters/deep", "letters/deep/bert=dear Bert")
	s.rest()

	// And from the stick.
	s.must(s.Rename("readME", "between"))
	s.must(s.Rename("between", "ReadMe"))
	s.w.AwaitFile("laptop", "docs/ReadMe", "another text")
	s.w.AwaitGone("laptop", "docs/readME")
	s.must(s.Rename("letters", "between"))
	s.must(s.Rename("between", "LETTERS"))
	s.w.AwaitFile("laptop", "docs/LETTERS/deep/bert", "dear Bert")
	s.w.AwaitGone("laptop", "docs/letters")
	s.rest()
	s.holds("ReadMe=another text", "LETTERS", "LETTERS/anna=dear Anna", "LETTERS/deep", "LETTERS/deep/bert=dear Bert")
}

func TestAPersonMakesTheTwinOfWhatIsSetAside(t *testing.T) {
	s := withStick(t, "laptop", "pi1")
	s.w.Write("laptop", "docs/other", "other") // a folder that is empty all at once is held
	s.holds("other=other")
	s.w.Cut("laptop", "pi1")
	s.w.Write("laptop", "docs/Plan", "from the laptop")
	s.must(s.Write("plan", []byte("from the stick")))
	s.w.Restore("laptop", "pi1")
	s.w.AwaitFile("laptop", "docs/plan", "from the stick")
	s.lists("Plan")
	s.rest()
	s.holds("other=other", "plan=from the stick")
	s.w.Has("docs/Plan", "from the laptop", "laptop")

	// Taken away on the stick it gives way.
	s.must(s.Remove("plan"))
	s.holds("other=other", "Plan=from the laptop")
	s.w.AwaitGone("laptop", "docs/plan")
	s.w.Has("docs/Plan", "from the laptop", "laptop")
	s.lists()
	s.rest()
}

func TestTwinsThatComeTogether(t *testing.T) {
	s := withStick(t, "laptop", "pi1")
	s.w.Pause("pi1", "docs")
	for _, name := range []string{"x", "X", "y", "Y"} {
		s.w.Write("laptop", "docs/"+name, "content of "+name)
	}
	s.w.Resume("pi1", "docs")
	s.w.Await("one of each to stand and the others to be listed", func() bool {
		return len(s.Tree(false)) == 2 && len(s.w.State("pi1", "docs").Problems) == 2
	})
	s.rest()
	for _, x := range s.Tree(false) {
		if x.Data != "content of "+x.Path {
			t.Errorf("%s holds %q", x.Path, x.Data)
		}
	}
	for _, name := range []string{"x", "X", "y", "Y"} {
		s.w.Has("docs/"+name, "content of "+name, "laptop")
	}
}

// A file that is renamed to a name that can't be here goes, and stays in the
// archive: it is not lost, and not sent back.
func TestAFileIsRenamedToATwin(t *testing.T) {
	s := withStick(t, "laptop", "pi1")
	s.w.Write("laptop", "docs/a", "small a")
	s.w.Write("laptop", "docs/b", "once b")
	s.holds("a=small a", "b=once b")
	s.rest()
	s.w.Move("laptop", "docs/b", "docs/A")
	s.lists("A")
	s.holds("a=small a")
	s.rest()
	s.w.Has("docs/A", "once b", "laptop")
	s.w.Delete("laptop", "docs/a")
	s.holds("A=once b")
	s.rest()
}

func TestNamesThatCanNotBeSyncedAreListedUntilTheyAreCured(t *testing.T) {
	w := shared(two(t), "laptop", "pi1")
	bad := "docs/Cafe\u0301.txt"
	w.Write("laptop", bad, "text")
	listed := func() bool {
		for _, p := range w.State("laptop", "docs").Problems {
			if p.Path == "Cafe\u0301.txt" {
				return strings.Contains(p.Error, `mv -n -- $'Cafe\xcc\x81.txt' $'Caf\xc3\xa9.txt'`)
			}
		}
		return false
	}
	w.Await("the name to be listed with its cure", listed)
	w.Move("laptop", bad, "docs/Caf\u00e9.txt")
	w.AwaitFile("pi1", "docs/Caf\u00e9.txt", "text")
	w.Await("the list to be empty", func() bool { return len(w.State("laptop", "docs").Problems) == 0 })
}
