package guide

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/storage"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"pinion/engine/control"
	"pinion/tray/look"
	"pinion/tray/present"
)

// place is the form of where a folder is on this device, and which way it syncs.
type place struct {
	h       world
	content *fyne.Container
	path    *look.Field
	name    *look.Field // nil where the folder has a name already
	mode    *widget.RadioGroup
	about   *look.Caption // the mode, in words
	note    *look.Caption // what is to be known of the place, or what is wrong

	spot  control.Spot
	named bool // the person has typed a name
	make  bool // the directory may be made
	looks int  // counts look-ups: only the last one's answer is shown
	stop  func()
	fit   func() // lays the dialog out anew
}

// newPlace makes the form. named: the folder needs a name. make: the directory is
// made if it is not there.
func newPlace(h world, named, make bool) *place {
	f := &place{h: h, make: make, about: look.NewCaption(""), note: look.NewCaption(""), stop: func() {}, fit: func() {}}
	f.path = look.NewField(lang.L("A directory, such as {{.Example}}", data{"Example": filepath.Join(home(), "Documents")}))
	f.path.OnChanged = f.typed
	choose := look.NewButton(lang.L("Choose…"), theme.FolderOpenIcon(), f.choose)
	column := look.Column(look.Apart, labelled(lang.L("Where it is"), container.NewBorder(nil, nil, nil, container.NewHBox(look.Space(4, 0), choose), f.path)), f.note)
	if named {
		f.name = look.NewField("")
		f.name.OnChanged = func(text string) { f.named = text != "" && text != f.suggested() }
		column.Add(labelled(lang.L("What it is called on all devices"), f.name))
	}
	words := map[string]string{}
	var list []string
	for _, m := range present.Modes() {
		words[present.ModeName(m)] = m
		list = append(list, present.ModeName(m))
	}
	f.mode = widget.NewRadioGroup(list, func(v string) {
		f.about.Say(present.ModeWords(words[v]))
		f.fit()
	})
	f.mode.Horizontal, f.mode.Required = true, true
	f.mode.SetSelected(list[0])
	column.Add(labelled(lang.L("Which way"), look.Column(0, f.mode, f.about)))
	f.content = column
	return f
}

// labelled puts a small title over a control.
func labelled(title string, o fyne.CanvasObject) *fyne.Container {
	return look.Column(3, look.Secondary(title), o)
}

func home() string {
	dir, err := os.UserHomeDir()
	if err != nil {
		return string(filepath.Separator)
	}
	return dir
}

// lookAfter is how long nothing is typed until the place is looked at.
const lookAfter = 300 * time.Millisecond

func (f *place) typed(text string) {
	f.stop()
	if f.name != nil && !f.named {
		f.name.SetText(f.suggested())
	}
	f.stop = f.h.later(lookAfter, f.look)
}

// suggested is the name that the directory's own makes.
func (f *place) suggested() string {
	base := filepath.Base(strings.TrimSpace(f.path.Text))
	if base == "." || base == string(filepath.Separator) {
		return ""
	}
	return base
}

// choose lets the person choose with the desktop's dialog.
func (f *place) choose() {
	d := dialog.NewFolderOpen(func(u fyne.ListableURI, err error) {
		switch {
		case err != nil:
			f.note.Fail(sentence(err))
		case u != nil:
			f.path.SetText(u.Path())
			f.look()
		}
	}, f.h.Window())
	at := strings.TrimSpace(f.path.Text)
	if at == "" {
		at = home()
	}
	if u, err := storage.ListerForURI(storage.NewFileURI(at)); err == nil {
		d.SetLocation(u)
	}
	d.Show()
}

// look looks at the place and says what is to be known of it.
func (f *place) look() {
	f.stop()
	path := f.where()
	f.looks++
	mine := f.looks
	if path == "" {
		f.say("", nil)
		return
	}
	var spot control.Spot
	try(f.h, func(ctx context.Context) (err error) {
		spot, err = f.h.Engine().LookAt(ctx, path)
		return err
	}, func(err error) {
		if mine != f.looks {
			return
		}
		f.spot = spot
		f.say(spot.Path, err)
	})
}

// where is the path that was typed; ~ is the home directory.
func (f *place) where() string {
	text := strings.TrimSpace(f.path.Text)
	if rest, ok := strings.CutPrefix(text, "~"); ok && (rest == "" || rest[0] == filepath.Separator) {
		return home() + rest
	}
	return text
}

func (f *place) say(path string, err error) {
	s := f.spot
	switch {
	case err != nil:
		f.note.Fail(sentence(err))
	case path == "":
		f.note.Say("")
	case s.Refused != "":
		f.note.Fail(sentence(errors.New(s.Refused)))
	case !s.There && !f.make:
		f.note.Fail(lang.L("There is no such directory."))
	case s.ReadOnly:
		f.note.Fail(lang.L("This disk can only be read."))
	default:
		f.note.Say(strings.Join(f.facts(), " "))
	}
	f.fit()
}

// facts are the sentences on a place that will do.
func (f *place) facts() (list []string) {
	s := f.spot
	switch {
	case !s.There:
		list = append(list, lang.L("The directory is made."))
	case s.Was:
		list = append(list, lang.L("This was a folder of Pinion before; it goes on as the same one."))
	case f.make && !s.Empty:
		list = append(list, lang.L("Files are there already. What is the same on both sides is not sent again; where two files differ, both are kept."))
	}
	switch {
	case s.Network:
		list = append(list, lang.L("It is on a network disk, so that Pinion keeps its own data about it in your home directory."))
	case s.Removable:
		list = append(list, lang.L("It is on a disk that can be unplugged: that is fine, nothing is deleted when it is away."))
	}
	if s.Total > 0 {
		list = append(list, lang.L("{{.Size}} are free.", data{"Size": present.Size(s.Free)}))
	}
	return list
}

// state is where the index lives: not on a network disk.
func (f *place) state() string {
	if f.spot.Network && f.spot.Path == filepath.Clean(f.where()) {
		return "home"
	}
	return ""
}

func (f *place) chosenMode() string {
	for _, m := range present.Modes() {
		if present.ModeName(m) == f.mode.Selected {
			return m
		}
	}
	return ""
}

// fail says why it did not work.
func (f *place) fail(err error) {
	f.note.Fail(sentence(err))
	f.fit()
}

// add has the engine take the folder up.
func (f *place) add(done func(name string)) {
	path := f.where()
	if path == "" {
		f.fail(errors.New(lang.L("Choose a directory first")))
		return
	}
	r := control.AddFolder{Path: path, Name: strings.TrimSpace(f.name.Text), Mode: f.chosenMode(), State: f.state()}
	var got string
	try(f.h, func(ctx context.Context) error {
		folder, err := f.h.Engine().AddFolder(ctx, r)
		got = folder.Name
		return err
	}, func(err error) {
		if err != nil {
			f.fail(err)
			return
		}
		done(got)
	})
}
