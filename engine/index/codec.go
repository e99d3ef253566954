package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"pinion/engine/tree"
)

// Bits of tree.Kind's columns.
const (
	kindMask     = 7
	kindConflict = 8
	kindGone     = 16
)

// Bits at the front of an entry's blob: what follows.
const (
	hasContent = 1 << iota
	hasAuthor
	hasDiskSame // lstat gave the entry's own kind, size, mtime and mode
	hasBase
	hasTarget
	hasConflict
	hasConflictBase
	hasMovedTo
	hasDiskOwn   // lstat gave something else, spelled out
	hasDiskInode // where it is no column
	hasAttrs
	hasDiskAttrs // the disk had others than the entry's own
	isSealed     // a live file's content looks encrypted
	hasDiskCTime // a live file's, and the kinds of attributes that were looked at
	allBits      = 1<<iota - 1
)

// maxLocal is how many replicas an index remembers; more is an attack.
const maxLocal = 1 << 14

// maxTold is up to how many of them are taken from peers: the rest is left for
// our own lives.
const maxTold = maxLocal - 1<<10

// pathKey is the stored form of a path, in whose byte order
// tree.Path.Compare's is kept.
func pathKey(p tree.Path) []byte {
	b := []byte(p)
	for i, c := range b {
		if c == '/' {
			b[i] = 0
		}
	}
	return b
}

func keyPath(b []byte) (tree.Path, error) {
	if len(b) == 0 || len(b) > tree.MaxPath || b[0] == 0 || b[len(b)-1] == 0 {
		return "", fmt.Errorf("%w: a path of %d bytes", ErrDamaged, len(b))
	}
	return tree.Path(strings.ReplaceAll(string(b), "\x00", "/")), nil
}

// ownPath is keyPath of bytes that nobody else needs any more.
func ownPath(b []byte) (tree.Path, error) {
	if len(b) == 0 || len(b) > tree.MaxPath || b[0] == 0 || b[len(b)-1] == 0 {
		return keyPath(b)
	}
	for i, c := range b {
		if c == 0 {
			b[i] = '/'
		}
	}
	return tree.Path(b), nil
}

// cursor is the key after which a listing goes on; the empty path is the start.
// (An empty blob would be bound as NULL.)
func cursor(after tree.Path) []byte {
	if after == "" {
		return []byte{0}
	}
	return pathKey(after)
}

// span gives the keys between which all that is below dir lies: from < key < to.
// No path has a byte 0xff.
func span(dir tree.Path) (from, to []byte) {
	if dir == "" {
		return cursor(""), []byte{0xff}
	}
	k := pathKey(dir)
	return append(k[:len(k):len(k)], 0), append(k[:len(k):len(k)], 1)
}

func kindCode(e *tree.Entry) int64 {
	k := int64(e.Kind)
	switch {
	case e.Deleted:
		k |= kindGone
	case e.Conflict != nil:
		k |= kindConflict
	}
	return k
}

// prefix is the first 48 bits of a content, under which it is indexed.
func prefix(c tree.ContentID) int64 {
	var n int64
	for _, b := range c[1:7] {
		n = n<<8 | int64(b)
	}
	return n
}

// liveFile says whether a row's content prefix stands in a column.
func liveFile(kind int64) bool { return kind&kindMask == int64(tree.File) && kind < kindGone }

// inodeColumn says whether a row's inode stands in a column: a live file's and a
// live directory's do, by which either is found again under another path.
func inodeColumn(kind int64) bool {
	return liveFile(kind) || kind&kindMask == int64(tree.Dir) && kind < kindGone
}

// fields is the form in which an entry is stored beside its path and kind.
type fields struct {
	c6, b6, inode any // int64 or nil
	meta          []byte
}

