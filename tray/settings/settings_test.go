package settings

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/engine/tree"
	"pinion/tray/look"
	"pinion/tray/page"
	"pinion/tray/present"
	"pinion/tray/traytest"
)

// each calls fn with all that can be seen in o.
func each(o fyne.CanvasObject, fn func(fyne.CanvasObject)) {
	if !o.Visible() {
		return
	}
	fn(o)
	switch x := o.(type) {
	case *fyne.Container:
		for _, c := range x.Objects {
			each(c, fn)
		}
	case fyne.Widget:
		for _, c := range test.WidgetRenderer(x).Objects() {
			each(c, fn)
		}
	}
}

func find[T fyne.CanvasObject](t *testing.T, in fyne.CanvasObject, is func(T) bool) (found T) {
	t.Helper()
	ok := false
	each(in, func(o fyne.CanvasObject) {
		if x, isT := o.(T); isT && !ok && is(x) {
			found, ok = x, true
		}
	})
	if !ok {
		t.Fatalf("there is no such %T", found)
	}
	return found
}

func press(t *testing.T, p *Page, text string) {
	t.Helper()
	test.Tap(find(t, p.content, func(b *look.Button) bool { return b.Text == text }))
}

// setting finds the setting of a title.
func setting(t *testing.T, p *Page, title string) *look.Setting {
	t.Helper()
	return find(t, p.content, func(s *look.Setting) bool {
		is := false
		each(s, func(o fyne.CanvasObject) {
			if x, ok := o.(*look.Text); ok && x.Text() == title {
				is = true
			}
		})
		return is
	})
}

func (p *Page) typeIn(t *testing.T, title, text string) {
	t.Helper()
	e := find(t, setting(t, p, title), func(*edit) bool { return true })
	e.SetText(text)
	e.FocusLost()
}

func (p *Page) choose(t *testing.T, title, words string) {
	t.Helper()
	find(t, setting(t, p, title), func(*widget.Select) bool { return true }).SetSelected(words)
}

func (p *Page) tick(t *testing.T, title string) {
	t.Helper()
	test.Tap(find(t, setting(t, p, title), func(*widget.Check) bool { return true }))
}

func last(e *engine) string {
	list := e.Asked()
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1]
}

func TestWhatIsChosenHoldsAtOnce(t *testing.T) {
	for _, c := range []struct {
		section int
		do      func(*testing.T, *Page)
		asks    string
	}{
		{0, func(t *testing.T, p *Page) { p.typeIn(t, "Name", " desk ") }, "name desk"},
		{1, func(t *testing.T, p *Page) { p.typeIn(t, "Upload at most", "1.5 mb") }, "up 1500000"},
		{1, func(t *testing.T, p *Page) { p.typeIn(t, "Download at most", "64KiB/s") }, "down 65536"},
		{1, func(t *testing.T, p *Page) { p.typeIn(t, "Upload at most", "") }, "up 0"},
		{1, func(t *testing.T, p *Page) { p.tick(t, "Not within the local network") }, "free lan false"},
		{1, func(t *testing.T, p *Page) { p.choose(t, "On a slow connection", "Small files only") }, "rules {OnBattery:small BatteryBelow:30 OnMetered:pause OnSlow:small SlowBelow:0 SmallFile:0}"},
		{1, func(t *testing.T, p *Page) { p.choose(t, "The battery counts", "With any charge") }, "rules {OnBattery:small BatteryBelow:0 OnMetered:pause OnSlow: SlowBelow:0 SmallFile:0}"},
		{1, func(t *testing.T, p *Page) { p.typeIn(t, "A file is small up to", "2 MB") }, "rules {OnBattery:small BatteryBelow:30 OnMetered:pause OnSlow: SlowBelow:0 SmallFile:2000000}"},
		{3, func(t *testing.T, p *Page) { p.choose(t, "Direction", "Only receive") }, "folder Documents: receive 0 0 0"},
		{3, func(t *testing.T, p *Page) { p.choose(t, "Keep it for", "For ever") }, "folder Documents: two-way -1 0 0"},
		{3, func(t *testing.T, p *Page) { p.typeIn(t, "Keep at most", "no bound") }, "folder Documents: two-way 0 -1 0"},
		{3, func(t *testing.T, p *Page) { p.typeIn(t, "Leave free on the disk", "10 GB") }, "folder Documents: two-way 0 0 10000000000"},
		{3, func(t *testing.T, p *Page) { p.tick(t, "Paused") }, "pause 0100"},
		{5, func(t *testing.T, p *Page) { p.tick(t, "Look for devices on the local network") }, "lan false"},
	} {
		e := fake()
		p, h := opened(t, e, traytest.Light, c.section, 800, 640)
		if n := len(e.Asked()); n != 0 {
			t.Fatalf("looking asks %v", e.Asked())
		}
		c.do(t, p)
		if got := last(e); got != c.asks || len(e.Asked()) != 1 {
			t.Errorf("asked %q instead of %q", e.Asked(), c.asks)
		}
		if len(h.Errors) > 0 {
			t.Errorf("%s: %v", c.asks, h.Errors)
		}
	}
}

