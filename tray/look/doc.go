// Package look is how Pinion looks: its theme (colours, sizes, light and dark),
// its artwork, and the few small widgets that every page uses.
package look
