//go:build desktoptest

package desktoptest

import (
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"pinion/tray/present"
)

// TestPictures makes the pictures that the README shows, into PINION_PICTURES_DIR:
// the real program, with real engines and a made-up person's files.
func TestPictures(t *testing.T) {
	dir := os.Getenv("PINION_PICTURES_DIR")
	if dir == "" {
		t.Skip("only when it is asked for: make pictures")
	}
	for _, variant := range []string{"light", "dark"} {
		t.Run(variant, func(t *testing.T) {
			s := &sitting{dir: dir, variant: variant}
			s.Desk = newDesk(t, deskOptions{dark: variant == "dark", w: 1400, h: 900})
			s.prepare()
			s.pages()
		})
	}
}

// sitting is one run through all pages.
type sitting struct {
	*Desk
	dir, variant        string
	laptop, attic, mums *device
	icon                *icon
}

const mostBytes = 150 << 10 // of a picture in the repository

// prepare makes Pat's three devices, and what she would see on an ordinary day.
// .ci/pictures gives her a home and addresses of her own, where it can.
func (s *sitting) prepare() {
	s.laptop, s.attic, s.mums = s.device("pats-laptop", false), s.device("pi-attic", true), s.device("pi-at-mums", true)
	if home := os.Getenv("PINION_PICTURES_HOME"); home != "" {
		s.laptop.root = home
		if _, err := os.Stat(s.laptop.folder("Documents")); err == nil {
			s.t.Fatalf("%s is somebody's home", home)
		}
		s.t.Cleanup(func() {
			for _, f := range []string{"Documents", "Photos", "Music"} {
				_ = os.RemoveAll(s.laptop.folder(f))
			}
		})
		s.laptop.listen, s.attic.listen, s.mums.listen = "192.168.1.20:27464", "192.168.1.21:27464", "203.0.113.7:27464"
	}
	mkdir(s.t, s.laptop.root)
	for _, v := range []*device{s.laptop, s.attic, s.mums} {
		v.start()
	}
	s.attic.pair(s.laptop)
	s.attic.pair(s.mums)
	st, err := s.mums.state()
	if err != nil {
		s.t.Fatal(err)
	}
	s.laptop.pinion("device", "set", "pi-at-mums", "--address", st.Device.Listen)
	s.photos()
	s.laptop.share("Documents", papers)
	s.laptop.pinion("folder", "add", s.laptop.folder("Photos"), "--name", "Photos")
	s.laptop.share("Music", map[string]string{"Kim - Harbour lights.ogg": noise(3_000_000), "Kim - Low tide.ogg": noise(2_000_000)})
	for _, f := range []string{"Documents", "Photos", "Music"} {
		s.level(f, s.laptop, s.attic, s.mums)
	}
	base := s.laptop.folder("Documents")
	write(s.t, filepath.Join(base, "Boat/budget 2026.csv"), "item,euro\nrope,84\npaint,129\nmooring,410\n")
	write(s.t, filepath.Join(s.attic.folder("Documents"), "Recipes/fish soup.md"), "# Fish soup\n\n- leek\n- saffron\n- cod\n")
	_ = os.Remove(filepath.Join(base, "Letters/old draft.txt"))
	_ = os.Rename(filepath.Join(base, "Boat/plan.txt"), filepath.Join(base, "Boat/plan of the refit.txt"))
	s.level("Documents", s.laptop, s.attic, s.mums)
	s.conflict(s.laptop, s.attic, "Documents", "Letters/to Kim.txt", letterLaptop, letterAttic)
	s.until("all know of the conflict", func() (string, bool) {
		c, err := s.mums.Conflicts(s.t.Context())
		return fmt.Sprint(c, err), len(c) > 0
	})
	s.icon = s.Desk.icon(s.laptop.tray().pid())
	s.icon.looks(present.IconNeeds)
	s.window()
}

// pages goes through the window.
func (s *sitting) pages() {
	s.reads(s.window().rect, "Documents")
	for n, name := range []string{"overview", "activity", "conflicts", "history", "devices", "settings"} {
		s.front()
		s.key(fmt.Sprintf("ctrl+%d", n+1))
		time.Sleep(1500 * time.Millisecond)
		s.take(name)
		switch name {
		case "history":
			s.clickWords("Letters")
			time.Sleep(1500 * time.Millisecond)
			s.take(name)
		case "conflicts":
			if r, v := s.sees("to Kim.txt", s.window().rect); v >= alike {
				s.click(r)
				time.Sleep(1500 * time.Millisecond)
				s.take("conflict")
				s.key("Escape")
			}
		}
	}
	s.front()
	s.key("ctrl+1")
	s.icon.choose("^Add device…$")
	time.Sleep(2 * time.Second)
	s.take("invite")
	s.key("Escape")
	if at, ok := s.panelIcon(); ok && s.variant == "dark" {
		s.closeWindow()
		s.press(at, "3")
		time.Sleep(time.Second)
		s.xdo("mousemove", "1100", "700") // beside the menu, which stays open
		time.Sleep(300 * time.Millisecond)
		if img, err := s.screen.picture(); err == nil {
			s.keep("menu", img.SubImage(drawn(img, image.Rect(900, 36, 1400, 600)).Union(image.Rect(1390, 0, 1400, 40))))
		}
		s.key("Escape")
	}
}

