package wire

import (
	"encoding/binary"
	"math"
	"strings"

	"pinion/engine/tree"
)

// CapHistory in Hello.Caps says that a device answers KeptRequests.
const CapHistory = 1 << 1

// CapNames in Hello.Caps says that it answers those that ask for names, too.
const CapNames = 1 << 3

// KeptRequest asks for a page of what the archive of a folder holds.
type KeptRequest struct {
	Folder tree.FolderID
	Query  tree.KeptQuery
}

type keptRequest struct {
	Folder  []byte `cbor:"1,keyasint"`
	Within  string `cbor:"2,keyasint,omitempty"`
	Deleted bool   `cbor:"3,keyasint,omitempty"`
	Path    string `cbor:"4,keyasint,omitempty"`
	Seq     uint64 `cbor:"5,keyasint,omitempty"`
	Names   bool   `cbor:"6,keyasint,omitempty"`
	At      int64  `cbor:"7,keyasint,omitempty"`
	Limit   uint64 `cbor:"8,keyasint,omitempty"`
}

func checkKeptQuery(q tree.KeptQuery) error {
	switch {
	case q.Seq > math.MaxInt64:
		return bad("a place in an archive that is none")
	case q.Path == "" && q.Seq != 0:
		return bad("a place in an archive without a path")
	case q.Path != "" && !q.Path.Within(q.Within):
		return bad("a page that begins elsewhere")
	case q.Limit < 0 || q.Limit > tree.MaxKept:
		return bad("a page of %d versions", q.Limit)
	case q.At < 0 || q.At > tree.LastMoment || q.At != 0 && !q.Names:
		return bad("a page of no moment")
	}
	return nil
}

// AppendKeptRequest appends a KeptRequest frame.
func AppendKeptRequest(dst []byte, r KeptRequest) ([]byte, error) {
	if err := checkKeptQuery(r.Query); err != nil {
		return dst, err
	}
	q := r.Query
	return appendCBOR(dst, TypeKeptRequest, keptRequest{
		Folder: r.Folder[:], Within: string(q.Within), Deleted: q.Deleted, Path: string(q.Path), Seq: q.Seq,
		Names: q.Names, At: q.At, Limit: uint64(q.Limit),
	})
}

// ParseKeptRequest reads a KeptRequest.
func ParseKeptRequest(payload []byte) (r KeptRequest, err error) {
	var m keptRequest
	if err := parseCBOR(payload, &m); err != nil {
		return r, err
	}
	if err := fixed(r.Folder[:], m.Folder, "a folder id"); err != nil {
		return r, err
	}
	if m.Limit > tree.MaxKept {
		return r, bad("a page of %d versions", m.Limit)
	}
	r.Query = tree.KeptQuery{Deleted: m.Deleted, Seq: m.Seq, Names: m.Names, At: m.At, Limit: int(m.Limit)}
	if r.Query.Within, err = optionalPath(m.Within); err != nil {
		return r, err
	}
	if r.Query.Path, err = optionalPath(m.Path); err != nil {
		return r, err
	}
	return r, checkKeptQuery(r.Query)
}

func optionalPath(s string) (tree.Path, error) {
	if s == "" {
		return "", nil
	}
	p, err := tree.ParsePath(s)
	if err != nil {
		return "", bad("%v", err)
	}
	return p, nil
}

// KeptPart is the answer to a KeptRequest.
type KeptPart struct {
	Page tree.KeptPage
	Gone bool // the folder is not open here; then there is no page
}

const (
	keptMore = 1 << iota
	keptGone
)

// The flags of a version: its reason in the two low bits, then what is there.
const (
	keptReason  = 3
	keptSymlink = 1 << (iota + 1)
	keptMTime
	keptMode
	keptContent
	keptBy
	keptExpires
)

const (
	// leastKept is how many bytes a version has at least.
	leastKept = 5
	// most of what one version takes beside its path and target
	keptRoom = 128
)

