//go:build torture

package main

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
)

type hash [sha256.Size]byte

func (h hash) String() string { return fmt.Sprintf("%x", h[:6]) }

// ledger is what persons wrote, and what of it they have destroyed themselves.
type ledger struct {
	wrote map[hash]string // what was ever written, and how: whatever else turns up is nobody's
	// have counts, for each device, the files of a content that a person put there,
	// or that were there at the last rest, and that no person has destroyed there
	// since. While one is left anywhere, the content must be found.
	have map[*device]map[hash]int
	kept map[hash]bool // seen in an archive: that is for good
}

func newLedger() *ledger {
	return &ledger{wrote: map[hash]string{}, have: map[*device]map[hash]int{}, kept: map[hash]bool{}}
}

// wrote notes that a person's file at path holds content now.
func (l *ledger) write(d *device, path, how string, h hash) {
	l.passing(d, path, how, h)
	l.count(d)[h]++
}

// passing notes a content that stood at path only until the next step of the same edit.
func (l *ledger) passing(d *device, path, how string, h hash) {
	if _, known := l.wrote[h]; !known {
		l.wrote[h] = fmt.Sprintf("%s on %s, %s", path, d.name, how)
	}
}

// destroyed notes that a person has destroyed a file of that content.
func (l *ledger) destroyed(d *device, h hash) {
	if c := l.count(d); c[h] > 0 {
		c[h]--
	}
}

func (l *ledger) count(d *device) map[hash]int {
	if l.have[d] == nil {
		l.have[d] = map[hash]int{}
	}
	return l.have[d]
}

// owed are the contents that must be found somewhere.
func (l *ledger) owed() map[hash]bool {
	out := maps.Clone(l.kept)
	for _, c := range l.have {
		for h, n := range c {
			if n > 0 {
				out[h] = true
			}
		}
	}
	return out
}

// rest takes over what stands on a device at a moment when all are in sync.
func (l *ledger) rest(d *device, live, archived map[string]item) {
	count := map[hash]int{}
	for _, i := range live {
		if i.kind == "file" {
			count[i.sum]++
		}
	}
	l.have[d] = count
	for _, i := range archived {
		if i.kind == "file" {
			l.kept[i.sum] = true
		}
	}
}

func sum(b []byte) hash { return sha256.Sum256(b) }

func sumFile(f io.Reader) (h hash, err error) {
	s := sha256.New()
	_, err = io.Copy(s, f)
	copy(h[:], s.Sum(nil))
	return h, err
}

func sumAt(path string) (hash, error) {
	f, err := os.Open(path)
	if err != nil {
		return hash{}, err
	}
	defer f.Close()
	return sumFile(f)
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
