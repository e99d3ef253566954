package drive

import (
	"fmt"
	"strings"
)

// Mount is what a path lies on.
type Mount struct {
	Point  string // where it is mounted
	FSType string // the system's name for the file system: "ext4", "fuseblk", "NTFS"
	Device string // what is mounted there: "/dev/sda1", "host:/export"

	Free, Total             uint64 // bytes: those that we may still use, and all
	FreeInodes, TotalInodes uint64 // the same for the number of files; both 0 where there is no such limit

	ReadOnly  bool
	Network   bool
	Removable bool
}

// Stat tells on what the existing path lies. It can block for as long as a dead
// network mount does.
func Stat(path string) (Mount, error) {
	m, err := stat(path)
	if err != nil {
		return Mount{}, fmt.Errorf("look at the drive of %s: %w", path, err)
	}
	return m, nil
}

// Space is how much room a file system has for us.
type Space struct {
	Free, Total             uint64 // bytes: those that we may still use, and all
	FreeInodes, TotalInodes uint64 // the same for the number of files; both 0 where there is no such limit
}

// Room tells how much room there is where the existing path lies. It is cheap
// enough to be asked all the time, and can block as Stat can.
func Room(path string) (Space, error) {
	s, err := room(path)
	if err != nil {
		return Space{}, fmt.Errorf("look at the room on the drive of %s: %w", path, err)
	}
	return s, nil
}

// isNetwork knows the file systems behind which another machine stands, or the
// host of this one: locks and change events don't reach across.
func isNetwork(fsType string) bool {
	switch strings.ToLower(fsType) {
	case "nfs", "nfs4", "cifs", "smb3", "smbfs", "afpfs", "webdav", "ncpfs", "afs", "coda", "ceph", "lustre",
		"9p", "vboxsf", "prl_fs", "vmhgfs", "fuse.vmhgfs-fuse",
		"fuse.sshfs", "fuse.rclone", "fuse.glusterfs", "fuse.ceph", "fuse.davfs", "fuse.davfs2", "fuse.s3fs",
		"fuse.gvfsd-fuse", "fuse.curlftpfs", "fuse.smbnetfs", "fuse.juicefs":
		return true
	}
	return false
}
