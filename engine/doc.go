// Package engine is the façade that the app sees: it opens folders, runs them,
// lets peers in, and answers what a person asks (control.Engine).
//
// It knows no QUIC: Network and Session say what it needs of other devices, and
// the app plugs netproto into them. The network calls Connected, Disconnected,
// Offers, State, Batch, Manifest and Serve.
//
// Files: engine.go (Engine, Run), network.go (what it needs, what it is called
// with), offers.go (folders of others, the store), folders.go, devices.go,
// pause.go, paths.go (which folder a person's path is in), history.go, board.go
// (the state that is shown).
package engine
