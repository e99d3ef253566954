package reconcile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"pinion/engine/plan"
	"pinion/engine/tree"
)

// A world of devices without disks and wires: rows, what peers announced, and
// what was archived. Persons change things on each, devices exchange rows in
// pairs, and Decide and the plan do the rest.

type die interface {
	n(below int) int // 0 <= n < below
}

type failer interface {
	Helper()
	Fatalf(string, ...any)
}

type world struct {
	failer
	die      die
	nodes    []*node
	replicas map[tree.ReplicaID]tree.Replica
	clock    uint64
	tick     uint64 // seconds between two changes
	contents int
	alphabet int                     // of contents; 0: each is unique
	touched  map[tree.ContentID]bool // contents that a person replaced or deleted
	written  map[tree.ContentID]string
	history  []string
}

type node struct {
	w       *world
	index   int
	device  tree.DeviceID
	replica tree.ReplicaID
	rows    map[tree.Path]tree.Record
	remote  map[tree.Path]map[tree.DeviceID]tree.Entry
	seq     uint64
	have    map[int]uint64
	archive map[tree.ContentID]bool
	past    map[tree.Path][]tree.Entry
	writes  int
}

func newWorld(f failer, d die, devices int) *world {
	w := &world{failer: f, die: d, replicas: map[tree.ReplicaID]tree.Replica{}, clock: 1_700_000_000, tick: 1,
		touched: map[tree.ContentID]bool{}, written: map[tree.ContentID]string{}}
	for i := range devices {
		n := &node{w: w, index: i, device: tree.DeviceID{byte(i + 1)}, archive: map[tree.ContentID]bool{}, past: map[tree.Path][]tree.Entry{},
			rows: map[tree.Path]tree.Record{}, remote: map[tree.Path]map[tree.DeviceID]tree.Entry{}, have: map[int]uint64{}}
		n.newReplica()
		w.nodes = append(w.nodes, n)
	}
	return w
}

func (n *node) newReplica() {
	n.replica = tree.ReplicaID(100*(len(n.w.replicas)+1) + n.index)
	n.w.replicas[n.replica] = tree.Replica{ID: n.replica, Device: n.device, Name: fmt.Sprintf("dev%d", n.index)}
}

func (w *world) say(format string, a ...any) {
	w.history = append(w.history, fmt.Sprintf(format, a...))
}

func (w *world) fail(format string, a ...any) {
	w.Helper()
	w.Fatalf("%s\n%s\n%s", fmt.Sprintf(format, a...), strings.Join(w.history, "\n"), w.dump())
}

func (w *world) dump() string {
	var b strings.Builder
	for _, n := range w.nodes {
		fmt.Fprintf(&b, "dev%d (replica %d)\n", n.index, n.replica)
		for _, p := range slices.Sorted(maps.Keys(n.rows)) {
			fmt.Fprintf(&b, "   %s\n", show(n.rows[p].Entry))
		}
		for _, p := range slices.Sorted(maps.Keys(n.remote)) {
			for dev, e := range n.remote[p] {
				fmt.Fprintf(&b, "   pending from dev%d: %s\n", dev[0]-1, show(e))
			}
		}
	}
	return b.String()
}

func show(e tree.Entry) string {
	s := fmt.Sprintf("%q %s", e.Path, e.Kind)
	if e.Deleted {
		s += " GONE"
	}
	if e.MovedTo != "" {
		s += " -> " + string(e.MovedTo)
	}
	if e.Kind == tree.File {
		s += " " + cid(e.Content)
	}
	s += fmt.Sprintf("%s m%d %o %q base %s %v by %d", e.Target, e.MTime/1e9-1_700_000_000, e.Mode, e.Attrs, cid(e.Base), e.Version, e.Author)
	if e.Conflict != nil {
		s += fmt.Sprintf(" conflict of %q", e.Conflict.Of)
	}
	return s
}

func cid(c tree.ContentID) string {
	if c.IsZero() {
		return "-"
	}
	return fmt.Sprintf("c%d", int(c[1])<<8|int(c[2]))
}

func content(i int) tree.ContentID {
	return tree.ContentID{tree.HashBLAKE3, byte(i >> 8), byte(i), byte(i * 37)}
}