// front gives the window the keyboard, and takes the pointer away.
func (s *sitting) front() {
	w := s.window()
	s.xdo("windowactivate", "--sync", w.id)
	s.xdo("mousemove", "1390", "890")
}

// take keeps a picture of the window.
func (s *sitting) take(name string) {
	s.xdo("mousemove", "1390", "890")
	time.Sleep(300 * time.Millisecond)
	img, err := s.screen.picture()
	if err != nil {
		s.t.Fatal(err)
	}
	s.keep(name, img.SubImage(s.window().rect))
}

// keep writes a small PNG.
func (s *sitting) keep(name string, img image.Image) {
	s.t.Helper()
	path := filepath.Join(s.dir, name+"-"+s.variant+".png")
	f, err := os.Create(path)
	if err != nil {
		s.t.Fatal(err)
	}
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(f, img)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := exec.LookPath("pngquant"); err == nil {
		_ = exec.Command("pngquant", "--quality", "80-98", "--speed", "1", "--strip", "--force", "--skip-if-larger", "--output", path, path).Run()
	}
	if st, err := os.Stat(path); err != nil || st.Size() > mostBytes {
		s.t.Errorf("%s: %v bytes, at most %d are wanted", path, st.Size(), mostBytes)
	}
	s.t.Logf("%s", path)
}

// drawn is the part of the desktop, which is black, on which something is.
func drawn(img image.Image, in image.Rectangle) image.Rectangle {
	var box image.Rectangle
	for y := in.Min.Y; y < in.Max.Y; y++ {
		for x := in.Min.X; x < in.Max.X; x++ {
			if r, g, b, _ := img.At(x, y).RGBA(); r+g+b > 0 {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return box
}

// photos are pictures that look like something: skies over a sea.
func (s *sitting) photos() {
	dir := filepath.Join(s.laptop.folder("Photos"), "2026 Summer")
	mkdir(s.t, dir)
	for n := range 24 {
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("IMG_%04d.jpg", 4711+n)))
		if err != nil {
			s.t.Fatal(err)
		}
		if err := jpeg.Encode(f, sky(800, 600, float64(n)/24), &jpeg.Options{Quality: 88}); err != nil {
			s.t.Fatal(err)
		}
		f.Close()
	}
}

func sky(w, h int, at float64) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			v := float64(y) / float64(h)
			r, g, b := 90+140*v+20*at, 130+70*v, 200-60*at*v
			if v > 0.62 {
				wave := math.Sin(float64(x)/17+float64(y)/5) * 6
				r, g, b = 20+30*at+wave, 70+40*(v-0.62)+wave, 110-30*at+wave
			}
			if d := math.Hypot(float64(x)-float64(w)*(0.2+0.6*at), float64(y)-float64(h)*0.4); d < 46 {
				r, g, b = 255, 236, 190
			}
			img.SetRGBA(x, y, color.RGBA{uint8(max(0, min(255, r))), uint8(max(0, min(255, g))), uint8(max(0, min(255, b))), 255})
		}
	}
	return img
}

// noise is a text that does not compress, the same in each run.
func noise(n int) string {
	b := make([]byte, n)
	x := uint32(2463534242)
	for k := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[k] = byte(x)
	}
	return "OggS" + string(b)
}

var papers = map[string]string{
	"Letters/to Kim.txt":        letterBase,
	"Letters/old draft.txt":     "Dear Kim,\n\nI never sent this.\n",
	"Letters/harbour office.md": "# Berth 14\n\nWe would like to keep the berth for another year.\n",
	"Boat/budget 2026.csv":      "item,euro\nrope,80\npaint,129\n",
	"Boat/plan.txt":             "1. hull\n2. mast\n3. sails\n",
	"Boat/insurance.txt":        "Policy 0815-4711\n",
	"Recipes/fish soup.md":      "# Fish soup\n\n- leek\n- cod\n",
	"Recipes/bread.md":          "# Bread\n\n- rye\n- salt\n- a night's rest\n",
	"Taxes/2025/summary.txt":    "All sent in.\n",
}

const (
	letterBase = `Dear Kim,

the boat is nearly ready. We painted the hull last week
and the new rope has come.

We sail on Sunday at nine. Bring warm clothes.

Mum sends her love.

Yours, Pat
`
	letterLaptop = `Dear Kim,

the boat is ready. We painted the hull last week
and the new rope has come.

We sail on Saturday at nine. Bring warm clothes
and the good thermos.

Mum sends her love.

Yours, Pat
`
	letterAttic = `Dear Kim,

the boat is nearly ready. We painted the hull last week
and the new rope has come, in blue.

We sail on Sunday at half past ten. Bring warm clothes.

Mum sends her love.

Yours, Pat
`
)