// pack gives the stored form of a record. names gives the small id of a replica.
func pack(buf []byte, r *tree.Record, names func(tree.ReplicaID) (uint64, error)) (f fields, err error) {
	e := &r.Entry
	live := liveFile(kindCode(e))
	bits := entryBits(r, live)
	b := binary.AppendUvarint(buf[:0], bits)
	b = binary.AppendUvarint(b, uint64(e.Size))
	b = binary.AppendVarint(b, e.MTime)
	b = binary.AppendUvarint(b, uint64(e.Mode))
	b = binary.AppendUvarint(b, uint64(len(e.Version)))
	for _, s := range e.Version {
		id, err := names(s.Replica)
		if err != nil {
			return f, err
		}
		b = binary.AppendUvarint(binary.AppendUvarint(b, id), s.N)
	}
	if bits&hasAuthor != 0 {
		id, err := names(e.Author)
		if err != nil {
			return f, err
		}
		b = binary.AppendUvarint(b, id)
	}
	for _, c := range []tree.ContentID{e.Content, e.Base} {
		if !c.IsZero() && c[0] != tree.HashBLAKE3 {
			return f, tree.ErrContentID
		}
	}
	if bits&hasContent != 0 {
		if live {
			f.c6 = prefix(e.Content)
			b = append(b, e.Content[7:]...)
		} else {
			b = append(b, e.Content[1:]...)
		}
	}
	if bits&hasBase != 0 {
		if live {
			f.b6 = prefix(e.Base)
		}
		b = append(b, e.Base[1:]...)
	}
	if inodeColumn(kindCode(e)) && r.Disk.Inode != 0 {
		f.inode = int64(r.Disk.Inode)
	}
	f.meta, err = packRare(b, bits, r)
	return f, err
}

func entryBits(r *tree.Record, live bool) (bits uint64) {
	set := func(on bool, bit uint64) {
		if on {
			bits |= bit
		}
	}
	e, d := &r.Entry, r.Disk
	set(!e.Content.IsZero(), hasContent)
	set(e.Author != 0, hasAuthor)
	set(!e.Base.IsZero(), hasBase)
	set(e.Target != "", hasTarget)
	set(e.Conflict != nil, hasConflict)
	set(e.Conflict != nil && !e.Conflict.Base.IsZero(), hasConflictBase)
	set(e.MovedTo != "", hasMovedTo)
	set(e.Attrs != "", hasAttrs)
	set(d.Attrs != diskAttrs(r), hasDiskAttrs)
	set(r.Sealed && live, isSealed)
	set(d.Inode != 0 && !inodeColumn(kindCode(e)), hasDiskInode)
	set(d.CTime != 0 && live, hasDiskCTime)
	d.Inode, d.Attrs, d.CTime, d.Looked = 0, 0, 0, 0
	same := d == tree.Stat{Kind: e.Kind, Size: e.Size, MTime: e.MTime, Mode: e.Mode}
	set(same, hasDiskSame)
	set(!same && d != tree.Stat{}, hasDiskOwn)
	return bits
}

// diskAttrs is what Disk.Attrs is unless it is spelled out: where something stood,
// the entry's own.
func diskAttrs(r *tree.Record) uint64 {
	if r.Disk.Kind == 0 {
		return 0
	}
	return r.Attrs.Sum()
}

func packRare(b []byte, bits uint64, r *tree.Record) ([]byte, error) {
	text := func(s string) { b = append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	if bits&hasTarget != 0 {
		text(r.Target)
	}
	if bits&hasConflict != 0 {
		text(string(r.Conflict.Of))
	}
	if bits&hasConflictBase != 0 {
		if r.Conflict.Base[0] != tree.HashBLAKE3 {
			return nil, tree.ErrContentID
		}
		b = append(b, r.Conflict.Base[1:]...)
	}
	if bits&hasMovedTo != 0 {
		text(string(r.MovedTo))
	}
	if bits&hasDiskOwn != 0 {
		b = append(b, byte(r.Disk.Kind))
		b = binary.AppendUvarint(b, uint64(r.Disk.Size))
		b = binary.AppendVarint(b, r.Disk.MTime)
		b = binary.AppendUvarint(b, uint64(r.Disk.Mode))
	}
	if bits&hasDiskInode != 0 {
		b = binary.AppendUvarint(b, r.Disk.Inode)
	}
	if bits&hasAttrs != 0 {
		text(string(r.Attrs))
	}
	if bits&hasDiskAttrs != 0 {
		b = binary.LittleEndian.AppendUint64(b, r.Disk.Attrs)
	}
	if bits&hasDiskCTime != 0 { // mostly a little after the mtime
		b = append(binary.AppendVarint(b, r.Disk.CTime-r.Disk.MTime), r.Disk.Looked)
	}
	return b, nil
}

var errShort = errors.New("a row's blob ends too early")

// reader takes values from the front of a blob. After an error all reads give
// zero.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail(errShort)
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) int() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail(errShort)
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail(errShort)
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) text(limit uint64) string {
	n := r.uint()
	if n == 0 || n > limit {
		r.fail(errors.New("a row's text is empty or too long"))
		return ""
	}
	return string(r.take(n))
}

