//go:build desktoptest

package desktoptest

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"strings"
	"sync"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"

	"pinion/tray/look"
)

// font draws words as the program does.
type font struct {
	mu    sync.Mutex
	made  map[string][]shape
	sizes []float32
}

// shape is how words look: how much of each pixel is ink.
type shape struct {
	w, h      int
	ink       []float32
	on, off   []spot // some of the pixels that are ink, and that are not
	sum, sum2 float64
}

type spot struct{ x, y int }

// newFont knows the sizes of the program's theme.
func newFont() *font {
	test.NewApp().Settings().SetTheme(look.Theme{})
	f := &font{made: map[string][]shape{}}
	seen := map[float32]bool{}
	for _, name := range []fyne.ThemeSizeName{theme.SizeNameText, theme.SizeNameCaptionText, theme.SizeNameSubHeadingText, theme.SizeNameHeadingText, look.SizeSmall} {
		if s := (look.Theme{}).Size(name); !seen[s] {
			seen[s] = true
			f.sizes = append(f.sizes, s)
		}
	}
	return f
}

// shapes are the ways in which the words may be drawn.
func (f *font) shapes(words string) []shape {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s, ok := f.made[words]; ok {
		return s
	}
	var all []shape
	for _, size := range f.sizes {
		for _, style := range []fyne.TextStyle{{}, {Bold: true}, {Italic: true}, {Monospace: true}} {
			all = append(all, draw(words, size, style))
		}
	}
	f.made[words] = all
	return all
}

func draw(words string, size float32, style fyne.TextStyle) shape {
	t := canvas.NewText(words, color.White)
	t.TextSize, t.TextStyle = size, style
	c := software.NewTransparentCanvas()
	c.SetPadded(false)
	c.SetContent(t)
	c.Resize(t.MinSize())
	img := c.Capture()
	ink := grayAlpha(img)
	return crop(ink, img.Bounds().Dx(), img.Bounds().Dy())
}

func grayAlpha(img image.Image) []float32 {
	b := img.Bounds()
	out := make([]float32, b.Dx()*b.Dy())
	for y := range b.Dy() {
		for x := range b.Dx() {
			_, _, _, a := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
			out[y*b.Dx()+x] = float32(a) / 0xffff
		}
	}
	return out
}

// crop cuts off what is not ink, but for one pixel around, and prepares the
// comparing.
func crop(ink []float32, w, h int) shape {
	box := image.Rectangle{}
	for y := range h {
		for x := range w {
			if ink[y*w+x] > 0.1 {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	box = box.Inset(-1).Intersect(image.Rect(0, 0, w, h))
	s := shape{w: box.Dx(), h: box.Dy(), ink: make([]float32, box.Dx()*box.Dy())}
	var on, off []spot
	for y := range s.h {
		for x := range s.w {
			v := ink[(box.Min.Y+y)*w+box.Min.X+x]
			s.ink[y*s.w+x] = v
			s.sum += float64(v)
			s.sum2 += float64(v) * float64(v)
			switch {
			case v > 0.8:
				on = append(on, spot{x, y})
			case v < 0.05:
				off = append(off, spot{x, y})
			}
		}
	}
	s.on, s.off = some(on, 24), some(off, 24)
	return s
}

// some are n of the spots, spread evenly.
func some(all []spot, n int) []spot {
	if len(all) <= n {
		return all
	}
	out := make([]spot, n)
	for i := range out {
		out[i] = all[i*len(all)/n]
	}
	return out
}

// alike is from where on two pictures of words are the same words. Letters that
// stand a fraction of a pixel elsewhere reach 0.9; other words stay below 0.7.
const alike = 0.84

// find gives the place in g that looks most like the words, and how much.
func (f *font) find(g gray, words string) (image.Rectangle, float64) {
	best, at := 0.0, image.Rectangle{}
	for _, s := range f.shapes(words) {
		if r, v := s.in(g); v > best {
			best, at = v, r
		}
	}
	return at.Add(g.rect.Min), best
}

// in looks for the shape in light ink or dark.
func (s *shape) in(g gray) (image.Rectangle, float64) {
	best, at := 0.0, image.Rectangle{}
	if len(s.on) == 0 || len(s.off) == 0 {
		return at, 0
	}
	for y := 0; y+s.h <= g.h; y++ {
		for x := 0; x+s.w <= g.w; x++ {
			if !s.maybe(g, x, y) {
				continue
			}
			if v := s.at(g, x, y); v > best {
				best, at = v, image.Rect(x, y, x+s.w, y+s.h)
			}
		}
	}
	return at, best
}

// maybe is a quick look at some spots: ink must stand out from what is not.
func (s *shape) maybe(g gray, x, y int) bool {
	base := y*g.w + x
	first := g.pix[base+s.on[0].y*g.w+s.on[0].x] - g.pix[base+s.off[0].y*g.w+s.off[0].x]
	if first < 12 && first > -12 {
		return false
	}
	var on, off float32
	for _, p := range s.on {
		on += g.pix[base+p.y*g.w+p.x]
	}
	for _, p := range s.off {
		off += g.pix[base+p.y*g.w+p.x]
	}
	on, off = on/float32(len(s.on)), off/float32(len(s.off))
	return on-off > 30 || off-on > 30
}

// at is the correlation of the shape with what stands at x, y, whatever the
// colours.
func (s *shape) at(g gray, x, y int) float64 {
	var sum, sum2, cross float64
	for j := range s.h {
		row := g.pix[(y+j)*g.w+x : (y+j)*g.w+x+s.w]
		ink := s.ink[j*s.w : (j+1)*s.w]
		for i, v := range row {
			p := float64(v)
			sum += p
			sum2 += p * p
			cross += p * float64(ink[i])
		}
	}
	n := float64(s.w * s.h)
	a, b := n*s.sum2-s.sum*s.sum, n*sum2-sum*sum
	if a <= 0 || b <= 0 {
		return 0
	}
	return math.Abs(n*cross-s.sum*sum) / math.Sqrt(a*b)
}

// sees looks for words on the screen, in a window if one is given.
func (d *Desk) sees(words string, in image.Rectangle) (image.Rectangle, float64) {
	img, err := d.screen.picture()
	if err != nil {
		d.t.Fatal(err)
	}
	if in.Empty() {
		in = img.Bounds()
	}
	return theFont().find(grayOf(img, in), words)
}

var theFont = sync.OnceValue(newFont)

// reads waits until one of several wordings stands on the screen, and gives its
// place and which it was.
func (d *Desk) reads(in image.Rectangle, wordings ...string) (image.Rectangle, string) {
	d.t.Helper()
	var at image.Rectangle
	var which string
	d.until(fmt.Sprintf("%q can be read on the screen", strings.Join(wordings, `" or "`)), func() (string, bool) {
		var saw []string
		for _, words := range wordings {
			r, v := d.sees(words, in)
			if v >= alike {
				at, which = r, words
				return "", true
			}
			saw = append(saw, fmt.Sprintf("%q by %.2f at %v", words, v, r.Min))
		}
		return strings.Join(saw, ", "), false
	})
	return at, which
}

// gone waits until words are no more on the screen.
func (d *Desk) gone(in image.Rectangle, words string) {
	d.t.Helper()
	d.until(fmt.Sprintf("%q is gone from the screen", words), func() (string, bool) {
		r, v := d.sees(words, in)
		return fmt.Sprintf("%.2f at %v", v, r.Min), v < alike
	})
}
