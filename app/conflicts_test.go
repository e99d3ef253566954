package main

import (
	"slices"
	"strings"
	"testing"

	"pinion/engine/control"
	"pinion/engine/status"
)

func TestResolveAll(t *testing.T) {
	b := newBench(t, status.State{})
	b.fake.board.Post(twoFolders(b.dir))
	b.fake.conflicts = []control.Conflict{
		{Folder: "docs", Path: "a", Kind: control.EditEdit, Copy: "a (conflict x)"},
		{Folder: "photos", Path: "a", Kind: control.EditEdit, Copy: "a (conflict y)"},
		{Folder: "docs", Path: "docs/b", Kind: control.EditEdit, Copy: "b (conflict z)"},
		{Folder: "docs", Path: "c", Kind: control.EditDelete, Copy: "c"},
	}
	got := b.run("resolve", "--all", "--folder", "docs", "--keep", "this")
	if got.code != 0 || got.out != "3 of 3 conflicts in docs are settled\n" {
		t.Errorf("%+v", got)
	}
	for _, want := range []string{"resolve docs/a (conflict x) this", "resolve docs/b (conflict z) this", "resolve docs/c this"} {
		if !slices.Contains(b.fake.asked, want) {
			t.Errorf("%q was not asked, but %q", want, b.fake.asked)
		}
	}
	got = b.run("resolve", "--all", "--folder", "docs", "--keep", "that")
	if got.code != 1 || got.out != "2 of 3 conflicts in docs are settled\n" || !strings.Contains(got.err, "1 is of another kind") {
		t.Errorf("%+v", got)
	}
	for line, says := range map[string]string{
		"resolve --keep this":                       "a path is needed",
		"resolve --all --keep this":                 "--all takes --folder NAME and no path",
		"resolve a --all --folder docs --keep this": "--all takes --folder NAME and no path",
		"resolve a --folder docs --keep this":       "--folder goes with --all",
		"resolve a --keep everything":               "--keep takes this, that, both, merge, edit or deletion",
		"folder set docs --attributes some":         `--attributes takes on or off, not "some"`,
		"folder set docs --merge always":            "--merge takes auto or ask",
	} {
		if got := b.run(strings.Fields(line)...); got.code != 2 || !strings.Contains(got.err, says) {
			t.Errorf("%s: %+v", line, got)
		}
	}
	if got := b.run("resolve", "--all", "--folder", "none", "--keep", "this"); got.code != 1 || !strings.Contains(got.err, `no folder "none"`) {
		t.Errorf("%+v", got)
	}
	if got := b.run("conflicts", "--folder", "photos"); got.code != 0 || strings.Contains(got.out, "in docs") || !strings.Contains(got.out, "in photos") {
		t.Errorf("%+v", got)
	}
}
