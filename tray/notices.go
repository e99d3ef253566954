package tray

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"fyne.io/fyne/v2"

	"pinion/engine/control"
	"pinion/platform/notify"
	"pinion/tray/look"
	"pinion/tray/present"
)

const (
	toldFile   = "tray.told" // in the home directory: what the person was told
	mostToldAt = 1 << 20     // bytes that are read of it
	askConfl   = 3 * time.Second
	noticeIcon = 64 // pixels
)

// noticeWorld is what notices need of the world.
type noticeWorld struct {
	file      string
	prefs     func() fyne.Preferences
	conflicts func(context.Context) ([]control.Conflict, error)
	open      func(context.Context, notify.Options) (notify.Notifier, error)
	click     func(present.Action) // must not wait
	log       *slog.Logger
}

// notices tells the person what is new, on the desktop. What that is present.Next
// decides. The desktop is asked for its notifications when there is something to
// tell, and not before.
type notices struct {
	noticeWorld
	views  chan present.View // the newest only
	clicks chan [2]string    // topic and button

	// Owned by run.
	view   present.View
	heard  bool // of a view
	memory present.Memory
	saved  string
	last   map[string]present.Notice // by topic
	desk   notify.Notifier
	mute   bool // it was said that there are no notifications here
}

func newNotices(w noticeWorld) *notices {
	return &notices{noticeWorld: w, views: make(chan present.View, 1), clicks: make(chan [2]string, 4), last: map[string]present.Notice{}}
}

// noticesOf are the tray's.
func noticesOf(t *tray) *notices {
	return newNotices(noticeWorld{
		file:      filepath.Join(t.o.Home, toldFile),
		prefs:     t.app.Preferences,
		conflicts: func(ctx context.Context) ([]control.Conflict, error) { return t.link.Engine().Conflicts(ctx) },
		open: func(ctx context.Context, o notify.Options) (notify.Notifier, error) {
			if needsDisplay {
				return notify.Open(ctx, o)
			}
			return notify.Plain(func(title, text string) {
				fyne.Do(func() { t.app.SendNotification(fyne.NewNotification(title, text)) })
			}, o), nil
		},
		click: func(a present.Action) { send(t.clicks, a) },
		log:   t.o.Log,
	})
}

// hear is told of each newer view. It never waits.
func (n *notices) hear(v present.View) {
	select {
	case <-n.views: // an older one that nobody has looked at
	default:
	}
	select {
	case n.views <- v:
	default:
	}
}

// run looks at each view, and when it is time to, until ctx ends.
func (n *notices) run(ctx context.Context) {
	n.load()
	again := time.NewTimer(time.Hour)
	again.Stop()
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			n.close()
			return
		case n.view = <-n.views:
			n.heard = true
		case <-again.C:
		case c := <-n.clicks:
			n.clicked(c)
			continue
		}
		if !n.heard {
			continue
		}
		if next := n.look(ctx, time.Now()); next.IsZero() {
			again.Stop()
		} else {
			again.Reset(max(time.Until(next), 100*time.Millisecond))
		}
	}
}

// look tells what is to be told now, and says when to look again.
func (n *notices) look(ctx context.Context, now time.Time) time.Time {
	p := n.prefs()
	off := map[present.Topic]bool{}
	for _, t := range present.Topics() {
		off[t.Topic] = !p.BoolWithFallback(t.Pref, true)
	}
	news := present.Next(n.memory, present.World{
		State: n.view.State, Running: n.view.Up, Now: now, Off: off,
		Days: p.IntWithFallback(present.PrefUnseenDays, present.DefaultUnseenDays),
	})
	n.memory = news.Memory
	for _, t := range news.Withdraw {
		delete(n.last, string(t))
		if n.desk != nil {
			if err := n.desk.Withdraw(ctx, string(t)); err != nil {
				n.log.Debug("a notice stays", "topic", t, "err", err)
			}
		}
	}
	for _, what := range news.Tell {
		n.tell(ctx, what)
	}
	n.save()
	return news.Again
}

func (n *notices) tell(ctx context.Context, what present.Notice) {
	if what.Topic == present.TopicConflict {
		ctx, cancel := context.WithTimeout(ctx, askConfl)
		list, err := n.conflicts(ctx)
		cancel()
		if err == nil {
			what = present.NameConflict(what, list)
		}
	}
	note := notify.Note{
		Key: string(what.Topic), Title: what.Title, Body: what.Body, Plain: what.Plain,
		Urgent: what.Urgent, Category: category(what.Topic),
	}
	for i, a := range what.Actions {
		note.Actions = append(note.Actions, notify.Action{ID: strconv.Itoa(i), Label: a.Label})
	}
	n.last[note.Key] = what
	err := n.show(ctx, note)
	switch {
	case err == nil:
		n.mute = false
	case errors.Is(err, context.Canceled):
	case !n.mute:
		n.mute = true
		n.log.Warn("this desktop shows no notifications", "err", err)
	}
}

func (n *notices) show(ctx context.Context, note notify.Note) error {
	if n.desk == nil {
		desk, err := n.open(ctx, notify.Options{
			App: "Pinion", DesktopEntry: "pinion", Image: noticeImage(),
			Invoked: func(key, action string) {
				select {
				case n.clicks <- [2]string{key, action}:
				default: // the person has clicked often
				}
			},
		})
		if err != nil {
			return err
		}
		n.desk = desk
	}
	return n.desk.Show(ctx, note)
}

func noticeImage() image.Image {
	img, err := look.Raster(look.AppIcon(), noticeIcon)
	if err != nil {
		return nil // a notice without a picture is one all the same
	}
	return img
}

// category is one of the Desktop Notifications Specification's.
func category(t present.Topic) string {
	switch t {
	case present.TopicFinished:
		return "transfer.complete"
	case present.TopicTrouble, present.TopicDisk:
		return "transfer.error"
	case present.TopicUnseen:
		return "device"
	}
	return "transfer"
}

func (n *notices) clicked(c [2]string) {
	i, err := strconv.Atoi(c[1])
	if what, ok := n.last[c[0]]; ok && err == nil && i >= 0 && i < len(what.Actions) {
		n.click(what.Actions[i].Do)
	}
}

func (n *notices) close() {
	if n.desk == nil {
		return
	}
	if err := n.desk.Close(); err != nil {
		n.log.Debug("the notifications were not closed", "err", err)
	}
}

// load reads what was told before. A file that can't be read is as none: then
// something may be told twice.
func (n *notices) load() {
	b, err := readAtMost(n.file, mostToldAt)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = json.Unmarshal(b, &n.memory)
	}
	if err != nil {
		n.memory = present.Memory{}
		n.log.Warn("what was told before can't be read", "file", n.file, "err", err)
		return
	}
	n.saved = string(b)
}

func readAtMost(file string, most int64) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > most {
		return nil, fmt.Errorf("%s is not ours", file)
	}
	return os.ReadFile(file)
}

// save writes what was told, if that has changed: whole or not at all, but not
// flushed, since no more than a notice is at stake.
func (n *notices) save() {
	b, err := json.Marshal(n.memory)
	if err != nil || string(b) == n.saved {
		return
	}
	next := n.file + ".new"
	if err = os.WriteFile(next, b, 0o600); err == nil {
		err = os.Rename(next, n.file)
	}
	if err != nil {
		n.log.Debug("what was told is not remembered", "err", err)
		return
	}
	n.saved = string(b)
}
