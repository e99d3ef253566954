package rootfs

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func attrRoot(t *testing.T) (*Root, string, Capabilities) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, private), 0o700); err != nil {
		t.Fatal(err)
	}
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	caps, err := r.Probe()
	if err != nil {
		t.Fatal(err)
	}
	if !caps.Xattrs {
		t.Skipf("the temporary directory (%s) keeps no user attributes", caps.FSType)
	}
	return r, dir, caps
}

func TestAttributesStandAsTheyAreSet(t *testing.T) {
	r, dir, caps := attrRoot(t)
	file := filepath.Join(dir, "f")
	if err := os.WriteFile(file, []byte("x"), 0o400); err != nil { // not even its owner may write it
		t.Fatal(err)
	}
	kinds := Notes
	want := []Attr{{"user.a", "1"}, {"user.long", string(make([]byte, 2000))}}
	if caps.ACLs {
		kinds |= ACLs
		want = append([]Attr{{"acl.access", "user::r--,user:root:rw-,group::---,mask::rw-,other::---"}}, want...)
	}
	if err := unix.Setxattr(file, "user.gone", []byte("x"), 0); err != nil && os.Geteuid() == 0 {
		t.Fatal(err)
	}
	if err := r.SetAttrs("f", want, kinds); err != nil {
		t.Fatal(err)
	}
	got, err := r.Attrs("f", kinds)
	slices.SortFunc(got, func(a, b Attr) int {
		return len(a.Name)*100 + int(a.Name[len(a.Name)-1]) - len(b.Name)*100 - int(b.Name[len(b.Name)-1])
	})
	slices.SortFunc(want, func(a, b Attr) int {
		return len(a.Name)*100 + int(a.Name[len(a.Name)-1]) - len(b.Name)*100 - int(b.Name[len(b.Name)-1])
	})
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q instead of %q: %v", got, want, err)
	}
	if err := r.SetAttrs("f", nil, Notes); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Attrs("f", Notes); len(got) != 0 || err != nil {
		t.Errorf("%q: %v", got, err)
	}
}

func TestAttributesOfOtherKindsStay(t *testing.T) {
	r, dir, _ := attrRoot(t)
	file := filepath.Join(dir, "f")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setxattr(file, "user.a", []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	if err := r.SetAttrs("f", nil, ACLs|Owner); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		t.Fatal(err)
	}
	if got, err := r.Attrs("f", Notes); err != nil || !slices.Equal(got, []Attr{{"user.a", "1"}}) {
		t.Errorf("%q: %v", got, err)
	}
}

// What is too large for the file system is said of that attribute alone.
func TestAnAttributeThatDoesNotFitIsNamed(t *testing.T) {
	r, dir, caps := attrRoot(t)
	if err := os.WriteFile(filepath.Join(dir, "f"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := r.SetAttrs("f", []Attr{{"user.large", string(make([]byte, 60<<10))}, {"user.small", "1"}}, Notes)
	if err == nil {
		t.Skipf("%s takes an attribute of 60 KiB", caps.FSType)
	}
	one, ok := errors.AsType[*AttrError](err)
	if !ok || one.Name != "user.large" {
		t.Fatalf("%v", err)
	}
	if got, err := r.Attrs("f", Notes); err != nil || !slices.Equal(got, []Attr{{"user.small", "1"}}) {
		t.Errorf("%q: %v", got, err)
	}
}

func TestAttributesNeverFollowALinkOut(t *testing.T) {
	r, dir, _ := attrRoot(t)
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, link := range []struct{ target, name, path string }{{outside, "link", "link"}, {filepath.Dir(outside), "dir", "dir/outside"}} {
		if err := os.Symlink(link.target, filepath.Join(dir, link.name)); err != nil {
			t.Fatal(err)
		}
		if err := r.SetAttrs(link.path, []Attr{{"user.a", "1"}}, Notes); err == nil {
			t.Errorf("an attribute was set on %s", link.path)
		}
	}
	if n, err := unix.Listxattr(outside, nil); n != 0 || err != nil {
		t.Errorf("the file outside has %d bytes of attributes: %v", n, err)
	}
}

func BenchmarkNoAttributes(b *testing.B) {
	dir := b.TempDir()
	r, err := Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	if err := os.WriteFile(filepath.Join(dir, "f"), nil, 0o600); err != nil {
		b.Fatal(err)
	}
	d, err := r.OpenDir("")
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	for b.Loop() {
		if _, err := d.Attrs("f", Notes|ACLs); err != nil {
			b.Fatal(err)
		}
	}
}
