package exchange

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"pinion/engine/tree"
)

// Peer is what exchange needs of a session with another device.
type Peer interface {
	Device() tree.DeviceID
	// Moves says whether the peer understands tree.Batch.Moved.
	Moves() bool
	// SendBatch returns when the batch is on its way; it waits while the peer is slow.
	SendBatch(ctx context.Context, folder tree.FolderID, b tree.Batch) error
	// SendState never waits; of several states only the newest need arrive.
	SendState(s tree.FolderState)
}

// Index is what exchange needs of a folder's index.
type Index interface {
	Position() tree.Position
	// SendFrom also takes note that a peer knows our history, if it does.
	SendFrom(remembered tree.Position) (seq uint64, known bool)
	Forked(ctx context.Context) error
	Since(ctx context.Context, seq uint64, limit int) ([]tree.Record, error)
	Replica(id tree.ReplicaID) (tree.Replica, bool)
	// ToldUpTo gives the place up to which each row after the given one is exactly
	// what a device has told.
	ToldUpTo(dev tree.DeviceID, after uint64) uint64
	// Moved gives what a device tells of a moved file at length, if what stood is known.
	Moved(ctx context.Context, dev tree.DeviceID, m tree.Moved) (come, gone tree.Entry, ok bool, err error)
	Observe(ctx context.Context, from tree.DeviceID, b tree.Batch) (news int, err error)
	Have(ctx context.Context, dev tree.DeviceID) (tree.Position, error)
	ClearRemote(ctx context.Context, dev tree.DeviceID) error
}

// Options of an Exchange.
type Options struct {
	Folder tree.FolderID
	Index  Index
	Rand   io.Reader // for tree.FolderState.Life
	// RolledBack recognises the error of Observe that says that a peer knows
	// more of our index than we do.
	RolledBack error
	// Withhold says which rows are not told; nil: all are.
	Withhold func(tree.Record) bool
	// News is called after peers' rows were recorded that ask for something to
	// be done, and after any word of a peer. It must not block.
	News func()
	// Announced is called with what a peer told, once it is recorded. nil: nobody
	// wants to know.
	Announced func(dev tree.DeviceID, entries []tree.Entry)
	// Short is from how many moved files of a batch on they are told by what the
	// receiver has; 0: never.
	Short int
	Now   func() time.Time
	Log   *slog.Logger
}

// ErrForks says that a peer knew more of our index than we do again and again,
// which nobody honest does.
var ErrForks = errors.New("it claims once more to know a future of this device's index")

// maxForks is how often a peer's word makes our index begin anew while the folder
// is open: each time everything is told again, and one more replica is known for
// good.
const maxForks = 4

// BatchRows is how many rows go into one batch.
const BatchRows = 500

// Exchange is the exchange of one folder with all its peers.
type Exchange struct {
	o  Options
	wg sync.WaitGroup

	mu    sync.Mutex
	peers map[tree.DeviceID]*peer
	early map[tree.DeviceID]tree.FolderState // words that came before Up
	forks map[tree.DeviceID]int              // how often whose word made our index begin anew
	own   tree.FolderState                   // what we last said of ourselves, less Have
}

type peer struct {
	Peer
	cancel context.CancelFunc
	kick   chan struct{} // of length 1
	heard  tree.FolderState
	known  bool          // heard is set
	have   tree.Position // of its index
	life   uint64        // ours, in this session with it
	ahead  time.Duration // its clock, of ours, when it last said something
	told   tree.Position
	// level: it has said that it needs no file, when our index was recorded up to
	// levelAt; files is up to where it was told of files at length.
	level          bool
	levelAt, files uint64
	anew           bool // it was asked to tell anew, and has not begun to
	again          bool // it has begun anew: it is told from where it says that it is
}

// New makes an Exchange without peers.
func New(o Options) *Exchange {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Exchange{o: o, peers: map[tree.DeviceID]*peer{}, early: map[tree.DeviceID]tree.FolderState{}, forks: map[tree.DeviceID]int{}, own: tree.FolderState{Folder: o.Folder, Busy: true}}
}