func TestWhatCannotBeIsSaidAtTheField(t *testing.T) {
	for _, c := range []struct {
		section           int
		title, text, says string
	}{
		{0, "Name", "", "A device needs a name."},
		{1, "Upload at most", "much", "Write a size such as 500 KB, 20 MB or 1.5 GB."},
		{1, "Download at most", "5", "A limit is at least 1KiB a second; to stop everything, pause."},
		{1, "A connection is slow below", "-3", "Write a size such as 500 KB, 20 MB or 1.5 GB."},
		{3, "Keep at most", "x", "Write a size such as 500 KB, 20 MB or 1.5 GB."},
	} {
		e := fake()
		p, h := opened(t, e, traytest.Light, c.section, 800, 640)
		p.typeIn(t, c.title, c.text)
		if got := setting(t, p, c.title).Wrong(); got != c.says {
			t.Errorf("%s %q says %q instead of %q", c.title, c.text, got, c.says)
		}
		if len(e.Asked())+len(h.Errors) != 0 {
			t.Errorf("asked %v, %v", e.Asked(), h.Errors)
		}
	}
}

func TestWhatTheEngineRefusesIsSaidAtTheField(t *testing.T) {
	e := fake()
	p, h := opened(t, e, traytest.Light, 3, 800, 640)
	e.err = errRefused
	p.choose(t, "Direction", "Only send")
	s := setting(t, p, "Direction")
	if s.Wrong() != "A folder of that name is there already." || len(h.Errors) > 0 {
		t.Errorf("it says %q, %v", s.Wrong(), h.Errors)
	}
	e.err = nil
	p.choose(t, "Direction", "Only receive")
	if got := last(e); s.Wrong() != "" || got != "folder Documents: receive 0 0 0" {
		t.Errorf("after that it says %q, and asked %q", s.Wrong(), got)
	}
}

func TestTypingIsLeftAlone(t *testing.T) {
	e := fake()
	p, _ := opened(t, e, traytest.Light, 0, 800, 640)
	name := find(t, setting(t, p, "Name"), func(*edit) bool { return true })
	name.SetText("half a na")
	p.Update(state())
	if name.Text != "half a na" {
		t.Errorf("news have made %q of it", name.Text)
	}
	name.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if name.Text != "laptop" {
		t.Errorf("Esc leaves %q", name.Text)
	}
	e.settings.Name = "desk"
	p.read()
	if name.Text != "desk" || len(e.Asked()) != 0 {
		t.Errorf("renamed elsewhere it shows %q", name.Text)
	}
}

func TestStartAtLogin(t *testing.T) {
	h := traytest.NewHost(t, fake(), traytest.Light)
	l := &login{}
	p := New(h, l)
	h.Put(p, state(), 800, 640)
	p.tick(t, "Start when I log in")
	if !l.on {
		t.Error("it is not switched on")
	}
	l.err = errOdd
	p.tick(t, "Start when I log in")
	check := find(t, setting(t, p, "Start when I log in"), func(*widget.Check) bool { return true })
	if got := setting(t, p, "Start when I log in").Wrong(); got != "The disk is on fire." || !check.Checked {
		t.Errorf("it says %q and shows %v", got, check.Checked)
	}
}

func TestNotificationsAreSwitched(t *testing.T) {
	p, h := opened(t, fake(), traytest.Light, 2, 800, 640)
	for _, topic := range present.Topics() {
		p.tick(t, topic.Title)
		if h.Prefs().BoolWithFallback(topic.Pref, true) {
			t.Errorf("%s is still on", topic.Topic)
		}
	}
	p.choose(t, "After how long", present.Duration(7*24*60*60*1e9))
	if n := h.Prefs().Int(present.PrefUnseenDays); n != 7 {
		t.Errorf("%d days", n)
	}
}

func TestColours(t *testing.T) {
	p, h := opened(t, fake(), traytest.Light, 0, 800, 640)
	p.choose(t, "Colours", "Dark")
	if th := look.Chosen(h.Prefs()); th.Variant == nil || *th.Variant != traytest.Dark {
		t.Errorf("it is %v", th.Variant)
	}
}

