package settings

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"pinion/engine/control"
	"pinion/engine/tree"
	"pinion/tray/look"
	"pinion/tray/present"
)

// rules is the editor of what is left out of the folder that is chosen, and beside
// it what the rules would do, looked up while the person types.
type rules struct {
	p *Page

	folder string // the id that the text is of
	seen   tree.ContentID
	holds  string // the text that holds

	text    *widget.Entry
	wrong   *look.Caption
	save    *look.Button
	revert  *look.Button
	preview preview

	stopTyping func()             // forgets the look-up that is due
	endTrying  context.CancelFunc // ends the one under way
	tries      int                // counts them: only the last one's answer is shown
}

// typing is how long nothing is typed until it is looked up what the rules do.
const typing = 350 * time.Millisecond

// previewPage is how many paths are asked for at a time.
const previewPage = 100

func (p *Page) leftOut() *section {
	s := &section{title: lang.L("Left out")}
	r := &rules{p: p, stopTyping: func() {}, endTrying: func() {}}
	p.rules = r
	s.opened = r.open
	s.make = func() fyne.CanvasObject {
		head := look.Column(look.Apart, p.chooser(s, r.open),
			look.NewCaption(lang.L("What the rules name is not kept the same. It stays where it is on every device: a rule never deletes anything. The rules are in the file .pinionignore, which all devices share.")))
		editor, foot := r.editor()
		split := look.Halves(editor, r.preview.make(r.more))
		body := container.NewBorder(head, foot, nil, nil, look.Pad(split, look.Apart, 0))
		s.fill = append(s.fill, r.follow)
		return p.orNone(s, look.Pad(body, 0, look.Margin))
	}
	return s
}

// editor is the field of the rules, and what stands below it.
func (r *rules) editor() (field, foot fyne.CanvasObject) {
	r.text = widget.NewMultiLineEntry()
	r.text.TextStyle.Monospace = true
	r.text.Wrapping = fyne.TextWrapOff
	r.text.SetPlaceHolder("*.tmp\nbuild/\n/private/")
	r.text.OnChanged = r.changed
	r.wrong = look.NewCaption("")
	r.save = look.NewButton(lang.L("Save"), nil, r.write).Main()
	r.revert = look.NewButton(lang.L("Undo changes"), nil, func() { r.text.SetText(r.holds) }).Low()
	var common *look.Button
	common = look.NewButton(lang.L("Common rules"), theme.MenuDropDownIcon(), func() {
		menu := widget.NewPopUpMenu(fyne.NewMenu("", r.templates()...), r.p.h.Window().Canvas())
		menu.ShowAtRelativePosition(fyne.NewPos(0, common.Size().Height), common)
	})
	common.IconPlacement = widget.ButtonIconTrailingText
	r.buttons()
	buttons := look.Sides(look.Line(8, common), look.Line(8, r.revert, r.save))
	return r.text, container.New(layout.NewCustomPaddedLayout(0, look.Clear, 0, 0), look.Column(look.Near, r.wrong, buttons))
}

// templates are rules that many want.
func (r *rules) templates() []*fyne.MenuItem {
	var items []*fyne.MenuItem
	for _, t := range []struct {
		title string
		rules []string
	}{
		{lang.L("Temporary and backup files"), []string{"*.tmp", "*.temp", "*.bak", "*.old", "*~"}},
		{lang.L("Build output"), []string{"build/", "dist/", "target/", "*.o", "*.obj", "*.class"}},
		{lang.L("Caches and fetched packages"), []string{"node_modules/", "__pycache__/", ".venv/", ".cache/", ".gradle/"}},
		{lang.L("Logs"), []string{"*.log", "*.log.*", "logs/"}},
		{lang.L("Disk images and virtual machines"), []string{"*.iso", "*.img", "*.vdi", "*.vmdk", "*.qcow2"}},
	} {
		items = append(items, fyne.NewMenuItem(t.title, func() { r.append(t.title, t.rules) }))
	}
	return items
}

// append adds rules that are not there yet, under a heading.
func (r *rules) append(title string, list []string) {
	have := map[string]bool{}
	for line := range strings.Lines(r.text.Text) {
		have[strings.TrimSpace(line)] = true
	}
	var add []string
	for _, rule := range list {
		if !have[rule] {
			add = append(add, rule)
		}
	}
	if len(add) == 0 {
		r.p.h.Say(lang.L("These rules are there already."))
		return
	}
	text := strings.TrimRight(r.text.Text, "\n")
	if text != "" {
		text += "\n\n"
	}
	r.text.SetText(text + "# " + title + "\n" + strings.Join(add, "\n") + "\n")
}

// follow goes over to another folder, when one was chosen elsewhere.
func (r *rules) follow() {
	if f, ok := r.p.chosen(); ok && r.folder != "" && f.ID.String() != r.folder {
		r.open()
	}
}

// open reads the rules of the folder that is chosen, unless the person is at work
// on them.
func (r *rules) open() {
	f, ok := r.p.chosen()
	if !ok || r.text == nil {
		return
	}
	id := f.ID.String()
	if r.folder == id && r.dirty() {
		return
	}
	r.folder = id
	r.read(false)
}

