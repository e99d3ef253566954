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
		long   bool
		want   tree.Path
	}{
		{"report.odt", "pi", false, "report (conflict pi 2026-11-21 1403).odt"},
		{"report.odt", "pi", true, "report (conflict pi 2026-11-21 1403 1a2b).odt"},
		{"a/b/notes", "pi", false, "a/b/notes (conflict pi 2026-11-21 1403)"},
		{"a.tar.gz", "pi", false, "a.tar (conflict pi 2026-11-21 1403).gz"},
		{".bashrc", "pi", false, ".bashrc (conflict pi 2026-11-21 1403)"},
		{".config.json", "pi", false, ".config (conflict pi 2026-11-21 1403).json"},
		{"ends.", "pi", false, "ends. (conflict pi 2026-11-21 1403)"},
		{"..x", "pi", false, "..x (conflict pi 2026-11-21 1403)"},
		{"v1.2 of the long text that somebody wrote", "pi", false, "v1.2 of the long text that somebody wrote (conflict pi 2026-11-21 1403)"},
		{"x", `a/b\c:d*e?f"g<h>i|j` + "\x00\n", false, "x (conflict abcdefghij 2026-11-21 1403)"},
		{"x", "  ", false, "x (conflict unknown 2026-11-21 1403)"},
		{"x", strings.Repeat("é", 40), false, tree.Path("x (conflict " + strings.Repeat("é", 16) + " 2026-11-21 1403)")},
		{"x (conflict old box 2020-01-02 0304).txt", "pi", false, "x (conflict pi 2026-11-21 1403).txt"},
		{"x (conflict pi 2020-01-02 0304 beef).txt", "pi", false, "x (conflict pi 2026-11-21 1403).txt"},
		{"x (conflict of interest).txt", "pi", false, "x (conflict of interest) (conflict pi 2026-11-21 1403).txt"},
	} {
		if got := ConflictPath(x.of, x.device, when, id, x.long); got != x.want {
			t.Errorf("%q: %q instead of %q", x.of, got, x.want)
		}
	}
}

func TestConflictPathIsAlwaysAPath(t *testing.T) {
	component := rapid.OneOf(rapid.StringN(1, 200, 255), rapid.StringMatching(`[.a~é ]{1,250}(\.[a-z]{1,40})?`), rapid.Just("🐦"+strings.Repeat("é", 120)+".odt"))
	rapid.Check(t, func(t *rapid.T) {
		of, err := tree.ParsePath(strings.Join(rapid.SliceOfN(component, 1, 3).Draw(t, "components"), "/"))
		if err != nil {
			t.Skip()
		}
		name := rapid.String().Draw(t, "device")
		var ids []tree.Path
		for _, long := range []bool{false, true} {
			p := ConflictPath(of, name, rapid.Int64().Draw(t, "mtime"), content(7), long)
			if q, err := tree.ParsePath(string(p)); err != nil || q != p || p == of || p.Dir() != of.Dir() {
				t.Fatalf("%q of %q: %v", p, of, err)
			}
			if !utf8.ValidString(p.Base()) || !strings.Contains(p.Base(), "(conflict ") {
				t.Fatalf("%q", p)
			}
			ids = append(ids, p)
		}
		if ids[0] == ids[1] {
			t.Fatalf("%q twice", ids[0])
		}
	})
}
