package engine_test

import (
	"fmt"
	"os"
	"path"
	"runtime"
	"testing"
	"time"

	"pinion/engine/enginetest"
)

// fileTree writes files of an hour ago below a directory.
func fileTree(w *enginetest.World, dev, dir string, n int) {
	for i := range n {
		w.WriteAt(dev, fmt.Sprintf("%s/d%d/f%02d.txt", dir, i%3, i), fmt.Sprintf("%s %d", dir, i), time.Hour)
	}
}

// same says whether a directory is the one that it was under another name. Not every
// system can rename a directory as a whole without a window.
func same(t *testing.T, w *enginetest.World, dev, path string, was os.FileInfo) {
	t.Helper()
	if now := stat(t, w, dev, path); runtime.GOOS == "linux" && !os.SameFile(now, was) {
		t.Errorf("%s made %s anew", dev, path)
	}
}

func stat(t *testing.T, w *enginetest.World, dev, path string) os.FileInfo {
	t.Helper()
	info, err := os.Lstat(w.Path(dev, path))
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestRenamedDirectoryIsOneRename(t *testing.T) {
	w := three(t)
	fileTree(w, "laptop", "docs/old", 60)
	w.Write("laptop", "docs/old/empty.txt", "")
	w.WriteAt("laptop", "docs/other", "x", time.Hour)
	w.Link("laptop", "docs/old/d1/link", "nowhere")
	time.Sleep(2500 * time.Millisecond) // empty.txt and the link are not young any more
	shared(w, "laptop", "pi1", "pi2")
	before := map[string]os.FileInfo{"pi1": stat(t, w, "pi1", "docs/old"), "pi2": stat(t, w, "pi2", "docs/old")}
	served := w.Served("laptop") + w.Served("pi1") + w.Served("pi2")
	w.Move("laptop", "docs/old", "docs/new")
	w.Settle()
	for dev, was := range before {
		w.HasNot("docs/old", dev)
		w.Has("docs/new/d1/f01.txt", "docs/old 1", dev)
		same(t, w, dev, "docs/new", was)
	}
	w.Move("pi1", "docs/new", "docs/old") // and back, by another
	w.Settle()
	w.HasNot("docs/new", "laptop", "pi1", "pi2")
	if n := len(w.Names("pi2", "docs")); n != 1+3+60+1+1+1 {
		t.Errorf("%d paths", n)
	}
	if n := w.Served("laptop") + w.Served("pi1") + w.Served("pi2") - served; n != 0 {
		t.Errorf("%d bytes of content were fetched again for renames", n)
	}
	for _, dev := range []string{"laptop", "pi1", "pi2"} {
		for _, k := range w.Archive(dev, "") {
			// Where a busy machine told the way back in pieces, what has no content to be
			// known by went path by path.
			if base := path.Base(k.Path); base != "empty.txt" && base != "link" {
				t.Errorf("%s put %s into its archive", dev, k.Path)
			}
		}
	}
}

func TestRenamedDirectoryWithAnEditInside(t *testing.T) {
	w := two(t)
	fileTree(w, "laptop", "docs/old", 30)
	shared(w, "laptop", "pi1")
	w.Alone("pi1")
	w.Write("pi1", "docs/old/d1/f01.txt", "edited on the pi")
	w.Move("laptop", "docs/old", "docs/new")
	time.Sleep(time.Second) // both have seen what was done there
	w.Together("pi1")
	w.Settle()
	w.Has("docs/new/d1/f01.txt", "edited on the pi", "laptop", "pi1")
	w.Has("docs/new/d2/f02.txt", "docs/old 2", "laptop", "pi1")
	w.HasNot("docs/old/d2", "laptop", "pi1")
}

func TestRenamedDirectoryWithANewFileInside(t *testing.T) {
	w := two(t)
	fileTree(w, "laptop", "docs/old", 30)
	shared(w, "laptop", "pi1")
	w.Alone("pi1")
	w.Write("pi1", "docs/old/d1/added.txt", "added on the pi")
	w.Move("laptop", "docs/old", "docs/new")
	w.Together("pi1")
	w.Settle()
	w.Has("docs/old/d1/added.txt", "added on the pi", "laptop", "pi1")
	w.Has("docs/new/d1/f01.txt", "docs/old 1", "laptop", "pi1")
	w.HasNot("docs/old/d1/f01.txt", "laptop", "pi1")
}

func TestRenamedDirectoryWhoseNewPlaceIsTaken(t *testing.T) {
	w := two(t)
	fileTree(w, "laptop", "docs/old", 30)
	shared(w, "laptop", "pi1")
	w.Alone("pi1")
	w.Write("pi1", "docs/new/d1/f01.txt", "of the pi")
	w.Move("laptop", "docs/old", "docs/new")
	w.Together("pi1")
	w.Settle()
	w.Kept("docs", "of the pi")
	w.Kept("docs", "docs/old 1")
	w.Has("docs/new/d2/f02.txt", "docs/old 2", "laptop", "pi1")
	w.HasNot("docs/old", "laptop", "pi1")
}

// What is ignored goes along where it is ignored at the new path, too; else it
// stays where it is, and the rest goes without it.
func TestRenamedDirectoryWithIgnoredFilesInside(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/.pinionignore", "*.cache\n/old/local\n/kept/local\n")
	fileTree(w, "laptop", "docs/old", 30)
	fileTree(w, "laptop", "docs/kept", 30)
	shared(w, "laptop", "pi1")
	w.Write("pi1", "docs/old/d1/x.cache", "a cache of the pi")
	w.Write("pi1", "docs/kept/local", "the pi's own")
	was := stat(t, w, "pi1", "docs/old")
	w.Move("laptop", "docs/old", "docs/new")
	w.Move("laptop", "docs/kept", "docs/gone")
	w.AwaitFile("pi1", "docs/gone/d2/f29.txt", "docs/kept 29")
	w.AwaitGone("pi1", "docs/kept/d2/f29.txt")
	w.AwaitFile("pi1", "docs/new/d1/f01.txt", "docs/old 1")
	w.Has("docs/new/d1/x.cache", "a cache of the pi", "pi1")
	w.Has("docs/kept/local", "the pi's own", "pi1")
	w.HasNot("docs/gone/local", "laptop", "pi1")
	same(t, w, "pi1", "docs/new", was)
}

func TestDirectoryMovedIntoOneInItsOwnPlace(t *testing.T) {
	w := two(t)
	fileTree(w, "laptop", "docs/old", 30)
	shared(w, "laptop", "pi1")
	w.Stop("laptop")
	w.Move("laptop", "docs/old", "docs/aside")
	w.Mkdir("laptop", "docs/old")
	w.Move("laptop", "docs/aside", "docs/old/old")
	w.Start("laptop")
	w.Settle()
	w.Has("docs/old/old/d1/f01.txt", "docs/old 1", "laptop", "pi1")
	w.HasNot("docs/old/d1", "laptop", "pi1")
}

func TestDirectoryRenamedBackAndForth(t *testing.T) {
	w := two(t)
	fileTree(w, "laptop", "docs/old", 40)
	shared(w, "laptop", "pi1")
	names := []string{"docs/old", "docs/b", "docs/c"}
	for i := range 6 {
		w.Move("laptop", names[i%3], names[(i+1)%3])
		w.Settle()
	}
	w.Has("docs/old/d1/f01.txt", "docs/old 1", "laptop", "pi1")
	w.HasNot("docs/b", "laptop", "pi1")
	w.HasNot("docs/c", "laptop", "pi1")
}

func TestPartOfADirectoryMoves(t *testing.T) {
	w := two(t)
	fileTree(w, "laptop", "docs/old", 40)
	shared(w, "laptop", "pi1")
	w.Mkdir("laptop", "docs/new")
	w.Move("laptop", "docs/old/d1", "docs/new/d1")
	w.Move("laptop", "docs/old/d2/f02.txt", "docs/new/f02.txt")
	w.Settle()
	w.Has("docs/new/d1/f01.txt", "docs/old 1", "laptop", "pi1")
	w.Has("docs/new/f02.txt", "docs/old 2", "laptop", "pi1")
	w.Has("docs/old/d0/f00.txt", "docs/old 0", "laptop", "pi1")
}