// content reads a sum without the tag, skip bytes of which came from prefix.
func (r *reader) content(c6 int64, skip int) (c tree.ContentID) {
	c[0] = tree.HashBLAKE3
	for i := range skip {
		c[1+i] = byte(c6 >> (8 * (skip - 1 - i)))
	}
	copy(c[1+skip:], r.take(uint64(32-skip)))
	return c
}

// stored is a row as it was read.
type stored struct {
	kind      int64
	c6, inode any // int64 or nil
	meta      []byte
}

// unpack is pack's inverse. names gives the replica of a small id; nil: version,
// author and content are left out. The path and the Seq are the caller's to fill in.
func unpack(s stored, names func(uint64) (tree.ReplicaID, bool)) (rec tree.Record, err error) {
	r := &reader{b: s.meta}
	e := &rec.Entry
	live := liveFile(s.kind)
	e.Kind, e.Deleted = tree.Kind(s.kind&kindMask), s.kind >= kindGone
	if e.Kind == 0 || e.Kind > tree.Symlink || s.kind&^(kindMask|kindConflict|kindGone) != 0 {
		r.fail(fmt.Errorf("kind %d", s.kind))
	}
	bits := r.uint()
	if bits&^uint64(allBits) != 0 {
		r.fail(fmt.Errorf("fields %#x", bits))
	}
	e.Size, e.MTime, e.Mode = int64(r.uint()), r.int(), uint32(r.uint())
	e.Version = r.version(names)
	if bits&hasAuthor != 0 {
		e.Author = r.replica(names)
	}
	c6, inColumn := s.c6.(int64)
	if live && names != nil && inColumn != (bits&hasContent != 0) {
		r.fail(errors.New("the content's column and its rest disagree"))
	}
	if bits&hasContent != 0 {
		if names == nil {
			r.take(contentLeft(live))
		} else if live {
			e.Content = r.content(c6, 6)
		} else {
			e.Content = r.content(0, 0)
		}
	}
	if bits&hasBase != 0 {
		e.Base = r.content(0, 0)
	}
	r.rare(bits, &rec)
	if rec.Sealed = live && bits&isSealed != 0; !live || rec.Disk.CTime == 0 {
		rec.Disk.CTime, rec.Disk.Looked = 0, 0
	}
	if inode, ok := s.inode.(int64); ok && inodeColumn(s.kind) {
		rec.Disk.Inode = uint64(inode)
	}
	if (s.kind&kindConflict != 0) != (!e.Deleted && e.Conflict != nil) {
		r.fail(errors.New("the conflict's mark and its tag disagree"))
	}
	if r.err == nil && (len(r.b) != 0 || e.Size < 0) {
		r.fail(errors.New("a row's blob goes on after its end"))
	}
	if r.err != nil {
		return tree.Record{}, fmt.Errorf("%w: %w", ErrDamaged, r.err)
	}
	return rec, nil
}

// contentLeft is how many bytes of a content stand in the blob.
func contentLeft(live bool) uint64 {
	if live {
		return 26
	}
	return 32
}

