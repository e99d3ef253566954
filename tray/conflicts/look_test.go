package conflicts

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"pinion/tray/traytest"
)

const prose = `# The garden

We plant the beans in May, when the nights are warm, and the peas a month before them.
Water in the evening.

`

// garden is a text, once of the laptop and once of the Pi, and what both were made
// from.
func garden() (this, that, base string) {
	var long strings.Builder
	for i := range 60 {
		fmt.Fprintf(&long, "Bed %d: carrots, onions, a row of lettuce\n", i+1)
	}
	base = prose + long.String() + "\nTools are in the shed.\nThe key hangs behind the door.\n"
	this = strings.Replace(base, "when the nights are warm", "after the last frost", 1)
	this = strings.Replace(this, "The key hangs behind the door.", "The key is with Ada.", 1)
	that = strings.Replace(base, "in May, when the nights are warm", "in June, when the nights are really warm", 1)
	that = strings.Replace(that, "Bed 30: carrots, onions, a row of lettuce\n", "Bed 30: potatoes\nBed 30b: pumpkins\n", 1)
	return this, that, base
}

func gallery(t *testing.T) *fake {
	t.Helper()
	f := newFake()
	this, that, base := garden()
	k := f.edit("notes", "garden/plan.txt", this, that, base)
	k.Differ = nil
	f.list[0] = k
	f.edit("notes", "shopping list.txt", "milk\nbread\n", "milk\nbutter\n", "")
	f.deletion("notes", "old/letter to the landlord.txt", "Dear Sir,\nthe heating is out again.\n")
	p := f.edit("photos", "2026/harvest.png", "", "", "")
	for i, size := range []image.Point{{640, 400}, {320, 400}} {
		c := p.ThisContent
		if i == 1 {
			c = p.ThatContent
		}
		f.media[c] = "image/png"
		f.text[c] = sunset(t, size, i)
	}
	b := f.edit("photos", "catalogue.db", "\x00\x01", "\x00\x02", "")
	f.media[b.ThisContent], f.media[b.ThatContent] = "application/vnd.sqlite3", "application/vnd.sqlite3"
	return f
}

func sunset(t *testing.T, size image.Point, hue int) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			v := uint8(255 * y / size.Y)
			c := color.NRGBA{255 - v/3, 160 - v/2, 60 + v/3, 255}
			if dx, dy := x-size.X/2, y-size.Y/2; dx*dx+dy*dy < 60*60 {
				c = color.NRGBA{255, 230, uint8(100 + 80*hue), 255}
			}
			img.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestPictures draws the page in its states, for a person to look at and for
// comparison with what was looked at.
func TestPictures(t *testing.T) {
	for _, size := range []fyne.Size{fyne.NewSize(980, 640), fyne.NewSize(760, 520)} {
		for _, dark := range []bool{false, true} {
			golden := !dark && size.Width > 900
			if !golden && os.Getenv("PINION_PICTURES") == "" {
				continue
			}
			name := fmt.Sprintf("%vx%v-%s", size.Width, size.Height, map[bool]string{false: "light", true: "dark"}[dark])
			for _, x := range []struct {
				name string
				do   func(p *Page)
			}{
				{"list", func(*Page) {}},
				{"text", func(p *Page) { p.show(p.items[0]) }},
				{"armed", func(p *Page) { p.show(p.items[0]); press(p, fyne.Key2) }},
				{"merge", func(p *Page) { p.show(p.items[0]); press(p, fyne.KeyM) }},
				{"merged", func(p *Page) { p.show(p.items[0]); press(p, fyne.KeyM, fyne.Key1, fyne.KeyDown, fyne.KeyReturn) }},
				{"whole", func(p *Page) { p.show(p.items[0]); press(p, fyne.KeyM, fyne.Key1); p.open.merging.toggleWhole() }},
				{"nobase", func(p *Page) { p.show(p.items[1]) }},
				{"deletion", func(p *Page) { p.show(p.items[2]) }},
				{"pictures", func(p *Page) { p.show(p.items[3]) }},
				{"binary", func(p *Page) { p.show(p.items[4]) }},
				{"settled", func(p *Page) { p.show(p.items[1]); press(p, fyne.Key2, fyne.KeyReturn) }},
				{"over", func(p *Page) {
					p.show(p.items[1])
					f := p.h.Engine().(*fake)
					f.list = f.list[:1]
					p.Update(f.state())
				}},
				{"bulk", func(p *Page) { newBulk(p, "notes").show() }},
			} {
				p, h := opened(t, gallery(t), dark, size.Width, size.Height)
				x.do(p)
				h.W.Resize(size)
				traytest.Picture(t, h.W.Canvas(), x.name+"-"+name)
				if golden && slices.Contains([]string{"list", "text", "merge", "deletion", "settled"}, x.name) {
					traytest.Markup(t, h.W.Canvas(), x.name)
				}
			}
			f := newFake()
			_, h := opened(t, f, dark, size.Width, size.Height)
			traytest.Picture(t, h.W.Canvas(), "empty-"+name)
		}
	}
}

func press(p *Page, keys ...fyne.KeyName) {
	for _, k := range keys {
		p.Key(&fyne.KeyEvent{Name: k})
	}
}
