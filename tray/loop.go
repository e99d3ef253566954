package tray

import (
	"context"
	"errors"
	"time"
	"unicode"
	"unicode/utf8"

	"pinion/tray/link"
	"pinion/tray/look"
	"pinion/tray/present"
)

// face is the desktop's place for the icon and its menu.
type face interface {
	begin()                                            // shows it, with another's loop
	loop(ctx context.Context)                          // shows it, with a loop of its own, until ctx ends
	show(icon []byte, tip string, menu []present.Item) // at any time; only what differs costs something
	stop()
}

// hostState is what is known of the desktop's tray.
type hostState int

const (
	notAsked hostState = iota
	aHost
	noHost // none now; one may come
	noBus  // none, and none can come
)

// model is what the loop knows. Only the loop touches it.
type model struct {
	view  present.MenuView
	host  hostState
	begun bool // the face was
	icons *icons
	shows present.Icon
	frame int
	turn  *time.Ticker // while the icon turns
	err   error        // why Run ends, if not because it was asked to; read when the loop has ended
}

func newModel(o Options) model {
	return model{icons: newIcons(panel(o.Env))}
}

// turnEvery is the time of one of the icon's pictures while it turns.
const turnEvery = 300 * time.Millisecond

// restAfter is how long the window is kept at hand after it was closed: opening it
// anew takes half a second more, keeping it a hundredth of a processor and 150 MB.
const restAfter = 20 * time.Second

// panelComes is how long, after a login, a tray may take to come up. Then the window
// is shown: who has Pinion start should see it somewhere.
const panelComes = 30 * time.Second

// loop hears of everything and shows it, until ctx ends.
func (t *tray) loop(ctx context.Context) {
	t.draw()
	if lazyLoop {
		defer t.still()
	}
	if t.o.Link != "" {
		t.join(t.o.Link)
	} else if !t.o.Hidden {
		t.openWindow(nil)
	}
	rest := time.NewTimer(time.Hour)
	rest.Stop()
	defer rest.Stop()
	panel := time.NewTimer(panelComes)
	defer panel.Stop()
	if !t.o.Hidden || t.o.Rested {
		panel.Stop()
	}
	for {
		var tick <-chan time.Time
		if t.turn != nil {
			tick = t.turn.C
		}
		select {
		case <-ctx.Done():
			return
		case n := <-t.news:
			t.heard(n)
		case a := <-t.clicks:
			t.do(ctx, a)
		case c := <-t.calls:
			t.called(c)
		case h := <-t.hosts:
			t.hosted(h)
		case why := <-t.noShow:
			t.view.NoShow = upperFirst(why)
			t.unseen()
		case why := <-t.failed:
			t.view.Note = why
		case <-t.closed:
			if lazyLoop {
				rest.Reset(restAfter)
			}
		case <-rest.C:
			if !t.shown.Load() {
				t.rests.Store(true)
				t.quit()
			}
		case <-panel.C:
			if t.host != aHost && t.view.NoShow == "" {
				t.openWindow(func(w *shownWindow) { w.Say(noHostSentence()) })
			}
		case <-tick:
			t.frame++
		}
		t.draw()
	}
}

func (t *tray) heard(n link.News) {
	t.view.Up, t.view.Reason, t.view.State = n.Up, n.Reason, n.State
	t.view.Own, t.view.Recent = n.Own, n.Recent
	t.tellWindow(t.view.View)
	t.notices.hear(t.view.View)
}

// hosted: the icon is shown as soon as there may be somebody to show it, and is
// registered anew by itself when another host comes.
func (t *tray) hosted(h hostState) {
	was := t.host
	t.host = h
	if lazyLoop && !t.begun && h != noBus {
		t.begun = true
		t.face.begin()
	}
	if was == notAsked && h != aHost {
		t.say(noHostSentence())
		t.openedBy(func(w *shownWindow) { w.Say(noHostSentence()) })
	}
	t.unseen()
	if h != was {
		t.o.Log.Info("the desktop's tray", "host", h == aHost, "bus", h != noBus)
	}
}

// unseen ends the tray when it can show neither a window nor an icon and was asked
// to show itself. One that was begun at login waits: a panel may come.
func (t *tray) unseen() {
	if t.view.NoShow != "" && (t.host == noHost || t.host == noBus) && !t.o.Hidden {
		t.err = errors.New("neither a window nor an icon can be shown here: start the engine alone with pinion --daemon, look at it with pinion status")
		t.quit()
	}
}

func upperFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// draw shows what is known.
func (t *tray) draw() {
	now := time.Now()
	icon := present.IconOf(t.view.View)
	if icon != t.shows {
		t.shows, t.frame = icon, 0
	}
	if icon == present.IconSyncing && t.turn == nil {
		t.turn = time.NewTicker(turnEvery)
	} else if icon != present.IconSyncing {
		t.still()
	}
	picture, err := t.icons.get(icon, t.frame)
	if err != nil {
		t.o.Log.Error("the icon can't be drawn", "err", err)
	}
	t.face.show(picture, present.Tooltip(t.view.View, now), present.Menu(t.view, now))
}

func (t *tray) still() {
	if t.turn != nil {
		t.turn.Stop()
		t.turn = nil
	}
}

// icons draws each picture once.
type icons struct {
	on    look.Panel
	drawn map[[2]int][]byte
}

func newIcons(on look.Panel) *icons { return &icons{on: on, drawn: map[[2]int][]byte{}} }

func (i *icons) get(icon present.Icon, frame int) ([]byte, error) {
	key := [2]int{int(icon), frame % look.Frames}
	if icon != present.IconSyncing {
		key[1] = 0
	}
	if p := i.drawn[key]; p != nil {
		return p, nil
	}
	p, err := look.TrayIcon(icon, key[1], i.on, iconSize)
	if err == nil {
		i.drawn[key] = p
	}
	return p, err
}
