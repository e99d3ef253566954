package rootfs

func OpenPortable(dir string) (*Root, error) {
	b, err := openPortable(dir)
	if err != nil {
		return nil, err
	}
	return &Root{name: dir, b: b}, nil
}

// ByHand makes r work as on a file system without no-replace and exchange.
func ByHand(r *Root) {
	r.noExchange.Store(true)
	r.noNoReplace.Store(true)
}

var GrainOf = grainOf

const OddTime = oddTime

// WithLink makes r work by hand, with link in place of the file system's.
func WithLink(r *Root, link func(sys func(from, to string) error, from, to string) error) {
	ByHand(r)
	r.b = &relinked{r.b, link}
}

type relinked struct {
	backend
	f func(sys func(from, to string) error, from, to string) error
}

func (b *relinked) link(from, to string) error { return b.f(b.backend.link, from, to) }
