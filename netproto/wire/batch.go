package wire

import (
	"encoding/binary"
	"fmt"
	"maps"

	"pinion/engine/tree"
)

const (
	// MaxBatch is how many entries a Batch may have.
	MaxBatch = 1000
	// MaxBatchBytes is the cap of a decoded Batch. No single entry comes near it.
	MaxBatchBytes = 4 << 20
	// MaxReplicas is how many replicas one index stream may name.
	MaxReplicas = 4096

	replicaBytes = 8 + 1 // of the shortest told replica
	entryBytes   = 2 + 2 + 1 + 2 + 1
)

// BatchEncoder writes the Batches of one index stream.
type BatchEncoder struct {
	packer *Packer
	index  map[tree.ReplicaID]uint64 // owned by the stream's writer
	told   int
	body   []byte
	// Plain: the receiver does not know of attributes (CapAttrs), and is told
	// nothing of them. Set before the first Append.
	Plain bool
}

// NewBatchEncoder makes the encoder of a new index stream.
func NewBatchEncoder(p *Packer) *BatchEncoder {
	return &BatchEncoder{packer: p, index: map[tree.ReplicaID]uint64{}}
}

// ErrDictionary says that a stream can't name more replicas; a new one can. It is
// an ErrTooLarge.
var ErrDictionary = fmt.Errorf("%w: more than %d replicas in one stream", ErrTooLarge, MaxReplicas)

// Append appends a Batch frame. After an error the stream is no longer usable,
// but for ErrTooLarge: then nothing was written, and fewer entries may do.
func (e *BatchEncoder) Append(dst []byte, b tree.Batch) ([]byte, error) {
	if n := len(b.Entries) + 2*len(b.Moved); n > MaxBatch {
		return dst, fmt.Errorf("%w: a batch of %d entries", ErrTooLarge, n)
	}
	for _, m := range b.Moved {
		if err := checkMoved(m); err != nil {
			return dst, err
		}
	}
	for i := range b.Entries {
		if err := CheckEntry(b.Entries[i]); err != nil {
			return dst, err
		}
	}
	news, fresh, err := e.news(b)
	if err != nil {
		return dst, err
	}
	index := func(id tree.ReplicaID) uint64 {
		if i, ok := fresh[id]; ok {
			return i
		}
		return e.index[id]
	}
	body := binary.AppendUvarint(e.body[:0], uint64(len(news)))
	for _, r := range news {
		body = appendReplica(body, r)
	}
	body = binary.AppendUvarint(body, uint64(len(b.Entries)))
	var run running
	for i := range b.Entries {
		entry := b.Entries[i]
		if e.Plain {
			entry.Attrs = ""
		}
		body = appendEntry(body, &entry, &run, index)
	}
	coding := byte(0)
	if len(b.Moved) > 0 {
		coding = codingMoved
		body = binary.AppendUvarint(body, uint64(len(b.Moved)))
		var run moving
		for i := range b.Moved {
			body = appendMoved(body, &b.Moved[i], &run, index)
		}
	}
	body = binary.AppendUvarint(body, b.After)
	body = binary.LittleEndian.AppendUint64(body, uint64(b.Upto.Replica))
	body = binary.LittleEndian.AppendUint64(body, b.Upto.Epoch)
	body = binary.AppendUvarint(body, b.Upto.Seq)
	e.body = body
	if len(body) > MaxBatchBytes {
		return dst, fmt.Errorf("%w: a batch of %d bytes", ErrTooLarge, len(body))
	}
	e.told += len(news)
	maps.Copy(e.index, fresh)
	if cap(e.body) > 256<<10 {
		e.body = nil
	}
	start := len(dst)
	dst = begin(dst, TypeBatch)
	if packed, ok := e.packer.pack(append(dst, coding|codingPacked), body); ok {
		return end(packed, start)
	}
	return end(append(append(dst, coding), body...), start)
}

// The bits of a batch's coding.
const (
	codingPacked = 1
	codingMoved  = 2 // moved files are told by what the receiver has
)

