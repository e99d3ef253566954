package rootfs

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"golang.org/x/sys/unix"
)

func lstatAt(dir int, name string) (Info, error) {
	var st unix.Stat_t
	if err := unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return Info{}, err
	}
	return infoOf(name, &st), nil
}

func infoOf(name string, st *unix.Stat_t) Info {
	i := Info{
		Name: name, Kind: Other, Size: st.Size,
		MTime: nanoseconds(int64(st.Mtim.Sec), int64(st.Mtim.Nsec)),
		CTime: nanoseconds(int64(st.Ctim.Sec), int64(st.Ctim.Nsec)),
		Mode:  st.Mode & 0o777, Inode: st.Ino, Dev: uint64(st.Dev), Nlink: uint32(st.Nlink),
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		i.Kind = Regular
	case unix.S_IFDIR:
		i.Kind = Directory
	case unix.S_IFLNK:
		i.Kind = Symlink
	}
	return i
}

// nanoseconds is sec and nsec in one number, held at the ends of int64 (1677 and
// 2262), which file systems can go beyond.
func nanoseconds(sec, nsec int64) int64 {
	switch {
	case sec >= math.MaxInt64/1_000_000_000:
		return math.MaxInt64
	case sec <= math.MinInt64/1_000_000_000:
		return math.MinInt64
	}
	return sec*1_000_000_000 + nsec
}

func readlinkAt(dir int, name string) (string, error) {
	for size := 256; ; size *= 2 {
		b := make([]byte, size)
		n, err := unix.Readlinkat(dir, name, b)
		if err != nil {
			return "", err
		}
		if n < size {
			return string(b[:n]), nil
		}
		if size > 1<<16 {
			return "", unix.ENAMETOOLONG
		}
	}
}

func (c *confined) setMTime(path string, ns int64) error {
	ts := unix.NsecToTimespec(ns)
	if ts.Nano() != ns {
		return unix.EOVERFLOW // 32-bit seconds
	}
	return c.at(path, func(fd int, base string) error {
		times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, ts}
		if c.fuse {
			// libfuse 2 drops a change of one time alone and says that it was done.
			var st unix.Stat_t
			if err := unix.Fstatat(fd, base, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
				return err
			}
			times[0] = st.Atim
		}
		return unix.UtimesNanoAt(fd, base, times, unix.AT_SYMLINK_NOFOLLOW)
	})
}

func (c *confined) setMode(path string, mode uint32) error {
	return c.at(path, func(fd int, base string) error {
		var st unix.Stat_t
		if err := unix.Fstatat(fd, base, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return err
		}
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFLNK:
			return errors.ErrUnsupported
		case unix.S_IFDIR:
			mode |= st.Mode & 0o7000
		}
		err := unix.Fchmodat(fd, base, mode, unix.AT_SYMLINK_NOFOLLOW)
		if err == unix.EOPNOTSUPP || err == unix.EPERM {
			return c.setModeOpen(fd, base, mode, err)
		}
		return err
	})
}

// setModeOpen is for kernels before 6.6, which have no fchmodat2, and sandboxes
// that forbid it. A descriptor made by O_PATH can't be chmod-ed, but its name in
// /proc can.
func (c *confined) setModeOpen(dir int, base string, mode uint32, cause error) error {
	fd, err := c.openAt(dir, base, unix.O_PATH, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFLNK {
		return errors.ErrUnsupported
	}
	err = unix.Chmod("/proc/self/fd/"+strconv.Itoa(fd), mode)
	if err == unix.ENOENT { // no /proc
		return cause
	}
	return err
}

func (c *confined) same() error {
	var st unix.Stat_t
	err := untilDone(func() error { return unix.Stat(c.name, &st) })
	if err != nil {
		return as(ErrGone, err)
	}
	if uint64(st.Dev) != c.dev || st.Ino != c.ino {
		return ErrGone
	}
	return nil
}

func (c *confined) fsType() string {
	var st unix.Statfs_t
	if err := untilDone(func() error { return unix.Fstatfs(c.fd, &st) }); err != nil {
		return ""
	}
	return fsName(uint32(st.Type))
}

// isFUSE is about the root's file system.
func isFUSE(fd int) bool {
	var st unix.Statfs_t
	err := untilDone(func() error { return unix.Fstatfs(fd, &st) })
	return err == nil && uint32(st.Type) == fuseMagic
}

const fuseMagic = 0x65735546

// fsName gives the names of file systems by their numbers in statfs(2).
func fsName(magic uint32) string {
	switch magic {
	case 0xef53:
		return "ext4" // and ext2, ext3
	case 0x58465342:
		return "xfs"
	case 0x9123683e:
		return "btrfs"
	case 0x01021994:
		return "tmpfs"
	case 0xf2f52010:
		return "f2fs"
	case 0x2fc12fc1:
		return "zfs"
	case 0xca451a4e:
		return "bcachefs"
	case 0x794c7630:
		return "overlay"
	case 0x4d44:
		return "vfat"
	case 0x2011bab0:
		return "exfat"
	case 0x7366746e:
		return "ntfs3"
	case 0x482b:
		return "hfsplus"
	case fuseMagic:
		return "fuse"
	case 0x6969:
		return "nfs"
	case 0xff534d42, 0xfe534d42, 0x517b:
		return "cifs"
	case 0x01021997:
		return "9p"
	case 0xf15f:
		return "ecryptfs"
	}
	return fmt.Sprintf("%#x", magic)
}
