package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"pinion/engine/apply"
	"pinion/engine/index"
	"pinion/engine/plan"
	"pinion/engine/tree"
)

// names is what the loop knows of paths that other devices hold and this disk
// can't: another name here is the same to it, or it can't hold the name, or a
// symlink, at all.
// Such a path is set aside, with all that is below it: it stays pending in the
// index, is told to nobody as gone, is not fetched, and is no need. It is listed
// as a problem, and tried again when what stood in its way may have gone.
type names struct {
	c *cycle

	aside  map[tree.Path]aside
	folded map[string]tree.Path // where FoldName matters: the names that units under way are to make
	check  bool                 // something moved beside a path that is set aside
	next   time.Time            // when that is looked at, at the earliest

	near    near // where the last path of a round was looked at
	lacking asideCounts
	counted asideKey
}

type aside struct {
	twin tree.Path // what is in its way; empty: the disk can't hold the name
}

// asideCounts is how much of what is pending is set aside.
type asideCounts struct{ paths, files, bytes int64 }

// asideKey says of what state of things asideCounts is.
type asideKey struct {
	paths, bytes int64
	aside        int
}

// maxAside bounds the paths that are set aside; others are tried again and again,
// and the folder is not in sync.
const maxAside = 4096

// recheckAside is how often paths that are set aside are tried again at most.
const recheckAside = time.Second

// NameHolder is a disk that can be asked whether it holds a name.
type NameHolder interface {
	HoldsName(name string) error
}

// exactNames says whether the disk tells all names apart.
func (n *names) exactNames() bool {
	c := n.c
	return c.caps.CaseSensitive && c.caps.UnicodeExact
}

// isAside says whether p, or a directory that it is in, is set aside.
func (n *names) isAside(p tree.Path) bool {
	if len(n.aside) == 0 {
		return false
	}
	for ; p != ""; p = p.Dir() {
		if _, ok := n.aside[p]; ok {
			return true
		}
	}
	return false
}

// setAside takes p for what can't be here, for the reason why.
func (n *names) setAside(p, twin tree.Path, why string) {
	c := n.c
	c.problems.ofPending(c.f.cfg.Now(), string(p), why)
	c.saying.changed = true
	if n.aside == nil {
		n.aside = map[tree.Path]aside{}
	}
	if _, ok := n.aside[p]; !ok && len(n.aside) >= maxAside {
		c.work.putOff(p, 30*time.Second)
		return
	}
	n.aside[p] = aside{twin: twin}
	delete(c.work.later, p)
	n.counted = asideKey{}
	c.log.Info("set aside", "path", p, "why", why)
}

// takeUp has a path that was set aside decided again.
func (n *names) takeUp(p tree.Path) {
	c := n.c
	if _, ok := n.aside[p]; !ok {
		return
	}
	delete(n.aside, p)
	c.problems.clear(string(p))
	n.counted = asideKey{}
	c.saying.changed = true
	clear(c.work.stalled)
	c.work.fromFront()
}

// besideMoved notes that something changed in the directory of a path.
func (n *names) besideMoved(p tree.Path) {
	if n.check || len(n.aside) == 0 {
		return
	}
	for q, a := range n.aside {
		if a.twin != "" && (q.Dir() == p.Dir() || q.Dir() == p) {
			n.check = true
			return
		}
	}
}

// checkAside takes up what is set aside for the sake of another name, where that
// name is not there any more.
func (n *names) checkAside(now time.Time) {
	if !n.check || now.Before(n.next) {
		return
	}
	n.check, n.next = false, now.Add(recheckAside)
	defer n.near.leave()
	for p, a := range n.aside {
		if a.twin == "" {
			continue
		}
		if exact, twin := n.standsAt(p); exact || twin != a.twin {
			n.takeUp(p)
		}
	}
}

func (n *names) nextCheck(now time.Time) time.Duration {
	if !n.check {
		return time.Hour
	}
	return max(0, n.next.Sub(now))
}

