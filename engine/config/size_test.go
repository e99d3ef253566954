package config

import (
	"testing"

	"pgregory.net/rapid"

	"pinion/engine/tree"
)

func TestSize(t *testing.T) {
	for text, want := range map[string]Size{"20GB": 20e9, "512 MiB": 512 << 20, "1.5GB": 15e8, "unlimited": -1, "0B": 0, "7": 7} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("%q is %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "much", "-5GB", "999999999TB", "20G B"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := Size(rapid.Int64Range(-1, 1<<60).Draw(t, "size"))
		if got, err := ParseSize(s.String()); err != nil || got != s {
			t.Fatalf("%d is written as %q, which is %d, %v", s, s, got, err)
		}
	})
}

func TestRetentionIsKept(t *testing.T) {
	home := t.TempDir()
	c := Config{Name: "pi", Folders: []Folder{{ID: tree.FolderID{1}, Name: "a", Path: "/a", KeepDays: 60, KeepBytes: 20e9, Reserve: 512 << 20}, {ID: tree.FolderID{2}, Name: "b", Path: "/b"}}}
	if err := Save(home, c); err != nil {
		t.Fatal(err)
	}
	got, err := Load(home)
	if err != nil {
		t.Fatal(err)
	}
	if f := got.Folders[0]; f.KeepDays != 60 || f.KeepBytes != 20e9 || f.Reserve != 512<<20 {
		t.Errorf("got %+v", f)
	}
	if f := got.Folders[1]; f.KeepDays != 0 || f.KeepBytes != 0 || f.Reserve != 0 {
		t.Errorf("got %+v", f)
	}
}
