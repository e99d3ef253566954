package guide

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
	"rsc.io/qr"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/tray/look"
	"pinion/tray/page"
)

// AddDevice shows an invitation, or takes one.
func AddDevice(h page.Host) { addDevice(around(h), "") }

// Join takes an invitation that was clicked on: a pinion: link.
func Join(h page.Host, link string) { addDevice(around(h), link) }

func addDevice(h world, link string) {
	p := newDevicePanel(h)
	d := look.NewDialog(lang.L("Add a device"), p.content, dialogWidth, h.Window(), p.close)
	p.close.OnTapped = func() { d.Hide() }
	p.open = d.Open
	p.fits(d.Fit)
	d.Show()
	if link != "" {
		p.join.link.SetText(link)
		p.turn(1)
		h.Window().Canvas().Focus(p.join.button)
		return
	}
	p.turn(0)
}

// devicePanel has two sides: an invitation to be taken elsewhere, and one to be
// taken here.
type devicePanel struct {
	h       world
	content *fyne.Container
	tabs    *look.Tabs
	sides   [2]fyne.CanvasObject
	invite  *invitePanel
	join    *joinPanel
	close   *look.Button
	open    func() bool // it can still be seen
	fit     func()      // lays the dialog out anew
}

func newDevicePanel(h world) *devicePanel {
	p := &devicePanel{h: h, open: func() bool { return true }, close: look.NewButton(lang.L("Close"), nil, nil)}
	p.invite = newInvitePanel(h, func() bool { return p.open() })
	p.join = newJoinPanel(h)
	p.tabs = look.NewTabs([]string{lang.L("Invite another device"), lang.L("Join another device")}, p.turn)
	p.sides = [2]fyne.CanvasObject{p.invite.content, p.join.content}
	p.fits(func() {})
	p.content = look.Column(look.Clear, p.tabs.Bar, container.NewStack(p.sides[0], p.sides[1]))
	return p
}

// fits says how the dialog is laid out anew.
func (p *devicePanel) fits(fit func()) { p.fit, p.invite.fit, p.join.fit = fit, fit, fit }

func (p *devicePanel) turn(i int) {
	p.tabs.Choose(i)
	p.sides[i].Show()
	p.sides[1-i].Hide()
	if i == 0 && p.invite.got.Link == "" {
		p.invite.ask()
	}
	p.fit()
}

// invitePanel shows an invitation while it is good, and who has taken it.
type invitePanel struct {
	h       world
	open    func() bool
	fit     func()
	content *fyne.Container

	got    control.Invitation
	before map[string]bool // the devices that there were, by id
	ticks  bool            // it looks each second
	joined bool

	code  *canvas.Image
	paper *fyne.Container
	link  *look.Field
	left  *look.Caption
	copy  *look.Button
	again *look.Button
	words *fyne.Container
	body  *fyne.Container
}

const codeSize = 190

func newInvitePanel(h world, open func() bool) *invitePanel {
	p := &invitePanel{h: h, open: open, left: look.NewCaption(lang.L("Making an invitation…"))}
	p.code = canvas.NewImageFromImage(image.NewGray(image.Rect(0, 0, 1, 1)))
	p.code.FillMode, p.code.ScaleMode = canvas.ImageFillContain, canvas.ImageScalePixels
	p.code.SetMinSize(fyne.NewSquareSize(codeSize))
	white := canvas.NewRectangle(color.White)
	white.CornerRadius = 8
	p.paper = container.NewStack(white, p.code)
	p.link = look.NewField("")
	p.link.OnChanged = func(text string) { // it can be selected and copied, and not be changed
		if text != p.got.Link {
			p.link.SetText(p.got.Link)
		}
	}
	p.copy = look.NewButton(lang.L("Copy the link"), theme.ContentCopyIcon(), func() {
		fyne.CurrentApp().Clipboard().SetContent(p.got.Link)
		p.copy.SetText(lang.L("Copied"))
	}).Main()
	p.again = look.NewButton(lang.L("New invitation"), theme.ViewRefreshIcon(), p.ask)
	p.again.Hide()
	p.words = look.Column(look.Apart,
		look.NewCaption(lang.L("On a computer: open Pinion there, choose “Add device”, then “Join another device”, and paste this link.")),
		look.NewCaption(lang.L("On a Raspberry Pi: type pinion join, and the link behind it.")),
		p.link, look.Line(8, p.copy, p.again), p.left)
	p.body = container.NewBorder(nil, nil, container.NewHBox(container.NewVBox(p.paper), look.Space(18, 0)), nil, p.words)
	p.content = container.NewStack(p.body)
	return p
}

// ask makes an invitation.
func (p *invitePanel) ask() {
	var got control.Invitation
	var s status.State
	try(p.h, func(ctx context.Context) (err error) {
		if s, err = p.h.Engine().Status(ctx, 0); err != nil {
			return err
		}
		got, err = p.h.Engine().Invite(ctx)
		return err
	}, func(err error) {
		if err != nil {
			p.left.Fail(sentence(err))
			p.again.Show()
			p.fit()
			return
		}
		p.show(got, s)
	})
}

