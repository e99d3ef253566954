// Package sim plays histories of up to five devices in one process: the engine as
// it is, with its index in a real file, over disks in memory (memdisk) and a network
// in memory, in virtual time (testing/synctest).
//
// One seed is one history. Every call to a disk and every message waits at a gate
// until all others are at rest; then the seed says who goes on, or that time passes,
// or that the next thing of the story happens: something a person does, or bad
// weather. Afterwards the weather is mended, the world becomes quiet, and the oracle
// looks whether the laws were kept.
//
// Files: gate.go (whose turn it is), world.go (devices, their lives and links), net.go,
// story.go (what happens), person.go, weather.go, history.go (one history from
// beginning to end), oracle.go (the laws), shrink.go.
package sim