// news lists the replicas that the receiver has to be told before b: those of
// b.Replicas, and by their bare id those that an entry names without. fresh is
// the place that each will have in the dictionary.
func (e *BatchEncoder) news(b tree.Batch) (news []tree.Replica, fresh map[tree.ReplicaID]uint64, err error) {
	fresh = make(map[tree.ReplicaID]uint64, len(b.Replicas))
	add := func(r tree.Replica) {
		fresh[r.ID] = uint64(e.told + len(news))
		news = append(news, r)
	}
	for _, r := range b.Replicas {
		if err := checkReplica(r); err != nil {
			return nil, nil, err
		}
		add(r)
	}
	name := func(v tree.Version) {
		for _, s := range v {
			_, told := e.index[s.Replica]
			if _, now := fresh[s.Replica]; !told && !now {
				add(tree.Replica{ID: s.Replica})
			}
		}
	}
	for i := range b.Entries {
		name(b.Entries[i].Version)
	}
	for i := range b.Moved {
		name(b.Moved[i].Gone)
		name(b.Moved[i].Come)
	}
	if e.told+len(news) > MaxReplicas {
		return nil, nil, ErrDictionary
	}
	return news, fresh, nil
}

func checkReplica(r tree.Replica) error {
	if r.ID == 0 {
		return bad("a replica without an id")
	}
	return checkText("a replica's name", r.Name)
}

func appendReplica(dst []byte, r tree.Replica) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, uint64(r.ID))
	if r.Device.IsZero() {
		return append(dst, 0)
	}
	dst = append(append(dst, 1), r.Device[:]...)
	return appendBytes(dst, r.Name)
}

// BatchDecoder reads the Batches of one index stream.
type BatchDecoder struct {
	packer *Packer
	dict   []tree.ReplicaID // owned by the stream's reader
}

// NewBatchDecoder makes the decoder of a new index stream.
func NewBatchDecoder(p *Packer) *BatchDecoder { return &BatchDecoder{packer: p} }

// Parse reads a Batch. Batch.Replicas holds the replicas that were told with
// their record. After an error the stream is no longer usable.
func (d *BatchDecoder) Parse(payload []byte) (b tree.Batch, err error) {
	if len(payload) == 0 || payload[0]&^(codingPacked|codingMoved) != 0 {
		return b, bad("a batch in an unknown coding")
	}
	body := payload[1:]
	if payload[0]&codingPacked != 0 {
		if body, err = d.packer.unpack(nil, body, MaxBatchBytes); err != nil {
			return b, err
		}
	}
	if len(body) > MaxBatchBytes {
		return b, bad("a batch of %d bytes", len(body))
	}
	c := cursor{b: body}
	b.Replicas = d.replicas(&c)
	n := c.uvMax(min(MaxBatch, uint64(len(c.b))/entryBytes), "a number of entries")
	if c.err == nil && n > 0 {
		b.Entries = make([]tree.Entry, 0, n)
	}
	var run running
	for range n {
		b.Entries = append(b.Entries, c.entry(&run, d.dict))
		if c.err != nil {
			return tree.Batch{}, c.err
		}
	}
	if payload[0]&codingMoved != 0 {
		b.Moved = c.moves((MaxBatch-n)/2, d.dict)
	}
	b.After = c.uv("a seq")
	b.Upto.Replica = tree.ReplicaID(c.u64("a replica"))
	b.Upto.Epoch = c.u64("an epoch")
	b.Upto.Seq = c.uv("a seq")
	if err := c.done(); err != nil {
		return tree.Batch{}, err
	}
	return b, nil
}

func (d *BatchDecoder) replicas(c *cursor) (told []tree.Replica) {
	n := c.uvMax(min(uint64(MaxReplicas-len(d.dict)), uint64(len(c.b))/replicaBytes), "a number of replicas")
	for range n {
		r := tree.Replica{ID: tree.ReplicaID(c.u64("a replica"))}
		switch c.byte("a replica") {
		case 0:
		case 1:
			copy(r.Device[:], c.take(32, "a replica's device"))
			r.Name = string(c.bytes(MaxText, "a replica's name"))
			if c.err == nil && r.Device.IsZero() {
				c.fail("a replica of no device")
			}
			told = append(told, r)
		default:
			c.fail("a replica in an unknown coding")
		}
		if c.err == nil {
			c.err = checkReplica(r)
		}
		if c.err != nil {
			return nil
		}
		d.dict = append(d.dict, r.ID)
	}
	return told
}
