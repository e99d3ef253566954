package wire

import (
	"encoding/binary"
	"fmt"

	"pinion/engine/tree"
)

const (
	// MaxChunks is how many chunks a list may have.
	MaxChunks = 1 << 22
	// MaxChunk is how long a chunk may be, in bytes.
	MaxChunk = 16 << 20

	partChunks = 16 << 10
	chunkBytes = 1 + len(tree.ContentID{})
)

// ManifestRequest asks for the chunk list of a content, as a difference to the
// list of Base if that is not zero.
type ManifestRequest struct {
	Folder        tree.FolderID
	Content, Base tree.ContentID
}

type manifestRequest struct {
	Folder  []byte `cbor:"1,keyasint"`
	Content []byte `cbor:"2,keyasint"`
	Base    []byte `cbor:"3,keyasint,omitempty"`
}

// AppendManifestRequest appends a ManifestRequest frame.
func AppendManifestRequest(dst []byte, r ManifestRequest) ([]byte, error) {
	if r.Content.IsZero() {
		return dst, bad("a request for the list of nothing")
	}
	m := manifestRequest{Folder: r.Folder[:], Content: r.Content[:]}
	if !r.Base.IsZero() {
		m.Base = r.Base[:]
	}
	return appendCBOR(dst, TypeManifestRequest, m)
}

// ParseManifestRequest reads a ManifestRequest.
func ParseManifestRequest(payload []byte) (r ManifestRequest, err error) {
	var m manifestRequest
	if err := parseCBOR(payload, &m); err != nil {
		return r, err
	}
	if err := fixed(r.Folder[:], m.Folder, "a folder id"); err != nil {
		return r, err
	}
	if r.Content, err = tree.ContentIDFromBytes(m.Content); err != nil || r.Content.IsZero() {
		return r, bad("a request for the list of nothing")
	}
	if r.Base, err = tree.ContentIDFromBytes(m.Base); err != nil {
		return r, bad("a base that is no content id")
	}
	return r, nil
}

const (
	partLast = 1 << iota
	partGone
)

// ManifestPart is one part of the answer. The list is, part for part, Count
// chunks of the base's list from At on, then Chunks.
type ManifestPart struct {
	Last, Gone bool
	At, Count  uint32
	Chunks     tree.Manifest
}

func (p ManifestPart) check() error {
	switch {
	case p.Gone && (!p.Last || p.Count > 0 || len(p.Chunks) > 0):
		return bad("a list that is gone and there")
	case p.Count == 0 && p.At > 0:
		return bad("a run of no chunks")
	case uint64(p.At)+uint64(p.Count) > MaxChunks:
		return bad("a list of too many chunks")
	}
	return nil
}

// AppendManifest appends the frames that tell the list m, as a difference to
// base, which may be nil.
func AppendManifest(dst []byte, m, base tree.Manifest) ([]byte, error) {
	if len(m) > MaxChunks {
		return dst, fmt.Errorf("%w: a list of %d chunks", ErrTooLarge, len(m))
	}
	at := firstOf(m, base)
	for rest := m; ; {
		var p ManifestPart
		p, rest = nextPart(rest, base, at)
		p.Last = len(rest) == 0
		var err error
		if dst, err = AppendManifestPart(dst, p); err != nil || p.Last {
			return dst, err
		}
	}
}

// firstOf says where in base the chunks of m stand first. The shorter list is the one
// that is held.
func firstOf(m, base tree.Manifest) map[tree.ContentID]uint32 {
	at := make(map[tree.ContentID]uint32, min(len(m), len(base)))
	if len(m) < len(base) {
		for _, c := range m {
			at[c.ID] = uint32(len(base))
		}
		for i := len(base) - 1; i >= 0; i-- {
			if _, ok := at[base[i].ID]; ok {
				at[base[i].ID] = uint32(i)
			}
		}
		for id, i := range at {
			if int(i) == len(base) {
				delete(at, id)
			}
		}
		return at
	}
	for i := len(base) - 1; i >= 0; i-- {
		at[base[i].ID] = uint32(i)
	}
	return at
}

// nextPart takes a run of the base's chunks off m, and then those that the base
// has not.
func nextPart(m, base tree.Manifest, at map[tree.ContentID]uint32) (p ManifestPart, rest tree.Manifest) {
	if len(m) > 0 {
		if j, ok := at[m[0].ID]; ok {
			n := 0
			for n < len(m) && int(j)+n < len(base) && m[n] == base[int(j)+n] {
				n++
			}
			if n > 0 {
				p.At, p.Count, m = j, uint32(n), m[n:]
			}
		}
	}
	n := 0
	for n < min(len(m), partChunks) {
		if j, ok := at[m[n].ID]; ok && m[n] == base[j] {
			break
		}
		n++
	}
	p.Chunks = m[:n]
	return p, m[n:]
}

func (p ManifestPart) flags() (flags byte) {
	if p.Last {
		flags |= partLast
	}
	if p.Gone {
		flags |= partGone
	}
	return flags
}

// AppendManifestPart appends a ManifestPart frame.
func AppendManifestPart(dst []byte, p ManifestPart) ([]byte, error) {
	if err := p.check(); err != nil {
		return dst, err
	}
	start := len(dst)
	dst = append(begin(dst, TypeManifestPart), p.flags())
	dst = binary.AppendUvarint(dst, uint64(p.At))
	dst = binary.AppendUvarint(dst, uint64(p.Count))
	dst = binary.AppendUvarint(dst, uint64(len(p.Chunks)))
	for _, c := range p.Chunks {
		if c.Len == 0 || c.Len > MaxChunk {
			return dst[:start], bad("a chunk of %d bytes", c.Len)
		}
		dst = binary.AppendUvarint(dst, uint64(c.Len))
		dst = append(dst, c.ID[:]...)
	}
	return end(dst, start)
}

// ParseManifestPart reads a ManifestPart.
func ParseManifestPart(payload []byte) (ManifestPart, error) {
	c := cursor{b: payload}
	flags := c.byte("the flags")
	if flags&^(partLast|partGone) != 0 {
		c.fail("a list with unknown flags")
	}
	p := ManifestPart{Last: flags&partLast != 0, Gone: flags&partGone != 0}
	p.At = uint32(c.uvMax(MaxChunks, "a place in a list"))
	p.Count = uint32(c.uvMax(MaxChunks, "a number of chunks"))
	n := c.uvMax(min(partChunks, uint64(len(c.b)/chunkBytes)), "a number of chunks")
	if c.err == nil && n > 0 {
		p.Chunks = make(tree.Manifest, n)
	}
	for i := range p.Chunks {
		p.Chunks[i].Len = uint32(c.uvMax(MaxChunk, "a chunk's length"))
		p.Chunks[i].ID = c.content("a chunk's id")
		if c.err == nil && p.Chunks[i].Len == 0 {
			c.fail("an empty chunk")
		}
	}
	if err := c.done(); err != nil {
		return ManifestPart{}, err
	}
	return p, p.check()
}
