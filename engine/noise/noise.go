package noise

import (
	"bytes"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/gabriel-vasile/mimetype"
)

// Head is how many bytes of a content are looked at: its first.
const Head = 4096

// least is the fewest bytes of which anything is said; quick is how many are
// looked at first, since nearly every file can be told by them.
const (
	least = 24
	quick = 512
)

// Sealed says whether a content that begins with head (all of it, if it is
// shorter than Head) looks encrypted.
func Sealed(head []byte) bool {
	head = head[:min(len(head), Head)]
	if len(head) < least || !random(head[:min(len(head), quick)]) {
		return false
	}
	return !begins(head) && !written(head) && random(head) && !known(head)
}

// written says whether b is UTF-8, but for a character that is cut off at its end: a
// short text may have as many different letters as random bytes have, but random
// bytes are no letters.
func written(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			return !utf8.FullRune(b)
		}
		b = b[n:]
	}
	return true
}

// tolerance is by how much noise may fall short of random bytes: a header of the
// program's own, a key with zeros in front.
const tolerance = 0.25

// random says whether b may have been drawn at random. It compares the index of
// coincidence, sum(c(c-1)) / (n(n-1)/256) over the counts c of each value, which
// is 1 for random bytes with a deviation of sqrt(512)/n, 4 for base64, 10 to 20
// for text; and asks for as many bytes above 127 as below, give or take, which
// the short texts have not.
func random(b []byte) bool {
	var counts [256]uint16
	high := 0
	for _, c := range b {
		counts[c]++
		high += int(c >> 7)
	}
	n := float64(len(b))
	if share := float64(high) / n; math.Abs(share-0.5) > 0.1+2/math.Sqrt(n)*0.75 {
		return false
	}
	var pairs uint64
	for _, c := range counts {
		pairs += uint64(c) * (uint64(c) - 1) & -min(uint64(c), 1)
	}
	coincidence := float64(pairs) * 256 / (n * (n - 1))
	return coincidence < 1+tolerance+4*math.Sqrt(512)/n
}

// begins says whether head begins as a common format does, or as one of those that
// mimetype does not know. It is asked first, being quick.
func begins(head []byte) bool {
	for _, m := range magic {
		if bytes.HasPrefix(head, []byte(m)) {
			return true
		}
	}
	return string(head[4:8]) == "ftyp"
}

var magic = [...]string{
	"\xff\xd8\xff", "\x89PNG", "PK\x03\x04", "%PDF-", "\x1f\x8b", "RIFF", "ID3", "OggS", "fLaC", "GIF8", "\x1aE\xdf\xa3",
	"x\x01", "x\x9c", "x\xda", "BZh", "\xfd7zXZ", "\x28\xb5\x2f\xfd", "7z\xbc\xaf",
	"\x04\x22\x4d\x18" /* lz4 */, "LUKS\xba\xbe", "QFI\xfb" /* qcow2 */, "KDMV" /* vmdk */, "\x93NUMPY", "PACK\x00", "DIRC\x00" /* git */, "\x03\xd9\xa2\x9a", /* KeePass */
}

// known says whether head is the beginning of any format that is known. What
// mimetype calls text is what has no control characters among its first bytes.
func known(head []byte) bool {
	m := mimetype.Detect(head).String()
	return m != "application/octet-stream" && !strings.HasPrefix(m, "text/")
}
