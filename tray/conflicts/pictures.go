package conflicts

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"

	"pinion/tray/look"
)

// newPictures shows two pictures at one scale, so that what is larger looks larger.
func newPictures(this, that *picture) fyne.CanvasObject {
	l := &oneScale{}
	var objects []fyne.CanvasObject
	for _, p := range []*picture{this, that} {
		if p == nil {
			p = &picture{}
		}
		frame := canvas.NewRectangle(nil)
		img := canvas.NewImageFromImage(p.img)
		img.FillMode, img.ScaleMode = canvas.ImageFillStretch, canvas.ImageScaleSmooth
		img.Hidden, frame.Hidden = p.img == nil, true
		said := look.Secondary(p.dimensions()).Align(fyne.TextAlignCenter)
		why := look.Quiet(p.why)
		why.Alignment, why.Hidden = fyne.TextAlignCenter, p.why == ""
		l.sizes = append(l.sizes, fyne.NewSize(float32(p.width), float32(p.height)))
		objects = append(objects, img, said, why)
	}
	return container.New(l, objects...)
}

// oneScale lays out picture, dimensions and sentence of each side.
type oneScale struct{ sizes []fyne.Size }

func (l *oneScale) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(200, 120) }

func (l *oneScale) Layout(o []fyne.CanvasObject, size fyne.Size) {
	const edge, foot = 12, 26
	half := size.Width / 2
	room := fyne.NewSize(half-2*edge, size.Height-edge-foot)
	scale := float32(1)
	for i, s := range l.sizes {
		if s.Width > 0 && !o[3*i].(*canvas.Image).Hidden {
			scale = min(scale, room.Width/s.Width, room.Height/s.Height)
		}
	}
	for i, s := range l.sizes {
		x := float32(i) * half
		w, h := max(1, s.Width*scale), max(1, s.Height*scale)
		place(o[3*i], x+(half-w)/2, edge+(room.Height-h)/2, w, h)
		place(o[3*i+1], x, size.Height-foot, half, foot-6)
		place(o[3*i+2], x+edge, size.Height/2-30, half-2*edge, 60)
	}
}