func (r *rules) dirty() bool { return r.text.Text != r.holds }

// read asks for the rules that hold. keep: what was typed stays, to be saved over
// them.
func (r *rules) read(keep bool) {
	id := r.folder
	var got control.Ignores
	var wrong error
	r.p.h.Ask("", func(ctx context.Context) error {
		got, wrong = r.p.h.Engine().Ignores(ctx, id)
		return ctx.Err()
	}, func() {
		if id != r.folder {
			return
		}
		if wrong != nil {
			if keep {
				return
			}
			r.holds, r.seen = "", tree.ContentID{}
			r.text.SetText("")
			r.text.Disable()
			r.wrong.Fail(sentence(wrong))
			r.buttons()
			return
		}
		r.text.Enable()
		r.seen, r.holds = got.Seen, strings.ReplaceAll(got.Text, "\r\n", "\n")
		if !keep {
			r.text.SetText(r.holds)
			r.problems(got.Problems)
			r.try()
		}
		r.buttons()
	})
}

// changed looks up what the rules do, once the person rests.
func (r *rules) changed(string) {
	r.stopTyping()
	r.stopTyping = r.p.later(typing, r.try)
	r.buttons()
}

func (r *rules) buttons() {
	for _, b := range []*look.Button{r.save, r.revert} {
		if r.dirty() && !r.text.Disabled() {
			b.Enable()
		} else {
			b.Disable()
		}
	}
}

// try looks up what the rules would do. Whatever was being looked up is given up.
func (r *rules) try() {
	r.stopTyping()
	r.endTrying()
	r.tries++
	mine, id, text, clean := r.tries, r.folder, r.text.Text, !r.dirty()
	if clean {
		r.preview.settled()
		return
	}
	r.preview.busy()
	r.ask(mine, control.TryIgnores{Folder: id, Text: text, Limit: previewPage}, r.preview.show)
}

// more brings the next page of what would be left out.
func (r *rules) more(after tree.Path) {
	r.ask(r.tries, control.TryIgnores{Folder: r.folder, Text: r.text.Text, Limit: previewPage, After: after}, r.preview.add)
}

func (r *rules) ask(mine int, q control.TryIgnores, show func(control.Tried)) {
	var got control.Tried
	var wrong error
	end := make(chan struct{})
	r.endTrying = sync(end)
	r.p.h.Ask("", func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		go func() {
			select {
			case <-end:
				cancel()
			case <-ctx.Done():
			}
		}()
		got, wrong = r.p.h.Engine().TryIgnores(ctx, q)
		return nil
	}, func() {
		switch {
		case mine != r.tries || errors.Is(wrong, context.Canceled):
		case wrong != nil:
			r.preview.fail(sentence(wrong))
		default:
			r.problems(got.Problems)
			show(got)
		}
	})
}

// sync closes a channel, once.
func sync(end chan struct{}) context.CancelFunc {
	closed := false
	return func() {
		if !closed {
			closed = true
			close(end)
		}
	}
}

// problems says which line is no rule.
func (r *rules) problems(list []control.IgnoreLine) {
	if len(list) == 0 {
		r.wrong.Fail("")
		return
	}
	l := list[0]
	text := lang.L("Line {{.Line}}, “{{.Text}}”, {{.Why}}.", data{"Line": l.Line, "Text": present.Clean(l.Text, 40), "Why": l.Why})
	switch n := len(list) - 1; {
	case n == 1:
		text += " " + lang.L("One more line is wrong.")
	case n > 1:
		text += " " + lang.N("{{.N}} more lines are wrong.", n, data{"N": n})
	}
	r.wrong.Fail(text)
}

// write has the rules hold.
func (r *rules) write() {
	id, text := r.folder, r.text.Text
	var got control.Ignores
	var wrong error
	q := control.SetIgnores{Folder: id, Text: text, Seen: r.seen}
	r.p.h.Ask("", func(ctx context.Context) error {
		got, wrong = r.p.h.Engine().SetIgnores(ctx, q)
		return ctx.Err()
	}, func() {
		switch {
		case id != r.folder:
		case wrong != nil:
			r.wrong.Fail(sentence(wrong))
			r.read(true)
		default:
			r.seen, r.holds = got.Seen, text
			r.wrong.Fail("")
			r.try()
			r.buttons()
			r.p.h.Say(lang.L("The rules hold from now on, on all devices."))
		}
	})
}

// preview shows what rules would do.
type preview struct {
	head  *look.Text
	sub   *look.Caption
	box   *fyne.Container
	list  *widget.List
	items []previewRow
	next  tree.Path
	more  func(after tree.Path)
	asked tree.Path // for what follows this it was asked
}

type previewRow struct {
	title string // a heading; then the rest is empty
	path  control.TriedPath
}