func TestDeclinedFolders(t *testing.T) {
	e := fake()
	p, _ := opened(t, e, traytest.Light, 0, 800, 640)
	s := state()
	s.Offers = []status.Offer{{ID: tree.FolderID{5}, Name: "Music", From: "attic", Declined: true}, {ID: tree.FolderID{6}, Name: "Films", From: "attic"}}
	p.Update(s)
	press(t, p, "Ask me again")
	if got := last(e); got != "decline 0500 true" {
		t.Errorf("asked %q", got)
	}
}

func TestSchedule(t *testing.T) {
	e := fake()
	p, h := opened(t, e, traytest.Light, 1, 800, 640)
	if w := e.settings.Schedule; windowWhen(w[0])+" "+windowWhat(w[0]) != "Mon–Fri, 08:00–17:00 Pause" ||
		windowWhen(w[1])+" "+windowWhat(w[1]) != "Every day, 22:00–06:00 Upload without limit, Download at most 4.2 MB/s" {
		t.Errorf("the schedule reads %q %q, %q %q", windowWhen(w[0]), windowWhat(w[0]), windowWhen(w[1]), windowWhat(w[1]))
	}
	p.editWindow(-1)
	top := h.W.Canvas().Overlays().Top()
	field := func(i int) *look.Field {
		var list []*look.Field
		each(top, func(o fyne.CanvasObject) {
			if x, ok := o.(*look.Field); ok {
				list = append(list, x)
			}
		})
		return list[i]
	}
	save := find(t, top, func(b *look.Button) bool { return b.Text == "Save" })
	field(0).SetText("8")
	test.Tap(save)
	if len(e.Asked()) != 0 || h.W.Canvas().Overlays().Top() == nil {
		t.Fatal("a time that is none is saved")
	}
	field(0).SetText("9:30")
	find(t, top, func(*widget.RadioGroup) bool { return true }).SetSelected("Other limits")
	field(2).SetText("200 KB")
	field(3).SetText("none")
	test.Tap(save)
	want := "schedule [{62 480 1020 pause 0 0} {0 1320 360 limit -1 4194304} {62 570 1020 limit 200000 -1}]"
	if got := strings.NewReplacer("mon-fri", "62", "08:00", "480", "17:00", "1020", "22:00", "1320", "06:00", "360", "09:30", "570", "{ ", "{0 ").Replace(last(e)); got != want {
		t.Errorf("asked %q instead of %q", got, want)
	}
	if len(e.settings.Schedule) != 3 {
		t.Fatal("it is not there")
	}
	test.Tap(find(t, p.content, func(b *look.Button) bool { return b.Text == "" && b.Icon != nil }))
	if len(e.settings.Schedule) != 2 {
		t.Error("it can't be removed")
	}
}

func TestRulesAreTriedWhileTyping(t *testing.T) {
	e := fake()
	p, h := opened(t, e, traytest.Light, 4, 800, 640)
	r := p.rules
	if !r.save.Disabled() || r.text.Text != e.ignores.Text || len(e.Asked()) != 0 {
		t.Fatalf("at first: %q, %v", r.text.Text, e.Asked())
	}
	e.tried = []control.Tried{triedMuch()}
	r.text.SetText("*.tmp\n")
	if got := last(e); got != `try "*.tmp\n" after ""` || r.preview.head.Text() != "19,183 files would be left out" || len(r.preview.items) != 6 {
		t.Errorf("asked %q, and shows %q with %d lines", got, r.preview.head.Text(), len(r.preview.items))
	}
	e.tried = []control.Tried{{Problems: []control.IgnoreLine{{Line: 2, Text: "no[\u202e", Why: "has a [ without its ]"}, {Line: 3}}}}
	r.text.SetText("*.tmp\nno[\u202e\nx[\n")
	if got := r.wrong.Text(); !strings.HasPrefix(got, `Line 2, “no[\u202e”, has a [ without its ].`) {
		t.Errorf("the line that is no rule: %q", got)
	}
	if r.preview.head.Text() != "Nothing more is left out" {
		t.Errorf("it shows %q", r.preview.head.Text())
	}
	e.err = errRefused
	test.Tap(r.save)
	if r.wrong.Text() != "A folder of that name is there already." || r.text.Text != "*.tmp\nno[\u202e\nx[\n" {
		t.Errorf("refused: %q, %q", r.wrong.Text(), r.text.Text)
	}
	e.err = nil
	r.open()
	r.text.SetText("*.tmp\n")
	test.Tap(r.save)
	if got := last(e); got != `rules "*.tmp\n" seen 05` || !r.save.Disabled() || len(h.Said) != 1 {
		t.Errorf("asked %q, said %v", got, h.Said)
	}
	r.append("Logs", []string{"*.log", "*.tmp"})
	if r.text.Text != "*.tmp\n\n# Logs\n*.log\n" {
		t.Errorf("with a template: %q", r.text.Text)
	}
	test.Tap(r.revert)
	if r.text.Text != "*.tmp\n" {
		t.Errorf("taken back: %q", r.text.Text)
	}
}

