package apply

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"pinion/engine/plan"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// steps counts the calls of a scenario that meets no trouble.
func steps(v variant, scenario int) int {
	w := build(v, scenario)
	w.group()
	return w.step
}

func each(t *testing.T, f func(t *testing.T, v variant, scenario int)) {
	for _, v := range variants {
		for i, s := range scenarios {
			t.Run(v.name+"/"+s.name, func(t *testing.T) { f(t, v, i) })
		}
	}
}

func TestUndisturbed(t *testing.T) {
	each(t, func(t *testing.T, v variant, s int) {
		w := build(v, s)
		outcomes, err := w.group()
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range outcomes {
			if o.Status != Done {
				t.Fatalf("%s %s: %v, %v\n%s", o.Action.Op, o.Action.Entry.Path, o.Status, o.Err, strings.Join(w.log, "\n"))
			}
			for _, c := range o.Changes {
				n := w.nodes[string(c.Record.Path)]
				if (n != nil) != c.Record.Exists() || n != nil && c.Record.Disk != statOf(w.info("", n)) {
					t.Errorf("%s: the record is not what stands", c.Record.Path)
				}
				if n != nil && n.kind == rootfs.Regular && (n.mtime != c.Record.MTime || n.mode != c.Record.Mode) {
					t.Errorf("%s: mode or mtime are not as wanted", c.Record.Path)
				}
			}
		}
		w.nothingLost(t)
		w.truthful(t, outcomes)
		w.tidy(t)
		if tmp := w.children(Staging); len(tmp) > 0 {
			t.Errorf("left in staging: %v", tmp)
		}
	})
}

// A person edits just before and just after each call.
func TestEditAtEveryStep(t *testing.T) {
	each(t, func(t *testing.T, v variant, s int) {
		for _, p := range build(v, s).meddle() {
			for _, name := range slices.Sorted(maps.Keys(edits)) {
				if (v.isYoung || v.coarse && !v.noSwap) && !strings.HasPrefix(name, "write") {
					continue // as with the first variant
				}
				for i := range 2 * steps(v, s) {
					w := build(v, s)
					data := fmt.Sprintf("ed%06d", i)
					hook := func(step int, _ string) {
						if step == i/2 {
							edits[name](w, p, data)
							w.edited(data)
						}
					}
					if i%2 == 0 {
						w.before = hook
					} else {
						w.after = hook
					}
					outcomes, err := w.group()
					w.before, w.after = nil, nil
					w.unseen = name == "write unseen"
					if err != nil {
						t.Fatal(err)
					}
					w.nothingLost(t)
					w.truthful(t, outcomes)
					w.tidy(t)
					if t.Failed() {
						t.Fatalf("after %q of %s at step %d", name, p, i)
					}
				}
			}
		}
	})
}

// Two edits at every pair of steps, the second of which meets what is undone.
func TestTwoEdits(t *testing.T) {
	for _, v := range variants[:2] {
		for s, sc := range scenarios {
			if !slices.Contains([]string{"replace", "replace and keep", "delete", "move", "directory over file"}, sc.name) {
				continue
			}
			t.Run(v.name+"/"+sc.name, func(t *testing.T) {
				n := steps(v, s) + 6
				for _, kinds := range [][2]string{{"save by rename", "save by rename"}, {"save by rename", "delete"}, {"write in place", "write in place"}, {"become a directory", "save by rename"}, {"save by rename", "become a directory"}, {"save by rename", "write in place"}} {
					for i := range n * n {
						w := build(v, s)
						p := string(w.actions[0].Entry.Path)
						if w.actions[0].Op == plan.Move {
							p = string(w.actions[0].From.Path)
						}
						w.before = func(step int, _ string) {
							for k, at := range []int{i / n, i % n} {
								if step == at {
									data := fmt.Sprintf("ed%d%05d", k, i)
									edits[kinds[k]](w, p, data)
									w.edited(data)
								}
							}
						}
						outcomes, err := w.group()
						w.before = nil
						if err != nil {
							t.Fatal(err)
						}
						w.nothingLost(t)
						w.truthful(t, outcomes)
						w.tidy(t)
						if t.Failed() {
							t.Fatalf("after %q at steps %d, %d", kinds, i/n, i%n)
						}
					}
				}
			})
		}
	}
}

