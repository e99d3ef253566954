package reconcile

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"pinion/engine/tree"
)

func TestConflictPath(t *testing.T) {
	when := time.Date(2026, 11, 21, 14, 3, 59, 0, time.UTC).UnixNano()
	id := tree.ContentID{tree.HashBLAKE3, 0x1a, 0x2b, 0x3c}
	for _, x := range []struct {
		of     tree.Path
		device string
		want   tree.Path
	}{
		{"report.odt", "pi", "report (conflict pi 2026-11-21 1403 1a2b).odt"},
		{"a/b/notes", "pi", "a/b/notes (conflict pi 2026-11-21 1403 1a2b)"},
		{"a.tar.gz", "pi", "a.tar (conflict pi 2026-11-21 1403 1a2b).gz"},
		{".bashrc", "pi", ".bashrc (conflict pi 2026-11-21 1403 1a2b)"},
		{".config.json", "pi", ".config (conflict pi 2026-11-21 1403 1a2b).json"},
		{"ends.", "pi", "ends. (conflict pi 2026-11-21 1403 1a2b)"},
		{"..x", "pi", "..x (conflict pi 2026-11-21 1403 1a2b)"},
		{"v1.2 of the long text that somebody wrote", "pi", "v1.2 of the long text that somebody wrote (conflict pi 2026-11-21 1403 1a2b)"},
		{"x", `a/b\c:d*e?f"g<h>i|j` + "\x00\n", "x (conflict abcdefghij 2026-11-21 1403 1a2b)"},
		{"x", "  ", "x (conflict unknown 2026-11-21 1403 1a2b)"},
		{"x", strings.Repeat("é", 40), tree.Path("x (conflict " + strings.Repeat("é", 16) + " 2026-11-21 1403 1a2b)")},
		{"x (conflict old box 2020-01-02 0304).txt", "pi", "x (conflict pi 2026-11-21 1403 1a2b).txt"},
		{"x (conflict pi 2020-01-02 0304 beef).txt", "pi", "x (conflict pi 2026-11-21 1403 1a2b).txt"},
		{"x (conflict of interest).txt", "pi", "x (conflict of interest) (conflict pi 2026-11-21 1403 1a2b).txt"},
	} {
		if got := ConflictPath(x.of, x.device, when, id); got != x.want {
			t.Errorf("%q: %q instead of %q", x.of, got, x.want)
		}
	}
}

func TestOriginalTakesOneTagOff(t *testing.T) {
	for p, want := range map[tree.Path]tree.Path{
		"a/x (conflict old box 2020-01-02 0304).txt": "a/x.txt",
		"x (conflict pi 2020-01-02 0304 beef)":       "x",
		"x (conflict of interest).txt":               "x (conflict of interest).txt",
		"d (conflict pi 2020-01-02 0304)/x.txt":      "d (conflict pi 2020-01-02 0304)/x.txt",
		" (conflict pi 2020-01-02 0304)":             " (conflict pi 2020-01-02 0304)",
	} {
		if got := Original(p); got != want {
			t.Errorf("%q: %q instead of %q", p, got, want)
		}
	}
}

func TestConflictPathIsAlwaysAPath(t *testing.T) {
	component := rapid.OneOf(rapid.StringN(1, 200, 255), rapid.StringMatching(`[.a~é ]{1,250}(\.[a-z]{1,40})?`), rapid.Just("🐦"+strings.Repeat("é", 120)+".odt"))
	rapid.Check(t, func(t *rapid.T) {
		of, err := tree.ParsePath(strings.Join(rapid.SliceOfN(component, 1, 3).Draw(t, "components"), "/"))
		if err != nil {
			t.Skip("not a path:", err)
		}
		name := rapid.String().Draw(t, "device")
		p := ConflictPath(of, name, rapid.Int64().Draw(t, "mtime"), content(7))
		if q, err := tree.ParsePath(string(p)); err != nil || q != p || p == of || p.Dir() != of.Dir() {
			t.Fatalf("%q of %q: %v", p, of, err)
		}
		if !utf8.ValidString(p.Base()) || !strings.Contains(p.Base(), "(conflict ") {
			t.Fatalf("%q", p)
		}
	})
}