// --- what a person does, as a scan sees it

func (n *node) live(p tree.Path) bool { return n.rows[p].Exists() }

func (n *node) isDir(p tree.Path) bool {
	return p == "" || (n.live(p) && n.rows[p].Kind == tree.Dir)
}

func (n *node) under(p tree.Path) (paths []tree.Path) {
	for q, r := range n.rows {
		if r.Exists() && q != p && q.Within(p) {
			paths = append(paths, q)
		}
	}
	slices.SortFunc(paths, tree.Path.Compare)
	return paths
}

func (n *node) put(e tree.Entry) {
	if old := n.rows[e.Path]; old.Exists() && old.Kind == tree.File && old.Content != e.Content {
		n.past[e.Path] = append(n.past[e.Path], old.Entry)
	}
	n.seq++
	n.rows[e.Path] = tree.Record{Entry: e, Seq: n.seq}
}

// author stamps a person's change of a path.
func (n *node) author(e tree.Entry) {
	n.w.clock += n.w.tick
	old := n.rows[e.Path]
	e.Version, e.Author = old.Version.Bump(n.replica, n.w.clock), n.replica
	n.put(e)
}

func (n *node) displace(p tree.Path) {
	if r := n.rows[p]; r.Exists() && r.Kind == tree.File {
		n.w.touched[r.Content] = true
	}
}

func (n *node) remove(p tree.Path) {
	if !n.live(p) {
		return
	}
	for _, q := range slices.Backward(append([]tree.Path{p}, n.under(p)...)) {
		n.displace(q)
		n.bury(q, "")
	}
}

func (n *node) bury(p, to tree.Path) {
	e := n.rows[p].Entry
	e.Deleted, e.MovedTo = true, to
	n.author(e)
}

func (n *node) mkdir(p tree.Path) {
	if p == "" || n.isDir(p) {
		return
	}
	n.mkdir(p.Dir())
	n.displace(p)
	n.author(tree.Entry{Path: p, Kind: tree.Dir, Mode: 0o755})
}

func (n *node) write(p tree.Path, c tree.ContentID, mtime int64) {
	n.mkdir(p.Dir())
	if n.isDir(p) {
		for _, q := range slices.Backward(n.under(p)) {
			n.remove(q)
		}
	}
	e := tree.Entry{Path: p, Kind: tree.File, Mode: 0o644, Content: c, Size: 10, MTime: mtime}
	if old := n.rows[p]; old.Exists() && old.Kind == tree.File {
		e.Base, e.Mode, e.Conflict = old.Content, old.Mode, old.Conflict
		if c != old.Content {
			n.displace(p)
		}
	}
	n.w.written[c] = fmt.Sprintf("dev%d %s", n.index, p)
	n.author(e)
}

func (n *node) symlink(p tree.Path, target string) {
	n.mkdir(p.Dir())
	if n.isDir(p) {
		return
	}
	n.displace(p)
	n.author(tree.Entry{Path: p, Kind: tree.Symlink, Target: target, MTime: int64(n.w.clock) * 1e9})
}

func (n *node) rename(p, q tree.Path) {
	if !n.live(p) || n.live(q) || q.Within(p) || p.Within(q) {
		return
	}
	n.mkdir(q.Dir())
	for _, from := range append([]tree.Path{p}, n.under(p)...) {
		to := q + from[len(p):]
		e := n.rows[from].Entry
		n.bury(from, to)
		e.Path, e.Base, e.Conflict = to, tree.ContentID{}, nil
		n.author(e)
	}
}

func (n *node) chmod(p tree.Path, mode uint32) {
	if !n.live(p) || n.rows[p].Kind == tree.Symlink {
		return
	}
	e := n.rows[p].Entry
	e.Mode, e.Attrs = mode, attrsFor(mode)
	n.author(e)
}

// attrsFor makes attributes change with the mode. (write says nothing of them, as
// a device does that can't see them.)
func attrsFor(mode uint32) tree.Attrs {
	switch mode % 3 {
	case 0:
		return tree.NoAttrs
	case 1:
		return "\x01\x06user.a\x011"
	}
	return "\x01\x06user.a\x012"
}

