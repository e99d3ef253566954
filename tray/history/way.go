package history

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"pinion/tray/look"
)

// way is the path to the directory that is shown, each part of it a button.
type way struct {
	scroll *container.Scroll
	parts  *fyne.Container
	enter  func(dir string)
}

func newWay(enter func(string)) *way {
	w := &way{parts: look.Line(0), enter: enter}
	w.scroll = container.NewHScroll(w.parts)
	return w
}

// partsMost is how many directories of a deep path are buttons.
const partsMost = 4

func (w *way) draw(v view) {
	w.parts.RemoveAll()
	if v.folder == "" {
		return
	}
	var names []string
	if v.dir != "" {
		names = strings.Split(v.dir, "/")
	}
	w.add(v.folder, "", len(names) == 0)
	first := max(0, len(names)-partsMost)
	for i := first; i < len(names); i++ {
		mark := "›"
		if i == first && first > 0 {
			mark = "› … ›"
		}
		w.parts.Add(look.Middle(look.Secondary(mark).Whole()))
		w.add(names[i], strings.Join(names[:i+1], "/"), i == len(names)-1)
	}
	w.parts.Refresh()
	w.scroll.Refresh()
	w.scroll.ScrollToOffset(fyne.NewPos(w.parts.MinSize().Width, 0)) // the end says most
}

func (w *way) add(name, dir string, here bool) {
	b := look.NewButton(short(name), nil, func() { w.enter(dir) }).Low()
	if here {
		b.Disable()
	}
	w.parts.Add(b)
}
