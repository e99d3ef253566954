// Package exchange tells peers the rows of one folder's index and records
// theirs.
//
// Each peer gets, in the order of Seq, every row it has not recorded yet; where
// it stands it says itself (tree.FolderState.Have), so nothing is remembered
// here that could be wrong after a crash. A peer that remembers a place in our
// history that we do not know proves that our index was rolled back: it then
// begins a new life (index.NewIncarnation) and everything is told again.
//
// The first word to a peer is a greeting: a state that does not say where our own
// index is (At is zero). Who gets one answers with its state and tells on from
// the greeting's Have, so that a folder may be closed and opened again in the
// middle of a session.
//
// Memory is one batch per peer.
package exchange
