package drive

import (
	"os"

	"golang.org/x/sys/unix"
)

// removableFlag is MNT_REMOVABLE of sys/mount.h.
const removableFlag = 0x200

func stat(path string) (Mount, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return Mount{}, &os.PathError{Op: "statfs", Path: path, Err: err}
	}
	return Mount{
		Point: unix.ByteSliceToString(fs.Mntonname[:]), FSType: unix.ByteSliceToString(fs.Fstypename[:]),
		Device: unix.ByteSliceToString(fs.Mntfromname[:]),
		Free:   fs.Bavail * uint64(fs.Bsize), Total: fs.Blocks * uint64(fs.Bsize),
		FreeInodes: fs.Ffree, TotalInodes: fs.Files,
		ReadOnly:  fs.Flags&unix.MNT_RDONLY != 0,
		Network:   fs.Flags&unix.MNT_LOCAL == 0 || isNetwork(unix.ByteSliceToString(fs.Fstypename[:])),
		Removable: fs.Flags&removableFlag != 0,
	}, nil
}

func room(path string) (Space, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return Space{}, &os.PathError{Op: "statfs", Path: path, Err: err}
	}
	return Space{Free: fs.Bavail * uint64(fs.Bsize), Total: fs.Blocks * uint64(fs.Bsize), FreeInodes: fs.Ffree, TotalInodes: fs.Files}, nil
}
