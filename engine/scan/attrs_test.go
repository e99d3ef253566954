package scan

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// What a full scan costs where nothing changed, with and without a look at
// attributes.
func BenchmarkUnchanged(b *testing.B) {
	const dirs, files = 20, 1000
	w := newWorld(b)
	for d := range dirs {
		dir := filepath.Join(w.dir, fmt.Sprintf("d%d", d))
		w.must(os.Mkdir(dir, 0o755))
		for f := range files {
			w.must(os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%d", f)), nil, 0o644))
		}
	}
	for name, kinds := range map[string]rootfs.AttrKinds{"plain": 0, "attributes": rootfs.Notes | rootfs.ACLs} {
		b.Run(name, func(b *testing.B) {
			rows := &listed{model: w.model}
			s := New(Options{FS: Disk(w.root), Index: rows, Caps: w.o.Caps, Hash: w.hash, Attrs: kinds})
			if _, err := s.Full(context.Background(), w.model.commit); err != nil {
				b.Fatal(err)
			}
			rows.list = w.model.live()
			b.ResetTimer()
			for b.Loop() {
				if _, err := s.Full(context.Background(), func([]Change) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(dirs*files), "ns/file")
		})
	}
}

// listed is a model whose rows are sorted once.
type listed struct {
	*model
	list []tree.Path
}

func (l *listed) Standing(ctx context.Context, under tree.Path, page func([]tree.Record) (bool, error)) error {
	if l.list == nil {
		return l.model.Standing(ctx, under, page)
	}
	fn, rest := paged(page)
	for _, p := range l.list {
		if more, err := fn(l.rows[p]); !more || err != nil {
			return err
		}
	}
	return rest()
}

func row(t *testing.T, disk uint64, attrs ...tree.Attr) *tree.Record {
	t.Helper()
	rec := &tree.Record{Entry: tree.Entry{Path: "f", Kind: tree.File}}
	if len(attrs) > 0 {
		packed, err := tree.PackAttrs(attrs)
		if err != nil {
			t.Fatal(err)
		}
		rec.Attrs = packed
	}
	rec.Disk.Attrs = disk
	return rec
}

type noStrangers struct{ attrDir }

func (noStrangers) Strangers(_, now string) string { return now }

func TestWhatTheDiskSaysOfAttributesAndWhatTheRowKnew(t *testing.T) {
	a, b, acl := tree.Attr{Name: "user.a", Value: "1"}, tree.Attr{Name: "user.b", Value: "2"}, tree.Attr{Name: "acl.access", Value: "user::rw-,group::r--,other::---"}
	sum := func(list ...tree.Attr) uint64 { return packedSum(list) }
	changed := tree.Attr{Name: "user.a", Value: "3"}
	for _, c := range []struct {
		name  string
		kinds rootfs.AttrKinds
		row   *tree.Record
		disk  []tree.Attr
		want  []tree.Attr
	}{
		{"as it was", rootfs.Notes, row(t, sum(a), a), []tree.Attr{a}, []tree.Attr{a}},
		{"one more", rootfs.Notes, row(t, sum(a), a), []tree.Attr{a, b}, []tree.Attr{a, b}},
		{"one less", rootfs.Notes, row(t, sum(a, b), a, b), []tree.Attr{a}, []tree.Attr{a}},
		{"another value", rootfs.Notes, row(t, sum(a), a), []tree.Attr{changed}, []tree.Attr{changed}},
		{"a kind that this disk has not", rootfs.Notes, row(t, sum(a), a, acl), []tree.Attr{a, b}, []tree.Attr{a, b, acl}},
		{"a kind that it has, taken away", rootfs.Notes | rootfs.ACLs, row(t, sum(a, acl), a, acl), []tree.Attr{a}, []tree.Attr{a}},
		{"what never fitted was not taken away", rootfs.Notes, row(t, sum(a), a, b), []tree.Attr{changed}, []tree.Attr{changed, b}},
		{"what was never set was not taken away", rootfs.Notes, row(t, 0, a), []tree.Attr{b}, []tree.Attr{a, b}},
		{"new", rootfs.Notes, nil, []tree.Attr{a}, []tree.Attr{a}},
	} {
		r := &run{o: &Options{Attrs: c.kinds}}
		e, err := r.withAttrs(tree.Entry{Path: "f", Kind: tree.File}, c.row, seenAttrs{known: true, list: c.disk, sum: sum(c.disk...), dir: noStrangers{}})
		want, _ := tree.PackAttrs(c.want)
		if err != nil || e.Attrs != want {
			t.Errorf("%s: %q instead of %q: %v", c.name, e.Attrs, want, err)
		}
	}
	r := &run{o: &Options{Attrs: rootfs.Notes}}
	if e, _ := r.withAttrs(tree.Entry{Kind: tree.File}, row(t, sum(a), a), seenAttrs{known: true, dir: noStrangers{}}); e.Attrs != tree.NoAttrs {
		t.Errorf("all taken away: %q", e.Attrs)
	}
	if e, _ := r.withAttrs(tree.Entry{Kind: tree.File}, nil, seenAttrs{known: true, dir: noStrangers{}}); e.Attrs != "" {
		t.Errorf("never any: %q", e.Attrs)
	}
	if e, _ := r.withAttrs(tree.Entry{Kind: tree.File}, row(t, sum(a), a), seenAttrs{}); e.Attrs.Sum() != sum(a) {
		t.Errorf("a disk without any: %q", e.Attrs)
	}
}
