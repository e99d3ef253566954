package opener

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// fake writes down what it was asked.
type fake struct{ asked []string }

func (f *fake) note(what, path string) error {
	f.asked = append(f.asked, what+" "+filepath.Base(path))
	if !filepath.IsAbs(path) {
		return errors.New("not absolute: " + path)
	}
	return nil
}
func (f *fake) open(_ context.Context, path string) error   { return f.note("open", path) }
func (f *fake) reveal(_ context.Context, path string) error { return f.note("reveal", path) }
func (f *fake) openURL(context.Context, string) error       { return nil }

func put(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRunsNothing(t *testing.T) {
	dir := t.TempDir()
	unix := runtime.GOOS != "windows"
	for _, c := range []struct {
		name, text string
		mode       os.FileMode
		opens      bool
	}{
		{"letter.txt", "hello", 0o644, true},
		{"-rf", "a name like an option", 0o644, true},
		{"$(id) `id` & 'x' %20.odt", "", 0o644, true},
		{"notes.sh", "#!/bin/sh\n", 0o644, true},   // an editor's, as long as it may not be run
		{"photo.jpg", "\xff\xd8\xff", 0o755, true}, // as on a stick, where all may be run
		{"empty", "", 0o755, true},
		{"photo.desktop", "[Desktop Entry]\n", 0o644, false},
		{"PHOTO.Desktop", "[Desktop Entry]\n", 0o644, false},
		{"letter.pdf.exe", "MZ", 0o644, false},
		{"run.JS", "", 0o644, false},
		{"tool.AppImage", "\x7fELF", 0o644, false},
		{"script", "#!/bin/sh\n", 0o755, !unix},
		{"program", "\x7fELF....", 0o711, !unix},
	} {
		if !unix && strings.ContainsAny(c.name, `<>:"/\|?*`) {
			continue
		}
		path := filepath.Join(dir, c.name)
		put(t, path, c.text, c.mode)
		f := &fake{}
		err := open(t.Context(), f, path)
		want := []string{"open " + c.name}
		if !c.opens {
			want = []string{"reveal " + c.name}
			var w *Withheld
			if !errors.As(err, &w) || w.Path != path {
				t.Errorf("%s: %v", c.name, err)
			}
		} else if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if !slices.Equal(f.asked, want) {
			t.Errorf("%s: %q, want %q", c.name, f.asked, want)
		}
		if err := os.Remove(path); err != nil { // names that differ in their case alone follow
			t.Fatal(err)
		}
	}
}

func TestALinkIsWhatItLeadsTo(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "evil.desktop"), "[Desktop Entry]\n", 0o644)
	link := filepath.Join(dir, "photo.jpg")
	if err := os.Symlink("evil.desktop", link); err != nil {
		t.Skip("no links here: ", err)
	}
	f := &fake{}
	if err := open(t.Context(), f, link); err == nil || !slices.Equal(f.asked, []string{"reveal photo.jpg"}) {
		t.Errorf("%v, %q", err, f.asked)
	}
}

func TestDirectories(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "x.app")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f, want := &fake{}, "open x.app"
	if runtime.GOOS == "darwin" {
		want = "reveal x.app"
	}
	_ = open(t.Context(), f, dir)
	if !slices.Equal(f.asked, []string{want}) {
		t.Errorf("%q", f.asked)
	}
}

func TestRevealWhatIsGone(t *testing.T) {
	dir := t.TempDir()
	f := &fake{}
	for _, path := range []string{dir, filepath.Join(dir, "a", "b", "gone.txt")} {
		if err := reveal(t.Context(), f, path); err != nil {
			t.Error(err)
		}
	}
	base := filepath.Base(dir)
	if want := []string{"reveal " + base, "open " + base}; !slices.Equal(f.asked, want) {
		t.Errorf("%q, want %q", f.asked, want)
	}
}

func TestOnlyAbsolutePathsAndWebAddresses(t *testing.T) {
	for _, path := range []string{"", "x", "-x", "./x", "https://example.org", "/a\x00b"} {
		f := &fake{}
		if open(t.Context(), f, path) == nil || reveal(t.Context(), f, path) == nil || f.asked != nil {
			t.Errorf("%q was taken: %q", path, f.asked)
		}
	}
	for _, link := range []string{"", "/etc/passwd", "file:///etc/passwd", "javascript:x", "-x", "http:", "https:///x", "smb://x/y", "ht tp://x"} {
		if err := OpenURL(t.Context(), link); err == nil {
			t.Errorf("%q was taken", link)
		}
	}
}
