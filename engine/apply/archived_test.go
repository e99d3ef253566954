package apply

import (
	"path"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pinion/engine/tree"
)

// What an archived file's name was made of can be told from it.
func TestArchivedAs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"a", "report.txt", ".bashrc", "a~b", "x~20200101T000000Z.txt", "tar.gz", "no ext.", "~", "ä.jpeg", "-2"}).Draw(t, "name")
		dir := rapid.SampledFrom([]string{"", "in", "in/deep~2"}).Draw(t, "dir")
		when := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "when"), 0)
		p := tree.Path(path.Join(dir, name))
		file := path.Join(Archive, dir, archiveName(name, when, rapid.IntRange(0, 20).Draw(t, "n")))
		got, at, ok := ArchivedAs(file)
		if !ok || got != p || !at.Equal(when) {
			t.Fatalf("%s tells %q, %v, %v; it is %q of %v", file, got, at, ok, p, when)
		}
	})
	for _, file := range []string{
		"", "x~20200101T000000Z", Archive, Archive + "/x", Archive + "/x~2020", Archive + "/x~20201301T000000Z", Archive + "/x~20200101T000000Z-",
		Archive + "/x~20200101T000000Zxt", Archive + "/~20200101T000000Z", Archive + "/../x~20200101T000000Z",
	} {
		if p, _, ok := ArchivedAs(file); ok {
			t.Errorf("%q tells %q", file, p)
		}
	}
}

func FuzzArchivedAs(f *testing.F) {
	f.Add(Archive + "/in/x~20200101T000000Z-2.txt")
	f.Add(Archive + "/~20200101T000000Z")
	f.Fuzz(func(t *testing.T, file string) {
		p, _, ok := ArchivedAs(file)
		if !ok {
			return
		}
		if _, err := tree.ParsePath(string(p)); err != nil || !strings.HasPrefix(file, Archive+"/") {
			t.Fatalf("%q tells %q: %v", file, p, err)
		}
	})
}
