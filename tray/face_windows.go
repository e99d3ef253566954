package tray

import (
	"bytes"
	"image/png"

	"github.com/fyne-io/image/ico"
)

// osIcon is the picture as Windows takes it.
func osIcon(picture []byte) []byte {
	img, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil // ours, drawn a moment ago
	}
	var b bytes.Buffer
	if ico.Encode(&b, img) != nil {
		return nil
	}
	return b.Bytes()
}
