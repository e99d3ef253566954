package drive

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	mountinfo = "/proc/self/mountinfo"
	sysfs     = "/sys"
)

func stat(path string) (Mount, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Mount{}, err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return Mount{}, err
	}
	fs, err := statfs(path)
	if err != nil {
		return Mount{}, err
	}
	s := spaceOf(&fs)
	m := Mount{
		Free: s.Free, Total: s.Total, FreeInodes: s.FreeInodes, TotalInodes: s.TotalInodes,
		ReadOnly: int64(fs.Flags)&unix.ST_RDONLY != 0,
		FSType:   fmt.Sprintf("%#x", uint32(fs.Type)),
	}
	e, err := mountOf(path)
	if err != nil {
		// Without /proc the numbers are still worth having.
		return m, nil
	}
	m.Point, m.FSType, m.Device = e.point, e.fsType, e.source
	m.Network = isNetwork(e.fsType)
	m.Removable = !m.Network && removable(sysfs, deviceOf(e), 0)
	return m, nil
}

func room(path string) (Space, error) {
	fs, err := statfs(path)
	return spaceOf(&fs), err
}

func statfs(path string) (fs unix.Statfs_t, err error) {
	if err := untilDone(func() error { return unix.Statfs(path, &fs) }); err != nil {
		return unix.Statfs_t{}, &os.PathError{Op: "statfs", Path: path, Err: err}
	}
	return fs, nil
}

func spaceOf(fs *unix.Statfs_t) Space {
	block := uint64(fs.Frsize) // what blocks are counted in; FUSE and NFS differ from Bsize
	if block == 0 {
		block = uint64(fs.Bsize)
	}
	return Space{Free: fs.Bavail * block, Total: fs.Blocks * block, FreeInodes: fs.Ffree, TotalInodes: fs.Files}
}

func untilDone(f func() error) error {
	for {
		if err := f(); err != unix.EINTR {
			return err
		}
	}
}

// mountOf asks the kernel for the mount's number where it tells it (since 5.8),
// because points can be mounted over and mounts bound to other places.
func mountOf(path string) (entry, error) {
	f, err := os.Open(mountinfo)
	if err != nil {
		return entry{}, err
	}
	defer f.Close()
	entries, err := parseMounts(f)
	if err != nil {
		return entry{}, err
	}
	var st unix.Statx_t
	err = untilDone(func() error { return unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_MNT_ID, &st) })
	if err == nil && st.Mask&unix.STATX_MNT_ID != 0 {
		for _, e := range entries {
			if e.id == st.Mnt_id {
				return e, nil
			}
		}
	}
	e, ok := deepest(entries, path)
	if !ok {
		return entry{}, errors.New("no mount found")
	}
	return e, nil
}

// deviceOf gives the "major:minor" of the block device, also for file systems
// that show a number of their own (btrfs).
func deviceOf(e entry) string {
	if !strings.HasPrefix(e.device, "0:") || !filepath.IsAbs(e.source) {
		return e.device
	}
	var st unix.Stat_t
	if err := unix.Stat(e.source, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFBLK {
		return e.device
	}
	return fmt.Sprintf("%d:%d", unix.Major(uint64(st.Rdev)), unix.Minor(uint64(st.Rdev)))
}

// maxLayers bounds how deep devices made of devices are followed.
const maxLayers = 4

// removable says whether the block device, or one that it is made of, is marked
// removable or hangs on USB: disks in USB cases are not marked.
func removable(sys, device string, layer int) bool {
	dir, err := filepath.EvalSymlinks(filepath.Join(sys, "dev", "block", device))
	if err != nil || layer == maxLayers {
		return false
	}
	if strings.Contains(dir, "/usb") {
		return true
	}
	for _, of := range []string{dir, filepath.Dir(dir)} { // a partition's disk is above it
		if b, err := os.ReadFile(filepath.Join(of, "removable")); err == nil {
			if strings.TrimSpace(string(b)) == "1" {
				return true
			}
			break
		}
	}
	below, err := os.ReadDir(filepath.Join(dir, "slaves"))
	if err != nil {
		return false
	}
	for _, d := range below {
		b, err := os.ReadFile(filepath.Join(dir, "slaves", d.Name(), "dev"))
		if err == nil && removable(sys, strings.TrimSpace(string(b)), layer+1) {
			return true
		}
	}
	return false
}
