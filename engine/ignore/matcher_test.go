package ignore

import (
	"fmt"
	"strings"
	"testing"
)

// matches says what of names a text ignores; a name that ends with a slash is a
// directory.
func matches(t *testing.T, text string, names ...string) string {
	t.Helper()
	m, problems := Parse(text)
	for _, p := range problems {
		t.Errorf("%q: %v", text, p)
	}
	var hit []string
	for _, n := range names {
		if m.Match(strings.TrimSuffix(n, "/"), strings.HasSuffix(n, "/")) {
			hit = append(hit, n)
		}
	}
	return strings.Join(hit, " ")
}

func TestRulesMatchAsInGit(t *testing.T) {
	for _, c := range []struct{ text, names, want string }{
		// from gitignore(5)
		{"hello.*", "hello.txt hello.c a/hello.java hello", "hello.txt hello.c a/hello.java"},
		{"/hello.*", "hello.txt hello.c a/hello.java", "hello.txt hello.c"},
		{"foo/", "foo/ foo a/foo/ foo/x a/foo/x", "foo/ a/foo/ foo/x a/foo/x"},
		{"doc/frotz", "doc/frotz doc/frotz/ a/doc/frotz", "doc/frotz doc/frotz/"},
		{"/doc/frotz", "doc/frotz a/doc/frotz", "doc/frotz"},
		{"doc/frotz/", "doc/frotz doc/frotz/ a/doc/frotz/", "doc/frotz/"},
		{"frotz/", "frotz/ a/frotz/ frotz", "frotz/ a/frotz/"},
		{"foo/*", "foo/test.json foo/bar/ foo/bar/hello.c foo/", "foo/test.json foo/bar/ foo/bar/hello.c"},
		{"*.html\n!foo.html", "a.html foo.html x/foo.html", "a.html"},
		{"**/foo", "foo a/foo a/b/foo afoo", "foo a/foo a/b/foo"},
		{"**/foo/bar", "foo/bar a/foo/bar a/b/foo/bar foo/x/bar", "foo/bar a/foo/bar a/b/foo/bar"},
		{"abc/**", "abc/ abc abc/x abc/x/y x/abc/y", "abc/x abc/x/y"},
		{"a/**/b", "a/b a/x/b a/x/y/b ab a/xb c/a/b", "a/b a/x/b a/x/y/b"},
		{"/*\n!/foo\n/foo/*\n!/foo/bar", "a foo/ foo/x foo/bar/ foo/bar/x", "a foo/x"},
		{"#x\n\\#x\n", "#x", "#x"},
		{"\\!important!.txt", "!important!.txt important!.txt", "!important!.txt"},
		// a directory that is ignored takes along what is in it
		{"d/\n!d/keep", "d/keep d/keep/x", "d/keep d/keep/x"},
		{"d/*\n!d/keep", "d/keep d/x d/", "d/x"},
		{"!a\na", "a", "a"},
		{"a\n!a\n", "a a/b", ""},
		// spaces, escapes, line ends
		{"a  ", "a", "a"},
		{"a\\ ", "a", ""},
		{"x.o\r\ny.o\r\n", "x.o y.o", "x.o y.o"},
		{"\ufeffx", "x", "x"},
		{"", "a b/c", ""},
		{"\\*", "* a", "*"},
		{"a\\b", "ab", "ab"},
		// globs
		{"a?c", "abc ac aéc abbc", "abc aéc"},
		{"a?c", "a/c", ""},
		{"*b*d", "abcd bd abdc bdd", "abcd bd bdd"},
		{"[a-c]x", "ax cx dx -x", "ax cx"},
		{"[!a-c]x", "ax dx", "dx"},
		{"[^a]x", "ax dx", "dx"},
		{"[]a]x", "]x ax bx", "]x ax"},
		{"[a-]x", "-x ax bx", "-x ax"},
		{"[\\]]x", "]x ax", "]x"},
		{"[[:digit:]x]y", "1y xy ay", "1y xy"},
		{"[[:upper:]]*", "Ab aB", "Ab"},
		{"**", "a a/b", "a a/b"},
		{"***/b", "b a/b", "b a/b"},
		{"a**b", "ab axb a/b", "ab axb"},
		{"*.tar.gz", "a.tar.gz a.gz", "a.tar.gz"},
		{"build", "build build/x a/build/b/c", "build build/x a/build/b/c"},
		{"a/*/c", "a/b/c a/c a/b/b/c", "a/b/c"},
		{"café", "cafe\u0301 café", "café"},
		{"cafe\u0301", "café", "café"},
	} {
		if got := matches(t, c.text, strings.Fields(c.names)...); got != c.want {
			t.Errorf("%q ignores %q, not %q", c.text, got, c.want)
		}
	}
}