func (r *reader) replica(names func(uint64) (tree.ReplicaID, bool)) tree.ReplicaID {
	local := r.uint()
	if names == nil {
		return 0
	}
	id, ok := names(local)
	if !ok {
		r.fail(fmt.Errorf("replica %d of %d", local, maxLocal))
	}
	return id
}

func (r *reader) version(names func(uint64) (tree.ReplicaID, bool)) tree.Version {
	n := r.uint()
	if n > tree.MaxStamps || n > uint64(len(r.b)) {
		r.fail(errors.New("a version has too many stamps"))
		return nil
	}
	if n == 0 {
		return nil
	}
	if names == nil {
		for range 2 * n {
			r.uint()
		}
		return nil
	}
	v := make(tree.Version, 0, n)
	for range n {
		v = append(v, tree.Stamp{Replica: r.replica(names), N: r.uint()})
	}
	if r.err == nil && !v.Valid() {
		r.fail(errors.New("a version is out of order"))
	}
	return v
}

func (r *reader) rare(bits uint64, rec *tree.Record) {
	e := &rec.Entry
	if bits&hasTarget != 0 {
		e.Target = r.text(tree.MaxTarget)
	}
	if bits&hasConflict != 0 {
		e.Conflict = &tree.Conflict{Of: tree.Path(r.text(tree.MaxPath))}
	}
	if bits&hasConflictBase != 0 {
		base := r.content(0, 0)
		if e.Conflict == nil {
			r.fail(errors.New("a base of no conflict"))
			return
		}
		e.Conflict.Base = base
	}
	if bits&hasMovedTo != 0 {
		e.MovedTo = tree.Path(r.text(tree.MaxPath))
	}
	switch {
	case bits&hasDiskOwn != 0:
		if k := r.take(1); k != nil {
			rec.Disk.Kind = tree.Kind(k[0])
		}
		rec.Disk.Size, rec.Disk.MTime, rec.Disk.Mode = int64(r.uint()), r.int(), uint32(r.uint())
	case bits&hasDiskSame != 0:
		rec.Disk = tree.Stat{Kind: e.Kind, Size: e.Size, MTime: e.MTime, Mode: e.Mode}
	}
	if bits&hasDiskInode != 0 {
		rec.Disk.Inode = r.uint()
	}
	r.attrs(bits, rec)
}

func (r *reader) attrs(bits uint64, rec *tree.Record) {
	if bits&hasAttrs != 0 {
		attrs, err := tree.ParseAttrs(r.text(tree.MaxAttrBytes))
		if err != nil {
			r.fail(err)
		}
		rec.Attrs = attrs
	}
	rec.Disk.Attrs = diskAttrs(rec)
	if bits&hasDiskAttrs != 0 {
		if b := r.take(8); b != nil {
			rec.Disk.Attrs = binary.LittleEndian.Uint64(b)
		}
	}
	if bits&hasDiskCTime != 0 {
		rec.Disk.CTime = rec.Disk.MTime + r.int()
		if b := r.take(1); b != nil {
			rec.Disk.Looked = b[0]
		}
	}
}

// packManifest stores a chunk list as lengths and sums.
func packManifest(m tree.Manifest) ([]byte, error) {
	b := make([]byte, 0, len(m)*35)
	for _, c := range m {
		if c.ID[0] != tree.HashBLAKE3 || c.Len == 0 {
			return nil, fmt.Errorf("store chunk list: %w", tree.ErrContentID)
		}
		b = append(binary.AppendUvarint(b, uint64(c.Len)), c.ID[1:]...)
	}
	return b, nil
}

func unpackManifest(b []byte) (tree.Manifest, error) {
	r := &reader{b: b}
	m := make(tree.Manifest, 0, len(b)/35)
	for len(r.b) > 0 {
		n := r.uint()
		c := tree.Chunk{Len: uint32(n), ID: r.content(0, 0)}
		if n == 0 || n != uint64(c.Len) {
			r.fail(errors.New("a chunk's length"))
		}
		m = append(m, c)
	}
	if r.err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, r.err)
	}
	return m, nil
}
