package history

import (
	"context"
	"time"

	"pinion/engine/control"
)

// Bounds of what is held of one directory or search.
const (
	pageSize = 200
	most     = 4000
)

// view is what a person looks at.
type view struct {
	folder  string
	dir     string
	at      *time.Time
	deleted bool
	text    string // searched below dir
}

func (v view) same(w view) bool {
	at := v.at == w.at || v.at != nil && w.at != nil && v.at.Equal(*w.at)
	v.at, w.at = nil, nil
	return at && v == w
}

// listing is what the engine has said of a view so far. It belongs to Fyne's
// goroutine, but for what runs in an ask.
type listing struct {
	engine func() control.Engine
	ask    func(f func(context.Context) error, done func())
	drawn  func() // something has changed

	view    view
	entries []control.Browsed
	next    string
	notes   []string
	known   bool  // an answer has come
	whole   bool  // that of the other devices, too
	failed  error // why the last request came to nothing
	pages   int

	life context.Context // of the view: requests end with it
	end  context.CancelFunc
	busy bool // for a further page
}

// show begins anew with a view: what this device knows at once, then all.
func (l *listing) show(v view) {
	l.stop()
	l.view, l.entries, l.next, l.notes = v, nil, "", nil
	l.known, l.whole, l.failed, l.busy, l.pages = false, false, nil, false, 0
	l.life, l.end = context.WithCancel(context.Background())
	l.drawn()
	if v.folder == "" {
		return
	}
	if v.at == nil && !v.deleted {
		l.first(false)
		return
	}
	life := l.life
	l.first(true)
	if l.life == life {
		l.first(false)
	}
}

// again asks for the first page anew, and leaves what is shown until it comes.
func (l *listing) again() {
	if l.life != nil && l.view.folder != "" && l.pages <= 1 && !l.busy {
		l.first(false)
	}
}

func (l *listing) stop() {
	if l.end != nil {
		l.end()
	}
}

func (l *listing) request(here bool) control.BrowseRequest {
	v := l.view
	return control.BrowseRequest{Folder: v.folder, Dir: v.dir, At: v.at, Deleted: v.deleted, Text: v.text, Limit: pageSize, Here: here}
}

func (l *listing) first(here bool) {
	l.get(l.request(here), func(p control.BrowsePage) {
		if here && l.whole {
			return // the better answer was the quicker one
		}
		l.entries, l.next, l.known, l.pages = p.Entries, p.Next, true, 1
		if !here {
			l.whole, l.notes = true, p.Notes
		}
	})
}

// more asks for the next page.
func (l *listing) more() {
	if l.next == "" || l.busy || !l.whole || len(l.entries) >= most || l.failed != nil {
		return
	}
	l.busy = true
	r := l.request(false)
	r.After = l.next
	l.get(r, func(p control.BrowsePage) {
		l.entries = append(l.entries, p.Entries...)
		l.next, l.pages = p.Next, l.pages+1
	})
}

// get asks for a page. An answer for another view is dropped.
func (l *listing) get(r control.BrowseRequest, take func(control.BrowsePage)) {
	life, engine := l.life, l.engine()
	var p control.BrowsePage
	var err error
	l.ask(func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(life, cancel)()
		p, err = engine.Browse(ctx, r)
		return nil // what failed is said on the page
	}, func() {
		if life.Err() != nil {
			return
		}
		if r.After != "" {
			l.busy = false
		}
		if l.failed = err; err == nil {
			take(p)
		}
		l.drawn()
		if l.whole && err == nil && len(l.entries) == 0 && l.next != "" {
			l.more() // a search that goes on
		}
	})
}

// full says that there is more than is held.
func (l *listing) full() bool { return l.next != "" && len(l.entries) >= most }
