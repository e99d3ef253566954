package tree

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Path names something in a folder: components joined by "/", in Unicode form
// NFC, never absolute, never climbing, never inside our own directory. The
// empty Path is the folder itself. Make one with ParsePath or Join; a
// conversion is for values that were a Path before (the index).
type Path string

// Private is the directory in each folder's root that is Pinion's own. It is
// never synced and no Path leads into it, in any spelling that a file system
// could fold to it.
const Private = ".pinion"

// Limits of a path, in bytes. They are those of the common file systems; a path
// that is longer than a certain system allows is that system's problem to show.
const (
	MaxName  = 255
	MaxPath  = 4096
	MaxDepth = 256
)

// PathError says why a name can't be a Path.
type PathError struct {
	Name string // as given
	Why  string // a phrase for a person
}

func (e *PathError) Error() string {
	if name := e.Name; len(name) > 80 {
		return fmt.Sprintf("path %q… (%d bytes) %s", strings.ToValidUTF8(name[:80], ""), len(name), e.Why)
	}
	return fmt.Sprintf("path %q %s", e.Name, e.Why)
}

// ParsePath checks s and gives it as a Path. It refuses the empty string.
func ParsePath(s string) (Path, error) {
	bad := func(why string) (Path, error) { return "", &PathError{Name: s, Why: why} }
	switch {
	case s == "":
		return bad("is empty")
	case len(s) > MaxPath:
		return bad("is longer than 4096 bytes")
	case !utf8.ValidString(s):
		return bad("is not UTF-8")
	case !norm.NFC.IsNormalString(s):
		return bad("is not in Unicode form NFC")
	}
	depth := 0
	for name := range strings.SplitSeq(s, "/") {
		if depth++; depth > MaxDepth {
			return bad("has more than 256 levels")
		}
		if why := badName(name); why != "" {
			return bad(why)
		}
		if depth == 1 && isPrivate(name) {
			return bad("leads into Pinion's own directory")
		}
	}
	return Path(s), nil
}

func badName(name string) string {
	switch {
	case name == "":
		return "has an empty component"
	case name == "." || name == "..":
		return "has a component " + name
	case len(name) > MaxName:
		return "has a name longer than 255 bytes"
	case strings.IndexByte(name, 0) >= 0:
		return "has a zero byte"
	}
	return ""
}

// isPrivate says whether a file system could take name for Private: by case,
// by dropped trailing dots and spaces, by code points that are ignored in
// comparisons, by an alternate data stream, or by a Windows short name.
func isPrivate(name string) bool {
	name, _, _ = strings.Cut(name, ":")
	folded := strings.Map(func(r rune) rune {
		switch {
		case r >= 0x200b && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2060 && r <= 0x206f, r == 0xfeff, r == 0xad:
			return -1
		case r == 'ı' || r == 'İ':
			return 'i'
		}
		return r
	}, norm.NFKC.String(name))
	folded = strings.TrimRight(folded, ". ")
	if strings.EqualFold(folded, Private) {
		return true
	}
	base, number, short := strings.Cut(strings.ToUpper(folded), "~")
	return short && number != "" && strings.Trim(number, "0123456789") == "" && strings.HasPrefix("PINION", base) && base != ""
}

// Dir is the path of the directory that holds p; the empty Path at the top.
func (p Path) Dir() Path {
	if i := strings.LastIndexByte(string(p), '/'); i >= 0 {
		return p[:i]
	}
	return ""
}

// Base is the last component.
func (p Path) Base() string { return string(p[strings.LastIndexByte(string(p), '/')+1:]) }

// NameIn is the path of the name in dir that p is or lies below; "" if p does not
// lie in dir.
func (p Path) NameIn(dir Path) Path {
	rest := string(p)
	if dir != "" {
		var ok bool
		if rest, ok = strings.CutPrefix(rest, string(dir)+"/"); !ok {
			return ""
		}
	}
	name, _, _ := strings.Cut(rest, "/")
	return p[:len(p)-len(rest)+len(name)]
}

// Join appends one name to a directory's path and checks the result.
func (p Path) Join(name string) (Path, error) {
	if p == "" {
		return ParsePath(name)
	}
	if strings.IndexByte(name, '/') >= 0 {
		return "", &PathError{Name: name, Why: "is a name with a slash"}
	}
	if len(p)+1+len(name) > MaxPath {
		return "", &PathError{Name: string(p) + "/" + name, Why: "is longer than 4096 bytes"}
	}
	if why := badName(name); why != "" {
		return "", &PathError{Name: name, Why: why}
	}
	if !utf8.ValidString(name) || !norm.NFC.IsNormalString(name) {
		return ParsePath(string(p) + "/" + name)
	}
	if strings.Count(string(p), "/")+2 > MaxDepth {
		return ParsePath(string(p) + "/" + name)
	}
	return p + "/" + Path(name), nil
}

// Within says whether p is dir or lies below it.
func (p Path) Within(dir Path) bool {
	return dir == "" || p == dir || (len(p) > len(dir) && p[len(dir)] == '/' && p[:len(dir)] == dir)
}

// Depth is the number of components.
func (p Path) Depth() int {
	if p == "" {
		return 0
	}
	return strings.Count(string(p), "/") + 1
}

// Compare orders paths as a walk meets them: a directory, then all that is in
// it, then its next sibling; names in byte order.
func (p Path) Compare(q Path) int {
	n := min(len(p), len(q))
	for i := range n {
		a, b := p[i], q[i]
		if a == b {
			continue
		}
		if a == '/' {
			return -1
		}
		if b == '/' {
			return 1
		}
		if a < b {
			return -1
		}
		return 1
	}
	return len(p) - len(q)
}