// Up begins the exchange with a peer, in place of an earlier session with the
// same device. It ends with Down, with ctx, or with an error of the peer.
func (e *Exchange) Up(ctx context.Context, p Peer) error {
	have, err := e.o.Index.Have(ctx, p.Device())
	if err != nil {
		return fmt.Errorf("read what is known of %s: %w", p.Device().Short(), err)
	}
	var life [8]byte
	if _, err := io.ReadFull(e.o.Rand, life[:]); err != nil {
		return fmt.Errorf("draw a number: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	q := &peer{Peer: p, cancel: cancel, kick: make(chan struct{}, 1), have: have, life: binary.LittleEndian.Uint64(life[:])}
	e.mu.Lock()
	if old := e.peers[p.Device()]; old != nil {
		old.cancel()
	}
	q.heard, q.known = e.early[p.Device()]
	delete(e.early, p.Device())
	e.peers[p.Device()] = q
	state := e.stateFor(q)
	e.mu.Unlock()
	p.SendState(state)
	e.wg.Go(func() {
		defer cancel()
		if err := e.tell(ctx, q); err != nil && ctx.Err() == nil {
			e.o.Log.Info("index no longer told", "device", p.Device().Short(), "err", err)
		}
	})
	return nil
}

// Down ends the exchange with a device.
func (e *Exchange) Down(dev tree.DeviceID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.early, dev)
	if q := e.peers[dev]; q != nil {
		q.cancel()
		delete(e.peers, dev)
	}
}

// Close ends all exchanges and returns when nothing of them runs any more.
func (e *Exchange) Close() {
	e.mu.Lock()
	for dev, q := range e.peers {
		q.cancel()
		delete(e.peers, dev)
	}
	e.mu.Unlock()
	e.wg.Wait()
}

// Say makes s (without At and Have) this device's word on itself and tells it to
// all peers if anything in it, or our index, has changed.
func (e *Exchange) Say(s tree.FolderState) {
	s.Folder = e.o.Folder
	s.At, s.Have = e.o.Index.Position(), tree.Position{}
	e.mu.Lock()
	defer e.mu.Unlock()
	moved := s.At != e.own.At
	if s == e.own {
		return
	}
	e.own = s
	for _, q := range e.peers {
		if moved {
			q.wake()
		}
		q.SendState(e.stateFor(q))
	}
}

// Moved says that our index has new rows.
func (e *Exchange) Moved() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, q := range e.peers {
		q.wake()
	}
}

// Heard takes a peer's word on itself. The first one of each of its lives is
// answered with ours, and it is told on from where it says that it is: it may have
// begun anew in the middle of a session, and what was told before may be lost.
func (e *Exchange) Heard(dev tree.DeviceID, s tree.FolderState) {
	e.o.Index.SendFrom(s.Have) // an index that a peer knows is no older copy, from here on
	e.mu.Lock()
	q := e.peers[dev]
	if q != nil {
		fresh := !q.known || q.heard.Life != s.Life
		q.again = q.again || q.known && fresh
		q.heard, q.known = s, true
		if s.NeedFiles == 0 && s.Have.Replica == e.o.Index.Position().Replica {
			q.level, q.levelAt = true, s.Have.Seq
		}
		if s.Clock > 0 {
			q.ahead = time.UnixMilli(s.Clock).Sub(e.o.Now())
		}
		q.wake()
		if fresh {
			q.SendState(e.stateFor(q))
		}
	} else {
		e.early[dev] = s
	}
	e.mu.Unlock()
	if q != nil {
		e.o.News()
	}
}

