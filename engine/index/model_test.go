package index

import (
	"cmp"
	"context"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pinion/engine/tree"
)

// model says with maps what an index must hold.
type model struct {
	rows    map[tree.Path]tree.Record
	remote  map[tree.Path]map[tree.DeviceID]tree.Entry
	have    map[tree.DeviceID]tree.Position
	missing map[tree.Path]bool
	seq     uint64
}

func (m *model) covered(e tree.Entry) bool {
	ours, found := m.rows[e.Path]
	o := ours.Version.Compare(e.Version)
	return found && (o == tree.After || o == tree.Equal && ours.SameContent(e) && (!ours.Exists() || ours.SameMeta(e)))
}

// tidy drops empty paths.
func (m *model) tidy(p tree.Path) {
	if len(m.remote[p]) == 0 {
		delete(m.remote, p)
	}
}

func (m *model) observe(dev tree.DeviceID, e tree.Entry) {
	delete(m.remote[e.Path], dev)
	if !m.covered(e) {
		if m.remote[e.Path] == nil {
			m.remote[e.Path] = map[tree.DeviceID]tree.Entry{}
		}
		m.remote[e.Path][dev] = e
	}
	m.tidy(e.Path)
}

func (m *model) commit(r tree.Record) {
	m.seq++
	r.Seq = m.seq
	m.rows[r.Path] = r
	maps.DeleteFunc(m.remote[r.Path], func(_ tree.DeviceID, e tree.Entry) bool { return m.covered(e) })
	if len(m.remote[r.Path]) == 0 {
		delete(m.remote, r.Path)
	}
	delete(m.missing, r.Path)
}

func (m *model) counts() (c Counts) {
	for _, r := range m.rows {
		switch {
		case r.Deleted:
			c.Tombstones++
			continue
		case r.Kind == tree.File:
			c.Files, c.Bytes = c.Files+1, c.Bytes+r.Size
		case r.Kind == tree.Dir:
			c.Dirs++
		}
		if r.Conflict != nil {
			c.Conflicts++
		}
	}
	for _, told := range m.remote {
		c.PendingPaths++
		size := int64(-1)
		for _, e := range told {
			if e.Exists() && e.Kind == tree.File {
				size = max(size, e.Size)
			}
		}
		if size >= 0 {
			c.NeedFiles, c.NeedBytes = c.NeedFiles+1, c.NeedBytes+size
		}
	}
	return c
}

func (m *model) deletions() (n int64) {
	for p, told := range m.remote {
		ours := m.rows[p]
		if ours.Kind != tree.File || !ours.Exists() {
			continue
		}
		for _, e := range told {
			if e.Deleted && e.Version.Covers(ours.Version) {
				n++
				break
			}
		}
	}
	return n
}

// machine runs an index beside its model.
type machine struct {
	w     *world
	file  string
	ix    *Index
	m     model
	peers []tree.Replica
}

