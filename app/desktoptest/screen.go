//go:build desktoptest

package desktoptest

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
)

// screen is the picture that the X server keeps in a file, in the format of xwd.
type screen struct{ file string }

// picture is what is on the screen now.
func (s *screen) picture() (*image.RGBA, error) {
	b, err := os.ReadFile(s.file)
	if err != nil {
		return nil, err
	}
	if len(b) < 100 {
		return nil, fmt.Errorf("%s is too short", s.file)
	}
	word := func(i int) int { return int(binary.BigEndian.Uint32(b[4*i:])) }
	header, w, h, bits, stride, colors := word(0), word(4), word(5), word(11), word(12), word(19)
	at := header + 12*colors
	if bits != 32 || len(b) < at+h*stride {
		return nil, fmt.Errorf("%s: %d bits a pixel, %d bytes", s.file, bits, len(b))
	}
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		row := b[at+y*stride:]
		out := img.Pix[y*img.Stride:]
		for x := range w {
			p := row[4*x : 4*x+4 : 4*x+4] // blue first: the byte order of X on this machine
			out[4*x], out[4*x+1], out[4*x+2], out[4*x+3] = p[2], p[1], p[0], 0xff
		}
	}
	return img, nil
}

func (s *screen) save(path string) error {
	img, err := s.picture()
	if err != nil {
		return err
	}
	return savePNG(path, img)
}

func savePNG(path string, img image.Image) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := png.Encode(f, img); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// gray is a picture's brightness, row by row.
type gray struct {
	w, h int
	pix  []float32
	rect image.Rectangle // which part of the screen it is
}

func grayOf(img image.Image, r image.Rectangle) gray {
	r = r.Intersect(img.Bounds())
	g := gray{w: r.Dx(), h: r.Dy(), pix: make([]float32, r.Dx()*r.Dy()), rect: r}
	for y := range g.h {
		for x := range g.w {
			c := color.RGBAModel.Convert(img.At(r.Min.X+x, r.Min.Y+y)).(color.RGBA)
			g.pix[y*g.w+x] = 0.3*float32(c.R) + 0.59*float32(c.G) + 0.11*float32(c.B)
		}
	}
	return g
}
