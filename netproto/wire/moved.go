package wire

import (
	"encoding/binary"

	"pinion/engine/tree"
)

// CapMoved in Hello.Caps says that a device understands batches in which files that
// went elsewhere are told by what the receiver has.
const CapMoved = 1 << 4

// movedBytes is the least that a moved file takes: two paths, a sum, two versions of
// one stamp with their authors.
const movedBytes = 2 + 3 + sumBytes + 2*4

const sumBytes = 6

// moving is what a moved file is told as a difference to.
type moving struct {
	from, to string
	n        uint64
}

func checkMoved(m tree.Moved) error {
	switch {
	case m.From == "" || m.To == "" || m.From == m.To:
		return bad("a move from %q to %q", m.From, m.To)
	case len(m.Gone) == 0 || !m.Gone.Valid() || len(m.Come) == 0 || !m.Come.Valid():
		return bad("%q: a version that is none", m.From)
	case m.Gone.Counter(m.GoneBy) == 0 || m.Come.Counter(m.ComeBy) == 0:
		return bad("%q: its author is not in its version", m.From)
	case m.Sum>>(8*sumBytes) != 0:
		return bad("%q: a sum of too many bits", m.From)
	}
	return nil
}

func appendMoved(dst []byte, m *tree.Moved, run *moving, index func(tree.ReplicaID) uint64) []byte {
	from, to := string(m.From), string(m.To)
	dst = appendPath(dst, run.from, from)
	head := sharedPrefix(run.to, to)
	tail := 0
	for tail < min(len(from), len(to)-head) && from[len(from)-1-tail] == to[len(to)-1-tail] {
		tail++
	}
	dst = binary.AppendUvarint(binary.AppendUvarint(dst, uint64(head)), uint64(tail))
	dst = appendBytes(dst, to[head:len(to)-tail])
	run.from, run.to = from, to
	var sum [8]byte
	binary.LittleEndian.PutUint64(sum[:], m.Sum)
	dst = append(dst, sum[:sumBytes]...)
	version := func(v tree.Version, by tree.ReplicaID) {
		dst = binary.AppendUvarint(dst, uint64(len(v)))
		for _, s := range v {
			dst = binary.AppendUvarint(dst, index(s.Replica))
			dst = appendSigned(dst, int64(s.N-run.n))
			run.n = s.N
		}
		dst = binary.AppendUvarint(dst, index(by))
	}
	version(m.Gone, m.GoneBy)
	version(m.Come, m.ComeBy)
	return dst
}

// moves reads up to most moved files; at least one.
func (c *cursor) moves(most uint64, dict []tree.ReplicaID) []tree.Moved {
	n := c.uvMax(min(most, uint64(len(c.b))/movedBytes), "a number of moves")
	if c.err == nil && n == 0 {
		c.fail("no moves")
	}
	if c.err != nil {
		return nil
	}
	list := make([]tree.Moved, 0, n)
	var run moving
	for range n {
		list = append(list, c.moved(&run, dict))
		if c.err != nil {
			return nil
		}
	}
	return list
}

// moved reads what appendMoved wrote and checks it.
func (c *cursor) moved(run *moving, dict []tree.ReplicaID) (m tree.Moved) {
	run.from = c.pathAfter(run.from, "a path")
	m.From = c.path(run.from, "a path")
	head := c.uvMax(uint64(len(run.to)), "a path")
	tail := c.uvMax(uint64(len(run.from)), "a path")
	middle := c.bytes(tree.MaxPath, "a path")
	if c.err == nil && head+tail+uint64(len(middle)) > tree.MaxPath {
		c.fail("a path is too long")
	}
	if c.err != nil {
		return m
	}
	run.to = run.to[:head] + string(middle) + run.from[uint64(len(run.from))-tail:]
	m.To = c.path(run.to, "a path")
	var sum [8]byte
	copy(sum[:sumBytes], c.take(sumBytes, "a sum"))
	m.Sum = binary.LittleEndian.Uint64(sum[:])
	counter := running{n: run.n}
	m.Gone = c.version(&counter, dict)
	m.GoneBy = c.replica(dict)
	m.Come = c.version(&counter, dict)
	m.ComeBy = c.replica(dict)
	run.n = counter.n
	if c.err == nil {
		c.err = checkMoved(m)
	}
	return m
}