// rebuild loses the index and scans what is there.
func (n *node) rebuild() {
	n.newReplica()
	old := n.rows
	n.rows, n.remote, n.have = map[tree.Path]tree.Record{}, map[tree.Path]map[tree.DeviceID]tree.Entry{}, map[int]uint64{}
	n.seq = 0
	for _, p := range slices.SortedFunc(maps.Keys(old), tree.Path.Compare) {
		if e := old[p].Entry; e.Exists() {
			e.Base, e.Conflict, e.Version, e.MovedTo = tree.ContentID{}, nil, nil, ""
			n.author(e)
		}
	}
	for _, m := range n.w.nodes {
		delete(m.have, n.index)
		for _, rows := range m.remote { // what the lost index said holds no longer
			delete(rows, n.device)
		}
		m.tidy()
	}
}

// --- what devices do

// exchange tells n what m has that n has not heard.
func (n *node) exchange(m *node) {
	var news []tree.Record
	for _, r := range m.rows {
		if r.Seq > n.have[m.index] {
			news = append(news, r)
		}
	}
	slices.SortFunc(news, func(a, b tree.Record) int { return cmp.Compare(a.Seq, b.Seq) })
	for _, r := range news {
		if own, ok := n.rows[r.Path]; ok && Settled(own.Entry, r.Entry) {
			delete(n.remote[r.Path], m.device)
			continue
		}
		if n.remote[r.Path] == nil {
			n.remote[r.Path] = map[tree.DeviceID]tree.Entry{}
		}
		n.remote[r.Path][m.device] = r.Entry
	}
	n.have[m.index] = m.seq
	n.tidy()
}

func (n *node) tidy() {
	for p, rows := range n.remote {
		if len(rows) == 0 {
			delete(n.remote, p)
		}
	}
}

// Lookup

func (n *node) At(p tree.Path) (tree.Record, bool) { r, ok := n.rows[p]; return r, ok }
func (n *node) PendingAt(p tree.Path) bool         { return len(n.remote[p]) > 0 }
func (n *node) Replica(id tree.ReplicaID) tree.Replica {
	return n.w.replicas[id]
}

func (n *node) Ancestor(p tree.Path, a, b tree.Version) tree.ContentID {
	for _, e := range slices.Backward(n.past[p]) {
		if a.Covers(e.Version) && b.Covers(e.Version) {
			return e.Content
		}
	}
	return tree.ContentID{}
}

func (n *node) LiveChildren(p tree.Path) (c Children) {
	for q, r := range n.rows {
		if !r.Exists() || q.Dir() != p {
			continue
		}
		leaving := false
		for _, e := range n.remote[q] {
			leaving = leaving || e.Deleted
		}
		c.Leaving = c.Leaving || leaving
		c.Staying = c.Staying || !leaving
	}
	return c
}

func (n *node) input(p tree.Path) Input {
	in := Input{Path: p, Lookup: n}
	in.Local, in.HasLocal = n.rows[p]
	for dev, e := range n.remote[p] {
		in.Remotes = append(in.Remotes, Remote{dev, e})
	}
	slices.SortFunc(in.Remotes, func(a, b Remote) int { return compareDevices(a.Device, b.Device) })
	for i := len(in.Remotes) - 1; i > 0; i-- {
		j := n.w.die.n(i + 1)
		in.Remotes[i], in.Remotes[j] = in.Remotes[j], in.Remotes[i]
	}
	return in
}

// settle decides and carries out what is pending, in batches; peers are who can
// be asked for content. It says whether anything changed.
func (n *node) settle(peers []*node) (changed bool) {
	for range 40 {
		if !n.batch(peers) {
			return changed
		}
		changed = true
	}
	n.w.fail("dev%d does not come to rest", n.index)
	return true
}