func (v *preview) make(more func(tree.Path)) fyne.CanvasObject {
	v.more = more
	v.head, v.sub = look.Strong(""), look.NewCaption("")
	v.list = widget.NewList(func() int { return len(v.items) }, func() fyne.CanvasObject { return newPreviewLine() }, v.draw)
	v.list.HideSeparators = true
	v.settled()
	v.box = container.NewBorder(look.Column(2, v.head, v.sub, look.Space(0, 4)), nil, nil, nil, v.list)
	return look.Card(v.box)
}

// settled says that the rules hold already.
func (v *preview) settled() {
	v.set(nil, "")
	v.say(lang.L("These rules hold"), lang.L("Change them, and here you see what would be left out, and what would be taken up again."))
}

func (v *preview) busy() { v.sub.Say(lang.L("Looking…")) }

func (v *preview) fail(why string) {
	v.set(nil, "")
	v.head.SetText(lang.L("It can't be told what they would do"))
	v.sub.Fail(why)
	v.fit()
}

func (v *preview) set(items []previewRow, next tree.Path) {
	v.items, v.next, v.asked = items, next, ""
	v.list.UnselectAll()
	if v.list.Size().Height > 0 { // else it has not been laid out yet, and can't scroll
		v.list.ScrollToTop()
	}
	v.list.Refresh()
}

func (v *preview) show(t control.Tried) {
	var items []previewRow
	if len(t.Back) > 0 {
		items = append(items, previewRow{title: lang.L("Taken up again")})
		for _, p := range t.Back {
			items = append(items, previewRow{path: p})
		}
		items = append(items, previewRow{title: lang.L("Left out")})
	}
	for _, p := range t.Out {
		items = append(items, previewRow{path: p})
	}
	if len(t.Out) == 0 && len(items) > 0 {
		items = items[:len(items)-1]
	}
	v.set(items, t.Next)
	if t.Files == 0 && len(t.Out) == 0 {
		v.say(lang.L("Nothing more is left out"), back(t))
		return
	}
	sum := lang.L("{{.Size}} in all.", data{"Size": present.Size(t.Bytes)})
	v.say(lang.L("{{.Files}} would be left out", data{"Files": present.Files(t.Files)}), strings.TrimSpace(sum+" "+back(t)))
}

// back says what would be taken up again; "" if nothing is.
func back(t control.Tried) string {
	switch in := (data{"Files": present.Files(t.BackSum.Files), "Size": present.Size(t.BackSum.Bytes)}); {
	case t.BackSum.More:
		return lang.L("At least {{.Files}}, {{.Size}}, would be taken up again.", in)
	case len(t.Back) > 0:
		return lang.L("{{.Files}}, {{.Size}}, would be taken up again.", in)
	}
	return ""
}

// say changes the words above the list.
func (v *preview) say(head, sub string) {
	v.head.SetText(head)
	v.sub.Say(sub)
	v.fit()
}

func (v *preview) fit() {
	if v.box != nil {
		v.box.Refresh()
	}
}

func (v *preview) add(t control.Tried) {
	for _, p := range t.Out {
		v.items = append(v.items, previewRow{path: p})
	}
	v.next = t.Next
	v.list.Refresh()
}

// mostListed bounds how many paths are shown: nobody reads more, and no list holds
// a whole folder.
const mostListed = 3 * previewPage

func (v *preview) draw(i widget.ListItemID, o fyne.CanvasObject) {
	if i >= len(v.items) {
		return
	}
	o.(*previewLine).set(v.items[i])
	if i == len(v.items)-1 && v.next != "" && v.asked != v.next && len(v.items) < mostListed {
		v.asked = v.next
		v.more(v.next)
	}
}

// previewLine is a line of the list: a path and what it weighs.
type previewLine struct {
	widget.BaseWidget
	icon *widget.Icon
	name *look.Text
	much *look.Text
	all  *fyne.Container
}

func newPreviewLine() *previewLine {
	l := &previewLine{icon: widget.NewIcon(nil), name: look.NewText("").Tail(), much: look.Secondary("").Whole()}
	sign := container.NewCenter(container.NewGridWrap(fyne.NewSquareSize(16), l.icon))
	l.all = container.NewBorder(nil, nil, container.NewHBox(sign, look.Space(2, 0)), nil, container.NewBorder(nil, nil, nil, look.Space(6, 0), look.Sides(l.name, l.much)))
	l.ExtendBaseWidget(l)
	return l
}

// CreateRenderer belongs to Fyne.
func (l *previewLine) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(l.all) }

func (l *previewLine) set(r previewRow) {
	if r.title != "" {
		l.icon.SetResource(nil)
		l.name.Set(r.title, look.ColorSecondary)
		l.much.SetText("")
		l.all.Refresh()
		return
	}
	icon, much := theme.FileIcon(), present.Size(r.path.Bytes)
	if r.path.Dir {
		icon = theme.FolderIcon()
		much = fmt.Sprintf("%s · %s", present.Files(r.path.Files), much)
	}
	l.icon.SetResource(theme.NewColoredResource(icon, look.ColorSecondary))
	l.name.Set(present.CleanName(string(r.path.Path), 200), theme.ColorNameForeground)
	l.much.SetText(much)
	l.all.Refresh()
}
