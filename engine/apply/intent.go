package apply

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"pinion/engine/plan"
	"pinion/engine/tree"
)

const (
	intentPrefix = "intent-"
	latePrefix   = "late-"
	maxNote      = 32 << 20 // bytes of one note
)

// intent is the note about what one group is about to displace. It is durable
// before the first name changes, and removed when all names are durable.
type intent struct {
	Items []intentItem
}

type intentItem struct {
	Op     plan.Op
	Src    string      `json:",omitempty"` // our own thing, or after an exchange what was displaced
	Held   string      `json:",omitempty"` // what was displaced, if not at Src
	Staged string      `json:",omitempty"` // where Src came from
	Target string      `json:",omitempty"` // of our symlink
	Want   tree.Stat   // of our file
	Keep   tree.Path   `json:",omitempty"`
	Was    tree.Record // what is displaced, and its path
}

// intend writes the note, if anything will lie in Private. Without it those
// actions are not tried.
func (g *group) intend() {
	var in intent
	var noted []*item
	for _, it := range g.items {
		if it.ready && (it.held != "" || strings.HasPrefix(it.src, Private)) {
			noted = append(noted, it)
			in.Items = append(in.Items, it.intent())
		}
	}
	if len(noted) == 0 {
		return
	}
	g.intent = Private + "/" + intentPrefix + g.id
	if err := g.a.writeNote(g.intent, in); err != nil {
		for _, it := range noted {
			it.ready = false
			it.fail(fmt.Errorf("write intent: %w", err))
		}
	}
}

func (it *item) intent() intentItem {
	was := it.act.Was
	if it.act.Op == plan.Move {
		was = *it.act.From
	}
	out := intentItem{
		Op: it.act.Op, Src: it.src, Held: it.held, Staged: it.act.Staged, Target: it.act.Entry.Target, Want: it.want,
		Was: tree.Record{Entry: tree.Entry{Path: was.Path, Kind: was.Kind, Content: was.Content, Target: was.Target}, Disk: was.Disk},
	}
	if was.Path == "" {
		out.Was.Path = it.act.Entry.Path
	}
	if it.act.Keep != nil {
		out.Keep = it.act.Keep.Path
	}
	return out
}

// forget removes the intent, unless something still lies where it says.
func (g *group) forget() {
	if g.intent == "" || g.a.stranded {
		return
	}
	if err := g.a.fs.Remove(g.intent); err != nil {
		g.a.o.Log.Warn("an intent could not be removed; the next start looks at it", "error", err)
	}
}

// unstage takes back what was prepared and did not come to stand.
func (g *group) unstage() {
	for _, it := range g.items {
		if it.status == Done || !it.staged {
			continue
		}
		clean, err := g.a.reclaim(it.intent())
		if err == nil && !clean {
			err = g.bringOut(it)
		}
		if err != nil {
			g.a.stranded = true
			g.a.o.Log.Warn("what was prepared could not be taken back", "path", it.path(), "error", err)
		}
	}
}

// bringOut gives back what lies at src and is not ours: somebody has put it there
// while what was prepared stood at its path for a moment.
func (g *group) bringOut(it *item) error {
	kept, file, err := g.a.giveBack(it.src, it.act.Entry.Path)
	if err != nil {
		return fmt.Errorf("something that is not ours lies there: %w", err)
	}
	if file != "" {
		g.archived(it, file, tree.Stat{}, tree.ContentID{}, Conflict)
		return nil
	}
	g.a.o.Log.Info("what was put where something was being changed is kept beside it", "path", it.path(), "kept", string(kept))
	return nil
}

// reclaim takes back what lies at Src if it is our own: a file goes back to
// staging, links and directories are removed. clean: nothing lies there now.
func (a *Applier) reclaim(it intentItem) (clean bool, err error) {
	info, err := a.fs.Lstat(it.Src)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	now := statOf(info)
	switch {
	case it.Op == plan.Put && a.same(now, it.Want):
		err = a.fs.RenameNoReplace(it.Src, it.Staged)
		if errors.Is(err, fs.ErrExist) {
			_, err = a.shelve(it.Src, it.Was.Path)
		}
		return err == nil, err
	case it.Op == plan.Link && now.Kind == tree.Symlink:
		if target, err := a.fs.Readlink(it.Src); err != nil || target != it.Target {
			return false, err
		}
		err = a.fs.Remove(it.Src)
		return err == nil, err
	case it.Op == plan.Make && now.Kind == tree.Dir:
		return a.fs.RemoveDir(it.Src) == nil, nil
	}
	return false, nil
}

func (a *Applier) writeNote(path string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(data) > maxNote {
		return fmt.Errorf("%d bytes are too many for a note", len(data))
	}
	a.touch(path)
	return a.fs.WriteNew(path, data)
}

// errNote: a note that can't be understood; a power cut came before its flush.
var errNote = errors.New("the note is damaged")

func (a *Applier) readNote(path string, v any) error {
	f, err := a.fs.Open(path)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxNote+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if len(data) > maxNote || json.Unmarshal(data, v) != nil {
		return errNote
	}
	return nil
}

// valid says whether the note names only what it may.
func (it intentItem) valid() bool {
	if _, err := tree.ParsePath(string(it.Was.Path)); err != nil {
		return false
	}
	if _, err := tree.ParsePath(string(it.Keep)); it.Keep != "" && err != nil {
		return false
	}
	return (it.Src == "" || ownName(it.Src)) && (it.Held == "" || ownName(it.Held)) && (it.Op != plan.Put || inStaging(it.Staged))
}

func ownName(p string) bool {
	name, ok := strings.CutPrefix(p, Private+"/")
	return ok && name != "" && !strings.Contains(name, "/") && name != ".."
}