// Of several look-ups only the last one's answer is shown, and more paths come as
// the list is gone down.
func TestPreviewIsPagedAndCurrent(t *testing.T) {
	e := fake()
	p, _ := opened(t, e, traytest.Light, 4, 800, 640)
	first := control.Tried{Files: 300, Next: "p099"}
	for range previewPage {
		first.Out = append(first.Out, control.TriedPath{Path: "p", Files: 1})
	}
	more := control.Tried{Out: first.Out[:10]}
	e.tried = []control.Tried{first, more}
	p.rules.text.SetText("p\n")
	v := &p.rules.preview
	v.list.ScrollToBottom()
	if got := last(e); len(v.items) != 110 || got != `try "p\n" after "p099"` {
		t.Errorf("%d lines, asked %q", len(v.items), got)
	}
	stale := p.rules.tries
	p.rules.tries++
	e.tried = []control.Tried{triedMuch()}
	p.rules.ask(stale, control.TryIgnores{}, v.show)
	if len(v.items) != 110 {
		t.Error("an answer to what was typed before is shown")
	}
}

func TestFolderIsRemovedOnceItWasAsked(t *testing.T) {
	e := fake()
	p, h := opened(t, e, traytest.Light, 3, 800, 640)
	press(t, p, "Stop syncing…")
	if len(e.Asked()) != 0 {
		t.Fatal("it is not asked first")
	}
	test.Tap(find(t, h.W.Canvas().Overlays().Top(), func(b *look.Button) bool { return b.Text == "Stop syncing" }))
	if got := last(e); got != "remove 0100" || len(h.Said) != 1 {
		t.Errorf("asked %q, said %v", got, h.Said)
	}
}

func TestDoctorShowsTheWorstFirst(t *testing.T) {
	e := fake()
	p, _ := opened(t, e, traytest.Light, 5, 800, 640)
	press(t, p, "Look everything over")
	var said []string
	each(p.content, func(o fyne.CanvasObject) {
		if c, ok := o.(*look.Caption); ok {
			said = append(said, c.Text())
		}
	})
	text := strings.Join(said, "|")
	if !strings.Contains(text, "Photos: The disk is not there; plug it in or mount it|The UDP buffer") {
		t.Errorf("it says %s", text)
	}
}

func TestNoFolders(t *testing.T) {
	e := fake()
	h := traytest.NewHost(t, e, traytest.Light)
	p := New(h, nil)
	h.Put(p, status.State{}, 800, 640)
	for _, section := range []int{3, 4} {
		p.turn(section)
		press(t, p, "Go to the overview")
	}
	if len(h.Gone) != 2 || h.Gone[0] != page.Overview || len(h.Errors) > 0 {
		t.Errorf("gone to %v, %v", h.Gone, h.Errors)
	}
}

func TestReceiveShowsTheFolder(t *testing.T) {
	p, _ := opened(t, fake(), traytest.Light, 0, 800, 640)
	p.Receive(page.Place{Folder: "Photos"})
	if f, _ := p.chosen(); f.Name != "Photos" || p.open != 3 {
		t.Errorf("it shows %s in section %d", f.Name, p.open)
	}
}

func TestSizes(t *testing.T) {
	for text, n := range map[string]int64{"": 0, "0": 0, "500 KB": 500_000, "32 KiB": 32 << 10, "1.5 GB": 1_500_000_000, "20MB/s": 20_000_000} {
		if got, err := size(text); got != n || err != nil {
			t.Errorf("%q is %d (%v)", text, got, err)
		}
		if got, err := size(exactly(n)); got != n || err != nil {
			t.Errorf("%d is written %q, which is %d (%v)", n, exactly(n), got, err)
		}
	}
	for _, text := range []string{"x", "-1", "1e99 GB", "5 stones"} {
		if n, err := size(text); err == nil {
			t.Errorf("%q is %d", text, n)
		}
	}
	for _, n := range []int64{1, 1023, 1 << 20, 123_456_789, 1_234_500_000} {
		if got, err := size(exactly(n)); got != n || err != nil {
			t.Errorf("%d is written %q, which is %d (%v)", n, exactly(n), got, err)
		}
	}
}
