package exchange

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"pinion/engine/tree"
)

// shorten tells of moved files by what the receiver has of them, where that pays: who
// can't follow the short form is told everything again.
func (e *Exchange) shorten(b tree.Batch) tree.Batch {
	entries := make([]tree.Entry, 0, len(b.Entries))
	var moved []tree.Moved
	for i := 0; i < len(b.Entries); i++ {
		if i+1 < len(b.Entries) {
			if m, ok := tree.MovedOf(b.Entries[i], b.Entries[i+1]); ok {
				moved = append(moved, m)
				i++
				continue
			}
		}
		entries = append(entries, b.Entries[i])
	}
	if e.o.Short > 0 && len(moved) >= e.o.Short {
		b.Entries, b.Moved = entries, moved
	}
	return b
}

// follows says whether q is likely to have what moved: it understands the short form,
// and has said that it needed nothing when it had recorded the last file that it was
// told of at length.
func (e *Exchange) follows(q *peer) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return q.Moves() && q.level && q.levelAt >= q.files
}

// toldFiles notes up to where q was told of files at length.
func (e *Exchange) toldFiles(q *peer, b tree.Batch) {
	if slices.ContainsFunc(b.Entries, func(x tree.Entry) bool { return x.Exists() && x.Kind == tree.File }) {
		e.mu.Lock()
		q.files = b.Upto.Seq
		e.mu.Unlock()
	}
}

// lengthen gives a batch without short forms. Not ok: what they rest on is not here
// (any more).
func (e *Exchange) lengthen(ctx context.Context, dev tree.DeviceID, b tree.Batch) (_ tree.Batch, ok bool, err error) {
	if len(b.Moved) == 0 {
		return b, true, nil
	}
	for _, m := range b.Moved {
		come, gone, ok, err := e.o.Index.Moved(ctx, dev, m)
		if err != nil || !ok {
			return b, false, err
		}
		b.Entries = append(b.Entries, come, gone)
	}
	b.Moved = nil
	return b, true, nil
}

// askAnew has q tell from where its index is recorded, at length. What it has told
// before it hears of that goes on after what was lost, and is left aside.
func (e *Exchange) askAnew(q *peer, why string) error {
	var life [8]byte
	if _, err := io.ReadFull(e.o.Rand, life[:]); err != nil {
		return fmt.Errorf("draw a number: %w", err)
	}
	e.o.Log.Debug("asked to tell anew", "device", q.Device().Short(), "why", why)
	e.mu.Lock()
	defer e.mu.Unlock()
	q.life, q.anew = binary.LittleEndian.Uint64(life[:]), true
	q.SendState(e.stateFor(q))
	return nil
}

// leftAside says whether a batch goes on after one that could not be followed.
func (e *Exchange) leftAside(q *peer, b tree.Batch) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !q.anew {
		return false
	}
	q.anew = q.beyond(b)
	return q.anew
}

// beyond says whether a batch goes on after rows that are not recorded.
func (q *peer) beyond(b tree.Batch) bool {
	return b.After > 0 && (b.Upto.Replica != q.have.Replica || b.After > q.have.Seq)
}
