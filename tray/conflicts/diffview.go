package conflicts

import (
	"image/color"
	"math"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"pinion/tray/look"
	"pinion/tray/present"
)

const (
	codeSize   = 13
	codeGap    = 8 // between the number and the text, and at the edges
	bandWidth  = 3
	marksShown = 24 // in one piece of a line
)

var mono = fyne.TextStyle{Monospace: true}

// shown is one line of the view: a piece of a row, or a fold.
type shown struct {
	row  int32 // of rows; of a fold the first
	part int16 // which piece of its lines
	fold int32 // how many rows are folded away; 0: this is a row
}

// diffView shows two texts beside each other, line by line, whatever their
// length: only what can be seen has widgets. Long lines wrap.
type diffView struct {
	widget.BaseWidget
	list *keyList
	root fyne.CanvasObject

	this, that []string
	rows       []present.Row
	folds      []present.Fold
	open       map[int]bool
	lines      []shown
	first      [2]int // the number of the first line of each side, less one
	single     bool   // this side alone, in the whole width
	cols       int    // letters in a column
	digits     int
	at         int // of differences: the one last gone to
	keys       func(*fyne.KeyEvent)
}

func newDiffView(keys func(*fyne.KeyEvent)) *diffView {
	v := &diffView{open: map[int]bool{}, cols: 40, keys: keys, at: -1}
	v.list = newKeyList(func() int { return len(v.lines) },
		func() fyne.CanvasObject { return newDiffLine(v) },
		func(id widget.ListItemID, o fyne.CanvasObject) { o.(*diffLine).set(id) }, keys)
	v.list.HideSeparators = true
	v.list.OnSelected = func(id widget.ListItemID) {
		v.list.UnselectAll()
		v.unfold(id)
	}
	v.root = container.NewThemeOverride(v.list, tight{})
	v.ExtendBaseWidget(v)
	return v
}

// show has two texts compared.
func (v *diffView) show(this, that []string, rows []present.Row) {
	v.this, v.that, v.rows, v.at = this, that, rows, -1
	clear(v.open)
	v.digits = max(2, len(present.Number(int64(max(len(this)+v.first[0], len(that)+v.first[1])))))
	v.cols = v.columns(v.Size().Width)
	v.refold()
	v.list.ScrollToTop()
}

func (v *diffView) refold() {
	v.folds = present.Folds(v.rows, v.open)
	if v.single {
		v.folds = []present.Fold{{From: 0, To: len(v.rows)}}
	}
	v.lay()
}

// lay wraps the lines at the width that there is.
func (v *diffView) lay() {
	v.lines = v.lines[:0]
	for _, f := range v.folds {
		if f.Away {
			v.lines = append(v.lines, shown{row: int32(f.From), fold: int32(f.To - f.From)})
			continue
		}
		for i := f.From; i < f.To; i++ {
			r, n := v.rows[i], 1
			if r.This >= 0 {
				n = present.Lines(v.this[r.This], v.cols)
			}
			if r.That >= 0 {
				n = max(n, present.Lines(v.that[r.That], v.cols))
			}
			for k := range n {
				v.lines = append(v.lines, shown{row: int32(i), part: int16(k)})
			}
		}
	}
	v.list.Refresh()
}

// unfold shows what is folded away at a line, if that is a fold.
func (v *diffView) unfold(id int) {
	if id < 0 || id >= len(v.lines) || v.lines[id].fold == 0 {
		return
	}
	offset := v.list.GetScrollOffset()
	v.open[int(v.lines[id].row)] = true
	v.refold()
	v.list.ScrollToOffset(offset)
}

// next goes to the next difference, or with -1 to the one before.
func (v *diffView) next(step int) {
	all := present.Differences(v.rows)
	if len(all) == 0 {
		return
	}
	v.at = max(0, min(len(all)-1, v.at+step))
	for i, l := range v.lines {
		if int(l.row) >= all[v.at] && l.fold == 0 {
			v.list.ScrollToOffset(max(0, float32(i-2)*lineHeight()))
			return
		}
	}
}

// scroll moves the view by lines.
func (v *diffView) scroll(lines float32) {
	v.list.ScrollToOffset(max(0, v.list.GetScrollOffset()+lines*lineHeight()))
}

func (v *diffView) page() float32 { return max(1, v.Size().Height/lineHeight()-2) }

