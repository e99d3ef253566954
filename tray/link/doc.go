// Package link keeps the tray in touch with the engine. If one is running for the
// home directory (a service, pinion --daemon), the link attaches to it; if none
// answers, it starts one as a process of its own session, so that neither takes
// the other down. When the engine goes away the link says so and comes back by
// itself: at once and again to one that it has begun, after a while to one that
// somebody else has begun and does not begin again.
//
// All that it learns it tells through one function, a News at a time: the engine
// is there or why not, the newest state, the last changes.
//
// An engine that the tray has begun is remembered in the home directory
// (tray.engine), so that a tray that comes after one that died knows it again.
package link