// CheckKept says why a version may not be told.
func CheckKept(k tree.Kept) error {
	switch {
	case k.Path == "":
		return bad("a kept version without a path")
	case k.Seq == 0 || k.Seq > math.MaxInt64:
		return bad("%q: a place in an archive that is none", k.Path)
	case k.When <= 0 || k.When > tree.LastMoment || k.Expires < 0 || k.Expires > tree.LastMoment:
		return bad("%q: put away at no time", k.Path)
	case k.Reason < tree.Replaced || k.Reason > tree.Conflicted:
		return bad("%q: put away for no reason", k.Path)
	case k.Size < 0 || k.Size >= MaxSize:
		return bad("%q: a size of %d", k.Path, k.Size)
	case k.Mode > 0o777:
		return bad("%q: a mode of %o", k.Path, k.Mode)
	case k.Kind != tree.File && k.Kind != tree.Symlink:
		return bad("%q: neither a file nor a symlink", k.Path)
	case (k.Kind == tree.Symlink) == (k.Target == ""):
		return bad("%q: a %s with or without a target", k.Path, k.Kind)
	case k.Kind == tree.Symlink && (k.Size != 0 || k.Mode != 0 || !k.Content.IsZero()):
		return bad("%q: a symlink with content", k.Path)
	case len(k.Target) > tree.MaxTarget || strings.IndexByte(k.Target, 0) >= 0:
		return bad("%q: a target that no symlink has", k.Path)
	}
	return nil
}

// AppendKeptPart appends a KeptPart frame with as many of the rows as fit, at
// least one, and says how many those are. If it is not all, the part says that
// there is more.
func AppendKeptPart(dst []byte, p KeptPart) ([]byte, int, error) {
	if p.Gone && (len(p.Page.Rows) > 0 || p.Page.More) {
		return dst, 0, bad("a page that is gone and there")
	}
	var body, devices []byte
	numbers := map[tree.DeviceID]uint64{}
	run, n := keptRun{}, 0
	for _, k := range p.Page.Rows[:min(len(p.Page.Rows), tree.MaxKept)] {
		if err := CheckKept(k); err != nil {
			return dst, 0, err
		}
		if n > 0 && k.Precedes(run.path, run.seq) {
			return dst, 0, bad("%q: out of order", k.Path)
		}
		if len(body)+len(devices)+len(k.Path)+len(k.Target)+2*keptRoom > TypeKeptPart.Max() {
			break
		}
		if !k.By.IsZero() {
			if _, ok := numbers[k.By]; !ok {
				numbers[k.By] = uint64(len(numbers))
				devices = append(devices, k.By[:]...)
			}
		}
		body = run.append(body, k, numbers[k.By])
		n++
	}
	var flags byte
	if p.Page.More || n < len(p.Page.Rows) {
		flags |= keptMore
	}
	if p.Gone {
		flags |= keptGone
	}
	start := len(dst)
	dst = append(begin(dst, TypeKeptPart), flags)
	dst = append(binary.AppendUvarint(dst, uint64(len(numbers))), devices...)
	dst = append(binary.AppendUvarint(dst, uint64(n)), body...)
	dst, err := end(dst, start)
	return dst, n, err
}

// keptRun is what a version is told as a difference to.
type keptRun struct {
	path  tree.Path
	seq   uint64
	when  int64
	mtime int64
}

func (r *keptRun) append(dst []byte, k tree.Kept, by uint64) []byte {
	flags := byte(k.Reason)
	set := func(bit byte, on bool) {
		if on {
			flags |= bit
		}
	}
	set(keptSymlink, k.Kind == tree.Symlink)
	set(keptMTime, k.MTime != 0)
	set(keptMode, k.Mode != 0)
	set(keptContent, !k.Content.IsZero())
	set(keptBy, !k.By.IsZero())
	set(keptExpires, k.Expires != 0)
	dst = append(dst, flags)
	dst = appendPath(dst, string(r.path), string(k.Path))
	dst = binary.AppendUvarint(dst, k.Seq)
	dst = appendSigned(dst, k.When-r.when)
	if k.Kind == tree.Symlink {
		dst = appendBytes(dst, k.Target)
	} else {
		dst = binary.AppendUvarint(dst, uint64(k.Size))
	}
	if k.MTime != 0 {
		dst = appendSigned(dst, k.MTime-r.mtime)
		r.mtime = k.MTime
	}
	if k.Mode != 0 {
		dst = binary.AppendUvarint(dst, uint64(k.Mode))
	}
	if !k.Content.IsZero() {
		dst = append(dst, k.Content[:]...)
	}
	if !k.By.IsZero() {
		dst = binary.AppendUvarint(dst, by)
	}
	if k.Expires != 0 {
		dst = appendSigned(dst, k.Expires-k.When)
	}
	r.path, r.seq, r.when = k.Path, k.Seq, k.When
	return dst
}

