//go:build !darwin || cgo

package tray

import (
	"bytes"
	"context"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"fyne.io/systray"

	"pinion/tray/present"
)

// lazyLoop: the icon lives on D-Bus and needs no loop of Fyne's.
const lazyLoop = runtime.GOOS != "windows" && runtime.GOOS != "darwin"

// systrayFace is the icon and menu of the desktop's tray. What is set before the
// system is ready is shown as soon as it is.
type systrayFace struct {
	clicks chan<- present.Action

	mu      sync.Mutex
	ready   bool
	end     func()
	icon    []byte
	tip     string
	items   []present.Item
	lines   []*line
	applied struct {
		icon []byte
		tip  string
	}
}

// line is one item of the menu that is there.
type line struct {
	item *systray.MenuItem // nil: a separator
	text string
	do   atomic.Pointer[present.Action]
	sub  []*line
}

func newFace(clicks chan<- present.Action) face {
	// Where the menu comes up at the icon's first click that is what people expect.
	if runtime.GOOS != "darwin" {
		systray.SetOnTapped(func() { send(clicks, present.Action{Verb: present.OpenWindow}) })
	}
	return &systrayFace{clicks: clicks, ready: lazyLoop}
}

// begin shows the icon; another loop (Fyne's, or none on D-Bus) carries it. Where it
// lives on D-Bus it is complete before anybody can ask for it.
func (f *systrayFace) begin() {
	if lazyLoop {
		systray.SetTitle("Pinion")
	}
	start, end := systray.RunWithExternalLoop(f.isReady, func() {})
	f.mu.Lock()
	f.end = end
	f.mu.Unlock()
	start()
}

// loop shows the icon and carries it itself, until ctx ends.
func (f *systrayFace) loop(ctx context.Context) {
	stop := context.AfterFunc(ctx, systray.Quit)
	defer stop()
	systray.Run(f.isReady, func() {})
}

func (f *systrayFace) isReady() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ready = true
	f.apply()
}

func (f *systrayFace) stop() {
	f.mu.Lock()
	end := f.end
	f.end, f.ready = nil, false
	f.mu.Unlock()
	if end != nil {
		end()
	}
}

// show sets all that there is to see.
func (f *systrayFace) show(icon []byte, tip string, items []present.Item) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.icon, f.tip = icon, tip
	if f.ready {
		f.apply()
	}
	f.menu(items)
}

// apply changes what differs. The caller holds the lock.
func (f *systrayFace) apply() {
	if !bytes.Equal(f.applied.icon, f.icon) && f.icon != nil {
		f.applied.icon = f.icon
		if runtime.GOOS == "darwin" {
			systray.SetTemplateIcon(f.icon, f.icon)
		} else {
			systray.SetIcon(osIcon(f.icon))
		}
	}
	if f.applied.tip != f.tip {
		f.applied.tip = f.tip
		systray.SetTooltip(f.tip)
	}
	if f.lines == nil && f.items != nil {
		f.lines = f.build(nil, f.items)
	}
}

// menu shows items: in place where only words have changed, so that a menu that is
// open stays open. The caller holds the lock.
func (f *systrayFace) menu(items []present.Item) {
	old := f.items
	f.items = items
	switch {
	case !f.ready || present.SameMenu(old, items) && f.lines != nil:
	case f.lines != nil && present.SameShape(old, items):
		update(f.lines, items)
	default:
		if f.lines != nil {
			systray.ResetMenu()
		}
		f.lines = f.build(nil, items)
	}
}

func (f *systrayFace) build(parent *systray.MenuItem, items []present.Item) []*line {
	lines := make([]*line, 0, len(items))
	for _, i := range items {
		l := &line{text: i.Text}
		l.do.Store(&i.Do)
		lines = append(lines, l)
		switch {
		case i.Text == "" && parent == nil:
			systray.AddSeparator()
		case i.Text == "":
			parent.AddSeparator()
		case parent == nil:
			l.item = systray.AddMenuItem(escapeLabel(i.Text), "")
		default:
			l.item = parent.AddSubMenuItem(escapeLabel(i.Text), "")
		}
		if l.item == nil {
			continue
		}
		if dead(i) {
			l.item.Disable()
		}
		go func() { // ends when the item is removed, which closes the channel
			for range l.item.ClickedCh {
				send(f.clicks, *l.do.Load())
			}
		}()
		l.sub = f.build(l.item, i.Sub)
	}
	return lines
}

func update(lines []*line, items []present.Item) {
	for n, i := range items {
		l := lines[n]
		was := *l.do.Load()
		l.do.Store(&i.Do)
		if l.item != nil && l.text != i.Text {
			l.text = i.Text
			l.item.SetTitle(escapeLabel(i.Text))
		}
		if now := dead(i); l.item != nil && now != (was.Verb == present.Nothing && len(i.Sub) == 0) {
			if now {
				l.item.Disable()
			} else {
				l.item.Enable()
			}
		}
		update(l.sub, i.Sub)
	}
}

func dead(i present.Item) bool { return i.Do.Verb == present.Nothing && len(i.Sub) == 0 }

// escapeLabel keeps the system from reading a name's letters as the marks of keys.
func escapeLabel(text string) string {
	switch runtime.GOOS {
	case "windows":
		return strings.ReplaceAll(text, "&", "&&")
	case "darwin":
		return text
	}
	return strings.ReplaceAll(text, "_", "__")
}