func (v *diffView) Resize(size fyne.Size) {
	v.BaseWidget.Resize(size)
	if cols := v.columns(size.Width); cols != v.cols {
		v.cols = cols
		v.lay()
	}
}

// columns is how many letters fit on a side.
func (v *diffView) columns(width float32) int {
	if !v.single {
		width /= 2
	}
	room := width - gutter(v.digits) - 2*codeGap
	return max(8, int(room/letter().Width))
}

// CreateRenderer belongs to Fyne.
func (v *diffView) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(v.root) }

// letter is the size of one in the fixed-width font.
func letter() fyne.Size {
	s := fyne.MeasureText("MMMMMMMMMMMMMMMMMMMM", codeSize, mono)
	return fyne.NewSize(s.Width/20, s.Height)
}

func lineHeight() float32 { return float32(math.Ceil(float64(letter().Height))) + 2 }

func gutter(digits int) float32 {
	return bandWidth + codeGap + float32(digits)*letter().Width + codeGap
}

// tight is the theme around, without the distance between the lines of a list.
type tight struct{}

func (tight) Color(n fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	return fyne.CurrentApp().Settings().Theme().Color(n, v)
}
func (tight) Font(s fyne.TextStyle) fyne.Resource {
	return fyne.CurrentApp().Settings().Theme().Font(s)
}
func (tight) Icon(n fyne.ThemeIconName) fyne.Resource {
	return fyne.CurrentApp().Settings().Theme().Icon(n)
}
func (tight) Size(n fyne.ThemeSizeName) float32 {
	if n == theme.SizeNamePadding {
		return 0
	}
	return fyne.CurrentApp().Settings().Theme().Size(n)
}

// diffLine is one line of the view.
type diffLine struct {
	widget.BaseWidget
	of *diffView
	id int
}

func newDiffLine(of *diffView) *diffLine {
	l := &diffLine{of: of, id: -1}
	l.ExtendBaseWidget(l)
	return l
}

func (l *diffLine) set(id int) {
	l.id = id
	l.Refresh()
}

// CreateRenderer belongs to Fyne.
func (l *diffLine) CreateRenderer() fyne.WidgetRenderer {
	r := &diffLineRenderer{of: l, ground: canvas.NewRectangle(nil), between: canvas.NewRectangle(nil), fold: canvas.NewText("", nil)}
	for i := range r.half {
		r.half[i] = halfLine{ground: canvas.NewRectangle(nil), band: canvas.NewRectangle(nil), number: canvas.NewText("", nil), text: canvas.NewText("", nil)}
		h := &r.half[i]
		h.number.TextSize, h.number.TextStyle, h.number.Alignment = codeSize-1, mono, fyne.TextAlignTrailing
		h.text.TextSize, h.text.TextStyle = codeSize, mono
	}
	r.fold.TextSize, r.fold.Alignment = codeSize-1, fyne.TextAlignCenter
	r.collect()
	return r
}

// halfLine is one side of a line.
type halfLine struct {
	ground, band *canvas.Rectangle
	marks        []*canvas.Rectangle
	number, text *canvas.Text
}

type diffLineRenderer struct {
	of      *diffLine
	ground  *canvas.Rectangle
	half    [2]halfLine
	between *canvas.Rectangle
	fold    *canvas.Text
	objects []fyne.CanvasObject
	size    fyne.Size
}

func (r *diffLineRenderer) collect() {
	r.objects = append(r.objects[:0], r.ground)
	for i := range r.half {
		h := &r.half[i]
		r.objects = append(r.objects, h.ground, h.band)
		for _, m := range h.marks {
			r.objects = append(r.objects, m)
		}
		r.objects = append(r.objects, h.number, h.text)
	}
	r.objects = append(r.objects, r.between, r.fold)
}

func (r *diffLineRenderer) MinSize() fyne.Size { return fyne.NewSize(100, lineHeight()) }

func (r *diffLineRenderer) Layout(size fyne.Size) {
	r.size = size
	r.draw()
}

func (r *diffLineRenderer) Refresh() {
	r.draw()
	canvas.Refresh(r.of)
}

func (r *diffLineRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *diffLineRenderer) Destroy()                     {}

