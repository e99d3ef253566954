//go:build desktoptest

package desktoptest

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/godbus/dbus/v5"

	"pinion/tray/look"
	"pinion/tray/present"
)

const (
	itemInterface = "org.kde.StatusNotifierItem"
	menuInterface = "com.canonical.dbusmenu"
)

// icon is the program's item in the panel, as the bus tells of it.
type icon struct {
	d    *Desk
	name string // on the bus
	item dbus.BusObject
}

// itemPath is where an item is that registers with its path alone.
const itemPath = "/StatusNotifierItem"

// icon waits until a program has registered an item, with the panel if there is
// one.
func (d *Desk) icon(pid int) *icon {
	d.t.Helper()
	name := fmt.Sprintf("org.kde.StatusNotifierItem-%d-1", pid)
	d.owned(name)
	i := &icon{d: d, name: name, item: d.bus.Object(name, itemPath)}
	d.until("the icon has its properties", func() (string, bool) {
		_, err := i.property("Menu")
		return fmt.Sprint(err), err == nil
	})
	return i
}

// hosted waits until the panel shows the item.
func (i *icon) hosted() {
	i.d.t.Helper()
	var owner string
	if err := i.d.bus.BusObject().Call("org.freedesktop.DBus.GetNameOwner", 0, i.name).Store(&owner); err != nil {
		i.d.t.Fatal(err)
	}
	watcher := i.d.bus.Object("org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher")
	i.d.until("the panel hosts the icon", func() (string, bool) {
		v, err := watcher.GetProperty("org.kde.StatusNotifierWatcher.RegisteredStatusNotifierItems")
		if err != nil {
			return err.Error(), false
		}
		items := fmt.Sprint(v.Value())
		return items, strings.Contains(items, owner) || strings.Contains(items, i.name)
	})
}

func (i *icon) property(name string) (dbus.Variant, error) {
	return i.item.GetProperty(itemInterface + "." + name)
}

// tooltip is the icon's line of truth.
func (i *icon) tooltip() string {
	v, err := i.property("ToolTip")
	if err != nil {
		return "no tooltip: " + err.Error()
	}
	if s, ok := v.Value().([]any); ok && len(s) == 4 {
		title, _ := s[2].(string)
		text, _ := s[3].(string)
		return strings.TrimSpace(title + " " + text)
	}
	return fmt.Sprint(v.Value())
}

// picture is the icon's largest picture.
func (i *icon) picture() (*image.NRGBA, error) {
	v, err := i.property("IconPixmap")
	if err != nil {
		return nil, err
	}
	maps, ok := v.Value().([][]any)
	if !ok || len(maps) == 0 {
		return nil, fmt.Errorf("the icon has no picture: %T", v.Value())
	}
	m := maps[0]
	w, h, pix := int(m[0].(int32)), int(m[1].(int32)), m[2].([]byte)
	if w <= 0 || h <= 0 || len(pix) != 4*w*h {
		return nil, fmt.Errorf("the icon's picture is %d by %d of %d bytes", w, h, len(pix))
	}
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for n := range w * h {
		p := pix[4*n:]
		img.SetNRGBA(n%w, n/w, color.NRGBA{R: p[1], G: p[2], B: p[3], A: p[0]})
	}
	return img, nil
}

// state is which of the program's icons it is, by its picture.
func (i *icon) state() string {
	img, err := i.picture()
	if err != nil {
		return err.Error()
	}
	for s := present.IconInSync; s <= present.IconNotRunning; s++ {
		for frame := range look.Frames {
			for _, on := range []look.Panel{look.AnyPanel, look.LightPanel, look.DarkPanel} {
				if b, err := look.TrayIcon(s, frame, on, img.Bounds().Dx()); err == nil && same(img, b) {
					return s.String()
				}
			}
		}
	}
	_ = savePNG(filepath.Join(i.d.shots, "unknown icon.png"), img)
	return fmt.Sprintf("a picture of %v that is none of the program's icons", img.Bounds().Max)
}

func same(img *image.NRGBA, encoded []byte) bool {
	other, err := png.Decode(bytes.NewReader(encoded))
	if err != nil || other.Bounds().Size() != img.Bounds().Size() {
		return false
	}
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			a, b := img.NRGBAAt(x, y), color.NRGBAModel.Convert(other.At(x, y)).(color.NRGBA)
			// Where there is hardly any ink its colour is of no account.
			if far(a.A, b.A) || a.A > 16 && (far(a.R, b.R) || far(a.G, b.G) || far(a.B, b.B)) {
				return false
			}
		}
	}
	return true
}

func far(a, b uint8) bool { return max(a, b)-min(a, b) > 4 }

// looks waits until the icon is the one for a state.
func (i *icon) looks(state present.Icon) {
	i.d.t.Helper()
	i.d.until(fmt.Sprintf("the icon is the one for %q", state), func() (string, bool) {
		saw := i.state()
		return saw + "; tooltip: " + i.tooltip(), saw == state.String()
	})
}

// entry is one line of the menu.
type entry struct {
	id       int32
	label    string // as a person reads it
	enabled  bool
	visible  bool
	line     bool // a separator
	children []entry
}

// menu reads the whole menu.
func (i *icon) menu() ([]entry, error) {
	o, err := i.menuObject()
	if err != nil {
		return nil, err
	}
	var revision uint32
	var root struct {
		ID       int32
		Props    map[string]dbus.Variant
		Children []dbus.Variant
	}
	if err := o.Call(menuInterface+".GetLayout", 0, int32(0), int32(-1), []string{}).Store(&revision, &root); err != nil {
		return nil, fmt.Errorf("read the menu: %w", err)
	}
	return entries(root.Children), nil
}

