package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pinion/engine/tree"
)

func TestSaveAndLoad(t *testing.T) {
	home := t.TempDir()
	if _, err := Load(home); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("no config: %v", err)
	}
	until := time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC)
	want := Config{
		Name: "pi1", Store: "/media/usb",
		Folders: []Folder{{ID: tree.FolderID{1}, Name: "docs", Path: "/home/pat/docs", Mode: "send", ScanEvery: Duration(time.Hour), Paused: &Pause{Until: &until}}},
		Devices: []Device{{ID: tree.DeviceID{2}, Addresses: []string{"192.0.2.1:27464"}}},
	}
	if err := Save(home, want); err != nil {
		t.Fatal(err)
	}
	got, err := Load(home)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v\nwant %+v", got, want)
	}
	if st, _ := os.Stat(filepath.Join(home, File)); st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", st.Mode())
	}
}

func TestErrorsNameTheLine(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"syntax":      {"name = \"a\"\nlisten = :1\n", "config.toml:2: "},
		"unknown key": {"name = \"a\"\n\nlissten = \"x\"\n", `config.toml:3: unknown key "lissten"`},
		"mode":        {"name = \"a\"\n[[folder]]\nid = \"01000000000000000000000000000000\"\npath = \"/x\"\nmode = \"sideways\"\n", "config.toml:5: mode"},
		"relative":    {"name = \"a\"\n[[folder]]\nid = \"01000000000000000000000000000000\"\nname = \"docs\"\npath = \"x\"\n", "config.toml:4: the path"},
		"id":          {"[[folder]]\nid = \"xyz\"\n", "config.toml:2: "},
		"duration":    {"[[folder]]\nscan_every = \"soon\"\n", "config.toml:2: "},
	} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			if err := os.WriteFile(filepath.Join(home, File), []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Load(home)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q in it", err, c.want)
			}
		})
	}
}
