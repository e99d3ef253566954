package rootfs

import "golang.org/x/sys/unix"

// recent are the directories that a batch used last. Owned by its goroutine.
type recent struct {
	dirs [recentDirs]recentDir
	uses uint64
}

// recentDirs is more than two calls can need at once.
const recentDirs = 8

type recentDir struct {
	path string // empty: free
	fd   int
	used uint64
}

// batch gives a backend with a descriptor of its own, so that the root may be
// closed meanwhile.
func (c *confined) batch() (backend, func(), error) {
	fd, err := unix.FcntlInt(uintptr(c.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	b := *c
	b.fd, b.recent = fd, &recent{}
	return &b, func() {
		for i := range b.recent.dirs {
			b.recent.dirs[i].drop()
		}
		unix.Close(fd)
	}, nil
}

func (d *recentDir) drop() {
	if d.path != "" {
		unix.Close(d.fd)
	}
	*d = recentDir{}
}

// take gives the open directory of a path, opened if it is not yet.
func (r *recent) take(path string, open func() (int, error)) (fd int, kept bool, err error) {
	r.uses++
	oldest := &r.dirs[0]
	for i := range r.dirs {
		d := &r.dirs[i]
		if d.path == path {
			d.used = r.uses
			return d.fd, true, nil
		}
		if d.used < oldest.used {
			oldest = d
		}
	}
	if fd, err = open(); err != nil {
		return 0, false, err
	}
	oldest.drop()
	*oldest = recentDir{path, fd, r.uses}
	return fd, false, nil
}

// forget has a path opened anew: what was open may not be there any more.
func (r *recent) forget(path string) {
	for i := range r.dirs {
		if r.dirs[i].path == path {
			r.dirs[i].drop()
		}
	}
}
