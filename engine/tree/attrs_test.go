package tree

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func packed(t testing.TB, list ...Attr) Attrs {
	t.Helper()
	a, err := PackAttrs(list)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAttributesAreOneValueWhateverTheirOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"user.a", "user.b", "user.c.d", "acl.access", "owner.user"}), 0, 5, rapid.ID).Draw(t, "names")
		var list []Attr
		for _, n := range names {
			list = append(list, Attr{n, rapid.String().Draw(t, n)})
		}
		a, err := PackAttrs(slices.Clone(list))
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(list)
		b, _ := PackAttrs(list)
		back, err := ParseAttrs(string(a))
		if a != b || back != a || err != nil {
			t.Fatalf("%q, %q, %q: %v", a, b, back, err)
		}
		if got := a.List(); len(got) != len(names) || (a == NoAttrs) != (len(names) == 0) || (a.Sum() == 0) != (len(names) == 0) {
			t.Fatalf("%v of %v, sum %d", got, names, a.Sum())
		}
	})
}

func TestAttributesThatAreRefused(t *testing.T) {
	for name, list := range map[string][]Attr{
		"of the system":   {{"security.capability", "x"}},
		"of the kernel":   {{"trusted.overlay.opaque", "y"}},
		"another list":    {{"system.posix_acl_access", "x"}},
		"no name":         {{"user.", "x"}},
		"a zero byte":     {{"user.a\x00b", "x"}},
		"a long name":     {{"user." + strings.Repeat("n", MaxAttrName), "x"}},
		"twice":           {{"user.a", "x"}, {"user.a", "y"}},
		"too large":       {{"user.a", strings.Repeat("v", MaxAttrBytes)}},
		"too many":        slices.Repeat([]Attr{{"user.a", ""}}, MaxAttrs+1),
		"a made up owner": {{"owner.other", "x"}},
	} {
		if a, err := PackAttrs(list); err == nil {
			t.Errorf("%s: %q", name, a)
		}
	}
	for name, s := range map[string]string{
		"another form":     "\x02",
		"out of order":     "\x01\x06user.b\x00\x06user.a\x00",
		"cut short":        "\x01\x06user.b\x05x",
		"a padded length":  "\x01\x86\x00user.a\x00",
		"a length too big": "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
	} {
		if a, err := ParseAttrs(s); err == nil {
			t.Errorf("%s: %q", name, a)
		}
	}
}

func FuzzAttrs(f *testing.F) {
	f.Add("")
	f.Add(string(NoAttrs))
	f.Add(string(packed(f, Attr{"user.xdg.tags", "holiday"}, Attr{"acl.access", "user::rw-,group::r--,other::---"})))
	f.Add("\x01\x86\x00user.a\x00")
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAttrs(s)
		if err != nil {
			return
		}
		if string(a) != s {
			t.Fatalf("%q became %q", s, a)
		}
		if a.Known() {
			if again, err := PackAttrs(a.List()); err != nil || again != a {
				t.Fatalf("%q became %q: %v", a, again, err)
			}
		}
	})
}

func TestInherit(t *testing.T) {
	some := packed(t, Attr{"user.a", "1"})
	own := Entry{Kind: File, Attrs: some}
	for _, c := range []struct {
		name string
		told Entry
		want Attrs
	}{
		{"who can't see them says nothing of them", Entry{Kind: File}, some},
		{"who took them away says so", Entry{Kind: File, Attrs: NoAttrs}, NoAttrs},
		{"another kind is another thing", Entry{Kind: Dir}, ""},
		{"a tombstone has none", Entry{Kind: File, Deleted: true}, ""},
	} {
		if got := c.told.Inherit(own).Attrs; got != c.want {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}
