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
	m, err := readMarker(dir)
	switch {
	case err == nil && m.Folder == folder:
		return nil
	case err == nil:
		return fmt.Errorf("%s is already the folder %s; remove %s in it first if that is no longer used", dir, m.Folder, tree.Private)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	text, err := toml.Marshal(marker{Folder: folder, Device: device, Made: now.UTC().Truncate(time.Second)})
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

// Marked gives the id of the folder that dir holds; fs.ErrNotExist if none.
func Marked(dir string) (tree.FolderID, error) {
	m, err := readMarker(dir)
	return m.Folder, err
}

func readMarker(dir string) (marker, error) {
	var m marker
	text, err := os.ReadFile(filepath.Join(dir, markerFile))
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

// checkMarker says, wrapping ErrMissing, whether dir is not this folder now.
func checkMarker(dir string, folder tree.FolderID) error {
	m, err := readMarker(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, serr := os.Stat(dir); serr != nil {
			return fmt.Errorf("%w: %s is not there; plug in or mount its disk", ErrMissing, dir)
		}
		return fmt.Errorf("%w: %s has no %s, so its disk is probably not mounted", ErrMissing, dir, markerFile)
	case err != nil:
		return fmt.Errorf("%w: %v", ErrMissing, err)
	case m.Folder != folder:
		return fmt.Errorf("%w: %s holds another folder (%s)", ErrMissing, dir, m.Folder)
	}
	return nil
}