func TestDefaultsAndWhatTakesThemBack(t *testing.T) {
	names := []string{".DS_Store", "a/.DS_Store", "._x", "Thumbs.db", "desktop.ini", ".a.txt.swp", "a.swo", "a~", "4913", ".#a", "#a#",
		"a/.goutputstream-X1", "~$a.docx", "a.part", "b.crdownload", ".Trash-1000/", ".Trash-1000/files/x", ".stfolder/", "Icon\r"}
	if got, want := matches(t, "", names...), strings.Join(names, " "); got != want {
		t.Errorf("defaults ignore %q of %q", got, want)
	}
	ordinary := []string{"a.txt", "Icons/", "parts", ".swap", "a.swift", ".bashrc", ".git/", "#a", "d/.pinion", ".pinionignore", "~", "$a"}
	if got := matches(t, "", ordinary...); got != "~" {
		t.Errorf("defaults ignore %q", got)
	}
	if got := matches(t, "!*.part\n!.DS_Store\n!.#*", "a.part", ".DS_Store", ".#a", "b.crdownload"); got != "b.crdownload" {
		t.Errorf("taken back, they ignore %q", got)
	}
}

func TestOwnDirectoryIsAlwaysIgnored(t *testing.T) {
	for _, text := range []string{"", "!*", "!.pinion*", "!/.pin*", "!**", "*\n!.pinio[n]/**"} {
		if got := matches(t, text, ".pinion/", ".pinion", ".pinion/index.db"); got != ".pinion/ .pinion .pinion/index.db" {
			t.Errorf("%q leaves %q", text, got)
		}
	}
	if _, problems := Parse("a\n!/.pinion/"); len(problems) != 1 || problems[0].Line != 2 {
		t.Errorf("problems %v", problems)
	}
}

func TestProblemsNameTheirLines(t *testing.T) {
	text := "ok\n[a\n\n# fine\n/\na//b\n../x\nx\\\n[[:nothing:]]\n\xff\n" + strings.Repeat("x", 5000) + "\nlast"
	m, problems := Parse(text)
	var lines []string
	for _, p := range problems {
		lines = append(lines, fmt.Sprint(p.Line))
		if p.Why == "" || p.Error() == "" {
			t.Errorf("line %d: no reason", p.Line)
		}
	}
	if got := strings.Join(lines, " "); got != "2 5 6 7 8 9 10 11" {
		t.Errorf("problems in lines %s: %v", got, problems)
	}
	if !m.Match("ok", false) || !m.Match("last", false) {
		t.Error("the good lines do not hold")
	}
}

func TestRulesAreBounded(t *testing.T) {
	m, problems := Parse(strings.Repeat("a\n", maxRules+5))
	if len(problems) != 1 || problems[0].Line != maxRules+1 || !m.Match("a", false) {
		t.Errorf("problems %v", problems)
	}
	if m, problems = Parse(strings.Repeat("#", maxText+1)); len(problems) != 1 || m.Match("a", false) {
		t.Errorf("problems %v", problems)
	}
}

func TestJunk(t *testing.T) {
	for name, want := range map[string]bool{".DS_Store": true, "a/b/._x": true, "Thumbs.db": true, "a.part": false, "a~": false, "": false, "a/._x/y": false} {
		if Junk(name) != want {
			t.Errorf("Junk(%q) is %v", name, !want)
		}
	}
}

// A rule can't be made that takes time out of proportion.
func TestHostileGlobEnds(t *testing.T) {
	m, _ := Parse(strings.Repeat("*a", 60) + "b\n" + strings.Repeat("**/x*x*y/", 30) + "z")
	if m.Match(strings.Repeat("a", 255), false) || m.Match(strings.TrimSuffix(strings.Repeat("xxxxxxxxxxxxxxxxxxxx/", 120), "/"), true) {
		t.Error("matches")
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("*.o\n!a.o\n/b/**/c\n[a-z]?", "a/b/c.o")
	f.Add("[[:alpha:]-\\]]*\n**/a/**", "x/a/y")
	f.Fuzz(func(t *testing.T, text, path string) {
		m, _ := Parse(text)
		whole := m.Match(path, false)
		above := false
		for i := range len(path) {
			above = above || (path[i] == '/' && m.Here(path[:i], true))
		}
		if whole != (above || m.Here(path, false)) {
			t.Errorf("%q: Match and Here differ for %q", text, path)
		}
		if above && !m.Match(path, true) {
			t.Errorf("%q: %q is not ignored below what is", text, path)
		}
		if !m.Match(".pinion/"+path, false) {
			t.Errorf("%q shows Pinion's own directory", text)
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	var own strings.Builder
	for i := range 100 {
		fmt.Fprintf(&own, "*.x%d\nname%d\n", i, i)
	}
	for name, text := range map[string]string{"defaults": "", "200 names": own.String(), "paths": "/build/out\n/a/**/c\nnode_modules/\n"} {
		m, _ := Parse(text)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m.Here("src/engine/very/deep/file.go", false)
			}
		})
	}
}
