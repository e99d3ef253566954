package rootfs

// batcher is a backend that can keep directories open for a while.
type batcher interface {
	batch() (b backend, end func(), err error)
}

// Batch gives a handle to the same root for many operations in a row on names in
// few directories, which it keeps open from one to the next. It is for one
// goroutine, and for moments: in a directory that is moved away meanwhile it goes
// on working where that is now, as if the operation had come just before the
// move. end must be called; the handle can't be used afterwards. Where nothing is
// won by it, it is the root itself.
func (r *Root) Batch() (b *Root, end func()) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	keeps, ok := r.b.(batcher)
	if !ok || r.closed {
		return r, func() {}
	}
	backend, done, err := keeps.batch()
	if err != nil {
		return r, func() {}
	}
	b = &Root{name: r.name, b: backend, people: r.people}
	b.noExchange.Store(r.noExchange.Load())
	b.noNoReplace.Store(r.noNoReplace.Load())
	return b, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.closed = true
		done()
	}
}