func (p *invitePanel) show(got control.Invitation, s status.State) {
	p.got, p.before, p.joined = got, map[string]bool{}, false
	for _, d := range s.Devices {
		p.before[d.ID.String()] = true
	}
	if img, err := codeOf(got.Link); err == nil {
		p.code.Image = img
		p.code.Refresh()
		p.paper.Show()
	} else {
		p.paper.Hide()
	}
	p.again.Hide()
	p.copy.Enable()
	p.copy.SetText(lang.L("Copy the link"))
	p.link.SetText(got.Link)
	p.look(s)
	if !p.ticks {
		p.ticks = true
		p.tick()
	}
}

// tick looks each second, for as long as the dialog is open, how long the
// invitation is good, and whether somebody has taken it.
func (p *invitePanel) tick() {
	if !p.open() || p.joined {
		p.ticks = false
		return
	}
	p.h.later(time.Second, func() {
		var s status.State
		try(p.h, func(ctx context.Context) (err error) {
			s, err = p.h.Engine().Status(ctx, 0)
			return err
		}, func(err error) {
			if err == nil && p.open() {
				p.look(s)
			}
			p.tick()
		})
	})
}

// look says how the invitation stands.
func (p *invitePanel) look(s status.State) {
	for _, d := range s.Devices {
		if !p.before[d.ID.String()] {
			p.welcome(d)
			return
		}
	}
	rest := p.got.Expires.Sub(p.h.Now()).Round(time.Second)
	if rest <= 0 {
		p.left.Warn(lang.L("This invitation has run out."))
		p.copy.Disable()
		p.again.Show()
		p.paper.Hide()
		p.fit()
		return
	}
	p.left.Say(lang.L("Good for one device, for {{.Time}} more.", data{"Time": fmt.Sprintf("%d:%02d", rest/time.Minute, rest%time.Minute/time.Second)}))
}

// welcome says who has joined.
func (p *invitePanel) welcome(d status.Device) {
	p.joined = true
	in := data{"Device": name(d.Name)}
	p.content.Objects = []fyne.CanvasObject{look.Callout(look.Synced, theme.ConfirmIcon(), lang.L("{{.Device}} has joined", in),
		lang.L("Your folders are offered to it now. A Raspberry Pi with a store takes them by itself; on a computer you choose there which ones."))}
	p.fit()
}

// quiet is the white edge that a code needs, in its own modules.
const quietZone = 4

// codeOf draws a QR code, a pixel each module.
func codeOf(text string) (image.Image, error) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return nil, err
	}
	side := code.Size + 2*quietZone
	img := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			shade := color.Gray{Y: 0xff}
			if code.Black(x-quietZone, y-quietZone) {
				shade.Y = 0
			}
			img.SetGray(x, y, shade)
		}
	}
	return img, nil
}

// joinPanel takes an invitation.
type joinPanel struct {
	h       world
	fit     func()
	content *fyne.Container
	link    *look.Field
	address *look.Field
	button  *look.Button
	busy    *widget.ProgressBarInfinite
	note    *look.Caption
	done    func() // after it has joined; may be nil
}

func newJoinPanel(h world) *joinPanel {
	p := &joinPanel{h: h, note: look.NewCaption(""), link: look.NewField("pinion://join/…"), address: look.NewField(lang.L("HOST:PORT, only if it is not found by itself"))}
	p.button = look.NewButton(lang.L("Join"), nil, p.ask).Main()
	p.link.OnSubmitted = func(string) { p.ask() }
	p.busy = widget.NewProgressBarInfinite()
	p.busy.Hide()
	p.content = look.Column(look.Apart,
		look.NewCaption(lang.L("Paste the invitation that the other device shows: Pinion there, or pinion invite on a Raspberry Pi.")),
		labelled(lang.L("Invitation"), p.link), labelled(lang.L("Address"), p.address), look.Line(0, p.button), p.busy, p.note)
	return p
}

func (p *joinPanel) ask() {
	r := control.JoinRequest{Link: strings.TrimSpace(p.link.Text), Address: strings.TrimSpace(p.address.Text)}
	switch {
	case r.Link == "":
		p.say(errors.New(lang.L("Paste the invitation first")))
		return
	case !strings.HasPrefix(r.Link, "pinion:"):
		p.say(errors.New(lang.L("This is no invitation: those begin with pinion://join/")))
		return
	}
	p.working(true)
	var got control.Joined
	try(p.h, func(ctx context.Context) (err error) {
		got, err = p.h.Engine().Join(ctx, r)
		return err
	}, func(err error) {
		p.working(false)
		if err != nil {
			p.say(err)
			return
		}
		p.content.Objects = []fyne.CanvasObject{look.Callout(look.Synced, theme.ConfirmIcon(),
			lang.L("This device has joined {{.Device}}", data{"Device": name(got.Name)}),
			lang.L("Folders that are offered to it show on the overview: there you choose which ones you want here."))}
		p.fit()
		if p.done != nil {
			p.done()
		}
	})
}

func (p *joinPanel) working(on bool) {
	if on {
		p.note.Say("")
		p.button.Disable()
		p.busy.Show()
		p.busy.Start()
	} else {
		p.button.Enable()
		p.busy.Stop()
		p.busy.Hide()
	}
	p.fit()
}

func (p *joinPanel) say(err error) {
	p.note.Fail(sentence(err))
	p.fit()
}
