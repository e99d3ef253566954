package netproto

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net"
	"time"

	"pinion/engine/tree"
	"pinion/netproto/identity"
	"pinion/netproto/pairing"
)

// DefaultListen is where a Node listens unless told otherwise.
const DefaultListen = ":27464"

// Config is what a Node is made of. Only Identity and Handler have no default.
type Config struct {
	Identity *identity.Identity
	Handler  Handler
	Listen   string // HOST:PORT
	Name     string // this device's, shown to peers
	Software string // name and version, shown to peers
	Log      *slog.Logger
	// Now is the clock of deadlines and times shown. It has to run as the
	// runtime's timers do (or be virtual with them).
	Now  func() time.Time
	Rand io.Reader // for jitter
	// PacketConn is used instead of a socket on Listen. The Node closes it.
	PacketConn net.PacketConn
	// StreamWindow and ConnWindow are how many bytes may wait to be read, in one
	// stream and in all of a session, over all its connections.
	StreamWindow, ConnWindow int
	// NoCompression leaves contents as they are.
	NoCompression bool
	// Roster takes part in the join exchange; without it there is none.
	Roster pairing.Roster
	// Joined is told, by whoever invited, of each device that has joined.
	Joined func(Joined)
	Timing Timing
}

// Timing is how long things may take.
type Timing struct {
	Hello      time.Duration // from a handshake to the peer's Hello; for each message of the join exchange
	Idle       time.Duration // without a packet, after which a peer is gone
	KeepAlive  time.Duration // without a packet, after which one is sent
	Patience   time.Duration // between two bytes of one message
	Stall      time.Duration // without a byte of an answer: ErrStalled
	Probe      time.Duration // for the Pong of a peer that may be gone
	Dial       time.Duration // for one address
	Stagger    time.Duration // between the dialling of two addresses
	RetryFirst time.Duration // after the first failed attempt
	RetryMost  time.Duration // to which that doubles
	Lasting    time.Duration // a session of this age forgives earlier failures
}

// Peer is a device to accept and to keep connected to.
type Peer struct {
	Device tree.DeviceID
	Addrs  []string // HOST:PORT, best first; up to MaxAddrs are tried
}

// MaxAddrs is how many addresses of a peer are tried.
const MaxAddrs = 16

// Info is what is known of the connection with a peer.
type Info struct {
	Device            tree.DeviceID
	Connected         bool
	Name, Software    string // as it says itself; empty before the first session
	Addr              string // where it is, or was last
	RTT               time.Duration
	Since             time.Time // since when it is connected, or not
	BytesIn, BytesOut uint64    // of this session, as packets
	LastError         error     // why the last session ended or, while not connected, the last attempt failed; nil after an orderly end
}

// Handler is told what happens and asked for what peers want. Calls for one
// session begin with Connected and end with Disconnected; in between they come
// from several goroutines at once, but those of one kind that have an order
// (Roster, Offers and State; the Batches of one folder) one at a time. Blocking
// is back pressure on that stream. A session's Disconnected comes before the
// Connected of a newer one with the same device. An error of Roster, Offers,
// State or Batch ends the session.
type Handler interface {
	Connected(*Session)
	Disconnected(*Session, error)

	// Roster gets circle's signed statements, unchecked.
	Roster(s *Session, statements [][]byte) error
	Offers(s *Session, offers []tree.Offer) error
	State(s *Session, state tree.FolderState) error
	// Batch gets the rows of the peer's index of folder, in order.
	Batch(ctx context.Context, s *Session, folder tree.FolderID, b tree.Batch) error

	// Manifest gives the chunk list of a content that stands here, or an error
	// (ErrGone, or anything else, which is logged): the peer is told that it is
	// not to be had.
	Manifest(ctx context.Context, s *Session, folder tree.FolderID, content tree.ContentID) (tree.Manifest, error)
	// Serve answers wants in their order through w. Those that it has not ended
	// when it returns are gone, whatever it returns.
	Serve(ctx context.Context, s *Session, folder tree.FolderID, wants []tree.Want, w PieceWriter) error
}

// PieceWriter takes the answers to the wants of one request. Once a method
// fails nobody listens any more, and Serve should return.
type PieceWriter interface {
	// Piece sends bytes of want i that stand at offset off of the content. Those
	// of one want are contiguous. data may be reused afterwards.
	Piece(i int, off int64, data []byte) error
	// Done ends want i. gone: it is not to be had here (any more); what was sent
	// of it is void.
	Done(i int, gone bool) error
}

// Errors that callers branch on. Why a session ended is an *Error.
var (
	// ErrGone says that a peer has not got what it was asked for (any more). It
	// has a method Gone, so that rooms that don't know this one can tell.
	ErrGone error = goneError{}
	// ErrStalled says that no answer came for too long.
	ErrStalled = errors.New("the peer stopped answering")
	// ErrClosed says that the session is over.
	ErrClosed = errors.New("the session is over")
	// ErrInUse says that somebody else listens on the address.
	ErrInUse = errors.New("the address is in use")
)

type goneError struct{}

func (goneError) Error() string { return "the peer has not got it" }
func (goneError) Gone() bool    { return true }

func (c *Config) defaults() error {
	if c.Identity == nil || c.Handler == nil {
		return errors.New("a node needs an identity and a handler")
	}
	if c.Listen == "" {
		c.Listen = DefaultListen
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	// The least windows hold the requests that may be under way.
	c.StreamWindow = max(orElse(c.StreamWindow, 6<<20), initialStreamWindow)
	c.ConnWindow = max(orElse(c.ConnWindow, 16<<20), initialConnWindow)
	t := &c.Timing
	t.Hello = orElse(t.Hello, 10*time.Second)
	t.Idle = orElse(t.Idle, 45*time.Second)
	t.KeepAlive = orElse(t.KeepAlive, 15*time.Second)
	t.Patience = orElse(t.Patience, 30*time.Second)
	t.Stall = orElse(t.Stall, 20*time.Second)
	t.Probe = orElse(t.Probe, 5*time.Second)
	t.Dial = orElse(t.Dial, 10*time.Second)
	t.Stagger = orElse(t.Stagger, 200*time.Millisecond)
	t.RetryFirst = orElse(t.RetryFirst, 500*time.Millisecond)
	t.RetryMost = orElse(t.RetryMost, time.Minute)
	t.Lasting = orElse(t.Lasting, time.Minute)
	return nil
}

func orElse[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
