// Package exchange tells peers the rows of one folder's index and records
// theirs.
//
// Each peer gets, in the order of Seq, every row it has not recorded yet; where
// it stands it says itself (tree.FolderState.Have), so nothing is remembered
// here that could be wrong after a crash. A peer that remembers a place in our
// history that we do not know proves that our index was rolled back: it then
// begins a new life (index.Forked) and everything is told again.
//
// A folder may be closed and opened again in the middle of a session, and what
// came meanwhile is lost. So each beginning is a life with a number of its own,
// which every state carries: who hears of a new one answers with its own state
// and tells on from where that life stands.
//
// Memory is one batch per peer.
package exchange
