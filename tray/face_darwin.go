//go:build cgo

package tray

func osIcon(picture []byte) []byte { return picture }
