// Package rootfstest is the contract of a folder's handle as a suite of tests,
// to be run on rootfs.Root, on each way in which it is built, and on the fakes
// that stand in for it.
//
// The suite looks at the directory behind the handle's back, as other programs
// do. A test that needs what the file system lacks is skipped and says why.
package rootfstest
