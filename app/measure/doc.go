//go:build measure

// Measure says what syncing costs, in figures that anybody can take again. Real
// engines run in processes of their own, on file systems of their own, joined by
// links of network namespaces with a rate.
//
//	make measure                         all of it but the million
//	make measure NAME="rest saves"       some of it
//	make measure NAME=million            a million files: half an hour
//
// Each measurement prints its figures in a line beside what they should be. A
// figure is one of this machine, with its load: nothing fails for one.
package main