// counts are the index's, less what is set aside: that is no need, and nothing
// that a device could ever be level with.
func (n *names) counts() index.Counts {
	all := n.c.index.Counts()
	if len(n.aside) == 0 {
		return all
	}
	key := asideKey{paths: all.PendingPaths, bytes: all.NeedBytes, aside: len(n.aside)}
	if n.counted != key {
		n.lacking, n.counted = n.countAside(context.Background()), key
	}
	l := n.lacking
	all.PendingPaths -= l.paths
	all.NeedFiles -= l.files
	all.NeedBytes -= l.bytes
	return all
}

func (n *names) countAside(ctx context.Context) (sum asideCounts) {
	c := n.c
	for p := range n.aside {
		if dir := p.Dir(); dir != "" && n.isAside(dir) {
			continue // counted with its directory
		}
		paths, files, bytes, err := c.index.PendingWithin(ctx, p)
		if err != nil {
			c.log.Warn("count what is set aside", "path", p, "err", err)
			continue
		}
		if paths == 0 {
			n.takeUp(p) // nobody tells of it any more
			continue
		}
		sum.paths, sum.files, sum.bytes = sum.paths+paths, sum.files+files, sum.bytes+bytes
	}
	return sum
}

// standsAt says whether a name of exactly this spelling stands on the disk, and,
// if not, which one the disk takes for it; both are empty where nothing does.
func (n *names) standsAt(p tree.Path) (exact bool, twin tree.Path) {
	c := n.c
	if _, err := n.near.lstat(c.root, p); err != nil {
		return false, ""
	}
	if n.exactNames() {
		return true, ""
	}
	d, err := c.root.Scan().OpenDir(string(p.Dir()))
	if err != nil {
		return true, ""
	}
	defer d.Close()
	list, err := d.Names()
	if err != nil {
		return true, ""
	}
	twin = p // if none is found, something stands in the way under a name that can't be told
	for _, name := range list {
		if name == p.Base() {
			return true, ""
		}
		if tree.SameName(name, p.Base()) {
			twin = p[:len(p)-len(p.Base())] + tree.Path(name)
		}
	}
	return false, twin
}

// respeltAt says whether what stands at p stands there under another spelling, of
// its own name or of a directory's above it: by its exact name nothing does.
func (n *names) respeltAt(p tree.Path) bool {
	if n.exactNames() {
		return false
	}
	names, at := strings.Split(string(p), "/"), tree.Path("")
	for _, name := range names {
		d, err := n.c.root.Scan().OpenDir(string(at))
		if err != nil {
			return false
		}
		list, err := d.Names()
		d.Close()
		if err != nil {
			return false
		}
		if !slices.Contains(list, name) {
			return true
		}
		if at != "" {
			at += "/"
		}
		at += tree.Path(name)
	}
	return false
}

// makesName says whether an action gives a name to something where the index
// knows of nothing.
func makesName(a plan.Action) bool {
	return !a.Was.Exists() && a.Op != plan.Adopt && a.Op != plan.Delete
}

// nameFits sees whether what an action makes can have its name here. If not, the
// unit's path is set aside or waits, and nothing is fetched for it.
func (r *round) nameFits(ctx context.Context, u *unit, a plan.Action) (bool, error) {
	c, p := r.c, a.Entry.Path
	if why := c.names.unfit(p); why != "" {
		c.names.setAside(u.path, "", why)
		return false, nil
	}
	if c.names.exactNames() {
		return true, nil
	}
	if other, taken := c.names.folded[tree.FoldName(string(p))]; taken && other != p {
		c.work.stalled[u.path] = true // that one comes first, and then stands here
		return false, nil
	}
	exact, twin := c.names.standsAt(p)
	if exact || twin == "" || a.Op == plan.Move && a.From.Path == twin {
		return true, nil
	}
	if pending, ok, err := c.index.PendingAt(ctx, twin); err != nil {
		return false, fmt.Errorf("read what is pending: %w", err)
	} else if ok && goes(pending) && !c.names.isAside(twin) {
		// It was given another spelling elsewhere: the old one goes first.
		c.work.stalled[u.path] = true
		return false, r.takeFirst(ctx, []tree.Path{twin}, 1)
	}
	if c.work.units[twin] != nil {
		c.work.stalled[u.path] = true
		return false, nil
	}
	c.names.setAside(u.path, twin, twinWhy(p, twin))
	if row, ok := r.At(twin); !ok || !row.Exists() {
		c.notice.look(string(twin)) // nobody has seen it yet
	}
	return false, r.err
}

