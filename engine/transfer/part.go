package transfer

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"pinion/engine/chunk"
	"pinion/engine/tree"
)

var (
	errClosed = errors.New("the part file is closed")
	errWrong  = errors.New("another hash")
)

// part is a content that comes in chunk by chunk.
type part struct {
	file  File
	m     tree.Manifest
	at    []int64  // where each chunk begins; one more for the end
	order []uint32 // the chunks sorted by id, equal ones by place
	twins bits     // those whose id occurs more than once
	later bits     // of these, all but the first
	holes bool     // what was not written is known to be a hole

	start  func(File)   // has what was written begin its way to the disk; may be nil
	write  sync.RWMutex // read-held around each write
	closed bool         // guarded by write

	mu     sync.Mutex // guards all below
	have   bits
	asked  bits
	left   int   // chunks not there
	done   int64 // bytes there
	begun  int64 // of these, what has begun its way to the disk
	next   int   // no chunk before it is to be asked for
	flying []*run
	failed error
	ended  chan struct{} // closed when nothing is left, or failed is set
}

func newPart(file File, m tree.Manifest) *part {
	n := len(m)
	p := &part{
		file: file, m: m, at: make([]int64, n+1), order: make([]uint32, n),
		twins: newBits(n), later: newBits(n), have: newBits(n), asked: newBits(n),
		left: n, ended: make(chan struct{}),
	}
	for i, c := range m {
		p.at[i+1] = p.at[i] + int64(c.Len)
		p.order[i] = uint32(i)
	}
	slices.SortFunc(p.order, func(a, b uint32) int {
		if c := bytes.Compare(m[a].ID[:], m[b].ID[:]); c != 0 {
			return c
		}
		return int(a) - int(b)
	})
	for k := 1; k < n; k++ {
		if i, j := p.order[k-1], p.order[k]; m[i].ID == m[j].ID {
			p.twins.set(int(i))
			p.twins.set(int(j))
			p.later.set(int(j))
		}
	}
	return p
}

func (p *part) size() int64 { return p.at[len(p.m)] }

// find gives the places of the chunks that have this id.
func (p *part) find(id tree.ContentID) []uint32 {
	from, found := slices.BinarySearchFunc(p.order, id, func(i uint32, id tree.ContentID) int {
		return bytes.Compare(p.m[i].ID[:], id[:])
	})
	if !found {
		return nil
	}
	to := from + 1
	for to < len(p.order) && p.m[p.order[to]].ID == id {
		to++
	}
	return p.order[from:to]
}

func (p *part) has(i int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.have.has(i)
}

func (p *part) progress() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done
}

// from lists those that were asked for chunks and have not brought them all.
func (p *part) from() (from []tree.DeviceID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.flying {
		if !slices.Contains(from, r.peer.dev) {
			from = append(from, r.peer.dev)
		}
	}
	return from
}

// put checks a chunk and writes it wherever it belongs. by is the run that
// brought it, if one did. It gives errWrong if data is not that chunk.
func (p *part) put(i int, data []byte, by *run) error {
	if p.has(i) {
		return nil
	}
	if chunk.Sum(data) != p.m[i].ID || len(data) != int(p.m[i].Len) {
		return errWrong
	}
	places := []uint32{uint32(i)}
	if p.twins.has(i) {
		places = p.find(p.m[i].ID)
	}
	if err := p.writeAt(places, data); err != nil {
		p.fail(err)
		return err
	}
	p.mark(places, by)
	return nil
}

func (p *part) writeAt(places []uint32, data []byte) error {
	p.write.RLock()
	defer p.write.RUnlock()
	if p.closed {
		return errClosed
	}
	if p.holes && zero(data) {
		return nil
	}
	for _, i := range places {
		if _, err := p.file.WriteAt(data, p.at[i]); err != nil {
			return fmt.Errorf("write the part file: %w", err)
		}
	}
	if p.start != nil && p.owes() {
		p.start(p.file)
	}
	return nil
}

// startEvery is how many bytes are left to the system's own pace of writing.
const startEvery = 16 << 20

// owes says whether so much was written that it is worth telling the system.
func (p *part) owes() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done-p.begun < startEvery {
		return false
	}
	p.begun = p.done
	return true
}

// zero says whether there is nothing but zeros in b.
func zero(b []byte) bool {
	return len(b) == 0 || b[0] == 0 && b[len(b)-1] == 0 && bytes.Equal(b[1:], b[:len(b)-1])
}

