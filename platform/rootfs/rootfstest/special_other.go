//go:build !linux

package rootfstest

func testSpecialFiles(w *world) { w.Skip("needs Linux: makes FIFOs and devices") }

func testMagicLinks(w *world) { w.Skip("needs Linux: /proc") }
