package look

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"pinion/tray/present"
)

var allIcons = []present.Icon{present.IconInSync, present.IconSyncing, present.IconPaused, present.IconNeeds, present.IconTrouble, present.IconNotRunning}

func TestTrayIconsCanBeToldApart(t *testing.T) {
	for _, on := range []Panel{AnyPanel, LightPanel, DarkPanel, Template} {
		var seen []*image.NRGBA
		for _, icon := range allIcons {
			img, err := drawTrayIcon(icon, 0, on, 24)
			if err != nil {
				t.Fatal(err)
			}
			for i, other := range seen {
				if n := differ(img, other); n < 15 {
					t.Errorf("panel %d: %v and %v differ in %d pixels only", on, icon, allIcons[i], n)
				}
			}
			seen = append(seen, img)
		}
	}
}

func TestOnlySyncingTurns(t *testing.T) {
	for _, icon := range allIcons {
		still, err := TrayIcon(icon, 0, AnyPanel, 48)
		if err != nil {
			t.Fatal(err)
		}
		next, err := TrayIcon(icon, 1, AnyPanel, 48)
		if err != nil {
			t.Fatal(err)
		}
		if turns := !bytes.Equal(still, next); turns != (icon == present.IconSyncing) {
			t.Errorf("%v turns: %v", icon, turns)
		}
		if again, err := TrayIcon(icon, Frames, AnyPanel, 48); err != nil || !bytes.Equal(still, again) {
			t.Errorf("%v: after the last frame comes not the first, %v", icon, err)
		}
	}
}

func TestATemplateIsBlack(t *testing.T) {
	for _, icon := range allIcons {
		img, err := drawTrayIcon(icon, 0, Template, 32)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(img.Pix); i += 4 {
			if img.Pix[i+3] > 0 && (img.Pix[i] > 2 || img.Pix[i+1] > 2 || img.Pix[i+2] > 2) {
				t.Fatalf("%v has the colour %v", icon, img.Pix[i:i+4])
			}
		}
	}
}

func TestInstallersHaveTheIcon(t *testing.T) {
	got, err := os.ReadFile("../../installers/icons/pinion.svg")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, AppIcon()) {
		t.Error("installers/icons is not what is drawn now: go generate ./tray/look")
	}
}

// TestIconSheet draws all icons as they look on panels, for a person to look at.
func TestIconSheet(t *testing.T) {
	dir := os.Getenv("PINION_PICTURES")
	if dir == "" {
		t.Skip("PINION_PICTURES names no directory")
	}
	const zoom = 4
	sizes := []int{16, 22, 24, 48}
	rows := []struct {
		on   Panel
		back color.Color
	}{
		{LightPanel, color.Gray{0xf0}}, {DarkPanel, color.Gray{0x20}}, {AnyPanel, color.Gray{0xf0}}, {AnyPanel, color.Gray{0x20}}, {Template, color.White},
	}
	sheet := image.NewRGBA(image.Rect(0, 0, zoom*len(allIcons)*125, zoom*len(rows)*60))
	for y, row := range rows {
		line := image.Rect(0, zoom*y*60, sheet.Rect.Dx(), zoom*(y+1)*60)
		draw.Draw(sheet, line, image.NewUniform(row.back), image.Point{}, draw.Src)
		at := 4
		for _, icon := range allIcons {
			for _, px := range sizes {
				img, err := drawTrayIcon(icon, 1, row.on, px)
				if err != nil {
					t.Fatal(err)
				}
				big := image.NewNRGBA(image.Rect(0, 0, px*zoom, px*zoom))
				for i := range px * zoom {
					for j := range px * zoom {
						big.SetNRGBA(i, j, img.NRGBAAt(i/zoom, j/zoom))
					}
				}
				draw.Draw(sheet, big.Rect.Add(image.Pt(zoom*at, line.Min.Y+zoom*5)), big, image.Point{}, draw.Over)
				at += px + 3
			}
		}
	}
	write(t, filepath.Join(dir, "icons.png"), sheet)
	for _, px := range []int{16, 32, 48, 256} {
		img, err := Raster(AppIcon(), px)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "app-"+string(rune('0'+px/100))+string(rune('0'+px/10%10))+string(rune('0'+px%10))+".png"), img)
	}
}

func write(t *testing.T, file string, img image.Image) {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// differ counts the pixels that a person sees to be different.
func differ(a, b *image.NRGBA) (n int) {
	for i := 0; i < len(a.Pix); i += 4 {
		sum := 0
		for j := range 4 {
			d := int(a.Pix[i+j]) - int(b.Pix[i+j])
			sum += max(d, -d)
		}
		if sum > 100 {
			n++
		}
	}
	return n
}