// Batch records what a peer told of its index. Batches of one peer come one at
// a time.
func (e *Exchange) Batch(ctx context.Context, dev tree.DeviceID, b tree.Batch) error {
	e.mu.Lock()
	q := e.peers[dev]
	e.mu.Unlock()
	if q == nil {
		return nil // the folder was closed or paused meanwhile; it will be told again
	}
	if e.leftAside(q, b) {
		return nil
	}
	if q.beyond(b) {
		// As when the folder was closed and opened again in a moment, and a batch came
		// between.
		return e.askAnew(q, fmt.Sprintf("it went on after row %d, and %d is the last that is recorded", b.After, q.have.Seq))
	}
	if q.have.Replica != 0 && q.have.Replica != b.Upto.Replica {
		if err := e.o.Index.ClearRemote(ctx, dev); err != nil {
			return fmt.Errorf("forget the earlier index of %s: %w", dev.Short(), err)
		}
	}
	b, ok, err := e.lengthen(ctx, dev, b)
	if err != nil {
		return fmt.Errorf("look up what %s told: %w", dev.Short(), err)
	}
	if !ok {
		return e.askAnew(q, "a short word could not be followed")
	}
	_, err = e.o.Index.Observe(ctx, dev, b)
	if e.o.RolledBack != nil && errors.Is(err, e.o.RolledBack) {
		e.o.Log.Warn("this index is older than what a peer knows of it; it begins anew", "device", dev.Short())
		if err = e.fork(ctx, dev); err == nil {
			_, err = e.o.Index.Observe(ctx, dev, b)
		}
		e.Moved()
	}
	if err != nil {
		return fmt.Errorf("record what %s told: %w", dev.Short(), err)
	}
	e.mu.Lock()
	q.have = b.Upto
	e.mu.Unlock()
	if e.o.Announced != nil {
		e.o.Announced(dev, b.Entries)
	}
	e.o.News()
	return nil
}

// Acknowledge tells each peer how far its index is recorded, where that has
// changed since it was told.
func (e *Exchange) Acknowledge() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, q := range e.peers {
		if q.told != q.have {
			q.SendState(e.stateFor(q))
		}
	}
}

// Peer is how far another device is, as far as it has said.
type PeerState struct {
	Device tree.DeviceID
	Known  bool
	State  tree.FolderState
	// Recorded: all of its index is recorded here. Told: all of ours is there.
	Recorded, Told bool
	Ahead          time.Duration // its clock, of ours, as far as it has said
}

// Peers lists the devices that the folder is being exchanged with.
func (e *Exchange) Peers() []PeerState {
	at := e.o.Index.Position()
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]PeerState, 0, len(e.peers))
	for dev, q := range e.peers {
		out = append(out, PeerState{
			Device: dev, Known: q.known, State: q.heard, Ahead: q.ahead,
			Recorded: q.known && (q.have == q.heard.At || q.heard.At.Seq == 0),
			Told:     q.known && (q.heard.Have == at || at.Seq == 0),
		})
	}
	return out
}

// Knows says whether a device has said something of itself before, in this life.
func (e *Exchange) Knows(dev tree.DeviceID, life uint64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	q := e.peers[dev]
	return q != nil && q.known && q.heard.Life == life
}

// stateFor is called with e.mu held.
func (e *Exchange) stateFor(q *peer) tree.FolderState {
	s := e.own
	s.At, s.Have, s.Life = e.o.Index.Position(), q.have, q.life
	s.Clock = e.o.Now().UnixMilli()
	q.told = q.have
	return s
}

func (q *peer) wake() {
	select {
	case q.kick <- struct{}{}:
	default:
	}
}

