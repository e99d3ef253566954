package tree

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestParsePath(t *testing.T) {
	for _, good := range []string{"a", "a/b", ".hidden", "a b/c.d", "ü/é", "..a", "a..", "pinion", ".pinionignore", "sub/.pinion", "con", "a\nb", strings.Repeat("x", 255)} {
		if p, err := ParsePath(good); err != nil || string(p) != good {
			t.Errorf("%q is refused: %v", good, err)
		}
	}
	for bad, why := range map[string]string{
		"": "empty", "/a": "empty component", "a/": "empty component", "a//b": "empty component", ".": "component .", "a/./b": "component .",
		"..": "component ..", "a/../b": "component ..", "a\x00b": "zero byte", "a\xffb": "not UTF-8", "u\u0308": "NFC",
		strings.Repeat("x", 256): "longer than 255", strings.Repeat("a/", 300) + "a": "256 levels", strings.Repeat("abcdefgh/", 500) + "x": "4096",
		".pinion": "own directory", ".pinion/x": "own directory", ".PINION/x": "own directory", ".Pinion. /x": "own directory",
		".pin\u200bion": "own directory", ".pinion::$DATA": "own directory", ".p\u0131nion": "own directory", "PINION~1/x": "own directory",
		"\uff0epinion": "own directory",
	} {
		if _, err := ParsePath(bad); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: got %v, want %q", bad, err, why)
		}
	}
}

func FuzzParsePath(f *testing.F) {
	for _, s := range []string{"a/b", "../x", "a/../../x", ".pinion/index.db", ".PiNiOn", "a\x00", "/etc/passwd", "u\u0308", "C:\\x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePath(s)
		if err != nil {
			return
		}
		if string(p) != s || !utf8.ValidString(s) || !norm.NFC.IsNormalString(s) || strings.HasPrefix(s, "/") {
			t.Fatalf("%q is a path", s)
		}
		for name := range strings.SplitSeq(s, "/") {
			if name == "" || name == "." || name == ".." || len(name) > MaxName || strings.IndexByte(name, 0) >= 0 {
				t.Fatalf("%q is a path", s)
			}
		}
		if first, _, _ := strings.Cut(s, "/"); strings.EqualFold(strings.TrimRight(first, ". "), Private) {
			t.Fatalf("%q leads into our own directory", s)
		}
		again, err := p.Dir().Join(p.Base())
		if err != nil || again != p {
			t.Fatalf("%q: %q and %q join to %q, %v", s, p.Dir(), p.Base(), again, err)
		}
	})
}

func TestCompareIsTheOrderOfAWalk(t *testing.T) {
	want := []Path{"a", "a/b", "a/b/c", "a/z", "a-", "a.txt", "a0", "b"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, Path.Compare)
	if !slices.Equal(got, want) {
		t.Fatalf("got %q", got)
	}
}

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		p, dir Path
		want   bool
	}{{"a/b", "a", true}, {"a", "a", true}, {"ab", "a", false}, {"a", "a/b", false}, {"x", "", true}} {
		if got := c.p.Within(c.dir); got != c.want {
			t.Errorf("%q within %q: %v", c.p, c.dir, got)
		}
	}
}

func version(t *rapid.T, name string) Version {
	var v Version
	for r := ReplicaID(1); r <= 4; r++ {
		if n := rapid.Uint64Range(0, 3).Draw(t, name); n > 0 {
			v = append(v, Stamp{r, n})
		}
	}
	return v
}

func TestVersionsAreALattice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := version(t, "a"), version(t, "b"), version(t, "c")
		ab := a.Join(b)
		switch {
		case !ab.Valid():
			t.Fatalf("%v", ab)
		case !ab.Covers(a) || !ab.Covers(b):
			t.Fatalf("%v does not cover %v and %v", ab, a, b)
		case ab.Compare(b.Join(a)) != Equal:
			t.Fatal("join is not commutative")
		case ab.Join(c).Compare(a.Join(b.Join(c))) != Equal:
			t.Fatal("join is not associative")
		case c.Covers(a) && c.Covers(b) && !c.Covers(ab):
			t.Fatal("join is not the least")
		}
		back := map[Order]Order{Equal: Equal, Before: After, After: Before, Concurrent: Concurrent}
		if b.Compare(a) != back[a.Compare(b)] {
			t.Fatalf("%v is %v to %v, but that is %v to it", a, a.Compare(b), b, b.Compare(a))
		}
		r, now := ReplicaID(rapid.Uint64Range(1, 5).Draw(t, "r")), rapid.Uint64Range(0, 5).Draw(t, "now")
		if d := a.Bump(r, now); d.Compare(a) != After || !d.Valid() || d.Counter(r) < now || d.Counter(r) <= a.Counter(r) {
			t.Fatalf("%v bumped is %v", a, d)
		}
	})
}

func TestValidRefusesOtherForms(t *testing.T) {
	for _, v := range []Version{{{1, 0}}, {{0, 1}}, {{2, 1}, {1, 1}}, {{1, 1}, {1, 2}}} {
		if v.Valid() {
			t.Errorf("%v is valid", v)
		}
	}
}

func TestDeviceIDSurvivesTypingAndFindsMistakes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var d DeviceID
		copy(d[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "id"))
		s := d.String()
		if got, err := ParseDeviceID(strings.ToLower(strings.ReplaceAll(s, "-", " "))); err != nil || got != d {
			t.Fatalf("%s: %v %v", s, got, err)
		}
		i := rapid.IntRange(0, len(s)-1).Draw(t, "at")
		wrong := rapid.SampledFrom([]byte(b32Digits)).Draw(t, "digit")
		if s[i] == '-' || s[i] == wrong {
			return
		}
		if _, err := ParseDeviceID(s[:i] + string(wrong) + s[i+1:]); err == nil {
			t.Fatalf("a mistyped character at %d of %s is not noticed", i, s)
		}
	})
}

func FuzzParseIDs(f *testing.F) {
	f.Add("")
	f.Add(DeviceID{1}.String())
	f.Add(FolderID{2}.String())
	f.Add(ContentID{HashBLAKE3, 3}.String())
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := ParseDeviceID(s); err == nil {
			if again, err := ParseDeviceID(d.String()); err != nil || again != d {
				t.Fatalf("%q", s)
			}
		}
		if id, err := ParseFolderID(s); err == nil && id.String() != strings.ToLower(s) {
			t.Fatalf("%q", s)
		}
		if c, err := ParseContentID(s); err == nil && !c.IsZero() && c.String() != strings.ToLower(s) {
			t.Fatalf("%q", s)
		}
	})
}
