package rootfstest

import (
	"net"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"pinion/platform/rootfs"
)

// testSpecialFiles would hang, and run into the test's time limit, if a FIFO
// were opened.
func testSpecialFiles(w *world) {
	w.make("victim")
	if err := unix.Mkfifo(filepath.Join(w.dir, "fifo"), 0o644); err != nil {
		w.Skipf("no FIFOs here: %v", err)
	}
	notRegular(w, "fifo")
	if l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(w.dir, "socket")}); err != nil {
		w.Logf("no sockets here: %v", err)
	} else {
		defer l.Close()
		notRegular(w, "socket")
	}
	if err := unix.Mknod(filepath.Join(w.dir, "device"), unix.S_IFCHR|0o644, int(unix.Mkdev(1, 3))); err != nil {
		w.Logf("devices can't be made here: %v", err)
	} else {
		notRegular(w, "device")
	}
	w.must(w.fs.RenameNoReplace("fifo", "fifo2"))
	w.must(w.fs.Remove("fifo2"))
}

func notRegular(w *world, path string) {
	w.Helper()
	i, err := w.fs.Lstat(path)
	w.must(err)
	if i.Kind != rootfs.Other {
		w.Fatalf("%s is a %v", path, i.Kind)
	}
	_, _, err = w.fs.OpenFile(path)
	w.is(err, rootfs.ErrNotRegular)
	_, err = w.fs.OpenRW(path)
	w.is(err, rootfs.ErrNotRegular)
	_, err = w.fs.Writers(path)
	w.is(err, rootfs.ErrNotRegular)
}

// testMagicLinks goes through /proc, whose links lead to open files and not to
// where they say.
func testMagicLinks(w *world) {
	w.make("victim", "../outside/secret")
	out, err := os.Open(w.outside)
	w.must(err)
	defer out.Close()
	w.make("magic => /proc/self/fd/"+strconv.Itoa(int(out.Fd())), "proc => /proc/self")
	w.refused("magic/secret", rootfs.ErrEscapes)
	w.refused("proc/root/etc/passwd", rootfs.ErrEscapes)
	w.holds("../outside/secret", "../outside/secret")
}
