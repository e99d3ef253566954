// Package devices is the page of the circle: each device with how it is reached,
// when it was last seen, what it lacks, its disk; and what can be done with it.
package devices
