package control_test

import (
	"context"
	"time"

	"pinion/engine/control"
	"pinion/engine/tree"
)

func (f *fake) FolderConfig(_ context.Context, n string) (control.FolderConfig, error) {
	return control.FolderConfig{ID: folder.ID, Name: n, ScanEvery: time.Hour, MayOwn: true, Usual: control.Usual{KeepDays: 30}}, f.ask("config of %s", n)
}
func (f *fake) LookAt(_ context.Context, p string) (control.Spot, error) {
	return control.Spot{Path: p, There: true, Network: true, Free: 1, Total: 2}, f.ask("look at %s", p)
}
func (f *fake) Decline(_ context.Context, r control.Decline) error { return f.ask("decline %+v", r) }
func (f *fake) Ignores(_ context.Context, n string) (control.Ignores, error) {
	return control.Ignores{Text: "*.tmp\n", Seen: tree.ContentID{1, 2}, Problems: []control.IgnoreLine{{Line: 1, Text: "/", Why: "names nothing"}}}, f.ask("ignores %s", n)
}
func (f *fake) SetIgnores(_ context.Context, r control.SetIgnores) (control.Ignores, error) {
	return control.Ignores{Text: r.Text}, f.ask("set ignores %s %q %x", r.Folder, r.Text, r.Seen[:2])
}
func (f *fake) TryIgnores(_ context.Context, r control.TryIgnores) (control.Tried, error) {
	return control.Tried{Out: []control.TriedPath{{Path: "a/b", Dir: true, Files: 3, Bytes: 4}}, Next: "a/b", Files: 3, Bytes: 4, BackSum: control.Sum{Files: 1, More: true}}, f.ask("try %+v", r)
}

// placeCalls are the calls of Placing and Ignoring.
func placeCalls(c control.Engine) map[string]func(context.Context) (any, error) {
	type ctx = context.Context
	return map[string]func(ctx) (any, error){
		"config of docs":                  func(x ctx) (any, error) { return c.FolderConfig(x, "docs") },
		"look at /p":                      func(x ctx) (any, error) { return c.LookAt(x, "/p") },
		"decline {Folder:docs Undo:true}": func(x ctx) (any, error) { return nil, c.Decline(x, control.Decline{Folder: "docs", Undo: true}) },
		"ignores docs":                    func(x ctx) (any, error) { return c.Ignores(x, "docs") },
		"set ignores docs \"a\\nb\" 0102": func(x ctx) (any, error) {
			return c.SetIgnores(x, control.SetIgnores{Folder: "docs", Text: "a\nb", Seen: tree.ContentID{1, 2}})
		},
		"try {Folder:docs Text:t After:a Limit:3}": func(x ctx) (any, error) {
			return c.TryIgnores(x, control.TryIgnores{Folder: "docs", Text: "t", After: "a", Limit: 3})
		},
	}
}