func twinWhy(p, twin tree.Path) string {
	if p == twin {
		return "can't be on this disk, which takes another name beside it for the same. It goes on syncing among the other devices. Rename one of the two: pinion takes it up by itself."
	}
	return fmt.Sprintf("can't be on this disk beside %q, which it takes for the same name. Both go on syncing among the other devices. Rename one of the two, here or elsewhere: the other then comes by itself.", twin.Base())
}

// goes says whether somebody tells that a path is gone.
func goes(p index.Pending) bool {
	for _, m := range p.Remotes {
		if m.Entry.Deleted {
			return true
		}
	}
	return false
}

// unfit says why the disk can't hold a path's name; empty: it can, as far as is
// known before it is tried.
func (n *names) unfit(p tree.Path) string {
	c := n.c
	name := p.Base()
	if runtime.GOOS == "windows" {
		if why := tree.BadOnWindows(name); why != "" {
			return why + ". " + renameElsewhere
		}
	}
	if _, err := n.near.lstat(c.root, p); err != nil && isNameError(err) {
		return nameWhy(err)
	}
	holder, ok := c.root.(NameHolder)
	if !ok || c.caps.OddNames || !oddName(name) {
		return ""
	}
	if err := holder.HoldsName(name); err != nil && isNameError(err) {
		return nameWhy(err)
	}
	return ""
}

// oddName says whether a name is one of those that some file systems can't hold.
func oddName(name string) bool {
	return len(name) > 127 || tree.BadOnWindows(name) != "" || strings.IndexFunc(name, func(r rune) bool { return r > 0x7e }) >= 0
}

const noSymlinks = "is a symlink, which this disk can't hold. It goes on syncing among the other devices; if it is to be here, make a file or a directory of it on one of them."

const renameElsewhere = "It goes on syncing among the other devices. Rename it on one of them, and it comes by itself."

func nameWhy(err error) string {
	if errors.Is(err, syscall.ENAMETOOLONG) {
		return "has a name that is too long for this disk. " + renameElsewhere
	}
	return "has a name that this disk can't hold. " + renameElsewhere
}

func isNameError(err error) bool {
	return errors.Is(err, syscall.ENAMETOOLONG) || errors.Is(err, syscall.EILSEQ) || errors.Is(err, syscall.EINVAL) || errors.Is(err, fs.ErrInvalid)
}

// nameFailed sets a path aside whose action failed because of its name, and says
// whether it did.
func (n *names) nameFailed(o apply.Outcome) bool {
	if !makesName(*o.Action) {
		return false
	}
	p := o.Action.Entry.Path
	defer n.near.leave()
	switch {
	case errors.Is(o.Err, apply.ErrTwin):
		if exact, twin := n.standsAt(p); !exact && twin != "" {
			n.setAside(p, twin, twinWhy(p, twin))
			return true
		}
	case isNameError(o.Err):
		n.setAside(p, "", nameWhy(o.Err))
		return true
	}
	return false
}

// reserveNames notes the names that a unit is to make, and freeNames that it does
// so no more: two that are one to the disk are made one after the other.
func (n *names) reserveNames(u *unit) {
	if n.exactNames() {
		return
	}
	if n.folded == nil {
		n.folded = map[string]tree.Path{}
	}
	for _, a := range u.actions {
		if makesName(a) {
			n.folded[tree.FoldName(string(a.Entry.Path))] = a.Entry.Path
		}
	}
}

func (n *names) freeNames(u *unit) {
	if len(n.folded) == 0 {
		return
	}
	for _, a := range u.actions {
		if key := tree.FoldName(string(a.Entry.Path)); n.folded[key] == a.Entry.Path {
			delete(n.folded, key)
		}
	}
}

// respelt says whether to is p with another spelling, in its last component or in
// one above, which this disk takes for the same: p has to go before to can come.
func (n *names) respelt(p, to tree.Path) bool {
	if n.exactNames() {
		return false
	}
	a, b := strings.Split(string(p), "/"), strings.Split(string(to), "/")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return tree.SameName(a[i], b[i])
		}
	}
	return false
}
