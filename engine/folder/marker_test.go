package folder

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pinion/engine/tree"
)

// FuzzMarker: a marker that is taken is written down again as one of the same
// folder; an error names the file.
func FuzzMarker(f *testing.F) {
	good, err := MarkerText(tree.FolderID{1, 2}, tree.DeviceID{3}, time.Unix(1_795_000_000, 0))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("folder = \"zz\"\n"))
	f.Add([]byte("folder = 5\nmade = 1979-05-27T07:32:00\n"))
	f.Add([]byte(strings.Repeat("#", 5000)))
	f.Add([]byte(nil))
	dir := f.TempDir()
	if err := os.Mkdir(filepath.Join(dir, tree.Private), 0o700); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(filepath.Join(dir, markerFile), text, 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := readMarkerIn(Machine{}, dir)
		if err != nil {
			if !strings.Contains(err.Error(), "marker") {
				t.Errorf("%v", err)
			}
			return
		}
		if len(text) > 4096 {
			t.Errorf("%d bytes are a marker", len(text))
		}
		b, err := MarkerText(m.Folder, m.Device, m.Made)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, markerFile), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if again, err := readMarkerIn(Machine{}, dir); err != nil || again.Folder != m.Folder || again.Device != m.Device {
			t.Errorf("%+v became %+v, %v\n%s", m, again, err, b)
		}
	})
}
