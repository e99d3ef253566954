package enginetest

import (
	"context"
	"slices"

	"pinion/engine/control"
	"pinion/engine/status"
)

// Engine is the engine of a device, as a person's commands see it.
func (w *World) Engine(dev string) control.Engine {
	w.t.Helper()
	d := w.device(dev)
	w.mu.Lock()
	defer w.mu.Unlock()
	if d.engine == nil {
		w.t.Fatalf("%s does not run", dev)
	}
	return d.engine
}

// Share makes DIR/folder of the first device a folder and has the others accept
// it into theirs. What stands there already takes part.
func (w *World) Share(folder string, devs ...string) {
	w.t.Helper()
	w.Add(devs[0], folder, "")
	for _, dev := range devs[1:] {
		w.Accept(dev, folder, "")
	}
}

// Add makes a directory of a device a folder. mode may be empty.
func (w *World) Add(dev, folder, mode string) {
	w.t.Helper()
	w.Mkdir(dev, folder)
	_, err := w.Engine(dev).AddFolder(context.Background(), control.AddFolder{Path: w.Path(dev, folder), Name: folder, Mode: mode})
	w.must(err)
}

// Accept takes a folder that is offered into DIR/folder, once it is offered.
func (w *World) Accept(dev, folder, mode string) {
	w.t.Helper()
	w.AwaitOffer(dev, folder)
	_, err := w.Engine(dev).Accept(context.Background(), control.Accept{Folder: folder, Path: w.Path(dev, folder), Mode: mode})
	w.must(err)
}

// AwaitOffer waits until a folder is offered to a device.
func (w *World) AwaitOffer(dev, folder string) {
	w.t.Helper()
	w.Await(dev+" to be offered "+folder, func() bool {
		for _, o := range w.Status(dev).Offers {
			if o.Name == folder {
				return true
			}
		}
		return false
	})
}

// Status is all that an engine says of itself.
func (w *World) Status(dev string) status.State {
	w.t.Helper()
	s, err := w.Engine(dev).Status(context.Background(), 0)
	w.must(err)
	return s
}

// State is what an engine says of a folder.
func (w *World) State(dev, folder string) status.Folder {
	w.t.Helper()
	f, ok := w.folder(dev, folder)
	if !ok {
		w.t.Fatalf("%s has no folder %s", dev, folder)
	}
	return f
}

func (w *World) folder(dev, folder string) (status.Folder, bool) {
	for _, f := range w.Status(dev).Folders {
		if f.Name == folder {
			return f, true
		}
	}
	return status.Folder{}, false
}

// Scan has a device look at everything, as soon as it can; Confirm says yes to a held deletion.
func (w *World) Scan(dev, folder string) {
	w.t.Helper()
	w.Await(dev+" to look at "+folder, func() bool { return w.Engine(dev).Scan(context.Background(), folder) == nil })
}

func (w *World) Confirm(dev, folder string) {
	w.t.Helper()
	w.must(w.Engine(dev).Confirm(context.Background(), folder))
}

// Pause and Resume a folder of a device; "" is everything.
func (w *World) Pause(dev, folder string) {
	w.t.Helper()
	w.must(w.Engine(dev).Pause(context.Background(), control.PauseRequest{Folder: folder}))
}

func (w *World) Resume(dev, folder string) {
	w.t.Helper()
	w.must(w.Engine(dev).Resume(context.Background(), control.PauseRequest{Folder: folder}))
}

// Conflicts lists what a device knows of conflicts.
func (w *World) Conflicts(dev string) []control.Conflict {
	w.t.Helper()
	list, err := w.Engine(dev).Conflicts(context.Background())
	w.must(err)
	return list
}

// Resolve settles a conflict.
func (w *World) Resolve(dev, path, keep string) {
	w.t.Helper()
	w.must(w.Engine(dev).Resolve(context.Background(), control.Resolve{Path: path, Keep: keep}))
}

// Archive lists what a device's archives hold below a path; "" is everything.
func (w *World) Archive(dev, path string) []control.Kept {
	w.t.Helper()
	own := w.Status(dev).Device.Name
	return slices.DeleteFunc(w.History(dev, path, false).Versions, func(k control.Kept) bool {
		return k.Reason == control.ReasonLive || !slices.Contains(k.KeptBy, own)
	})
}

// History lists what all devices that a device can reach keep.
func (w *World) History(dev, path string, deleted bool) control.History {
	w.t.Helper()
	list, err := w.Engine(dev).History(context.Background(), control.HistoryRequest{Path: path, Deleted: deleted})
	w.must(err)
	return list
}

// RestoreFrom brings a path back from a device's archive.
func (w *World) RestoreFrom(dev, path string) {
	w.t.Helper()
	_, err := w.Engine(dev).Restore(context.Background(), control.Restore{Path: path})
	w.must(err)
}
