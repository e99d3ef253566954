//go:build desktoptest

package desktoptest

import (
	"fmt"
	"image"
	"strconv"
	"strings"
	"time"
)

// xdo moves the pointer and presses keys as a person does.
func (d *Desk) xdo(args ...string) string {
	d.t.Helper()
	out, err := d.run("xdotool", args...)
	if err != nil {
		d.t.Fatalf("xdotool %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return out
}

// click presses the pointer's left button in the middle of what was found.
func (d *Desk) click(at image.Rectangle) {
	d.t.Helper()
	d.press(at, "1")
}

func (d *Desk) press(at image.Rectangle, button string) {
	d.t.Helper()
	x, y := (at.Min.X+at.Max.X)/2, (at.Min.Y+at.Max.Y)/2
	// In two steps: a program may need to see the pointer come before it is pressed.
	d.xdo("mousemove", strconv.Itoa(x-3), strconv.Itoa(y-2))
	time.Sleep(60 * time.Millisecond)
	d.xdo("mousemove", strconv.Itoa(x), strconv.Itoa(y))
	time.Sleep(60 * time.Millisecond)
	d.xdo("mousedown", button)
	time.Sleep(40 * time.Millisecond)
	d.xdo("mouseup", button)
}

// clickWords clicks the first of the wordings that can be read.
func (d *Desk) clickWords(wordings ...string) {
	d.t.Helper()
	at, which := d.reads(d.window().rect, wordings...)
	d.click(at)
	d.did("clicked %q", which)
}

func (d *Desk) key(keys ...string) {
	d.t.Helper()
	for _, k := range keys {
		d.xdo("key", k)
		time.Sleep(60 * time.Millisecond)
	}
}

func (d *Desk) typeText(text string) {
	d.t.Helper()
	d.xdo("type", "--delay", "15", "--", text)
}

// aWindow is one on the screen.
type aWindow struct {
	id    string
	title string
	rect  image.Rectangle
}

// windowTitle is what the program's window is called.
const windowTitle = "Pinion"

// windows are those that can be seen and whose title begins as the program's.
func (d *Desk) windows() []aWindow {
	out, err := d.run("xdotool", "search", "--onlyvisible", "--name", "^"+windowTitle)
	if err != nil {
		return nil
	}
	var all []aWindow
	for _, id := range strings.Fields(out) {
		w := aWindow{id: id, rect: d.framed(id)}
		w.title, _ = d.run("xdotool", "getwindowname", id)
		if w.rect.Dx() > 100 && w.rect.Dy() > 100 {
			all = append(all, w)
		}
	}
	return all
}

// geometry is where a window of X is.
func (d *Desk) geometry(id string) image.Rectangle {
	g, err := d.run("xdotool", "getwindowgeometry", "--shell", id)
	if err != nil {
		return image.Rectangle{}
	}
	v := map[string]int{}
	for _, line := range strings.Fields(g) {
		name, number, _ := strings.Cut(line, "=")
		v[name], _ = strconv.Atoi(number)
	}
	return image.Rect(v["X"], v["Y"], v["X"]+v["WIDTH"], v["Y"]+v["HEIGHT"])
}

// framed is where a window in a frame is. xdotool counts the frame twice, so the
// pointer is asked.
func (d *Desk) framed(id string) image.Rectangle {
	r := d.geometry(id)
	was := d.pointer()
	if _, err := d.run("xdotool", "mousemove", "--window", id, "0", "0"); err != nil {
		return image.Rectangle{}
	}
	at := d.pointer()
	_, _ = d.run("xdotool", "mousemove", strconv.Itoa(was.X), strconv.Itoa(was.Y))
	return r.Add(at.Sub(r.Min))
}

// pointer is where the pointer is.
func (d *Desk) pointer() image.Point {
	out, _ := d.run("xdotool", "getmouselocation")
	var p image.Point
	_, _ = fmt.Sscanf(out, "x:%d y:%d", &p.X, &p.Y)
	return p
}

// window waits for the program's window.
func (d *Desk) window() aWindow {
	d.t.Helper()
	var w aWindow
	d.until("the window is shown", func() (string, bool) {
		all := d.windows()
		if len(all) == 0 {
			return "no window whose title begins with " + windowTitle, false
		}
		// The window manager may still be placing it.
		was := w.rect
		w = all[0]
		return fmt.Sprintf("it moves: %v, %v", was, w.rect), w.rect == was
	})
	return w
}

// noWindow waits until it is closed.
func (d *Desk) noWindow() {
	d.t.Helper()
	d.until("the window is closed", func() (string, bool) {
		all := d.windows()
		return fmt.Sprint(all), len(all) == 0
	})
}

// active is the title of the window that has the keyboard.
func (d *Desk) active() string {
	out, err := d.run("xdotool", "getactivewindow", "getwindowname")
	if err != nil {
		return ""
	}
	return out
}

// closeWindow does what the button in the window's frame does.
func (d *Desk) closeWindow() {
	d.t.Helper()
	w := d.window()
	d.xdo("windowactivate", "--sync", w.id)
	d.key("alt+F4")
	d.noWindow()
}
