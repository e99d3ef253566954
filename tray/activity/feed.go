package activity

import (
	"context"
	"sync/atomic"

	"pinion/engine/control"
)

const (
	pageSize = 100  // changes asked for at once
	most     = 2000 // changes held
)

// feed is the changes that were asked for, newest first. It belongs to Fyne's
// goroutine, but for what runs in an ask.
type feed struct {
	engine func() control.Engine
	ask    func(f func(context.Context) error, done func())
	drawn  func() // something has changed

	filter control.ActivityRequest // Folder, Device, Action, Text
	items  []control.Activity
	next   uint64 // After of the request for newer ones
	before uint64 // Before of the request for older ones; 0: there are none
	known  bool   // an answer has come for this filter
	failed error  // why the last request came to nothing

	life  int         // of the filter: answers for an earlier one are dropped
	busy  atomic.Bool // a request is under way
	again bool        // another was wanted meanwhile
}

// narrow changes what is asked for, and begins anew.
func (f *feed) narrow(r control.ActivityRequest) {
	if r == f.filter {
		return
	}
	f.filter, f.known, f.failed, f.next, f.before = r, false, nil, 0, 0
	f.life++
	f.items = nil
	f.drawn()
	f.newer()
}

// newer asks for what is newer than what is here.
func (f *feed) newer() {
	r := f.filter
	r.Limit, r.After = pageSize, f.next
	f.request(r, func(p control.ActivityPage) {
		if r.After != 0 && len(p.Items) >= pageSize { // much happened: begin anew
			f.items, f.next, f.known = nil, 0, false
			f.again = true
			return
		}
		f.prepend(p)
		if r.After == 0 {
			f.before = p.Before
		}
	})
}

// older asks for the next page down.
func (f *feed) older() {
	if f.before == 0 || len(f.items) >= most || f.busy.Load() {
		return
	}
	r := f.filter
	r.Limit, r.Before = pageSize, f.before
	f.request(r, func(p control.ActivityPage) {
		for i := len(p.Items) - 1; i >= 0; i-- {
			f.items = append(f.items, p.Items[i])
		}
		f.before = p.Before
	})
}

// request asks for one page at a time. What runs beside Fyne's goroutine writes
// only to busy and its own result.
func (f *feed) request(r control.ActivityRequest, take func(control.ActivityPage)) {
	if !f.busy.CompareAndSwap(false, true) {
		f.again = true
		return
	}
	life, engine := f.life, f.engine()
	var p control.ActivityPage
	var err error
	f.ask(func(ctx context.Context) error {
		defer f.busy.Store(false)
		p, err = engine.Activity(ctx, r)
		return nil // what failed is said on the page
	}, func() {
		if life == f.life {
			if f.failed = err; err == nil {
				take(p)
				f.known = true
			}
			f.drawn()
		}
		if f.again {
			f.again = false
			f.newer()
		}
	})
}

// prepend takes newer ones, which come oldest first.
func (f *feed) prepend(p control.ActivityPage) {
	last := f.next
	var fresh []control.Activity
	for i := len(p.Items) - 1; i >= 0; i-- {
		if p.Items[i].ID > last {
			fresh = append(fresh, p.Items[i])
		}
	}
	f.items = append(fresh, f.items...)
	if len(f.items) > most {
		f.items = f.items[:most]
		f.before = f.items[most-1].ID
	}
	f.next = max(f.next, p.Next)
}
