package look

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// Box makes a widget of what is composed of others: a type that embeds it calls
// Hold once. (Fyne does not draw a type that embeds a *fyne.Container.)
type Box struct {
	widget.BaseWidget
	content *fyne.Container
}

// Hold says what the widget self is made of.
func (b *Box) Hold(self fyne.Widget, content *fyne.Container) {
	b.content = content
	b.ExtendBaseWidget(self)
}

// Put adds an object without laying anything out.
func (b *Box) Put(o fyne.CanvasObject) { b.content.Objects = append(b.content.Objects, o) }

// Arrange lays the content out anew.
func (b *Box) Arrange() {
	b.content.Layout.Layout(b.content.Objects, b.content.Size())
	b.content.Refresh()
}

// CreateRenderer belongs to Fyne.
func (b *Box) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(b.content) }