// tell sends q our rows from where it stands, and then each new one. Where the
// newest rows are gone again or are withheld, an empty batch says how far the
// peer is.
func (e *Exchange) tell(ctx context.Context, q *peer) error {
	sent, err := e.begin(ctx, q)
	if err != nil {
		return err
	}
	full := e.o.Index.Position().Seq
	told := map[tree.ReplicaID]bool{}
	for {
		if e.again(q) {
			if sent, err = e.begin(ctx, q); err != nil {
				return err
			}
			clear(told) // what it was told before may never have got to it
			full = e.o.Index.Position().Seq
		}
		at := e.o.Index.Position()
		if at.Replica != sent.Replica {
			sent, full = tree.Position{Replica: at.Replica}, at.Seq
		}
		rows, upto, err := e.next(ctx, q, sent.Seq, full)
		if err != nil {
			return fmt.Errorf("read our index: %w", err)
		}
		if upto == sent.Seq && (sent == at || at.Seq == 0) {
			select {
			case <-q.kick:
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		b := e.batch(rows, at, told)
		if sent.Seq >= full && e.follows(q) {
			b = e.shorten(b)
		}
		e.toldFiles(q, b)
		if b.After = sent.Seq; upto > sent.Seq {
			b.Upto.Seq = upto
		}
		if err := q.SendBatch(ctx, e.o.Folder, b); err != nil {
			return fmt.Errorf("send rows: %w", err)
		}
		sent = b.Upto
	}
}

// next gives the rows that q is told next, and up to where that is all. What is
// exactly what q has told itself is left out, but for what was written up to full,
// before the telling began: q may have lost that since, or have forgotten it because
// of a rule.
func (e *Exchange) next(ctx context.Context, q *peer, after, full uint64) (news []tree.Record, upto uint64, err error) {
	for upto = after; len(news) == 0; {
		if last := e.o.Index.Position().Seq; upto >= full && upto < last {
			upto = min(last, e.o.Index.ToldUpTo(q.Device(), upto))
		}
		rows, err := e.o.Index.Since(ctx, upto, BatchRows)
		if err != nil {
			return nil, 0, err
		}
		rows = fitting(rows)
		if len(rows) == 0 {
			break
		}
		for _, r := range rows {
			upto = r.Seq
			if upto <= full || e.o.Index.ToldUpTo(q.Device(), upto-1) < upto {
				news = append(news, r)
			}
		}
	}
	return news, upto, nil
}

const (
	// batchBytes bounds what may be long in a batch: paths, targets, attributes,
	// versions. The whole then stays within what a batch may have.
	batchBytes = 2 << 20
	stampBytes = 13 // the most that a stamp takes: the replica's place, and a counter
)

// fitting gives the first rows that go into one batch; at least one.
func fitting(rows []tree.Record) []tree.Record {
	n := 0
	for i, r := range rows {
		if r.Conflict != nil {
			n += len(r.Conflict.Of)
		}
		n += stampBytes * len(r.Version)
		if n += len(r.Path) + len(r.Target) + len(r.MovedTo) + len(r.Attrs); n > batchBytes && i > 0 {
			return rows[:i]
		}
	}
	return rows
}

// again says, once, whether q is to be told anew from where it says that it is.
func (e *Exchange) again(q *peer) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	was := q.again
	q.again = false
	return was
}

// fork begins our index anew on a peer's word, if that has not happened too often.
func (e *Exchange) fork(ctx context.Context, dev tree.DeviceID) error {
	e.mu.Lock()
	e.forks[dev]++
	n := e.forks[dev]
	e.mu.Unlock()
	if n > maxForks {
		return ErrForks
	}
	return e.o.Index.Forked(ctx)
}

// begin waits for the peer's first word and finds the place to tell from.
func (e *Exchange) begin(ctx context.Context, q *peer) (tree.Position, error) {
	for {
		e.mu.Lock()
		known, have := q.known, q.heard.Have
		e.mu.Unlock()
		if known {
			if _, ok := e.o.Index.SendFrom(have); ok {
				return have, nil
			}
			if have.Replica == e.o.Index.Position().Replica && have.Seq > 0 {
				e.o.Log.Warn("a peer remembers a history of this index that it does not have; it begins anew", "device", q.Device().Short())
				if err := e.fork(ctx, q.Device()); err != nil {
					return tree.Position{}, fmt.Errorf("begin the index anew: %w", err)
				}
			}
			return tree.Position{}, nil
		}
		select {
		case <-q.kick:
		case <-ctx.Done():
			return tree.Position{}, ctx.Err()
		}
	}
}

// batch makes rows into a batch, with the replicas that this peer was not told;
// without rows it says that the peer is at our position.
func (e *Exchange) batch(rows []tree.Record, at tree.Position, told map[tree.ReplicaID]bool) tree.Batch {
	b := tree.Batch{Upto: at}
	name := func(id tree.ReplicaID) {
		if id == 0 || told[id] {
			return
		}
		if r, ok := e.o.Index.Replica(id); ok {
			told[id] = true
			b.Replicas = append(b.Replicas, r)
		}
	}
	for _, r := range rows {
		if e.o.Withhold != nil && e.o.Withhold(r) {
			continue
		}
		for _, s := range r.Version {
			name(s.Replica)
		}
		name(r.Author)
		b.Entries = append(b.Entries, r.Entry)
	}
	return b
}
