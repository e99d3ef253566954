package conflicts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/engine/tree"
	"pinion/tray/traytest"
)

// fake is an engine with conflicts, which it settles.
type fake struct {
	traytest.Engine
	list    []control.Conflict
	text    map[tree.ContentID][]byte
	media   map[tree.ContentID]string
	fail    map[string]error // of Resolve, by path
	last    control.Resolve
	order   map[string]int
	settled []control.Conflict
}

// id names a content by a small number.
func id(n byte) tree.ContentID { return tree.ContentID{tree.HashBLAKE3, n} }

func newFake() *fake {
	return &fake{text: map[tree.ContentID][]byte{}, media: map[tree.ContentID]string{}, fail: map[string]error{}, order: map[string]int{}}
}

// edit adds a conflict of two texts; base may be "".
func (f *fake) edit(folder, path, this, that, base string) control.Conflict {
	n := byte(10 * (len(f.list) + 1))
	k := control.Conflict{
		Folder: folder, Path: path, Copy: strings.TrimSuffix(path, ".txt") + " (conflict laptop 2026-11-20 1403 ab12).txt", Kind: control.EditEdit,
		This:        &control.Side{Device: "pi1", Size: int64(len(this)), MTime: traytest.Noon().Add(-2*time.Hour - 48*time.Minute)},
		That:        control.Side{Device: "laptop", Size: int64(len(that)), MTime: traytest.Noon().Add(-21*time.Hour - 57*time.Minute)},
		ThisContent: id(n), ThatContent: id(n + 1),
	}
	f.text[id(n)], f.text[id(n+1)] = []byte(this), []byte(that)
	if base != "" {
		k.Base = id(n + 2)
		f.text[id(n+2)] = []byte(base)
	}
	f.order[k.Folder+"/"+k.Copy] = len(f.list)
	f.list = append(f.list, k)
	return k
}

// deletion adds a file that pi1 changed and the laptop deleted.
func (f *fake) deletion(folder, path, text string) {
	k := f.edit(folder, path, text, "", "")
	k.Kind, k.Copy, k.ThatContent = control.EditDelete, path, tree.ContentID{}
	f.list[len(f.list)-1] = k
	f.order[k.Folder+"/"+k.Copy] = len(f.list) - 1
}

// state is what the engine says of itself.
func (f *fake) state() status.State {
	s := status.State{Version: 1, Device: status.Self{Name: "laptop"}}
	for _, k := range f.list {
		i := slices.IndexFunc(s.Folders, func(x status.Folder) bool { return x.Name == k.Folder })
		if i < 0 {
			s.Folders = append(s.Folders, status.Folder{Name: k.Folder, Path: "/home/pat/" + k.Folder})
			i = len(s.Folders) - 1
		}
		s.Folders[i].Conflicts++
	}
	return s
}

func (f *fake) ListConflicts(_ context.Context, r control.ConflictsRequest) (page control.ConflictsPage, err error) {
	from := -1 // a place in the list is where a conflict was when it was added
	if r.After != "" {
		fmt.Sscan(r.After, &from)
	}
	last := 0
	counts := map[string]int64{}
	for _, k := range f.list {
		if r.Folder != "" && k.Folder != r.Folder {
			continue
		}
		if counts[k.Folder]++; counts[k.Folder] == 1 {
			page.Folders = append(page.Folders, control.ConflictsCount{Folder: k.Folder})
		}
		i := f.order[k.Folder+"/"+k.Copy]
		if i <= from || r.Path != "" && r.Path != k.Path && r.Path != k.Copy {
			continue
		}
		if len(page.Conflicts) < r.Limit || r.Limit == 0 {
			page.Conflicts, last = append(page.Conflicts, k), i
		} else if page.Next == "" {
			page.Next = fmt.Sprint(last)
		}
	}
	for i, c := range page.Folders {
		page.Folders[i].Count = counts[c.Folder]
	}
	return page, nil
}

func (f *fake) Content(_ context.Context, r control.ContentRequest) (control.Content, error) {
	c := r.Content
	for _, k := range f.list {
		if k.Folder == r.Folder && c.IsZero() {
			if k.Path == r.Path && k.Copy != r.Path || k.Kind == control.EditDelete && k.Path == r.Path {
				c = k.ThisContent
			} else if k.Copy == r.Path {
				c = k.ThatContent
			}
		}
	}
	data, ok := f.text[c]
	if !ok {
		return control.Content{}, &control.Error{Kind: control.KindNotFound, Text: "no device that can be reached now has it"}
	}
	size := int64(len(data))
	data = data[min(r.Offset, size):]
	data = data[:min(len(data), 1000)] // small, so that reading on is tried
	m := f.media[c]
	if m == "" {
		m = "text/plain"
	}
	return control.Content{Data: data, Size: size, Content: c, Media: m}, nil
}

func (f *fake) Resolve(_ context.Context, r control.Resolve) error {
	f.Note("resolve %s %s", r.Path, r.Keep)
	f.last = r
	i := slices.IndexFunc(f.list, func(k control.Conflict) bool { return k.Folder+"/"+k.Copy == r.Path })
	if i < 0 {
		return &control.Error{Kind: control.KindNotFound, Text: r.Path + " has no conflict"}
	}
	if err := f.fail[f.list[i].Path]; err != nil {
		return err
	}
	if k := f.list[i]; r.If == nil || r.If.This != k.ThisContent || r.If.That != k.ThatContent {
		return &control.Error{Kind: control.KindChanged, Text: "it has changed since it was shown"}
	}
	f.settled = append(f.settled, f.list[i])
	f.list = slices.Delete(slices.Clone(f.list), i, i+1)
	return nil
}

func (f *fake) Undo(_ context.Context, u control.Undo) error {
	f.Note("undo %s/%s %s", u.Conflict.Folder, u.Conflict.Copy, u.Keep)
	k := u.Conflict
	if k.This != nil {
		this := *k.This
		this.Device, k.This = "laptop", &this // who brings a version back is its author
	}
	k.That.Device = "laptop"
	f.list = append([]control.Conflict{k}, f.list...)
	return nil
}

func (f *fake) History(_ context.Context, r control.HistoryRequest) (h control.History, err error) {
	until := traytest.Noon().Add(30 * 24 * time.Hour)
	for _, k := range f.settled {
		for _, c := range []tree.ContentID{k.ThisContent, k.ThatContent} {
			h.Versions = append(h.Versions, control.Kept{Path: r.Path, Content: c, Reason: "replaced", Expires: &until})
		}
	}
	return h, nil
}

var errBusy = errors.New("b.txt is being changed just now; try again in a moment")

// opened is a page with the conflicts of an engine.
func opened(t *testing.T, f *fake, dark bool, w, h float32) (*Page, *traytest.Host) {
	t.Helper()
	variant := traytest.Light
	if dark {
		variant = traytest.Dark
	}
	host := traytest.NewHost(t, f, variant)
	p := New(host)
	host.Put(p, f.state(), w, h)
	return p, host
}
