// Package traytest is for tests of the tray: an engine that answers what it was
// told to, a Host for a page, and pictures of pages without a display.
package traytest