// draw puts what the line shows in its place.
func (r *diffLineRenderer) draw() {
	v := r.of.of
	if r.of.id < 0 || r.of.id >= len(v.lines) {
		return
	}
	l := v.lines[r.of.id]
	ink := func(n fyne.ThemeColorName) color.Color {
		return r.of.Theme().Color(n, fyne.CurrentApp().Settings().ThemeVariant())
	}
	w := r.size.Width / 2
	if v.single {
		w = r.size.Width
	}
	r.between.FillColor = ink(look.ColorEdge)
	place(r.between, w-0.5, 0, 1, r.size.Height)
	r.ground.Hidden, r.fold.Hidden = l.fold == 0, l.fold == 0
	r.between.Hidden = l.fold != 0 || v.single
	if l.fold != 0 {
		r.ground.FillColor = look.Faint(ink(look.ColorTrack), 0x90)
		place(r.ground, 0, 1, r.size.Width, r.size.Height-2)
		r.fold.Text, r.fold.Color = some(int(l.fold), "", "⋯  show {{.N}} equal lines"), ink(look.ColorSecondary)
		place(r.fold, 0, 0, r.size.Width, r.size.Height)
		for i := range r.half {
			r.half[i].hide()
		}
		return
	}
	row := v.rows[l.row]
	var marks [2][]present.Span
	if row.Kind == present.RowChanged && !v.single {
		marks[0], marks[1] = present.DifferingWords(v.this[row.This], v.that[row.That])
	}
	grown := false
	for i, at := range [2]int{row.This, row.That} {
		lines, tint := v.this, ink(look.ColorThis)
		switch {
		case v.single && row.Kind == present.RowOnlyThat:
			tint = ink(look.ColorThat)
		case v.single && row.Kind == present.RowChanged:
			tint = ink(theme.ColorNamePrimary)
		}
		if i == 1 {
			lines, tint = v.that, ink(look.ColorThat)
		}
		h := &r.half[i]
		h.hide()
		if v.single && i == 1 {
			continue
		}
		x := float32(i) * w
		h.ground.Hidden = row.Kind == present.RowEqual
		place(h.ground, x, 0, w, r.size.Height)
		if at < 0 {
			h.ground.FillColor = look.Faint(ink(look.ColorTrack), 0x50)
			continue
		}
		h.ground.FillColor = look.Faint(tint, 0x16)
		h.band.FillColor, h.band.Hidden = tint, row.Kind == present.RowEqual
		place(h.band, x, 0, bandWidth, r.size.Height)
		pieces := present.Wrap(lines[at], marks[i], v.cols)
		if int(l.part) >= len(pieces) {
			continue
		}
		grown = h.fill(pieces[l.part], tint, fyne.NewPos(x+gutter(v.digits), 0), r.size.Height) || grown
		h.text.Color = ink(theme.ColorNameForeground)
		if l.part == 0 {
			h.number.Hidden, h.number.Text, h.number.Color = false, present.Number(int64(at+v.first[i])+1), ink(look.ColorSecondary)
			place(h.number, x+bandWidth, 0, gutter(v.digits)-bandWidth-codeGap, r.size.Height)
		}
	}
	if grown {
		r.collect()
	}
}

func (h *halfLine) hide() {
	h.ground.Hidden, h.band.Hidden, h.number.Hidden, h.text.Hidden = true, true, true, true
	for _, m := range h.marks {
		m.Hidden = true
	}
}

// fill shows a piece of a line at a place; it says whether it needed more marks
// than there were.
func (h *halfLine) fill(p present.Piece, tint color.Color, at fyne.Position, height float32) (grown bool) {
	h.text.Text, h.text.Hidden = p.Text, false
	if p.More > 0 {
		h.text.Text += " " + lang.N("… and {{.N}} more letters", p.More, data{"N": present.Number(int64(p.More))})
	}
	place(h.text, at.X, 0, 0, height)
	for i, m := range p.Marks[:min(len(p.Marks), marksShown)] {
		if i == len(h.marks) {
			h.marks, grown = append(h.marks, canvas.NewRectangle(nil)), true
		}
		from := fyne.MeasureText(p.Text[:m.From], codeSize, mono).Width
		to := fyne.MeasureText(p.Text[:m.To], codeSize, mono).Width
		h.marks[i].FillColor, h.marks[i].CornerRadius, h.marks[i].Hidden = look.Faint(tint, 0x48), 2, false
		place(h.marks[i], at.X+from-1, 1, to-from+2, height-2)
	}
	return grown
}

func place(o fyne.CanvasObject, x, y, w, h float32) {
	o.Move(fyne.NewPos(x, y))
	o.Resize(fyne.NewSize(w, h))
}
