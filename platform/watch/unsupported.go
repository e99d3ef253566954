//go:build !linux && !darwin && !windows

package watch

// unsupported watches nothing.
type unsupported struct{ w *Watcher }

func startBackend(w *Watcher) (backend, error) {
	w.warn(ErrUnsupported)
	close(w.ready)
	return unsupported{w}, nil
}

func (u unsupported) refresh()    { u.w.noteAll() }
func (u unsupported) stop() error { return nil }
