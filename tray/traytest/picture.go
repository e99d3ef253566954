package traytest

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

// Markup compares what the window shows with testdata/NAME.xml. With
// PINION_GOLDEN=write the file is written instead.
func Markup(t *testing.T, c fyne.Canvas, name string) {
	t.Helper()
	file := filepath.Join("testdata", name+".xml")
	got := []byte(test.RenderToMarkup(c))
	if os.Getenv("PINION_GOLDEN") == "write" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (PINION_GOLDEN=write makes it)", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the window shows now; look at it with PINION_PICTURES=DIR, and if it is right write it with PINION_GOLDEN=write", file)
	}
}

// Picture writes what the window shows to NAME.png in the directory that
// PINION_PICTURES names, for a person to look at. Without it nothing is done.
func Picture(t *testing.T, c fyne.Canvas, name string) {
	t.Helper()
	dir := os.Getenv("PINION_PICTURES")
	if dir == "" {
		return
	}
	var b bytes.Buffer
	if err := png.Encode(&b, c.Capture()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
