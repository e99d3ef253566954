package control_test

import (
	"context"
	"fmt"
	"time"

	"pinion/engine/control"
)

func (f *fake) Browse(_ context.Context, r control.BrowseRequest) (control.BrowsePage, error) {
	f.asked = fmt.Sprintf("browse %s %s %v %v %s %s %d %v", r.Folder, r.Dir, r.At, r.Deleted, r.Text, r.After, r.Limit, r.Here)
	at := r.At.Add(time.Hour)
	return control.BrowsePage{
		Entries: []control.Browsed{
			{Name: "a", Path: "d/a", Kind: "file", Size: 3, MTime: &at, State: control.StateDeleted, Since: &at, By: "pi", KeptBy: []string{"pi"}, Expires: &at, Versions: 2},
			{Name: "b", Path: "d/b", Kind: "directory", State: control.StateMoved, MovedTo: "c"},
		},
		Next: "d/b", Notes: []string{"pi2 is not connected"},
	}, nil
}

func (f *fake) Moments(_ context.Context, r control.MomentsRequest) (control.Moments, error) {
	f.asked = fmt.Sprintf("moments %s %d", r.Folder, len(r.Bounds))
	return control.Moments{Changes: []int64{1, 0, 7}}, nil
}

func (f *fake) RestoreProgress(_ context.Context, ticket string) (control.RestoreProgress, error) {
	f.asked = "restore progress " + ticket
	return control.RestoreProgress{Looked: 1, Files: 2, Bytes: 3, Ended: true}, nil
}

func (f *fake) UndoRestore(_ context.Context, undo string) (control.Restored, error) {
	f.asked = "undo restore " + undo
	return control.Restored{Files: 1, Undo: "x"}, nil
}

func browseCalls(c control.Engine) map[string]func(context.Context) (any, error) {
	at := time.Date(2026, 11, 21, 14, 3, 0, 0, time.UTC)
	return map[string]func(context.Context) (any, error){
		"browse docs d 2026-11-21 14:03:00 +0000 UTC true x d/a 9 true": func(x context.Context) (any, error) {
			return c.Browse(x, control.BrowseRequest{Folder: "docs", Dir: "d", At: &at, Deleted: true, Text: "x", After: "d/a", Limit: 9, Here: true})
		},
		"moments docs 4": func(x context.Context) (any, error) {
			return c.Moments(x, control.MomentsRequest{Folder: "docs", Bounds: []time.Time{at, at, at, at}})
		},
		"restore progress t": func(x context.Context) (any, error) { return c.RestoreProgress(x, "t") },
		"undo restore u":     func(x context.Context) (any, error) { return c.UndoRestore(x, "u") },
	}
}
