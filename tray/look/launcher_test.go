package look

import (
	"bytes"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// TestLaunchersIcons: the packages carry the program's icon as files, which are
// drawn from the same source. PINION_GOLDEN=write draws them anew.
func TestLaunchersIcons(t *testing.T) {
	const dir = "../../installers/icons"
	write := os.Getenv("PINION_GOLDEN") == "write"
	check := func(name string, want []byte, same func(got []byte) bool) {
		t.Helper()
		file := filepath.Join(dir, name)
		if write {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(file)
		if err != nil || !same(got) {
			t.Errorf("%s is not the program's icon (%v); PINION_GOLDEN=write makes it", file, err)
		}
	}
	check("pinion.svg", AppIcon(), func(got []byte) bool { return bytes.Equal(got, AppIcon()) })
	for _, px := range []int{48, 128, 256} {
		img, err := Raster(AppIcon(), px)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		// Its pixels may differ by processor: its size and place may not.
		check(fmt.Sprintf("pinion-%d.png", px), b.Bytes(), func(got []byte) bool {
			c, err := png.DecodeConfig(bytes.NewReader(got))
			return err == nil && c.Width == px && c.Height == px
		})
	}
}
