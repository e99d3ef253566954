// Package netproto connects a device with the other devices of its circle: a
// Node owns the UDP socket, dials and accepts, and keeps one Session with each
// peer that can be reached. SPEC.md is what is spoken.
//
// It promises that nobody but a peer named by SetPeers ever gets a session;
// that a peer's bytes are checked before they reach the Handler; that a bad
// message ends that peer's session, with a named error in Sessions, and nothing
// else; that every queue has a length and memory per session is bounded
// (SPEC.md, section 11); that at rest nothing is sent but keep-alives; and that
// what passes, packets with their headers, keeps to SetLimits within a few percent
// over ten seconds, all peers together, small contents and lists first.
//
// It never looks at folders, the index or the disk: what comes in goes to the
// Handler, which the engine's side implements, and a Session offers what the
// engine's rooms ask of a peer. It never decides who is a member.
//
// Read config.go (what is asked for and given), node.go, dial.go and accept.go
// (who is connected), session.go (one peer), then outbox.go, index.go, lane.go
// and serve.go (the four kinds of streams); limit.go, bucket.go and asking.go are
// the limits: what is sent is paced where it is written, and what comes by asking
// for no more than may come, since a peer sends as fast as it can what was asked.
// spread.go, strand.go, more.go and conductor.go are how a session's answers go over
// several connections, and how fast; gift.go is how a small save needs no asking.
package netproto