// ParseKeptPart reads a KeptPart.
func ParseKeptPart(payload []byte) (KeptPart, error) {
	c := cursor{b: payload}
	flags := c.byte("the flags")
	if flags&^(keptMore|keptGone) != 0 {
		c.fail("a page with unknown flags")
	}
	devices := make([]tree.DeviceID, c.uvMax(min(tree.MaxKept, uint64(len(c.b)/len(tree.DeviceID{}))), "a number of devices"))
	for i := range devices {
		copy(devices[i][:], c.take(uint64(len(devices[i])), "a device id"))
		if c.err == nil && devices[i].IsZero() {
			c.fail("a device without an id")
		}
	}
	n := c.uvMax(min(tree.MaxKept, uint64(len(c.b)/leastKept)), "a number of versions")
	p := KeptPart{Gone: flags&keptGone != 0, Page: tree.KeptPage{More: flags&keptMore != 0}}
	if p.Gone && (p.Page.More || n > 0) {
		c.fail("a page that is gone and there")
	}
	if p.Page.More && n == 0 {
		c.fail("an empty page before more")
	}
	if c.err == nil && n > 0 {
		p.Page.Rows = make([]tree.Kept, n)
	}
	run := keptRun{}
	for i := range p.Page.Rows {
		c.kept(&p.Page.Rows[i], &run, devices, i == 0)
		if c.err != nil {
			return KeptPart{}, c.err
		}
	}
	if err := c.done(); err != nil {
		return KeptPart{}, err
	}
	return p, nil
}

// kept reads a version and checks it.
func (c *cursor) kept(k *tree.Kept, run *keptRun, devices []tree.DeviceID, first bool) {
	flags := c.byte("the flags")
	k.Reason, k.Kind = tree.Reason(flags&keptReason), tree.File
	k.Path = c.path(c.pathAfter(string(run.path), "a path"), "a path")
	k.Seq = c.uvMax(math.MaxInt64, "a place in an archive")
	k.When = run.when + c.sv("a time")
	if flags&keptSymlink != 0 {
		k.Kind = tree.Symlink
		k.Target = string(c.bytes(tree.MaxTarget, "a target"))
	} else {
		k.Size = int64(c.uvMax(uint64(MaxSize-1), "a size"))
	}
	if flags&keptMTime != 0 {
		run.mtime += c.sv("an mtime")
		k.MTime = run.mtime
	}
	if flags&keptMode != 0 {
		k.Mode = uint32(c.uvMax(0o777, "a mode"))
	}
	if flags&keptContent != 0 {
		k.Content = c.content("a content id")
	}
	if flags&keptBy != 0 {
		if i := c.uv("a device"); i < uint64(len(devices)) {
			k.By = devices[i]
		} else {
			c.fail("a device that was not told")
		}
	}
	if flags&keptExpires != 0 {
		k.Expires = k.When + c.sv("an end")
	}
	switch {
	case c.err != nil:
		return
	case (k.MTime == 0) == (flags&keptMTime != 0) || (k.Mode == 0) == (flags&keptMode != 0) || (k.Expires == 0) == (flags&keptExpires != 0):
		c.fail("a version with a field that is there and empty")
	case !first && k.Precedes(run.path, run.seq):
		c.fail("versions that are out of order")
	default:
		if err := CheckKept(*k); err != nil {
			c.err, c.b = err, nil
		}
	}
	run.path, run.seq, run.when = k.Path, k.Seq, k.When
}
