package reconcile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"pinion/engine/tree"
)

const (
	maxDevice    = 32 // bytes of a device's name in a file name
	maxExtension = 32 // bytes; what is longer after a dot is no extension
	shortDigits  = 4  // of the content's sum
)

// nameDigits are the lengths of the digits that are tried in turn. A name always
// has some: with the minute alone, two copies of one device would share a name
// on one device and not on another, and the deletion of one would meet the other.
func nameDigits() [4]int { return [...]int{shortDigits, 8, 16, 64} }

// beside is of's name in the directory of at: a conflict copy that a person
// moved elsewhere has its copies there.
func beside(at, of tree.Path) tree.Path {
	name := tree.Path(of.Base())
	if dir := at.Dir(); dir != "" {
		return dir + "/" + name
	}
	return name
}

func deviceOf(look Lookup, r tree.ReplicaID) string {
	if name := look.Replica(r).Name; name != "" {
		return name
	}
	return fmt.Sprintf("%016x", uint64(r))
}

// ConflictPath is the name of a conflict copy beside of:
//
//	name (conflict DEVICE 2026-11-21 1403 1a2b).ext
//
// The time is the mtime in UTC, 1a2b the first digits of the content's sum. Only
// the last extension counts ("a.tar.gz" becomes "a.tar (conflict ...).gz"); a
// name that only begins with a dot has none. A name that would get too long
// loses the end of its stem; one that is a conflict copy's loses that part, so
// that names never nest. The result is valid wherever of is.
func ConflictPath(of tree.Path, device string, mtime int64, content tree.ContentID) tree.Path {
	return conflictPath(of, device, mtime, content, shortDigits)
}

func conflictPath(of tree.Path, device string, mtime int64, content tree.ContentID, digits int) tree.Path {
	when := time.Unix(0, mtime).UTC().Format("2006-01-02 1504")
	if digits > 0 {
		when += " " + hex.EncodeToString(content[1:])[:digits]
	}
	stem, ext := splitExtension(of.Base())
	stem = withoutTag(stem)
	tail := fmt.Sprintf(" (conflict %s %s)%s", deviceName(device), when, ext)
	dir := of.Dir()
	room := tree.MaxName
	if dir != "" {
		room = min(room, tree.MaxPath-len(dir)-1)
	}
	stem = cut(stem, max(0, room-len(tail)))
	if dir == "" {
		return tree.Path(stem + tail)
	}
	return dir + "/" + tree.Path(stem+tail)
}

func splitExtension(name string) (stem, ext string) {
	i := strings.LastIndexByte(name, '.')
	if i <= 0 || i == len(name)-1 || len(name)-i > maxExtension || strings.Trim(name[:i], ".") == "" {
		return name, ""
	}
	return name[:i], name[i:]
}

// withoutTag takes " (conflict DEVICE DATE TIME)" off the end of a stem.
func withoutTag(stem string) string {
	i := strings.LastIndex(stem, " (conflict ")
	if i < 0 || !strings.HasSuffix(stem, ")") {
		return stem
	}
	words := strings.Split(stem[i+len(" (conflict "):len(stem)-1], " ")
	for n := len(words); n >= 3 && n >= len(words)-1; n-- {
		if _, err := time.Parse("2006-01-02 1504", words[n-2]+" "+words[n-1]); err == nil {
			return stem[:i]
		}
	}
	return stem
}

// Original is the path that p would be a conflict copy of by its name; p itself if
// its name is no copy's.
func Original(p tree.Path) tree.Path {
	stem, ext := splitExtension(p.Base())
	name := tree.Path(withoutTag(stem) + ext)
	if dir := p.Dir(); dir != "" {
		name = dir + "/" + name
	}
	if _, err := tree.ParsePath(string(name)); err != nil {
		return p
	}
	return name
}

// cut shortens s to n bytes at most, between two characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// deviceName is what of a device's name can stand in a file name anywhere.
func deviceName(name string) string {
	clean := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`/\:*?"<>|`, r) {
			return -1
		}
		return r
	}, name)
	clean = norm.NFC.String(strings.TrimSpace(clean))
	if clean = strings.TrimSpace(cut(clean, maxDevice)); clean == "" {
		return "unknown"
	}
	return clean
}

// identity stands for the content in a name; a symlink's content is its target.
func identity(e tree.Entry) tree.ContentID {
	if e.Kind != tree.Symlink {
		return e.Content
	}
	var id tree.ContentID
	sum := sha256.Sum256([]byte(e.Target))
	copy(id[1:], sum[:])
	return id
}
