// Package settings is the page on which a person chooses how this device and its
// folders behave: names, the network, notifications, each folder, what is left out,
// and what is under the bonnet.
//
// What is chosen holds at once: the engine is asked, and what it refuses is said in
// a sentence at the control, which then shows again what holds. Nothing is half
// saved. What is shown comes from the engine, but for how the window looks and which
// notices it gives, which are the window's own preferences.
package settings