func (k *machine) must(t *rapid.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// path draws from few, so that devices meet at them.
func (k *machine) path(t *rapid.T) tree.Path {
	return rapid.SampledFrom([]tree.Path{"a", "a/b", "a/b/c", "a-"}).Draw(t, "path")
}

func (k *machine) entry(t *rapid.T) tree.Entry {
	e := tree.Entry{Path: k.path(t), Kind: tree.Kind(rapid.SampledFrom([]int{1, 1, 1, 2, 3}).Draw(t, "kind")), Deleted: rapid.Bool().Draw(t, "deleted"), MTime: 5}
	if e.Kind == tree.File {
		n := rapid.IntRange(0, 2).Draw(t, "content")
		e.Content, e.Size = content(n), int64(n)*(6<<20)
	}
	if rapid.IntRange(0, 4).Draw(t, "tag") == 0 {
		e.Conflict = &tree.Conflict{Of: "x"}
	}
	e.Version = genVersion(t, len(k.peers))
	for i, s := range e.Version {
		e.Version[i].Replica, e.Author = k.peers[s.Replica-1].ID, k.peers[s.Replica-1].ID
	}
	slices.SortFunc(e.Version, func(a, b tree.Stamp) int { return cmp.Compare(a.Replica, b.Replica) })
	return e
}

func (k *machine) observe(t *rapid.T) {
	dev := k.peers[rapid.IntRange(0, 1).Draw(t, "peer")]
	b := tree.Batch{Upto: tree.Position{Replica: dev.ID, Epoch: 1, Seq: rapid.Uint64Range(0, 9).Draw(t, "upto")}}
	for range rapid.IntRange(0, 4).Draw(t, "entries") {
		e := k.entry(t)
		switch rapid.IntRange(0, 3).Draw(t, "version") {
		case 0: // what we have, or a twin of it
			e.Version = k.m.rows[e.Path].Version
		case 1: // what was told before
			if told, found := k.m.remote[e.Path][dev.Device]; found {
				e.Version = told.Version
			}
		}
		if len(e.Version) > 0 {
			b.Entries = append(b.Entries, e)
		}
	}
	_, err := k.ix.Observe(context.Background(), dev.Device, b)
	k.must(t, err)
	for _, e := range b.Entries {
		k.m.observe(dev.Device, e)
	}
	k.m.have[dev.Device] = b.Upto
}

func (k *machine) commit(t *rapid.T) {
	var u Update
	var want []tree.Path
	for range rapid.IntRange(1, 3).Draw(t, "changes") {
		e := k.entry(t)
		was, found := k.m.rows[e.Path]
		c := Change{If: was.Seq}
		if rapid.IntRange(0, 5).Draw(t, "stale") == 0 {
			c.If++
		}
		e.Version = e.Version.Join(was.Version)
		for _, told := range k.m.remote[e.Path] {
			if rapid.Bool().Draw(t, "join") {
				e.Version = e.Version.Join(told.Version)
			}
		}
		if rapid.Bool().Draw(t, "bump") || len(e.Version) == 0 {
			e.Version = e.Version.Bump(k.ix.Self().ID, k.ix.Tick())
		}
		c.Forget = rapid.IntRange(0, 5).Draw(t, "forget") == 0
		c.Record = tree.Record{Entry: e, Disk: tree.Stat{Inode: uint64(rapid.IntRange(0, 2).Draw(t, "inode"))}}
		u.Changes = append(u.Changes, c)
		switch {
		case c.If != was.Seq || c.Forget && !found:
			want = append(want, e.Path)
		case c.Forget:
			delete(k.m.rows, e.Path)
		default:
			k.m.commit(c.Record)
		}
	}
	refused, err := k.ix.Commit(context.Background(), u)
	k.must(t, err)
	if !slices.Equal(refused, want) {
		t.Fatalf("refused %q instead of %q", refused, want)
	}
}

func (k *machine) drop(t *rapid.T) {
	p := k.path(t)
	k.must(t, k.ix.DropPending(context.Background(), []Told{{Path: p}}))
	delete(k.m.remote, p)
}

func (k *machine) clear(t *rapid.T) {
	dev := k.peers[rapid.IntRange(0, 1).Draw(t, "peer")].Device
	k.must(t, k.ix.ForgetDevice(context.Background(), dev))
	delete(k.m.have, dev)
	for p, told := range k.m.remote {
		if _, found := told[dev]; found {
			delete(told, dev)
			k.m.tidy(p)
		}
	}
}

func (k *machine) miss(t *rapid.T) {
	p := k.path(t)
	k.must(t, k.ix.HoldMissing(context.Background(), []tree.Path{p}))
	k.m.missing[p] = true
}

func (k *machine) maintain(t *rapid.T) {
	_, err := k.ix.Maintain(context.Background(), MaintainOptions{})
	k.must(t, err)
}

// crash goes on with a copy of the files as they lie on the disk while open.
func (k *machine) crash(t *rapid.T) {
	next := k.file + "x"
	k.must(t, copyIndex(k.file, next))
	k.must(t, k.ix.Close())
	k.file = next
	k.open(t)
}

// open opens the index without waiting for the disk: a copy of the files is
// what the system would write, not what a power cut would leave.
func (k *machine) open(t *rapid.T) {
	ix, err := Open(context.Background(), k.file, k.w.options())
	k.must(t, err)
	k.ix = ix
	k.must(t, ix.w.script("PRAGMA synchronous = OFF"))
}

// copyIndex copies what a kill -9 would leave.
func copyIndex(from, to string) error {
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(from + suffix)
		if err == nil {
			err = os.WriteFile(to+suffix, b, 0o600)
		}
		if err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

func (k *machine) check(t *rapid.T) {
	ctx := context.Background()
	if got, want := k.ix.Counts(), k.m.counts(); got != want {
		t.Fatalf("counts %+v instead of %+v", got, want)
	}
	rows, err := k.ix.Since(ctx, 0, 1000)
	k.must(t, err)
	digest := uint64(0)
	for _, r := range k.m.rows {
		digest ^= standing(pathKey(r.Path), &r.Entry)
	}
	if got := k.ix.Digest(); got != digest {
		t.Fatalf("digest %x instead of %x", got, digest)
	}
	want := slices.SortedFunc(maps.Values(k.m.rows), func(a, b tree.Record) int { return cmp.Compare(a.Seq, b.Seq) })
	if len(rows)+len(want) > 0 && !reflect.DeepEqual(rows, want) {
		t.Fatalf("rows\n%+v\ninstead of\n%+v", rows, want)
	}
	k.checkPending(t)
	if n, err := k.ix.PendingDeletions(ctx); n != k.m.deletions() || err != nil {
		t.Fatalf("%d pending deletions instead of %d, %v", n, k.m.deletions(), err)
	}
	if n, err := k.ix.MissingCount(ctx); n != int64(len(k.m.missing)) || err != nil {
		t.Fatalf("%d missing instead of %d, %v", n, len(k.m.missing), err)
	}
	for _, p := range k.peers {
		if pos, err := k.ix.Have(ctx, p.Device); pos != k.m.have[p.Device] || err != nil {
			t.Fatalf("have %v of %s, %v", pos, p.Name, err)
		}
	}
}

func (k *machine) checkPending(t *rapid.T) {
	ctx, seen := context.Background(), map[tree.Path]bool{}
	for at, more := Cursor(0), true; more; more = at != 0 {
		var got []Pending
		var err error
		got, at, err = k.ix.Pending(ctx, PendingQuery{After: at, Limit: 2})
		k.must(t, err)
		for _, p := range got {
			local, found := k.m.rows[p.Path]
			if seen[p.Path] || p.HasLocal != found || !reflect.DeepEqual(p.Local, local) || len(p.Remotes) != len(k.m.remote[p.Path]) {
				t.Fatalf("pending %+v, seen %v; model %+v %+v", p, seen[p.Path], local, k.m.remote[p.Path])
			}
			for _, r := range p.Remotes {
				if !reflect.DeepEqual(k.m.remote[p.Path][r.Device], r.Entry) {
					t.Fatalf("pending %+v instead of %+v", r.Entry, k.m.remote[p.Path][r.Device])
				}
			}
			if one, found, err := k.ix.PendingAt(ctx, p.Path); err != nil || !found || !reflect.DeepEqual(one, p) {
				t.Fatalf("PendingAt %+v instead of %+v, %v", one, p, err)
			}
			seen[p.Path] = true
		}
	}
	if len(seen) != len(k.m.remote) {
		t.Fatalf("%d paths pending instead of %d", len(seen), len(k.m.remote))
	}
	k.checkBelow(t, rapid.SampledFrom([]tree.Path{"", "a", "a/b"}).Draw(t, "dir"))
}

func (k *machine) checkBelow(t *rapid.T, dir tree.Path) {
	var unpending, pending int
	var stands, gone bool
	for p, told := range k.m.remote {
		for _, e := range told {
			below := p != dir && p.Within(dir)
			stands, gone = stands || below && e.Exists(), gone || below && e.Deleted
		}
	}
	for p, r := range k.m.rows {
		if p == dir || !p.Within(dir) || r.Deleted {
			continue
		}
		tomb := false
		for _, e := range k.m.remote[p] {
			tomb = tomb || e.Deleted
		}
		if tomb {
			pending = 1
		} else {
			unpending = 1
		}
	}
	u, p, err := k.ix.LiveChildren(context.Background(), dir)
	if u != unpending || p != pending || err != nil {
		t.Fatalf("LiveChildren of %q: %d %d instead of %d %d, %v", dir, u, p, unpending, pending, err)
	}
	s, g, err := k.ix.PendingUnder(context.Background(), dir)
	if s != stands || g != gone || err != nil {
		t.Fatalf("PendingUnder %q: %v %v instead of %v %v, %v", dir, s, g, stands, gone, err)
	}
}

func TestIndexIsWhatTheModelSays(t *testing.T) {
	dir := t.TempDir()
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		k := &machine{w: newWorld(), file: filepath.Join(dir, "i"+time.Duration(runs).String()), peers: []tree.Replica{peer(2), peer(3)}}
		k.m = model{rows: map[tree.Path]tree.Record{}, remote: map[tree.Path]map[tree.DeviceID]tree.Entry{}, have: map[tree.DeviceID]tree.Position{}, missing: map[tree.Path]bool{}}
		k.open(t)
		defer func() { _ = k.ix.Close() }()
		_, err := k.ix.Observe(context.Background(), device(2), tree.Batch{Replicas: k.peers})
		k.must(t, err)
		t.Repeat(map[string]func(*rapid.T){
			"observe": k.observe, "tell": k.observe, "commit": k.commit, "drop": k.drop, "clear": k.clear,
			"miss": k.miss, "crash": k.crash, "maintain": k.maintain, "": k.check,
		})
	})
}
