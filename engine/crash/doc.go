// Package crash names the moments at which a program can be killed on purpose,
// so that a test can try each of them with real processes.
//
// In a build with the tag crashpoints, PINION_CRASH=POINT:N,POINT:N has the process
// kill itself with SIGKILL at the N-th passing of POINT, whichever comes first, and
// PINION_CRASH_LOG=FILE has it write down which points were passed, how often, and
// which one was the last. In every other build At is empty, and the compiler leaves
// it out.
package crash
