package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/pelletier/go-toml/v2"

	"pinion/engine/config"
	"pinion/engine/tree"
)

// marker is .pinion/folder.toml. It says that this directory really is the
// folder; where it is missing nothing is synced, since an empty mount point
// would look like a folder in which everything was deleted.
type marker struct {
	Folder tree.FolderID `toml:"folder"`
	Device tree.DeviceID `toml:"device"`
	Made   time.Time     `toml:"made"`
}

const markerFile = tree.Private + "/folder.toml"

// ErrMissing: the folder's disk or its marker is not there.
var ErrMissing = errors.New("folder is missing")

// Mark makes dir a folder: it writes the marker, unless dir holds the marker of
// this folder already. A marker of another folder is refused.
func Mark(dir string, folder tree.FolderID, device tree.DeviceID, now time.Time) error {
	m, err := readMarkerIn(Machine{}, dir)
	switch {
	case err == nil && m.Folder == folder:
		return nil
	case err == nil:
		return fmt.Errorf("%s is already the folder %s; remove %s in it first if that is no longer used", dir, m.Folder, tree.Private)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	text, err := MarkerText(folder, device, now)
	if err != nil {
		return fmt.Errorf("write the marker: %w", err)
	}
	private := filepath.Join(dir, tree.Private)
	for _, d := range []string{private, filepath.Join(private, "tmp"), filepath.Join(private, "archive")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return fmt.Errorf("make the folder's own directory: %w", err)
		}
	}
	return config.WriteFile(filepath.Join(dir, markerFile), text, 0o644)
}

// MarkerText is what the marker of a folder says.
func MarkerText(folder tree.FolderID, device tree.DeviceID, now time.Time) ([]byte, error) {
	return toml.Marshal(marker{Folder: folder, Device: device, Made: now.UTC().Truncate(time.Second)})
}

// Marked gives the id of the folder that dir holds; fs.ErrNotExist if none.
func Marked(dir string) (tree.FolderID, error) {
	m, err := readMarkerIn(Machine{}, dir)
	return m.Folder, err
}

// errNoDirectory: the directory itself is not there.
var errNoDirectory = errors.New("there is no such directory")

// readMarkerIn opens dir anew: what stands at its path now may be another disk
// than the one that is open.
func readMarkerIn(m Machine, dir string) (marker, error) {
	d, err := m.openDisk(dir)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: %w", errNoDirectory, err)
	}
	if err != nil {
		return marker{}, fmt.Errorf("read the marker: %w", err)
	}
	defer d.Close()
	return readMarker(d, dir)
}

func readMarker(d Disk, dir string) (marker, error) {
	var m marker
	text, err := d.ReadFile(markerFile, 4097)
	if err != nil {
		return m, fmt.Errorf("read the marker: %w", err)
	}
	if len(text) > 4096 {
		return m, fmt.Errorf("read the marker: %s is not one of Pinion's", filepath.Join(dir, markerFile))
	}
	if err := toml.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("read the marker %s: %w", filepath.Join(dir, markerFile), err)
	}
	return m, nil
}

// checkMarker says, wrapping ErrMissing, whether the folder's path does not lead
// to this folder now.
func (f *Folder) checkMarker() error {
	dir, folder := f.cfg.Path, f.cfg.ID
	m, err := readMarkerIn(f.cfg.Machine, dir)
	switch {
	case errors.Is(err, errNoDirectory):
		return fmt.Errorf("%w: %s is not there; plug in or mount its disk", ErrMissing, dir)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %s has no %s, so its disk is probably not mounted", ErrMissing, dir, markerFile)
	case err != nil:
		return fmt.Errorf("%w: %v", ErrMissing, err)
	case m.Folder != folder:
		return fmt.Errorf("%w: %s holds another folder (%s)", ErrMissing, dir, m.Folder)
	}
	return nil
}
