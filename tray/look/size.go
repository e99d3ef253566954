package look

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
)

// Distances, in Fyne's units. What belongs together stands Near, the parts of a
// card stand Apart, cards and sections stand Clear of each other; a page keeps
// Margin from the edge of the window.
const (
	Near   float32 = 4
	Apart  float32 = 10
	Clear  float32 = 18
	Margin float32 = 22
)

// Pad puts o at a distance from everything around it.
func Pad(o fyne.CanvasObject, vertical, horizontal float32) *fyne.Container {
	return container.New(layout.NewCustomPaddedLayout(vertical, vertical, horizontal, horizontal), o)
}

// Column stacks objects with gaps of one size.
func Column(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(layout.NewCustomPaddedVBoxLayout(gap), objects...)
}

// Line puts objects beside each other with gaps of one size, each as wide as it
// must be. A layout.NewSpacer() takes what is left.
func Line(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(layout.NewCustomPaddedHBoxLayout(gap), objects...)
}

// Middle centres o vertically and leaves it the whole width.
func Middle(o fyne.CanvasObject) *fyne.Container {
	return container.New(middle{}, o)
}

type middle struct{}

func (middle) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, o := range objects {
		size = size.Max(o.MinSize())
	}
	return size
}

func (middle) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		h := o.MinSize().Height
		o.Move(fyne.NewPos(0, (size.Height-h)/2))
		o.Resize(fyne.NewSize(size.Width, h))
	}
}

// Sides puts left at the left with all the room that right leaves; right is as
// wide as it must be. Both are centred vertically.
func Sides(left, right fyne.CanvasObject) *fyne.Container {
	return container.New(sides{}, left, right)
}

type sides struct{}

func (sides) MinSize(o []fyne.CanvasObject) fyne.Size {
	l, r := o[0].MinSize(), o[1].MinSize()
	return fyne.NewSize(l.Width+Apart+r.Width, max(l.Height, r.Height))
}

func (sides) Layout(o []fyne.CanvasObject, size fyne.Size) {
	l, r := o[0].MinSize(), o[1].MinSize()
	right := min(r.Width, size.Width)
	o[0].Move(fyne.NewPos(0, (size.Height-l.Height)/2))
	o[0].Resize(fyne.NewSize(max(0, size.Width-right-Apart), l.Height))
	o[1].Move(fyne.NewPos(size.Width-right, (size.Height-r.Height)/2))
	o[1].Resize(fyne.NewSize(right, r.Height))
}

// Shares gives each object its share of the width, whatever it would like: the
// columns of different rows then stand below each other.
func Shares(gap float32, shares []float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(&sharing{gap: gap, shares: shares}, objects...)
}

type sharing struct {
	gap    float32
	shares []float32
}

func (s *sharing) MinSize(objects []fyne.CanvasObject) fyne.Size {
	size := fyne.NewSize(s.gap*float32(max(0, len(objects)-1)), 0)
	for _, o := range objects {
		m := o.MinSize()
		size.Height = max(size.Height, m.Height)
		size.Width += min(m.Width, 40)
	}
	return size
}

func (s *sharing) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	var sum float32
	for i := range objects {
		sum += s.shares[i]
	}
	room := size.Width - s.gap*float32(len(objects)-1)
	x := float32(0)
	for i, o := range objects {
		w, h := room*s.shares[i]/sum, o.MinSize().Height
		o.Move(fyne.NewPos(x, (size.Height-h)/2))
		o.Resize(fyne.NewSize(w, h))
		x += w + s.gap
	}
}
