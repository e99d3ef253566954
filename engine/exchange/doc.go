// Package exchange tells peers the rows of one folder's index and records
// theirs.
//
// Each peer gets, in the order of Seq, every row it has not recorded yet; where
// it stands it says itself (tree.FolderState.Have), so nothing is remembered
// here that could be wrong after a crash. A peer that remembers a place in our
// history that we do not know proves that our index was rolled back: it then
// begins a new life (index.NewIncarnation) and everything is told again.
//
// Memory is one batch per peer.
package exchange
