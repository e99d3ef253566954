package index

import (
	"errors"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"pinion/engine/tree"
)

func genContent(t *rapid.T, label string) tree.ContentID {
	n := rapid.IntRange(-1, 3).Draw(t, label)
	if n < 0 {
		return tree.ContentID{}
	}
	return content(n)
}

func genPath(t *rapid.T) tree.Path {
	return tree.Path(rapid.StringMatching(`[ab\x01é](/[ab\x01é]){0,3}`).Draw(t, "path"))
}

func genVersion(t *rapid.T, replicas int) tree.Version {
	var v tree.Version
	for i := range replicas {
		if n := rapid.Uint64Range(0, 3).Draw(t, "stamp"); n > 0 {
			v = append(v, tree.Stamp{Replica: tree.ReplicaID(i + 1), N: n * n * n << 40 >> (8 * n)})
		}
	}
	return v
}

func genAttrs(t *rapid.T) tree.Attrs {
	var list []tree.Attr
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"user.a", "user.b", "acl.access"}), 0, 3, rapid.ID).Draw(t, "attribute names") {
		list = append(list, tree.Attr{Name: name, Value: rapid.StringN(0, 5, -1).Draw(t, "attribute")})
	}
	if len(list) == 0 && rapid.Bool().Draw(t, "no attributes known") {
		return ""
	}
	attrs, err := tree.PackAttrs(list)
	if err != nil {
		t.Fatal(err)
	}
	return attrs
}

// genRecord draws all fields, independent of what would make sense.
func genRecord(t *rapid.T) tree.Record {
	i64 := rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{0, 1, -1, math.MaxInt64, math.MinInt64}))
	size := rapid.Int64Range(0, math.MaxInt64)
	e := tree.Entry{
		Path: genPath(t), Kind: tree.Kind(rapid.IntRange(1, 3).Draw(t, "kind")), Deleted: rapid.Bool().Draw(t, "deleted"),
		Size: size.Draw(t, "size"), MTime: i64.Draw(t, "mtime"), Mode: rapid.Uint32().Draw(t, "mode"),
		Content: genContent(t, "content"), Base: genContent(t, "base"), Version: genVersion(t, 4),
		Target: rapid.StringN(0, 5, -1).Draw(t, "target"), Author: tree.ReplicaID(rapid.IntRange(0, 4).Draw(t, "author")),
	}
	if rapid.Bool().Draw(t, "conflict") {
		e.Conflict = &tree.Conflict{Of: genPath(t), Base: genContent(t, "conflict base")}
	}
	if rapid.Bool().Draw(t, "moved") {
		e.MovedTo = genPath(t)
	}
	e.Attrs = genAttrs(t)
	r := tree.Record{Entry: e, Seq: rapid.Uint64Range(1, math.MaxInt64).Draw(t, "seq")}
	switch rapid.IntRange(0, 2).Draw(t, "disk") {
	case 1:
		r.Disk = tree.Stat{Kind: e.Kind, Size: e.Size, MTime: e.MTime, Mode: e.Mode}
	case 2:
		r.Disk = tree.Stat{Kind: tree.Kind(rapid.IntRange(0, 3).Draw(t, "disk kind")), Size: size.Draw(t, "disk size"), MTime: i64.Draw(t, "disk mtime"), Mode: rapid.Uint32().Draw(t, "disk mode")}
	}
	r.Disk.Inode = rapid.Uint64().Draw(t, "inode")
	r.Disk.Attrs = rapid.SampledFrom([]uint64{0, 1, e.Attrs.Sum(), math.MaxUint64}).Draw(t, "disk attributes")
	if liveFile(kindCode(&r.Entry)) && rapid.Bool().Draw(t, "dated") {
		r.Disk.CTime, r.Disk.Looked = rapid.Int64Min(1).Draw(t, "disk ctime"), rapid.Byte().Draw(t, "looked")
	}
	return r
}

func localOf(id tree.ReplicaID) (uint64, error) { return uint64(id), nil }

func replicaOf(local uint64) (tree.ReplicaID, bool) { return tree.ReplicaID(local), local-1 < 4 }

func TestRecordsComeBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := genRecord(t)
		f, err := pack(nil, &want, localOf)
		if err != nil {
			t.Fatal(err)
		}
		got, err := unpack(stored{kind: kindCode(&want.Entry), c6: f.c6, inode: f.inode, meta: f.meta}, replicaOf)
		got.Path, got.Seq = want.Path, want.Seq
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%v\n%+v\ninstead of\n%+v", err, got, want)
		}
		meta, err := packRemote(nil, &want.Entry, localOf)
		if err != nil {
			t.Fatal(err)
		}
		told, err := unpackRemote(kindCode(&want.Entry), meta, replicaOf)
		told.Path = want.Path
		if err != nil || !reflect.DeepEqual(told, want.Entry) {
			t.Fatalf("%v\n%+v\ninstead of\n%+v", err, told, want.Entry)
		}
		// A blob that was cut is never taken for a whole one.
		cut := f.meta[:rapid.IntRange(0, len(f.meta)-1).Draw(t, "cut")]
		if _, err := unpack(stored{kind: kindCode(&want.Entry), c6: f.c6, inode: f.inode, meta: cut}, replicaOf); !errors.Is(err, ErrDamaged) {
			t.Fatalf("cut to %d of %d bytes: %v", len(cut), len(f.meta), err)
		}
	})
}

func TestPathKeysKeepTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := genPath(t), genPath(t)
		ka, kb := string(pathKey(a)), string(pathKey(b))
		if (a.Compare(b) < 0) != (ka < kb) {
			t.Fatalf("%q and %q", a, b)
		}
		if back, err := keyPath([]byte(ka)); back != a || err != nil {
			t.Fatalf("%q came back as %q, %v", a, back, err)
		}
		if from, to := span(a); (ka != kb && b.Within(a)) != (kb > string(from) && kb < string(to)) {
			t.Fatalf("%q below %q", b, a)
		}
	})
}

func TestHeadComesBack(t *testing.T) {
	h := head{Seq: 1, Self: 2, Clock: 3, High: 4, Arrivals: 5, Missing: -6, Fork: 8, ForkHigh: 9, Digest: 1 << 63, Counts: Counts{7, 8, 9, 10, 11, 12, 13, math.MinInt64}}
	if got, form, err := unpackHead(h.pack()); form != headForm || got != h || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
}

// damagedOrFine fails the test on an error of another kind.
func damagedOrFine(t *testing.T, err error) {
	if err != nil && !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
}

func FuzzUnpackRecord(f *testing.F) {
	for _, e := range []tree.Entry{file("a", 1, 1, 1), gone(file("a", 1, 1, 1), 2, 9)} {
		e.Base, e.Target, e.MovedTo, e.Conflict = content(2), "t", "m", &tree.Conflict{Of: "o", Base: content(3)}
		r := tree.Record{Entry: e, Disk: tree.Stat{Kind: 1, Size: 2, MTime: 3, Mode: 4, Inode: 5}}
		if x, err := pack(nil, &r, localOf); err == nil {
			f.Add(kindCode(&e), x.c6 != nil, int64(7), x.meta)
		}
	}
	f.Fuzz(func(t *testing.T, kind int64, has bool, c6 int64, meta []byte) {
		s := stored{kind: kind, meta: meta, inode: c6}
		if has {
			s.c6 = c6
		}
		rec, err := unpack(s, replicaOf)
		damagedOrFine(t, err)
		if err == nil {
			again, err := pack(nil, &rec, localOf)
			if err != nil {
				t.Fatalf("what was read can't be written: %v", err)
			}
			back, err := unpack(stored{kind: kindCode(&rec.Entry), c6: again.c6, inode: again.inode, meta: again.meta}, replicaOf)
			if err != nil || !reflect.DeepEqual(back, rec) {
				t.Fatalf("%v\n%+v\n%+v", err, rec, back)
			}
		}
		_, err = unpackRemote(kind, meta, replicaOf)
		damagedOrFine(t, err)
	})
}

func FuzzUnpackOthers(f *testing.F) {
	h := head{Seq: 1, Self: 1}
	f.Add(h.pack())
	if b, err := packManifest(tree.Manifest{{ID: content(1), Len: 1 << 20}, {ID: content(2), Len: 3}}); err == nil {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _, err := unpackHead(b)
		damagedOrFine(t, err)
		m, err := unpackManifest(b)
		damagedOrFine(t, err)
		if err == nil {
			if again, err := packManifest(m); err != nil || len(again) > len(b) {
				t.Fatalf("%v, %d bytes of %d", err, len(again), len(b))
			}
		}
		_, err = keyPath(b)
		damagedOrFine(t, err)
	})
}