// batch takes decisions on as the folder does: each is a unit that is carried out
// wholly or not at all; one that touches a path that is taken already waits.
func (n *node) batch(peers []*node) (changed bool) {
	var single []plan.Action // units of one action, among which moves are found
	var units [][]plan.Action
	taken := map[tree.Path]bool{}
	for _, p := range n.pick() {
		d := Decide(n.input(p))
		n.check(p, d)
		for _, dev := range d.Drop {
			delete(n.remote[p], dev)
		}
		for i, a := range d.Actions {
			if slices.Contains(d.Bump, a.Entry.Path) {
				n.w.clock++
				d.Actions[i].Entry.Version = a.Entry.Version.Bump(n.replica, n.w.clock)
				d.Actions[i].Entry.Author = n.replica
			}
		}
		if slices.ContainsFunc(d.Actions, func(a plan.Action) bool { return taken[a.Entry.Path] || a.Keep != nil && taken[a.Keep.Path] }) {
			continue
		}
		for _, a := range d.Actions {
			taken[a.Entry.Path] = true
			if a.Keep != nil {
				taken[a.Keep.Path] = true
			}
		}
		if len(d.Actions) == 1 {
			single = append(single, d.Actions[0])
		} else if len(d.Actions) > 1 {
			units = append(units, ordered(d.Actions))
		}
	}
	n.tidy()
	single, _ = plan.PairMoves(single, func(p tree.Path) bool { return n.PendingAt(p) && !n.live(p) })
	for _, a := range ordered(single) {
		units = append(units, []plan.Action{a})
	}
	for _, u := range units {
		changed = n.carryOut(u, peers) || changed
	}
	return changed
}

func ordered(actions []plan.Action) (out []plan.Action) {
	var all []*plan.Action
	for i := range actions {
		all = append(all, &actions[i])
	}
	plan.Order(all)
	for _, a := range all {
		out = append(out, *a)
	}
	return out
}

// pick chooses what to decide now: all, or a few, deepest first or not.
func (n *node) pick() []tree.Path {
	paths := slices.SortedFunc(maps.Keys(n.remote), tree.Path.Compare)
	switch n.w.die.n(3) {
	case 0:
		slices.Reverse(paths)
	case 1:
		for i := len(paths) - 1; i > 0; i-- {
			j := n.w.die.n(i + 1)
			paths[i], paths[j] = paths[j], paths[i]
		}
	}
	return paths
}

// check is what holds for every decision.
func (n *node) check(p tree.Path, d Decision) {
	if d.Wait != 0 && len(d.Actions) > 0 {
		n.w.fail("dev%d %s: waits and acts", n.index, p)
	}
	if d.Wait == 0 && len(d.Actions) == 0 && len(d.Drop) == 0 {
		n.w.fail("dev%d %s: neither acts nor waits", n.index, p)
	}
	for _, a := range d.Actions {
		if !a.Entry.Version.Covers(a.Was.Version) {
			n.w.fail("dev%d %s: %s goes back", n.index, p, show(a.Entry))
		}
		if a.Entry.Path != p {
			continue
		}
		for dev, e := range n.remote[p] {
			if !slices.Contains(d.Drop, dev) && !a.Entry.Version.Covers(e.Version) {
				n.w.fail("dev%d %s: %s does not cover %s", n.index, p, show(a.Entry), show(e))
			}
		}
	}
}

// carryOut does a unit wholly or not at all.
func (n *node) carryOut(unit []plan.Action, peers []*node) bool {
	rows, archive, seq := maps.Clone(n.rows), maps.Clone(n.archive), n.seq
	for _, a := range unit {
		if why := n.do(a, peers); why != "" {
			n.rows, n.archive, n.seq = rows, archive, seq
			return false
		}
	}
	for _, a := range unit {
		n.w.say("   dev%d %s %s", n.index, a.Op, show(a.Entry))
		n.writes++
		for dev, e := range n.remote[a.Entry.Path] {
			if a.Entry.Version.Covers(e.Version) {
				delete(n.remote[a.Entry.Path], dev)
			}
		}
		if a.Keep != nil {
			for dev, e := range n.remote[a.Keep.Path] {
				if a.Keep.Version.Covers(e.Version) {
					delete(n.remote[a.Keep.Path], dev)
				}
			}
		}
		if a.Op == plan.Move {
			for dev, e := range n.remote[a.From.Path] {
				if a.FromGone.Version.Covers(e.Version) {
					delete(n.remote[a.From.Path], dev)
				}
			}
		}
	}
	n.tidy()
	return true
}

