//go:build torture

// Torture runs real engines on real file systems, does to them what happens to
// people's disks and machines, and judges from outside whether the laws held.
//
//	make torture                           every story once
//	make torture N=10                      ten rounds of each
//	make torture STORY=power-ext4 SEED=7   one history again
//
// Three engines in processes of their own share a folder. A storm (storm.go) of
// seeded edits goes over all three while a story does harm: kill -9, at random or
// at a named moment (engine/crash), a power cut, a full disk, a pulled one. Then all
// is made whole again, the engines must get in sync by themselves, and the oracle
// (oracle.go) looks at the three disks and at the ledger of what was written:
//
//   - what a person wrote and did not destroy himself is live or in an archive;
//   - no file holds bytes that nobody wrote;
//   - the three trees are equal, as far as each file system can hold them;
//   - the engines are silent, well by their own word, and never panicked.
//
// The storm is one goroutine, so that the ledger knows what was destroyed by whom:
// it destroys a content only while it holds the file that has it open.
package main
