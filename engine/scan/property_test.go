package scan

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

// hand is a person who changes a folder at random, and what a watcher says of
// it.
type hand struct {
	*world
	rt          *rapid.T
	paths, deep []string
}

func (h *hand) name(label string) string {
	return rapid.StringMatching(`([abc]/){0,2}[abcd]`).Draw(h.rt, label)
}

// mutate does one thing. What can't be done is not done.
func (h *hand) mutate() {
	p := h.name("path")
	do := rapid.IntRange(0, 7).Draw(h.rt, "do")
	switch do {
	case 0, 1, 2:
		_ = os.MkdirAll(filepath.Dir(h.path(p)), 0o755)
		text := rapid.SampledFrom([]string{"one", "two", "three", ""}).Draw(h.rt, "text")
		if os.WriteFile(h.path(p), []byte(text), 0o644) == nil {
			if info, err := os.Lstat(h.path(p)); err == nil && info.Mode().IsRegular() {
				h.touch(p)
			}
		}
	case 3:
		_ = os.MkdirAll(h.path(p), 0o755)
	case 4:
		_ = os.RemoveAll(h.path(p))
	case 5:
		to := h.name("to")
		_ = os.Rename(h.path(p), h.path(to))
		h.note(to)
	case 6:
		if info, err := os.Lstat(h.path(p)); err == nil && info.Mode()&os.ModeSymlink == 0 {
			_ = os.Chmod(h.path(p), os.FileMode(rapid.SampledFrom([]int{0o700, 0o755, 0o750}).Draw(h.rt, "mode")))
		}
	case 7:
		_ = os.Symlink("no/where", h.path(p))
	}
	h.note(p)
}

// note says what a watcher would: the path, as a subtree where it is a
// directory now, and the directories that were made on the way.
func (h *hand) note(p string) {
	for ; p != "."; p = filepath.ToSlash(filepath.Dir(p)) {
		h.paths = append(h.paths, p)
		if info, err := os.Lstat(h.path(p)); err == nil && info.IsDir() && rapid.Bool().Draw(h.rt, "deep") {
			h.deep = append(h.deep, p)
		}
	}
}

func TestScansConvergeOnTheDisk(t *testing.T) {
	base, caps := t.TempDir(), newWorld(t).o.Caps
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		dir := filepath.Join(base, fmt.Sprint(n))
		w := worldIn(t, dir, caps)
		defer w.root.Close()
		defer os.RemoveAll(dir)
		w.with(func(o *Options) { o.Emptied = func() bool { return true } })
		other := w.model.clone() // what Paths keeps up to date
		h := &hand{world: w, rt: rt}
		for round := range rapid.IntRange(1, 4).Draw(rt, "rounds") {
			h.paths, h.deep = nil, nil
			for range rapid.IntRange(1, 12).Draw(rt, "changes") {
				h.mutate()
			}
			var byFull, byPaths, quiet []Change
			scan := func(m *model, run func(s *Scanner) (Summary, error)) {
				o := w.o
				o.Index = m
				s, err := run(New(o))
				if err != nil || len(s.Problems) > 0 || len(s.Unstable) > 0 {
					rt.Fatalf("round %d: %v %+v", round, err, s)
				}
			}
			scan(w.model, func(s *Scanner) (Summary, error) {
				return s.Full(context.Background(), w.collect(w.model, &byFull))
			})
			scan(other, func(s *Scanner) (Summary, error) {
				return s.Paths(context.Background(), h.paths, h.deep, w.collect(other, &byPaths))
			})
			if wrong := w.diff(w.model); wrong != "" {
				rt.Fatalf("round %d, after Full told %s:\n%s", round, tell(byFull), wrong)
			}
			if wrong := w.diff(other); wrong != "" {
				rt.Fatalf("round %d, after Paths(%q, %q) told %s:\n%s", round, h.paths, h.deep, tell(byPaths), wrong)
			}
			for _, m := range []*model{w.model, other} {
				scan(m, func(s *Scanner) (Summary, error) { return s.Full(context.Background(), w.collect(m, &quiet)) })
			}
			if len(quiet) > 0 {
				rt.Fatalf("round %d: not quiet: %s", round, tell(quiet))
			}
		}
	})
}
