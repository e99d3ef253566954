package drive

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// readOnlyVolume is FILE_READ_ONLY_VOLUME.
const readOnlyVolume = 0x80000

func stat(path string) (Mount, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Mount{}, err
	}
	if _, err := os.Lstat(path); err != nil {
		return Mount{}, err
	}
	p, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return Mount{}, err
	}
	var root [windows.MAX_LONG_PATH]uint16
	if err := windows.GetVolumePathName(p, &root[0], uint32(len(root))); err != nil {
		return Mount{}, err
	}
	m := Mount{Point: windows.UTF16ToString(root[:])}
	m.Device = m.Point
	if err := windows.GetDiskFreeSpaceEx(p, &m.Free, &m.Total, nil); err != nil {
		return Mount{}, err
	}
	var name [windows.MAX_PATH + 1]uint16
	var flags uint32
	if windows.GetVolumeInformation(&root[0], nil, 0, nil, nil, &flags, &name[0], uint32(len(name))) == nil {
		m.FSType = windows.UTF16ToString(name[:])
		m.ReadOnly = flags&readOnlyVolume != 0
	}
	switch windows.GetDriveType(&root[0]) {
	case windows.DRIVE_REMOTE:
		m.Network = true
	case windows.DRIVE_REMOVABLE, windows.DRIVE_CDROM:
		m.Removable = true
	}
	return m, nil
}

func room(path string) (s Space, err error) {
	p, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return Space{}, err
	}
	if err := windows.GetDiskFreeSpaceEx(p, &s.Free, &s.Total, nil); err != nil {
		return Space{}, &os.PathError{Op: "GetDiskFreeSpaceEx", Path: path, Err: err}
	}
	return s, nil
}