func (i *icon) menuObject() (dbus.BusObject, error) {
	v, err := i.property("Menu")
	if err != nil {
		return nil, err
	}
	path, ok := v.Value().(dbus.ObjectPath)
	if !ok {
		return nil, fmt.Errorf("the item's Menu is a %T", v.Value())
	}
	return i.d.bus.Object(i.name, path), nil
}

func entries(vs []dbus.Variant) []entry {
	var out []entry
	for _, v := range vs {
		f, ok := v.Value().([]any)
		if !ok || len(f) != 3 {
			continue
		}
		e := entry{enabled: true, visible: true}
		e.id, _ = f[0].(int32)
		props, _ := f[1].(map[string]dbus.Variant)
		for name, p := range props {
			switch name {
			case "label":
				s, _ := p.Value().(string)
				e.label = asShown(s)
			case "enabled":
				e.enabled, _ = p.Value().(bool)
			case "visible":
				e.visible, _ = p.Value().(bool)
			case "type":
				e.line = p.Value() == "separator"
			}
		}
		children, _ := f[2].([]dbus.Variant)
		e.children = entries(children)
		out = append(out, e)
	}
	return out
}

// asShown is what a menu makes of a label: an underline marks the letter that
// follows, two are one.
func asShown(label string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(label, "__", "\x00"), "_", ""), "\x00", "_")
}

// lines is the menu as text, sub-menus set in.
func lines(es []entry) string {
	var b strings.Builder
	var walk func([]entry, string)
	walk = func(es []entry, in string) {
		for _, e := range es {
			if !e.visible {
				continue
			}
			text := e.label
			if e.line {
				text = "----"
			} else if !e.enabled {
				text += "   (off)"
			}
			fmt.Fprintf(&b, "%s%s\n", in, text)
			walk(e.children, in+"    ")
		}
	}
	walk(es, "")
	return b.String()
}

// item finds a line by a pattern, depth first; path names the sub-menus that
// lead to it.
func item(es []entry, path ...string) (entry, bool) {
	if len(path) == 0 {
		return entry{}, false
	}
	for _, e := range es {
		if !e.visible || e.line || !regexp.MustCompile(path[0]).MatchString(e.label) {
			continue
		}
		if len(path) == 1 {
			return e, true
		}
		if c, ok := item(e.children, path[1:]...); ok {
			return c, true
		}
	}
	return entry{}, false
}

// shows waits until the menu has the line.
func (i *icon) shows(path ...string) entry {
	i.d.t.Helper()
	var found entry
	i.d.until(fmt.Sprintf("the menu shows %q", strings.Join(path, " > ")), func() (string, bool) {
		es, err := i.menu()
		if err != nil {
			return err.Error(), false
		}
		e, ok := item(es, path...)
		found = e
		return "\n" + lines(es), ok
	})
	return found
}

// hides waits until the menu has no such line.
func (i *icon) hides(path ...string) {
	i.d.t.Helper()
	i.d.until(fmt.Sprintf("the menu shows no %q", strings.Join(path, " > ")), func() (string, bool) {
		es, err := i.menu()
		if err != nil {
			return err.Error(), false
		}
		_, ok := item(es, path...)
		return "\n" + lines(es), !ok
	})
}

// choose clicks the line of the menu. Ids change with each refresh, so it is
// looked up until a click was taken.
func (i *icon) choose(path ...string) {
	i.d.t.Helper()
	i.d.until(fmt.Sprintf("%q can be chosen in the menu", strings.Join(path, " > ")), func() (string, bool) {
		es, err := i.menu()
		if err != nil {
			return err.Error(), false
		}
		e, ok := item(es, path...)
		if !ok || !e.enabled {
			return "\n" + lines(es), false
		}
		o, err := i.menuObject()
		if err != nil {
			return err.Error(), false
		}
		if err := o.Call(menuInterface+".Event", 0, e.id, "clicked", dbus.MakeVariant(""), uint32(0)).Err; err != nil {
			return err.Error(), false
		}
		i.d.did("chose %q in the menu", e.label)
		return "", true
	})
}

// says waits until the tooltip matches.
func (i *icon) says(pattern string) {
	i.d.t.Helper()
	i.d.until(fmt.Sprintf("the tooltip says %q", pattern), func() (string, bool) {
		tip := i.tooltip()
		return tip, regexp.MustCompile(pattern).MatchString(tip)
	})
}

// panelIcon finds the icon's place in the panel: where the panel's process for
// icons has its window.
func (d *Desk) panelIcon() (image.Rectangle, bool) {
	out, err := d.run("xdotool", "search", "--onlyvisible", "--class", "wrapper-2.0")
	if err != nil {
		return image.Rectangle{}, false
	}
	img, err := d.screen.picture()
	if err != nil {
		return image.Rectangle{}, false
	}
	for _, id := range strings.Fields(out) {
		r := d.geometry(id)
		if r.Dy() < 16 || r.Dx() < 16 || r.Min.Y > 40 {
			continue
		}
		if g := grayOf(img, r); spread(g.pix) > 40 { // something is drawn there
			return r, true
		}
	}
	return image.Rectangle{}, false
}

func spread(pix []float32) float32 {
	low, high := float32(255), float32(0)
	for _, p := range pix {
		low, high = min(low, p), max(high, p)
	}
	return high - low
}
