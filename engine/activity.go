package engine

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"pinion/engine/control"
	"pinion/engine/folder"
	"pinion/engine/tree"
)

// Activity lists the changes of all folders by time. An item's id is its time in
// nanoseconds, so that one number says how far a follower is in all folders.
func (e *Engine) Activity(ctx context.Context, r control.ActivityRequest) (control.ActivityPage, error) {
	if r.Limit <= 0 || r.Limit > 1000 {
		r.Limit = 1000
	}
	if r.Before != 0 && r.After != 0 {
		return control.ActivityPage{}, usage("changes are listed before one or after one, not both")
	}
	wanted, err := e.activityFilter(r)
	if err != nil {
		return control.ActivityPage{}, err
	}
	var timeout <-chan time.Time
	if r.Wait > 0 {
		timeout = time.After(r.Wait)
	}
	version := e.board.Now().Version
	for {
		page, err := e.activities(ctx, r, wanted)
		if err != nil || len(page.Items) > 0 || r.Wait <= 0 {
			return page, err
		}
		next := make(chan uint64, 1)
		wctx, cancel := context.WithCancel(ctx)
		go func() {
			s, _ := e.board.After(wctx, version)
			next <- s.Version
		}()
		select {
		case version = <-next:
			cancel()
		case <-timeout:
			cancel()
			return page, nil
		case <-ctx.Done():
			cancel()
			return page, ctx.Err()
		}
	}
}

// activityFilter says which changes are asked for.
func (e *Engine) activityFilter(r control.ActivityRequest) (func(*folder.Folder, folder.Activity) bool, error) {
	var in *folder.Folder
	var by tree.DeviceID
	var err error
	if r.Folder != "" {
		if in, err = e.namedFolder(r.Folder); err != nil {
			return nil, err
		}
	}
	if r.Device != "" {
		if by, err = e.anyDevice(r.Device); err != nil {
			return nil, err
		}
	}
	text := strings.ToLower(norm.NFC.String(r.Text))
	return func(f *folder.Folder, a folder.Activity) bool {
		return (in == nil || f == in) && (by.IsZero() || a.Device == by) && (r.Action == "" || a.Action == r.Action) &&
			(text == "" || strings.Contains(strings.ToLower(string(a.Path)), text))
	}, nil
}

// anyDevice is findDevice for what may be this one.
func (e *Engine) anyDevice(who string) (tree.DeviceID, error) {
	if who == e.nameOf(e.o.Device) {
		return e.o.Device, nil
	}
	return e.findDevice(who)
}

const aFew = 100

// activities gives the newest changes that are asked for, of each folder as many
// as may be needed, and of all of them the newest.
func (e *Engine) activities(ctx context.Context, r control.ActivityRequest, wanted func(*folder.Folder, folder.Activity) bool) (control.ActivityPage, error) {
	page := control.ActivityPage{Items: []control.Activity{}, Next: r.After}
	more := false // there are older ones
	for _, f := range e.list() {
		n, older := 0, 0
		err := f.EachActivity(ctx, func(a folder.Activity) bool {
			at := uint64(a.Time)
			switch {
			case r.Before != 0 && at >= r.Before || !wanted(f, a):
				return true
			case at <= r.After:
				older++ // after a clock that was set back, newer ones may follow
				return older < aFew
			case n > r.Limit && at != page.Items[len(page.Items)-1].ID:
				return false
			}
			n++
			page.Items = append(page.Items, control.Activity{
				ID: at, Time: time.Unix(0, a.Time), Folder: f.Name(), Path: string(a.Path), Action: a.Action, Device: e.nameOf(a.Device),
			})
			return true
		})
		if err != nil {
			return page, err
		}
	}
	slices.Reverse(page.Items) // of one moment: as they were written down
	slices.SortStableFunc(page.Items, func(a, b control.Activity) int { return cmp.Compare(a.ID, b.ID) })
	if from := len(page.Items) - r.Limit; from > 0 {
		if r.After == 0 { // those of one moment are not parted
			for from > 0 && page.Items[from-1].ID == page.Items[from].ID {
				from--
			}
		}
		page.Items, more = page.Items[from:], from > 0
	}
	if n := len(page.Items); n > 0 {
		page.Next = page.Items[n-1].ID
		if more {
			page.Before = page.Items[0].ID
		}
	}
	return page, nil
}
