package rootfs

// The other ways to work, for the contract suite.

func OpenWalking(dir string) (*Root, error) {
	b, err := openConfined(dir, true)
	if err != nil {
		return nil, err
	}
	return &Root{name: dir, b: b}, nil
}

var Version = version

// SetModeThroughProc is how modes are set on kernels before 6.6.
func SetModeThroughProc(r *Root, path string, mode uint32) error {
	c := r.b.(*confined)
	return c.at(path, func(fd int, base string) error { return c.setModeOpen(fd, base, mode, ErrGone) })
}