// mark notes that chunks are there.
func (p *part) mark(places []uint32, by *run) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, at := range places {
		i := int(at)
		if p.have.has(i) {
			continue
		}
		p.have.set(i)
		p.left--
		p.done += int64(p.m[i].Len)
		for _, r := range p.flying {
			r.came(i, r != by)
		}
	}
	if p.left == 0 {
		p.end()
	}
}

// fail ends the part: it can't be written.
func (p *part) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed == nil && p.left > 0 {
		p.failed = err
		p.end()
	}
}

func (p *part) end() {
	select {
	case <-p.ended:
	default:
		close(p.ended)
	}
}

// shut ends the runs, waits for writes under way and allows no more.
func (p *part) shut() error {
	p.mu.Lock()
	for _, r := range p.flying {
		if r.cancel != nil {
			r.cancel(errNotNeeded)
		}
	}
	p.mu.Unlock()
	p.write.Lock()
	defer p.write.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	if err := p.file.Close(); err != nil {
		return fmt.Errorf("close the part file: %w", err)
	}
	return nil
}

// check reads what is in the file and marks the chunks that are right. The
// parts of the file that were never written cost nothing.
func (p *part) check(ctx context.Context) error {
	least, most := chunk.Bounds(p.size())
	buf := make([]byte, most)
	var zeros tree.ContentID // of the longest chunk: the only one that nothing but zeros is likely to make
	data := int64(-1)        // where data begins at or after the place being looked at
	for i, c := range p.m {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if p.has(i) {
			continue
		}
		if data < p.at[i] {
			data = nextData(p.file, p.at[i])
		}
		if data >= p.at[i+1] {
			if int(c.Len) != most || least == most {
				continue
			}
			if zeros.IsZero() {
				clear(buf)
				zeros = chunk.Sum(buf)
			}
			if c.ID == zeros {
				p.mark([]uint32{uint32(i)}, nil)
			}
			continue
		}
		b := buf[:c.Len]
		if _, err := p.file.ReadAt(b, p.at[i]); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("read the part file: %w", err)
		}
		if chunk.Sum(b) == c.ID {
			p.mark([]uint32{uint32(i)}, nil)
		}
	}
	return nil
}

// nextData is where the next bytes that were ever written are, at or after off;
// off itself where the system can't tell.
func nextData(f File, off int64) int64 {
	const seekData = 3 // SEEK_DATA of Linux
	if runtime.GOOS != "linux" {
		return off
	}
	at, err := f.Seek(off, seekData)
	switch {
	case err == nil:
		return max(at, off)
	case noMoreData(err):
		return 1<<63 - 1
	}
	return off
}

// kept is what is known of a part file that was closed, so that it need not be
// read again: it holds only while the file's size and mtime are these.
type kept struct {
	size, mtime int64
	have        bits
	done        int64
}

// known closes the part and says what is there.
func (p *part) known() (*kept, error) {
	p.write.Lock()
	info, err := p.file.Stat()
	p.write.Unlock()
	if err := errors.Join(err, p.shut()); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return &kept{size: info.Size(), mtime: info.ModTime().UnixNano(), have: slices.Clone(p.have), done: p.done}, nil
}

// trust marks what k says, if the file is still the same.
func (p *part) trust(k *kept) bool {
	info, err := p.file.Stat()
	if err != nil || info.Size() != k.size || info.ModTime().UnixNano() != k.mtime || len(k.have) != len(p.have) {
		return false
	}
	var places []uint32
	for i := range p.m {
		if k.have.has(i) {
			places = append(places, uint32(i))
		}
	}
	p.mark(places, nil)
	return true
}

// The note of an orderly stop: a byte for its form, size, mtime, bitmap, and the
// hash of all that.
const noteForm = 1

func (k *kept) append(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, noteForm)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(k.size))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(k.mtime))
	dst = k.have.append(dst)
	sum := chunk.Sum(dst[start:])
	return append(dst, sum[:]...)
}

// readNote reads what append gave for n chunks; nil if it is something else.
func readNote(b []byte, n int) *kept {
	k := &kept{have: newBits(n)}
	tail := len(b) - len(tree.ContentID{})
	if tail < 17 || b[0] != noteForm {
		return nil
	}
	if sum := chunk.Sum(b[:tail]); !bytes.Equal(sum[:], b[tail:]) || !k.have.read(b[17:tail]) {
		return nil
	}
	k.size, k.mtime = int64(binary.LittleEndian.Uint64(b[1:])), int64(binary.LittleEndian.Uint64(b[9:]))
	return k
}
