package conflicts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // the formats that are shown
	_ "image/jpeg"
	_ "image/png"
	"strings"

	"fyne.io/fyne/v2/lang"
	_ "golang.org/x/image/bmp"
	"golang.org/x/image/draw"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"

	"pinion/engine/control"
	"pinion/engine/tree"
	"pinion/tray/present"
)

// Bounds of what is looked at here.
const (
	maxPicture = 32 << 20 // bytes
	maxPixels  = 40_000_000
	maxShown   = 1600 // pixels of the longer side that are kept
)

// errChanged: what stands is not what was listed.
var errChanged = errors.New("it has changed meanwhile")

// picture is a side's picture, made small enough to be kept.
type picture struct {
	img    image.Image
	width  int // of the picture itself
	height int
	format string
	why    string // a sentence: why there is none
}

// version is what was read of one side, or of the base.
type version struct {
	there bool
	text  *present.Document
	lines int
	pic   *picture
	media string
	link  string // where a symbolic link points
	why   string // why there is neither text nor picture: a sentence
	from  string // the device that it was fetched from
}

// both is all that was read of a conflict.
type both struct {
	this, that version
	base       *version // nil: not known, or not to be had
	baseWhy    string   // why: a sentence
	rows       []present.Row
	notes      []string
}

// read reads both sides of a conflict, as they were listed, and what they were
// made from.
func read(ctx context.Context, e control.Engine, k control.Conflict, thisName, thatName string) (out both, err error) {
	if k.This != nil {
		if out.this, err = readSide(ctx, e, k.Folder, k.Path, k.ThisContent); err != nil {
			return out, err
		}
	}
	if k.Kind != control.EditDelete {
		if out.that, err = readSide(ctx, e, k.Folder, k.Copy, k.ThatContent); err != nil {
			return out, err
		}
	}
	var none present.Document
	a, b := out.this.text, out.that.text
	switch {
	case a != nil && b != nil:
		out.rows = present.Compare(a.Lines, b.Lines)
		out.notes = present.DocumentNotes(*a, *b, thisName, thatName)
		out.readBase(ctx, e, k)
	case a != nil && !out.that.there:
		out.that.text, out.rows = &none, present.Compare(a.Lines, nil)
	case b != nil && !out.this.there:
		out.this.text, out.rows = &none, present.Compare(nil, b.Lines)
	}
	return out, nil
}

func (b *both) readBase(ctx context.Context, e control.Engine, k control.Conflict) {
	if k.Base.IsZero() {
		b.baseWhy = lang.L("What both were made from is not known, so every place is yours to choose.")
		return
	}
	v, err := readVersion(ctx, e, control.ContentRequest{Folder: k.Folder, Path: k.Path, Content: k.Base})
	if err != nil || v.text == nil {
		b.baseWhy = lang.L("What both were made from is on no device that can be reached now, so every place is yours to choose.")
		return
	}
	b.base = &v
}

func readSide(ctx context.Context, e control.Engine, folder, path string, id tree.ContentID) (version, error) {
	r := control.ContentRequest{Folder: folder, Path: path}
	first, err := e.Content(ctx, r)
	if err != nil {
		return version{}, err
	}
	if first.Content != id {
		return version{}, errChanged
	}
	return readOn(ctx, e, r, first)
}

func readVersion(ctx context.Context, e control.Engine, r control.ContentRequest) (version, error) {
	first, err := e.Content(ctx, r)
	if err != nil {
		return version{}, err
	}
	return readOn(ctx, e, r, first)
}

// readOn reads the rest of what can be shown.
func readOn(ctx context.Context, e control.Engine, r control.ContentRequest, first control.Content) (version, error) {
	v := version{there: true, media: first.Media, from: first.From}
	if first.Link {
		v.link = present.Clean(string(first.Data), 0)
		v.why = lang.L("A symbolic link to {{.Target}}", data{"Target": v.link})
		return v, nil
	}
	isPicture := strings.HasPrefix(first.Media, "image/") && !strings.HasPrefix(first.Media, "image/svg")
	most := int64(present.MaxDocument)
	if isPicture {
		most = maxPicture
	}
	if first.Size > most {
		v.why = lang.L("It is larger than {{.Size}}, so it is not shown here. You can open it.", data{"Size": present.Size(most)})
		return v, nil
	}
	all := first.Data
	for int64(len(all)) < first.Size {
		r.Offset = int64(len(all))
		next, err := e.Content(ctx, r)
		if err != nil {
			return v, err
		}
		if len(next.Data) == 0 || next.Content != first.Content {
			return v, errChanged
		}
		all = append(all, next.Data...)
	}
	if isPicture {
		p := decode(all)
		v.pic, v.why = &p, p.why
		return v, nil
	}
	doc, why := present.ReadDocument(all)
	if v.why = why; why == "" {
		v.text, v.lines = &doc, len(doc.Lines)
	}
	return v, nil
}

// decode makes a picture of bytes, after it has looked how large it would be.
func decode(b []byte) (p picture) {
	defer func() {
		if r := recover(); r != nil { // a decoder that trips over what a peer sent
			p = picture{why: lang.L("This picture can't be read. You can open it.")}
		}
	}()
	c, format, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil || c.Width <= 0 || c.Height <= 0 {
		return picture{why: lang.L("Pictures of this kind can't be shown here. You can open it.")}
	}
	p = picture{width: c.Width, height: c.Height, format: format}
	if int64(c.Width)*int64(c.Height) > maxPixels {
		p.why = lang.L("It has {{.Width}} × {{.Height}} pixels, which is too large to be shown here. You can open it.", data{"Width": c.Width, "Height": c.Height})
		return p
	}
	img, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		p.why = lang.L("This picture can't be read. You can open it.")
		return p
	}
	p.img = img
	if longer := max(c.Width, c.Height); longer > maxShown {
		small := image.NewNRGBA(image.Rect(0, 0, max(1, c.Width*maxShown/longer), max(1, c.Height*maxShown/longer)))
		draw.ApproxBiLinear.Scale(small, small.Bounds(), img, img.Bounds(), draw.Src, nil)
		p.img = small
	}
	return p
}

// dimensions is "1024 × 768 · png".
func (p picture) dimensions() string {
	if p.width == 0 {
		return ""
	}
	return fmt.Sprintf("%d × %d · %s", p.width, p.height, p.format)
}
