package folder

import (
	"errors"
	"io/fs"

	"pinion/engine/scan"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// near looks at one path after the other, most of them in one directory, which it
// keeps open. It is for looks that are looked at again before anything comes of
// them: the directory may have moved.
type near struct {
	at   tree.Path
	dir  scan.Dir // nil: none is open
	gone error    // why nothing can stand in at; nil: dir says
	path tree.Path
	info rootfs.Info
	err  error // of path
	any  bool  // path was looked at
}

// lstat tells what stands at p. The same path again is not looked at again.
func (n *near) lstat(disk Disk, p tree.Path) (rootfs.Info, error) {
	if n.any && n.path == p {
		return n.info, n.err
	}
	if n.dir == nil && n.gone == nil || n.at != p.Dir() {
		n.leave()
		dir, err := disk.Scan().OpenDir(string(p.Dir()))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			n.gone = err
		case err != nil:
			return disk.Lstat(string(p))
		}
		n.dir, n.at = dir, p.Dir()
	}
	n.path, n.any = p, true
	if n.gone != nil {
		n.info, n.err = rootfs.Info{}, n.gone
		return n.info, n.err
	}
	n.info, n.err = n.dir.Lstat(p.Base())
	return n.info, n.err
}

// leave ends the looks.
func (n *near) leave() {
	if n.dir != nil {
		n.dir.Close()
	}
	*n = near{}
}
