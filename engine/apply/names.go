package apply

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"pinion/engine/tree"
)

const (
	maxExt     = 32   // bytes; what is longer is no extension
	maxArchive = 3800 // bytes; directories that are deeper go to a shelf of their own
)

// archiveName is the name under which a file called name is archived: the n-th
// try, counted from 0. "report.txt" becomes "report~20261121T140312Z.txt", then
// "report~20261121T140312Z-2.txt".
func archiveName(name string, when time.Time, n int) string {
	tag := "~" + when.UTC().Format("20060102T150405Z")
	if n > 0 {
		tag += "-" + strconv.Itoa(n+1)
	}
	return tagged(name, tag)
}

// conflictName is the path that what stood at p gets beside it: the n-th try.
func conflictName(p tree.Path, device string, mtime int64, n int) tree.Path {
	tag := " (conflict " + cleanDevice(device) + " " + time.Unix(0, mtime).UTC().Format("2006-01-02 1504")
	if n > 0 {
		tag += " " + strconv.Itoa(n+1)
	}
	return tree.Path(path.Join(string(p.Dir()), tagged(p.Base(), tag+")")))
}

// tagged puts tag between a name's stem and its extension, and shortens the
// stem so that the whole is a name that file systems take.
func tagged(name, tag string) string {
	stem, ext := name, path.Ext(name)
	if len(ext) > maxExt || len(ext) < 2 || len(ext) == len(name) {
		ext = ""
	}
	stem = strings.TrimSuffix(stem, ext)
	return cut(stem, tree.MaxName-len(tag)-len(ext)) + tag + ext
}

// cut shortens s to at most n bytes, never inside a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func cleanDevice(name string) string {
	clean := strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || strings.ContainsRune(`/\:*?"<>|`, r) || r == utf8.RuneError {
			return '-'
		}
		return r
	}, name)
	if clean = cut(strings.TrimSpace(clean), 40); clean == "" {
		return "unnamed"
	}
	return clean
}

// shelfParts gives the components, below the archive, of the directory that
// archives the files of dir.
func shelfParts(dir tree.Path) []string {
	switch {
	case dir == "":
		return nil
	case len(dir) > maxArchive:
		sum := sha256.Sum256([]byte(dir))
		return []string{"deep~" + hex.EncodeToString(sum[:8])}
	}
	return strings.Split(string(dir), "/")
}

// shelfName is the n-th try to name a directory in the archive, where a file
// may stand under its own name.
func shelfName(name string, n int) string {
	if n == 0 {
		return name
	}
	tag := "~" + strconv.Itoa(n+1)
	return cut(name, tree.MaxName-len(tag)) + tag
}

// ArchivedAs tells from the name of an archived file, below the root, what path
// it is a version of and when it was archived. Not ok: it is no such name. Where
// the archive had to shorten a name, or to give a directory another one, the path
// tells it so.
func ArchivedAs(file string) (p tree.Path, when time.Time, ok bool) {
	rest, ok := strings.CutPrefix(file, Archive+"/")
	if !ok {
		return "", when, false
	}
	dir, name := path.Split(rest)
	const stamp = "20060102T150405Z"
	at := strings.LastIndexByte(name, '~')
	if at < 0 || len(name) < at+1+len(stamp) {
		return "", when, false
	}
	when, err := time.Parse(stamp, name[at+1:at+1+len(stamp)])
	if err != nil {
		return "", when, false
	}
	ext := name[at+1+len(stamp):]
	if number, ok := strings.CutPrefix(ext, "-"); ok {
		ext = strings.TrimLeft(number, "0123456789")
		if len(ext) == len(number) {
			return "", when, false
		}
	}
	if ext != "" && ext[0] != '.' {
		return "", when, false
	}
	p, err = tree.ParsePath(dir + name[:at] + ext)
	return p, when, err == nil
}
