// Package activity is the page of changes: what, where, by which device, when. It
// asks the engine for pages as they are needed: the newest when it is shown, newer
// ones as they come while it is, older ones as the person scrolls down. The
// narrowing is done by the engine.
package activity
