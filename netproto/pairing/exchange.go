package pairing

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"pinion/engine/tree"
	"pinion/netproto/circle"
)

// What the proofs take from the TLS connection: ExporterLen bytes of keying
// material under ExporterLabel, without a context.
const (
	ExporterLabel = "pinion join"
	ExporterLen   = 32
)

// Roster is this device's circle as the exchange needs it. What it returns is on
// the disk already.
type Roster interface {
	// Welcome endorses the peer and gives all statements.
	Welcome(peer ed25519.PublicKey) ([][]byte, error)
	// Join takes the peer's statements over, endorses it (circle.Circle.Join)
	// and gives all statements.
	Join(peer ed25519.PublicKey, theirs [][]byte) ([][]byte, error)
}

// Side is what one end knows when the connection stands.
type Side struct {
	Self     tree.DeviceID
	Name     string            // of this device, shown at the other; one that is not allowed is left out
	Peer     ed25519.PublicKey // as proved in the handshake
	Exporter []byte
	Roster   Roster
}

// end is what both machines share.
type end struct {
	Side
	codec  codec
	proofs proofs
	name   string
	got    [][]byte // statements so far
	expect messageKind
}

func newEnd(s Side, expect messageKind) (end, error) {
	if len(s.Peer) != ed25519.PublicKeySize || len(s.Exporter) != ExporterLen {
		return end{}, errors.New("begin pairing: a key has the wrong length")
	}
	if circle.CheckName(s.Name) != nil {
		s.Name = ""
	}
	codec, err := newCodec()
	return end{Side: s, codec: codec, expect: expect}, err
}

// PeerName is what the other device calls itself; it may be empty.
func (e *end) PeerName() string { return e.name }

// receive decodes a message that is due, or says why the exchange is over.
func (e *end) receive(b []byte) (message, error) {
	m, err := e.codec.decode(b)
	switch {
	case err != nil:
		return m, &Refusal{Code: BadMessage, Here: true, Cause: err}
	case m.Kind == refuse && e.expect != 0:
		e.expect = 0
		return m, &Refusal{Code: m.Code}
	case m.Kind != e.expect:
		return m, &Refusal{Code: BadMessage, Here: true, Cause: errors.New("a message that is not due")}
	}
	return m, nil
}

// collect keeps a message's statements and says whether they are complete.
func (e *end) collect(m message) (bool, error) {
	if len(e.got)+len(m.Statements) > circle.MaxStatements || (m.Follows && len(m.Statements) == 0) {
		return false, &Refusal{Code: BadMessage, Here: true, Cause: errors.New("too many statements")}
	}
	e.got = append(e.got, m.Statements...)
	if m.Follows {
		e.expect = more
	}
	return !m.Follows, nil
}

// end ends the exchange: what it returns is to be sent, then the connection
// closed.
func (e *end) end(err error) ([][]byte, error) {
	e.expect, e.got = 0, nil
	var r *Refusal
	if !errors.As(err, &r) {
		r = &Refusal{Code: Failed, Here: true, Cause: err}
	}
	if !r.Here {
		return nil, r
	}
	b, encodeErr := e.codec.encode(message{Kind: refuse, Code: r.Code})
	if encodeErr != nil {
		return nil, errors.Join(r, encodeErr)
	}
	return [][]byte{b}, r
}

// Joiner is the joining end.
type Joiner struct {
	end
	secret [16]byte
}

// NewJoiner begins: the messages are to be sent. The peer's key has to be the
// one that the invitation names.
func NewJoiner(inv Invitation, s Side) (j *Joiner, send [][]byte, err error) {
	e, err := newEnd(s, welcome)
	if err != nil {
		return nil, nil, err
	}
	if deviceOf(s.Peer) != inv.Device {
		return nil, nil, errors.New("begin pairing: another device answered than the one that invited")
	}
	if s.Self == inv.Device {
		return nil, nil, errors.New("this device made the invitation itself: run `pinion join` on the other device")
	}
	e.proofs = proofs{exporter: s.Exporter, joiner: s.Self, inviter: inv.Device}
	j = &Joiner{end: e, secret: inv.Secret}
	id := idOf(inv.Secret)
	b, err := e.codec.encode(message{Kind: hello, ID: id[:], Name: e.Name, Proof: e.proofs.of(inv.Secret, "joiner")})
	return j, [][]byte{b}, err
}

// Receive takes the next message. Send what it returns, also with an error
// (always a *Refusal); finished says that both ends know that this device has
// joined.
func (j *Joiner) Receive(b []byte) (send [][]byte, finished bool, err error) {
	m, err := j.receive(b)
	if err != nil {
		send, err = j.end.end(err)
		return send, false, err
	}
	switch m.Kind {
	case ack:
		j.expect = 0
		return nil, true, nil
	case welcome:
		if !hmac.Equal(m.Proof, j.proofs.of(j.secret, "inviter")) {
			send, err = j.end.end(&Refusal{Code: Wrong, Here: true})
			return send, false, err
		}
		j.name = m.Name
	}
	send, err = j.join(m)
	if err != nil {
		send, err = j.end.end(err)
	}
	return send, false, err
}

func (j *Joiner) join(m message) (send [][]byte, err error) {
	complete, err := j.collect(m)
	if err != nil || !complete {
		return nil, err
	}
	mine, err := j.Roster.Join(j.Peer, j.got)
	if err != nil {
		return nil, fmt.Errorf("join circle: %w", err)
	}
	j.got, j.expect = nil, ack
	return j.codec.spread(message{Kind: done}, mine)
}

// Inviter is the inviting end.
type Inviter struct {
	end
	desk *Desk
}

// Answer is the inviting end of a connection.
func (d *Desk) Answer(s Side) (*Inviter, error) {
	e, err := newEnd(s, hello)
	if err != nil {
		return nil, err
	}
	e.proofs = proofs{exporter: s.Exporter, joiner: deviceOf(s.Peer), inviter: d.self}
	return &Inviter{end: e, desk: d}, nil
}

// Receive takes the next message. Send what it returns, also with an error
// (always a *Refusal); finished says that the other device has joined.
func (i *Inviter) Receive(now time.Time, b []byte) (send [][]byte, finished bool, err error) {
	m, err := i.receive(b)
	if err == nil && m.Kind == hello {
		send, err = i.welcome(now, m)
	} else if err == nil {
		send, finished, err = i.finish(m)
	}
	if err != nil {
		send, err = i.end.end(err)
	}
	return send, finished, err
}

func (i *Inviter) welcome(now time.Time, m message) ([][]byte, error) {
	secret, code := i.desk.redeem(now, inviteID(m.ID), i.proofs, m.Proof)
	if code != 0 {
		return nil, &Refusal{Code: code, Here: true}
	}
	statements, err := i.Roster.Welcome(i.Peer)
	if err != nil {
		return nil, fmt.Errorf("endorse device: %w", err)
	}
	i.name, i.expect = m.Name, done
	return i.codec.spread(message{Kind: welcome, Name: i.Name, Proof: i.proofs.of(secret, "inviter")}, statements)
}

func (i *Inviter) finish(m message) ([][]byte, bool, error) {
	complete, err := i.collect(m)
	if err != nil || !complete {
		return nil, false, err
	}
	if _, err := i.Roster.Join(i.Peer, i.got); err != nil {
		return nil, false, fmt.Errorf("merge circles: %w", err)
	}
	i.got, i.expect = nil, 0
	b, err := i.codec.encode(message{Kind: ack})
	return [][]byte{b}, err == nil, err
}

func deviceOf(key ed25519.PublicKey) tree.DeviceID { return sha256.Sum256(key) }
