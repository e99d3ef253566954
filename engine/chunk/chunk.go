package chunk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	chunkers "github.com/PlakarKorp/go-cdc-chunkers"
	_ "github.com/PlakarKorp/go-cdc-chunkers/chunkers/fastcdc" // registers the algorithm
	"github.com/zeebo/blake3"

	"pinion/engine/tree"
)

const algorithm = "fastcdc-v1.0.0"

// SmallMax is the size in bytes up to which a file is always one chunk.
const SmallMax = 128 << 10

// MaxFile is the size of the largest file that can be cut.
const MaxFile = 8 << 40

var (
	// ErrChanged says that a reader gave more or fewer bytes than were announced.
	ErrChanged = errors.New("the file changed while it was read")
	// ErrTooLarge says that a file is larger than MaxFile.
	ErrTooLarge = errors.New("the file is larger than 8 TiB")
)

// class is a row of the table in the package's doc.
type class struct{ least, normal, most int }

// classOf is the class of a file that is larger than SmallMax.
func classOf(size int64) class {
	scale := 1
	switch {
	case size > 1<<40:
		scale = 64
	case size > 64<<30:
		scale = 16
	case size > 4<<30:
		scale = 4
	}
	return class{least: scale * 32 << 10, normal: scale * 64 << 10, most: scale * 256 << 10}
}

// Bounds are the least and the most bytes that a chunk of a file of this size
// may have; the last chunk may have fewer than the least.
func Bounds(size int64) (least, most int) {
	if size <= SmallMax {
		return int(size), int(size)
	}
	c := classOf(size)
	return c.least, c.most
}

// Chunker cuts files one after the other and reuses its buffers. Its zero value
// is ready. It serves one caller at a time.
type Chunker struct {
	small []byte
	big   []byte            // for the first class; larger ones are rare and let go
	cdc   *chunkers.Chunker // over big
}

// Of cuts what r gives, which must be exactly size bytes (else ErrChanged).
// Besides the chunks and their id it says how many bytes were read.
func Of(r io.Reader, size int64) (tree.Manifest, tree.ContentID, int64, error) {
	return new(Chunker).Of(r, size)
}

// Of is the package's Of with this Chunker's buffers.
func (c *Chunker) Of(r io.Reader, size int64) (tree.Manifest, tree.ContentID, int64, error) {
	var m tree.Manifest
	if size > SmallMax {
		m = make(tree.Manifest, 0, min(size/int64(classOf(size).normal)+2, 1<<16))
	}
	n, err := c.Each(r, size, func(ch tree.Chunk, _ []byte) error {
		m = append(m, ch)
		return nil
	})
	if err != nil {
		return nil, tree.ContentID{}, n, err
	}
	return m, ID(m), n, nil
}

// Each cuts what r gives, which must be exactly size bytes (else ErrChanged),
// and hands each chunk to fn together with its bytes, which are valid only
// during the call. fn has seen chunks when Each fails; they count for nothing.
func (c *Chunker) Each(r io.Reader, size int64, fn func(tree.Chunk, []byte) error) (int64, error) {
	switch {
	case size < 0:
		return 0, fmt.Errorf("cut: size %d", size)
	case size > MaxFile:
		return 0, ErrTooLarge
	case size <= SmallMax:
		return c.one(r, int(size), fn)
	}
	counted := &exactly{r: r, want: size}
	cdc, err := c.cutter(counted, classOf(size))
	if err != nil {
		return 0, fmt.Errorf("set up the chunker: %w", err)
	}
	defer c.rest(cdc)
	for {
		data, err := cdc.Next()
		if err != nil && err != io.EOF {
			return counted.got, err
		}
		if len(data) > 0 {
			if err := fn(tree.Chunk{ID: Sum(data), Len: uint32(len(data))}, data); err != nil {
				return counted.got, err
			}
		}
		if err == io.EOF {
			return counted.got, counted.check()
		}
	}
}

func (c *Chunker) one(r io.Reader, size int, fn func(tree.Chunk, []byte) error) (int64, error) {
	if len(c.small) <= size {
		// One byte more than the file, to see that it ends.
		c.small = make([]byte, min(max(2*size, 16<<10), SmallMax)+1)
	}
	n, err := io.ReadFull(r, c.small[:size+1])
	switch {
	case err == nil:
		return int64(n), ErrChanged
	case err != io.EOF && err != io.ErrUnexpectedEOF:
		return int64(n), err
	case n != size:
		return int64(n), ErrChanged
	case n == 0:
		return 0, nil
	}
	return int64(n), fn(tree.Chunk{ID: Sum(c.small[:n]), Len: uint32(n)}, c.small[:n])
}

func (c *Chunker) cutter(r io.Reader, k class) (*chunkers.Chunker, error) {
	opts := &chunkers.ChunkerOpts{MinSize: k.least, NormalSize: k.normal, MaxSize: k.most}
	if k != classOf(0) {
		return chunkers.NewChunkerBuffer(algorithm, r, opts, make([]byte, k.most+k.normal))
	}
	if c.cdc != nil {
		c.cdc.Reset(r)
		return c.cdc, nil
	}
	c.big = make([]byte, 2*k.most)
	cdc, err := chunkers.NewChunkerBuffer(algorithm, r, opts, c.big)
	c.cdc = cdc
	return cdc, err
}

// rest lets go of the reader, not of the buffer.
func (c *Chunker) rest(cdc *chunkers.Chunker) {
	if cdc == c.cdc {
		cdc.Reset(nil)
	}
}

// exactly passes on a reader's bytes and notices when they are not as many as
// announced.
type exactly struct {
	r         io.Reader
	want, got int64
}

func (e *exactly) Read(p []byte) (int, error) {
	if left := e.want + 1 - e.got; int64(len(p)) > left {
		p = p[:left]
	}
	n, err := e.r.Read(p)
	if e.got += int64(n); e.got > e.want {
		return 0, ErrChanged
	}
	return n, err
}

func (e *exactly) check() error {
	if e.got != e.want {
		return ErrChanged
	}
	return nil
}

// Sum is the id of a chunk.
func Sum(data []byte) tree.ContentID {
	sum := blake3.Sum256(data)
	id := tree.ContentID{tree.HashBLAKE3}
	copy(id[1:], sum[:])
	return id
}

// Empty is the id of a file of no bytes.
func Empty() tree.ContentID { return Sum(nil) }

// ID is the id of the file that has these chunks.
func ID(m tree.Manifest) tree.ContentID {
	switch len(m) {
	case 0:
		return Empty()
	case 1:
		return m[0].ID
	}
	h := blake3.New()
	var row [4 + len(tree.ContentID{})]byte
	for _, c := range m {
		binary.LittleEndian.PutUint32(row[:], c.Len)
		copy(row[4:], c.ID[:])
		h.Write(row[:])
	}
	id := tree.ContentID{tree.HashBLAKE3}
	h.Sum(id[1:1])
	return id
}