// An editor opens the file at any step, without being noticed, and writes into
// it when all is over.
func TestLateWrite(t *testing.T) {
	each(t, func(t *testing.T, v variant, s int) {
		for i := range steps(v, s) {
			w := build(v, s)
			p := string(w.actions[0].Entry.Path)
			var open *node
			w.before = func(step int, _ string) {
				if step == i && w.nodes[p] != nil && w.nodes[p].kind == rootfs.Regular {
					open = w.nodes[p]
				}
			}
			if _, err := w.group(); err != nil {
				t.Fatal(err)
			}
			w.before = nil
			if open == nil || isNew(open.data) {
				continue
			}
			delete(w.need, open.data)
			w.clock += 5000
			open.data, open.mtime = "late----", w.clock/w.grain*w.grain*1e6
			w.person["late----"], w.need["late----"] = true, true
			late, err := w.applier().Recheck(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if !w.contents(isLive)["late----"] {
				t.Fatalf("step %d: what was written late is not live: %v\n%s", i, late, w.listing())
			}
			w.nothingLost(t)
		}
	})
}

func isNew(data string) bool { return strings.HasPrefix(data, "new") }

// The machine stops before each call, in one of three ways; then again at each
// call of Recover.
func TestStopAtEveryStep(t *testing.T) {
	each(t, func(t *testing.T, v variant, s int) {
		for kind, name := range []string{"killed", "power cut", "torn"} {
			if kind > 0 && v.noSync {
				continue // the fake doesn't know what single syncs leave
			}
			for i := range steps(v, s) + 1 {
				stopped := func() *world {
					w := build(v, s)
					w.stopAt = i
					outcomes, err := w.group()
					if err == nil && i < w.step && !strings.HasPrefix(lastOf(v, s), "unlink") {
						t.Fatalf("no error from a dead disk")
					}
					for _, o := range outcomes {
						if o.Status == Done && err != nil {
							t.Fatalf("%s is claimed to be done on a dead disk", o.Action.Entry.Path)
						}
					}
					if !v.noSwap {
						w.whole(t)
					}
					w.revive(kind == 1, kind == 2)
					return w
				}
				for j := range 60 {
					w := stopped()
					w.step, w.stopAt = 0, j
					_, err := w.applier().Recover(context.Background())
					calls := w.step
					w.revive(false, false)
					if err != nil || j < calls {
						if _, err = w.applier().Recover(context.Background()); err != nil {
							t.Fatalf("%s at %d, again at %d: %v\n%s", name, i, j, err, strings.Join(w.log, "\n"))
						}
					}
					w.whole(t)
					w.nothingLost(t)
					w.tidy(t)
					if t.Failed() {
						t.Fatalf("%s at step %d, again at %d", name, i, j)
					}
					if j >= calls {
						break
					}
				}
			}
		}
	})
}

// lastOf is the last call of a scenario; when that is to remove the intent, all
// is durable.
func lastOf(v variant, scenario int) string {
	w := build(v, scenario)
	w.group()
	return w.log[len(w.log)-1]
}

// whole: where something stood and should stand, the old or the new stands whole.
func (w *world) whole(t *testing.T) {
	t.Helper()
	for _, act := range w.actions {
		n := w.nodes[string(act.Entry.Path)]
		if n == nil {
			if act.Was.Exists() && act.Op != plan.Delete {
				t.Errorf("nothing stands at %s\n%s\n%s", act.Entry.Path, w.listing(), strings.Join(w.log, "\n"))
			}
			continue
		}
		ok := n.kind == rootfs.Directory
		for _, e := range []tree.Entry{act.Entry, act.Was.Entry} {
			ok = ok || e.Kind == tree.File && contentOf(n.data) == e.Content || e.Kind == tree.Symlink && n.data == e.Target
		}
		if !ok {
			t.Errorf("at %s stands %q\n%s\n%s", act.Entry.Path, n.data, w.listing(), strings.Join(w.log, "\n"))
		}
	}
}

// Each call fails, once or from then on, alone or after an edit.
func TestFailAtEveryStep(t *testing.T) {
	each(t, func(t *testing.T, v variant, s int) {
		for _, errno := range []error{syscall.ENOSPC, syscall.EIO, syscall.EACCES} {
			for i := range steps(v, s) + 4 {
				for mode := range 6 {
					w := build(v, s)
					edit := mode >= 2
					w.fail = func(step int, op string) error {
						if step == i || mode%2 == 1 && step > i {
							return errno
						}
						return nil
					}
					if edit {
						w.before = func(step int, op string) {
							if strings.HasPrefix(op, "exchange") || strings.HasPrefix(op, "rename d/") {
								w.before = nil
								edits[map[bool]string{true: "save by rename", false: "write in place"}[mode >= 4]](w, string(w.actions[0].Entry.Path), "ed-later")
								w.edited("ed-later")
							}
						}
					}
					outcomes, err := w.group()
					for _, o := range outcomes {
						if err != nil && o.Status == Done {
							t.Errorf("%s is claimed to be done: %v", o.Action.Entry.Path, err)
						}
					}
					w.fail, w.before = nil, nil
					w.truthful(t, outcomes)
					if _, err := w.a.Recheck(context.Background()); err != nil {
						t.Fatal(err)
					}
					if _, err := w.applier().Recover(context.Background()); err != nil {
						t.Fatal(err)
					}
					w.nothingLost(t)
					w.tidy(t)
					if t.Failed() {
						t.Fatalf("after %v at step %d, mode %d", errno, i, mode)
					}
				}
			}
		}
	})
}

// The order of system calls, as a text to be read. -update writes it anew:
// UPDATE_GOLDEN=1 go test ./engine/apply -run Golden
func TestGolden(t *testing.T) {
	for _, v := range variants[:3] {
		var b strings.Builder
		for i, s := range scenarios {
			w := build(v, i)
			id := ""
			w.group()
			fmt.Fprintf(&b, "# %s\n", s.name)
			for _, line := range w.log {
				if _, after, ok := strings.Cut(line, Private+"/intent-"); ok && id == "" {
					id, _, _ = strings.Cut(after, " ")
				}
			}
			for _, line := range w.log {
				if id != "" {
					line = strings.ReplaceAll(line, id, "GROUP")
				}
				for _, act := range w.actions {
					line = strings.ReplaceAll(line, act.Entry.Content.String(), "CONTENT")
				}
				b.WriteString(line + "\n")
			}
			b.WriteString("\n")
		}
		name, _, _ := strings.Cut(v.name, " ")
		if v.noSync {
			name = "plain"
		}
		file := filepath.Join("testdata", name+".golden")
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if string(want) != b.String() {
			t.Errorf("the order of calls is not that of %s; it is:\n%s", file, b.String())
		}
	}
}
