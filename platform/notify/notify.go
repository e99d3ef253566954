package notify

import (
	"context"
	"errors"
	"image"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrNone is returned where no notice can be shown.
var ErrNone = errors.New("this desktop shows no notifications")

const (
	maxTitle   = 160 // runes
	maxBody    = 800
	maxLabel   = 40
	maxActions = 4
)

// Note is a notice. Title and Body are plain text, whatever the system makes of it.
type Note struct {
	Key         string // a notice takes the place of the one with the same key
	Title, Body string
	Plain       string // the same without anything that came from outside
	Category    string // of the Desktop Notifications Specification: "transfer.complete", "device.error"
	Urgent      bool   // stays until it is seen
	Actions     []Action
}

// Action is a button; the first is also what a click on the notice does.
type Action struct {
	ID, Label string
}

// Options say who notifies.
type Options struct {
	App          string      // the program's name for a person
	DesktopEntry string      // the name of its .desktop file, without the ending
	Image        image.Image // shown beside the text; may be nil
	// Invoked hears that an action was chosen, on a goroutine of the notifier's. It must not wait.
	Invoked func(key, action string)
}

// Notifier shows notices.
type Notifier interface {
	Show(ctx context.Context, n Note) error
	// Withdraw takes a notice from the screen, if it is still there.
	Withdraw(ctx context.Context, key string) error
	Close() error
}

// fit is n as far as it may be sent.
func (n Note) fit() Note {
	n.Title, n.Body = bounded(n.Title, maxTitle), bounded(n.Body, maxBody)
	actions := make([]Action, min(len(n.Actions), maxActions))
	for i := range actions {
		actions[i] = Action{n.Actions[i].ID, bounded(n.Actions[i].Label, maxLabel)}
	}
	n.Actions = actions
	return n
}

// Plain is a Notifier that hands the harmless part of notices to send.
func Plain(send func(title, text string), o Options) Notifier { return plain{send, o} }

type plain struct {
	send func(title, text string)
	o    Options
}

func (p plain) Show(_ context.Context, n Note) error {
	if text := harmless(n.Plain); text != "" {
		p.send(harmless(p.o.App), text)
	}
	return nil
}

func (plain) Withdraw(context.Context, string) error { return nil }
func (plain) Close() error                           { return nil }

// harmless leaves what no shell and no script has a meaning for.
func harmless(s string) string {
	return bounded(strings.Map(func(r rune) rune {
		switch {
		case r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)), strings.ContainsRune(" .,:", r):
			return r
		case r >= 0x80 && (unicode.IsLetter(r) || unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Mc, r)):
			return r
		case r == '\'' || r == '’': // "can't" stays one word
			return -1
		}
		return ' '
	}, s), maxBody)
}

// bounded makes s something that can be sent: valid, one line, in the direction of
// its letters, not too long.
func bounded(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}
