package engine_test

import (
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"pinion/engine/config"
	"pinion/engine/control"
	"pinion/engine/enginetest"
)

// noted sets an attribute of a file; an empty value takes it away.
func noted(t *testing.T, w *enginetest.World, dev, path, name, value string) {
	t.Helper()
	err := unix.Setxattr(w.Path(dev, path), name, []byte(value), 0)
	if value == "" {
		err = unix.Removexattr(w.Path(dev, path), name)
	}
	if errors.Is(err, unix.EOPNOTSUPP) {
		t.Skipf("the temporary directory keeps no attribute %s", name)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func attr(w *enginetest.World, dev, path, name string) string {
	b := make([]byte, 70<<10)
	n, err := unix.Getxattr(w.Path(dev, path), name, b)
	if err != nil {
		return ""
	}
	return string(b[:n])
}

func awaitAttr(w *enginetest.World, dev, path, name, value string) {
	w.Await(dev+" to have "+name+" of "+path, func() bool { return attr(w, dev, path, name) == value })
}

// carry turns attributes on or off on a device.
func carry(t *testing.T, w *enginetest.World, dev string, on bool) {
	t.Helper()
	w.Stop(dev)
	w.Configure(dev, func(c *config.Config) { c.Folders[0].Attributes = &on })
	w.Start(dev)
}

func TestAnAttributeGoesWhereItsFileGoes(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", "alpha")
	w.Mkdir("laptop", "docs/dir")
	noted(t, w, "laptop", "docs/a.txt", "user.xdg.tags", "holiday")
	noted(t, w, "laptop", "docs/dir", "user.colour", "red")
	w.Share("docs", "laptop", "pi1")
	w.Settle()
	awaitAttr(w, "pi1", "docs/a.txt", "user.xdg.tags", "holiday")
	awaitAttr(w, "pi1", "docs/dir", "user.colour", "red")

	noted(t, w, "pi1", "docs/a.txt", "user.xdg.tags", "work")
	awaitAttr(w, "laptop", "docs/a.txt", "user.xdg.tags", "work")
	w.Append("laptop", "docs/a.txt", " beta")
	w.Settle()
	w.Has("docs/a.txt", "alpha beta", "laptop", "pi1")
	awaitAttr(w, "pi1", "docs/a.txt", "user.xdg.tags", "work")

	noted(t, w, "laptop", "docs/a.txt", "user.xdg.tags", "")
	awaitAttr(w, "pi1", "docs/a.txt", "user.xdg.tags", "")
	w.Settle()
	w.Rest()
}

func TestADeviceWithoutAttributesPassesThemOn(t *testing.T) {
	w := three(t)
	w.Write("laptop", "docs/a.txt", "alpha")
	w.Write("laptop", "docs/b.txt", "a file that is about to be renamed")
	noted(t, w, "laptop", "docs/a.txt", "user.note", "mine")
	noted(t, w, "laptop", "docs/b.txt", "user.note", "yours")
	w.Share("docs", "laptop", "pi1", "pi2")
	w.Settle()
	carry(t, w, "pi1", false)
	w.Settle()
	w.Cut("laptop", "pi2")

	noted(t, w, "laptop", "docs/a.txt", "user.note", "changed")
	awaitAttr(w, "pi2", "docs/a.txt", "user.note", "changed")

	// Edited, renamed and replaced on the device that can't see them.
	w.Append("pi1", "docs/a.txt", " beta")
	w.Move("pi1", "docs/b.txt", "docs/c.txt")
	w.Settle()
	for _, dev := range []string{"laptop", "pi2"} {
		w.Has("docs/a.txt", "alpha beta", dev)
		awaitAttr(w, dev, "docs/a.txt", "user.note", "changed")
		awaitAttr(w, dev, "docs/c.txt", "user.note", "yours")
	}

	// What its disk itself has stays there, and is taken for no change.
	if got := attr(w, "pi1", "docs/a.txt", "user.note"); got != "mine" {
		t.Errorf("the device that carries none has %q", got)
	}

	carry(t, w, "pi1", true)
	w.Settle()
	awaitAttr(w, "pi2", "docs/a.txt", "user.note", attr(w, "laptop", "docs/a.txt", "user.note"))
}

func TestAttributesThatCameMeanwhileAreSetOnceTheyAreWanted(t *testing.T) {
	w := shared(two(t), "laptop", "pi1")
	carry(t, w, "pi1", false)
	w.Write("laptop", "docs/a.txt", "alpha")
	noted(t, w, "laptop", "docs/a.txt", "user.note", "mine")
	w.Settle()
	if got := attr(w, "pi1", "docs/a.txt", "user.note"); got != "" {
		t.Fatalf("it was set although it is not wanted: %q", got)
	}
	carry(t, w, "pi1", true)
	awaitAttr(w, "pi1", "docs/a.txt", "user.note", "mine")
	w.Settle()
	if got := attr(w, "laptop", "docs/a.txt", "user.note"); got != "mine" {
		t.Errorf("the laptop has %q", got)
	}
}

// accessList is the stored form of a list by which the user root may read.
func accessList() string {
	b := binary.LittleEndian.AppendUint32(nil, 2)
	for _, e := range [][3]uint32{{1, 6, ^uint32(0)}, {2, 4, 0}, {4, 4, ^uint32(0)}, {16, 4, ^uint32(0)}, {32, 0, ^uint32(0)}} {
		b = binary.LittleEndian.AppendUint16(b, uint16(e[0]))
		b = binary.LittleEndian.AppendUint16(b, uint16(e[1]))
		b = binary.LittleEndian.AppendUint32(b, e[2])
	}
	return string(b)
}

func TestAnAccessListIsCarried(t *testing.T) {
	w := shared(two(t), "laptop", "pi1")
	w.Write("laptop", "docs/a.txt", "alpha")
	noted(t, w, "laptop", "docs/a.txt", "system.posix_acl_access", accessList())
	awaitAttr(w, "pi1", "docs/a.txt", "system.posix_acl_access", accessList())
	w.Settle()
	w.Chmod("pi1", "docs/a.txt", 0o600) // closes the list's mask
	w.Settle()
	w.Rest()
	for _, dev := range []string{"laptop", "pi1"} {
		info, err := os.Stat(w.Path(dev, "docs/a.txt"))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", dev, info.Mode(), err)
		}
	}
	if a, b := attr(w, "laptop", "docs/a.txt", "system.posix_acl_access"), attr(w, "pi1", "docs/a.txt", "system.posix_acl_access"); a != b || a == accessList() {
		t.Errorf("%x and %x", a, b)
	}
}

// A directory's default list comes to stand on what is made in it, also by us:
// that is no change that a person made.
func TestADefaultAccessListMakesNoEcho(t *testing.T) {
	w := shared(two(t), "laptop", "pi1")
	w.Mkdir("pi1", "docs/open")
	w.Settle()
	noted(t, w, "pi1", "docs/open", "system.posix_acl_default", accessList())
	awaitAttr(w, "laptop", "docs/open", "system.posix_acl_default", accessList())
	w.Write("laptop", "docs/open/a.txt", "alpha")
	w.Mkdir("laptop", "docs/open/below")
	w.Settle()
	w.Rest()
	w.Has("docs/open/a.txt", "alpha", "pi1")
}

func TestTooManyAttributesAreAProblemAndNoMore(t *testing.T) {
	w := shared(two(t), "laptop", "pi1")
	w.Write("laptop", "docs/a.txt", "alpha")
	noted(t, w, "laptop", "docs/a.txt", "user.note", "mine")
	w.Settle()
	for i := range 70 {
		noted(t, w, "laptop", "docs/a.txt", "user.n"+string(rune('a'+i%26))+string(rune('a'+i/26)), "x")
	}
	w.Append("laptop", "docs/a.txt", " beta")
	w.AwaitFile("pi1", "docs/a.txt", "alpha beta")
	w.Await("the problem to be listed", func() bool {
		for _, p := range w.State("laptop", "docs").Problems {
			if p.Path == "a.txt" && strings.Contains(p.Error, "more attributes") {
				return true
			}
		}
		return false
	})
	if got := attr(w, "pi1", "docs/a.txt", "user.note"); got != "mine" {
		t.Errorf("the other device has %q", got)
	}
}

func TestOwnerIsSetByAnEngineThatIsRootOnly(t *testing.T) {
	w := shared(two(t), "laptop", "pi1")
	on := true
	err := w.Engine("laptop").SetFolder(t.Context(), "docs", control.FolderSettings{Owner: &on})
	if os.Geteuid() != 0 {
		if err == nil || !strings.Contains(err.Error(), "root") {
			t.Errorf("%v", err)
		}
		return
	}
	if err == nil {
		err = w.Engine("pi1").SetFolder(t.Context(), "docs", control.FolderSettings{Owner: &on})
	}
	if err != nil {
		t.Fatal(err)
	}
	w.Write("laptop", "docs/a.txt", "alpha")
	if err := os.Chown(w.Path("laptop", "docs/a.txt"), 1, 1); err != nil {
		t.Fatal(err)
	}
	w.Await("the file to have its owner", func() bool {
		var st unix.Stat_t
		return unix.Stat(w.Path("pi1", "docs/a.txt"), &st) == nil && st.Uid == 1 && st.Gid == 1
	})
	w.Settle()
	w.Rest()
}
