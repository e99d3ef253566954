// Draw writes the program's icon for packages and installers into the directory
// that it is given: SVG, PNG in the usual sizes, ICO.
package main

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"

	"github.com/fyne-io/image/ico"

	"pinion/tray/look"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: draw DIR")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "draw:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "pinion.svg"), look.AppIcon(), 0o644); err != nil {
		return err
	}
	best := png.Encoder{CompressionLevel: png.BestCompression}
	for _, px := range []int{16, 32, 48, 128, 256, 512} {
		img, err := look.Raster(look.AppIcon(), px)
		if err != nil {
			return err
		}
		file := filepath.Join(dir, fmt.Sprintf("pinion-%d.png", px))
		if err := write(file, func(b *bytes.Buffer) error { return best.Encode(b, img) }); err != nil {
			return err
		}
		if px == 256 { // Windows makes the smaller ones of it
			if err := write(filepath.Join(dir, "pinion.ico"), func(b *bytes.Buffer) error { return ico.Encode(b, image.Image(img)) }); err != nil {
				return err
			}
		}
	}
	return nil
}

func write(file string, encode func(*bytes.Buffer) error) error {
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		return fmt.Errorf("encode %s: %w", file, err)
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}
