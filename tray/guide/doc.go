// Package guide leads through what takes more than a click: the first run, adding a
// folder or a device, a folder that is offered, a great change that is held.
//
// Each function opens a dialog over the window and returns. It asks the engine, and
// decides nothing: the button that Enter presses first is the one after which
// nothing is lost. What is wrong is said in a sentence in the dialog, which stays
// open.
package guide
