package apply

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
	"pinion/engine/tree"
)

func TestArchiveName(t *testing.T) {
	when := time.Date(2026, 11, 21, 15, 3, 12, 0, time.FixedZone("", 3600))
	long := strings.Repeat("ä", 126) + ".txt"
	for _, c := range []struct {
		name string
		n    int
		want string
	}{
		{"report.txt", 0, "report~20261121T140312Z.txt"},
		{"report.txt", 1, "report~20261121T140312Z-2.txt"},
		{"Makefile", 0, "Makefile~20261121T140312Z"},
		{".bashrc", 0, ".bashrc~20261121T140312Z"},
		{"dot.", 0, "dot.~20261121T140312Z"},
		{"a.tar.gz", 0, "a.tar~20261121T140312Z.gz"},
		{"v1." + strings.Repeat("x", 40), 0, "v1." + strings.Repeat("x", 40) + "~20261121T140312Z"},
		{long, 0, strings.Repeat("ä", 117) + "~20261121T140312Z.txt"},
	} {
		if got := archiveName(c.name, when, c.n); got != c.want {
			t.Errorf("%s: %s instead of %s", c.name, got, c.want)
		}
	}
	if got := conflictName("d/a.txt", "pi/1\n", when.UnixNano(), 1); got != "d/a (conflict pi-1- 2026-11-21 1403 2).txt" {
		t.Error(got)
	}
}

// Names that are made fit where names fit, and differ from try to try.
func TestMadeNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringN(1, 255, 255).Filter(func(s string) bool {
			_, err := tree.ParsePath(s)
			return err == nil && !strings.Contains(s, "/")
		}).Draw(t, "name")
		device := rapid.String().Draw(t, "device")
		n := rapid.IntRange(0, tries).Draw(t, "n")
		when := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "when"), 0)
		made := []string{archiveName(name, when, n), shelfName(name, n)}
		p := conflictName(tree.Path(name), device, when.UnixNano(), n)
		if _, err := tree.ParsePath(string(p)); err != nil && !strings.Contains(err.Error(), "NFC") {
			t.Fatal(err)
		}
		for _, m := range append(made, string(p)) {
			if len(m) > tree.MaxName || !utf8.ValidString(m) || strings.Contains(m, "/") {
				t.Fatalf("%q", m)
			}
		}
		if archiveName(name, when, n) == archiveName(name, when, n+1) || p == conflictName(tree.Path(name), device, when.UnixNano(), n+1) {
			t.Fatal("two tries are alike")
		}
	})
}
