package look

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// Rows is a page that scrolls: rows of different kinds and heights, below each
// other. Only those that can be seen exist as widgets; others of the same kind are
// made of them as the page scrolls. A widget.List has rows of one kind, with
// heights that do not follow the width.
type Rows struct {
	widget.BaseWidget
	// Height of row i at a width. It is asked of every row with each Refresh, so it
	// reckons rather than lays out.
	Height func(i int, width float32) float32
	Kind   func(i int) int // rows of one kind may take each other's widgets
	Make   func(kind int) fyne.CanvasObject
	Draw   func(i int, o fyne.CanvasObject)

	count  int
	gap    float32
	scroll *container.Scroll
	inner  *rowsInner
}

// NewRows makes an empty page, with a gap between rows. Set Height, Kind, Make and
// Draw before SetCount.
func NewRows(gap float32) *Rows {
	r := &Rows{gap: gap}
	r.inner = &rowsInner{rows: r, seen: map[int]seenRow{}, spare: map[int][]fyne.CanvasObject{}}
	r.inner.ExtendBaseWidget(r.inner)
	r.scroll = container.NewVScroll(r.inner)
	r.scroll.OnScrolled = func(fyne.Position) { r.inner.place(false) }
	r.ExtendBaseWidget(r)
	return r
}

// SetCount says how many rows there are now, and draws those that are seen anew.
func (r *Rows) SetCount(n int) {
	r.count = n
	r.inner.measure()
	r.inner.place(true)
	r.scroll.Refresh() // its bar
}

// Alive is how many rows exist as widgets.
func (r *Rows) Alive() int { return len(r.inner.seen) }

// Top scrolls to the first row.
func (r *Rows) Top() { r.scroll.ScrollToTop() }

// CreateRenderer belongs to Fyne.
func (r *Rows) CreateRenderer() fyne.WidgetRenderer { return &rowsRenderer{of: r} }

type rowsRenderer struct{ of *Rows }

func (r *rowsRenderer) MinSize() fyne.Size { return fyne.NewSize(200, 120) }
func (r *rowsRenderer) Layout(size fyne.Size) {
	r.of.scroll.Resize(size)
	r.of.inner.measure()
	r.of.inner.place(true)
}
func (r *rowsRenderer) Refresh()                     { r.of.SetCount(r.of.count) }
func (r *rowsRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.of.scroll} }
func (r *rowsRenderer) Destroy()                     {}

type seenRow struct {
	kind int
	o    fyne.CanvasObject
}

// rowsInner is what is scrolled: as high as all rows are together.
type rowsInner struct {
	widget.BaseWidget
	rows    *Rows
	ends    []float32 // where each row ends
	width   float32
	seen    map[int]seenRow
	spare   map[int][]fyne.CanvasObject
	objects []fyne.CanvasObject
	placing bool
}

func (n *rowsInner) measure() {
	r := n.rows
	n.width = r.scroll.Size().Width
	if cap(n.ends) < r.count {
		n.ends = make([]float32, 0, r.count)
	}
	n.ends = n.ends[:0]
	y := float32(0)
	for i := range r.count {
		y += r.Height(i, n.width)
		n.ends = append(n.ends, y)
		y += r.gap
	}
}

func (n *rowsInner) height() float32 {
	if len(n.ends) == 0 {
		return 0
	}
	return n.ends[len(n.ends)-1]
}

// place gives each row that can be seen its widget and its place; with draw also
// those that had it before are drawn anew.
func (n *rowsInner) place(draw bool) {
	r := n.rows
	view := r.scroll.Size().Height
	if n.placing || n.width <= 0 || view <= 0 || r.Draw == nil {
		return
	}
	n.placing = true
	defer func() { n.placing = false }()
	n.Resize(fyne.NewSize(n.width, max(n.height(), view)))
	from, to := n.visible(r.scroll.Offset.Y, view)
	changed := n.retire(from, to)
	for i := from; i < to; i++ {
		kind, fresh := r.Kind(i), false
		s, ok := n.seen[i]
		if !ok {
			s, fresh, changed = seenRow{kind, n.take(kind)}, true, true
			n.seen[i] = s
		}
		top := float32(0)
		if i > 0 {
			top = n.ends[i-1] + r.gap
		}
		s.o.Move(fyne.NewPos(0, top))
		s.o.Resize(fyne.NewSize(n.width, n.ends[i]-top))
		if fresh || draw {
			r.Draw(i, s.o)
		}
		s.o.Show()
	}
	if changed {
		n.collect(from, to)
		n.Refresh()
	}
}

// visible gives the rows from one to before another.
func (n *rowsInner) visible(offset, view float32) (from, to int) {
	for from < len(n.ends) && n.ends[from] < offset {
		from++
	}
	to = from
	for to < len(n.ends) && (to == from || n.ends[to-1] < offset+view) {
		to++
	}
	return from, to
}

// retire takes the widgets of rows that can't be seen, or are of another kind now.
func (n *rowsInner) retire(from, to int) (changed bool) {
	for i, s := range n.seen {
		if i >= from && i < to && n.rows.Kind(i) == s.kind {
			continue
		}
		s.o.Hide()
		n.spare[s.kind] = append(n.spare[s.kind], s.o)
		delete(n.seen, i)
		changed = true
	}
	return changed
}

func (n *rowsInner) take(kind int) fyne.CanvasObject {
	spare := n.spare[kind]
	if len(spare) == 0 {
		return n.rows.Make(kind)
	}
	n.spare[kind] = spare[:len(spare)-1]
	return spare[len(spare)-1]
}

// collect lists what there is to draw, in the order of the rows: the order in which
// Tab goes through them.
func (n *rowsInner) collect(from, to int) {
	n.objects = make([]fyne.CanvasObject, 0, to-from)
	for i := from; i < to; i++ {
		n.objects = append(n.objects, n.seen[i].o)
	}
}

// CreateRenderer belongs to Fyne.
func (n *rowsInner) CreateRenderer() fyne.WidgetRenderer { return &rowsInnerRenderer{of: n} }

type rowsInnerRenderer struct{ of *rowsInner }

func (r *rowsInnerRenderer) MinSize() fyne.Size           { return fyne.NewSize(100, r.of.height()) }
func (r *rowsInnerRenderer) Layout(fyne.Size)             {}
func (r *rowsInnerRenderer) Refresh()                     { canvas.Refresh(r.of) }
func (r *rowsInnerRenderer) Objects() []fyne.CanvasObject { return r.of.objects }
func (r *rowsInnerRenderer) Destroy()                     {}