func (n *node) do(a plan.Action, peers []*node) string {
	p := a.Entry.Path
	now := n.rows[p]
	if now.Seq != a.Was.Seq {
		return "changed"
	}
	arrives := a.Op == plan.Make || a.Op == plan.Put || a.Op == plan.Link || a.Op == plan.Move
	if arrives && !n.isDir(p.Dir()) {
		return "no parent"
	}
	if now.Exists() && now.Kind == tree.Dir && (a.Op == plan.Delete || (arrives && a.Op != plan.Make)) && len(n.under(p)) > 0 {
		return "not empty"
	}
	if a.Op == plan.Make && now.Exists() && now.Kind == tree.Dir {
		n.w.fail("makes %s where it stands", p)
	}
	if a.Op == plan.Put && !n.obtainable(a.Entry.Content, peers) {
		return "no source"
	}
	if a.Op == plan.Adopt && !(same(withTag(a.Entry, now.Entry), now.Entry)) {
		n.w.fail("adopts %s over %s", show(a.Entry), show(now.Entry))
	}
	if a.Keep != nil {
		if n.rows[a.Keep.Path].Seq != 0 {
			return "name taken"
		}
		n.put(*a.Keep)
	} else if now.Exists() && now.Kind == tree.File && a.Op != plan.Adopt && a.Op != plan.Meta {
		n.archive[now.Content] = true
	}
	if a.Op == plan.Move {
		if n.rows[a.From.Path].Seq != a.From.Seq {
			return "source changed"
		}
		n.put(*a.FromGone)
	}
	n.put(a.Entry)
	return ""
}

func withTag(e, of tree.Entry) tree.Entry { e.Conflict = of.Conflict; return e }

func (n *node) obtainable(c tree.ContentID, peers []*node) bool {
	for _, m := range append([]*node{n}, peers...) {
		for _, r := range m.rows {
			if r.Exists() && r.Kind == tree.File && r.Content == c {
				return true
			}
		}
	}
	return false
}

// --- what must be true

// quiesce lets all devices exchange until nothing happens any more.
func (w *world) quiesce() {
	w.say("all meet")
	for range 60 {
		before := w.sum()
		for i := range w.nodes {
			a := w.nodes[i]
			for range 2 {
				b := w.nodes[w.die.n(len(w.nodes))]
				if a != b {
					a.exchange(b)
					a.settle(w.nodes)
				}
			}
		}
		if w.sum() == before && w.meetAll() == 0 {
			return
		}
	}
	w.fail("the devices do not come to rest")
}

func (w *world) meetAll() (changes uint64) {
	before := w.sum()
	for _, a := range w.nodes {
		for _, b := range w.nodes {
			if a != b {
				a.exchange(b)
			}
		}
		a.settle(w.nodes)
	}
	return w.sum() - before
}

func (w *world) sum() (n uint64) {
	for _, m := range w.nodes {
		n += m.seq
	}
	return n
}

func (w *world) converged() {
	w.Helper()
	first := w.nodes[0]
	for _, n := range w.nodes {
		if len(n.remote) > 0 {
			w.fail("dev%d has something pending", n.index)
		}
		if len(n.rows) != len(first.rows) {
			w.fail("dev%d has %d rows, dev0 %d", n.index, len(n.rows), len(first.rows))
		}
		for p, r := range first.rows {
			o, ok := n.rows[p]
			if !ok || !same(r.Entry, o.Entry) || r.Version.Compare(o.Version) != tree.Equal {
				w.fail("dev0 has %s, dev%d %s", show(r.Entry), n.index, show(o.Entry))
			}
			if r.Exists() && !n.isDir(p.Dir()) {
				w.fail("%s stands in no directory", p)
			}
			if strings.Count(string(p.Base()), "(conflict") > 1 {
				w.fail("nested copy %s", p)
			}
			if _, err := tree.ParsePath(string(p)); err != nil || !r.Version.Valid() {
				w.fail("invalid %s", show(r.Entry))
			}
		}
	}
}

// nothingLost: what no person replaced or deleted on any device is live.
func (w *world) nothingLost() {
	w.Helper()
	live := map[tree.ContentID]bool{}
	for _, r := range w.nodes[0].rows {
		if r.Exists() && r.Kind == tree.File {
			live[r.Content] = true
		}
	}
	for c, by := range w.written {
		if !w.touched[c] && !live[c] {
			w.fail("%s of %s is lost", cid(c), by)
		}
	}
}
