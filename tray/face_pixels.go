//go:build unix && !darwin

package tray

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
)

// osIcon is the picture as fyne.io/systray 1.12 hands it to D-Bus unharmed. That
// takes the low byte of each colour's sixteen bits after they were multiplied by the
// opacity, where the protocol wants the colour itself: half-transparent edges come
// out in all colours. Sixteen bits a channel leave room to choose a colour whose
// low byte then is the right one, and whose high byte is right, too, for one that
// reads it as it should.
func osIcon(picture []byte) []byte {
	img, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return picture
	}
	out := image.NewNRGBA64(img.Bounds())
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			a := uint32(c.A) * 0x101
			out.SetNRGBA64(x, y, color.NRGBA64{R: lowByte(c.R, a), G: lowByte(c.G, a), B: lowByte(c.B, a), A: uint16(a)})
		}
	}
	var b bytes.Buffer
	if png.Encode(&b, out) != nil {
		return picture
	}
	return b.Bytes()
}

// lowByte is the sixteen bits nearest to those of want whose product with the
// opacity has want as its low byte.
func lowByte(want uint8, a uint32) uint16 {
	full := uint32(want) * 0x101
	for d := range uint32(0x10000) {
		for _, c := range [...]uint32{full + d, full - d} {
			if c <= 0xffff && uint8(c*a/0xffff) == want {
				return uint16(c)
			}
		}
	}
	return uint16(full) // nothing can be seen of it
}
