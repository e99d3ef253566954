package noise

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func draw(n int) []byte {
	r := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), 7})
	b := make([]byte, n)
	_, _ = r.Read(b)
	return b
}

var prose = strings.Repeat("The quick brown fox jumps over the lazy dog; and then, of course, it does so again. ", 60)

func picture(enc func(*bytes.Buffer, image.Image) error) []byte {
	img := image.NewRGBA(image.Rect(0, 0, 64, 64))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 64 * 64 {
		img.Set(i%64, i/64, color.RGBA{uint8(r.Uint32()), uint8(i), uint8(i / 3), 255})
	}
	var b bytes.Buffer
	if err := enc(&b, img); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func floats(n int) (b []byte) {
	r := rand.New(rand.NewPCG(3, 4))
	for range n {
		v := math.Float32bits(float32(r.NormFloat64()))
		b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	return b
}

func TestSealed(t *testing.T) {
	var gz, zl bytes.Buffer
	w := gzip.NewWriter(&gz)
	_, _ = w.Write(draw(9000))
	w.Close()
	z := zlib.NewWriter(&zl)
	_, _ = z.Write([]byte(prose + hex.EncodeToString(draw(4000))))
	z.Close()
	for _, x := range []struct {
		name string
		b    []byte
		want bool
	}{
		{"nothing", nil, false},
		{"too short to say", draw(23), false},
		{"48 random bytes", draw(48), true},
		{"a kilobyte", draw(1024), true},
		{"a megabyte", draw(1 << 20), true},
		{"openssl enc", append([]byte("Salted__"), draw(40)...), true},
		{"a header of its own", append(append([]byte("WANACRY!\x00\x01\x00\x00"), draw(256)...), append(make([]byte, 12), draw(5000)...)...), true},
		{"only the beginning", append(draw(4096), prose...), true},
		{"text", []byte(prose), false},
		{"a line", []byte("milk, eggs, bread and butter"), false},
		{"Cyrillic", []byte("Съешь же ещё этих мягких французских булок"), false},
		{"Chinese", []byte("我能吞下玻璃而不伤身体。敏捷的棕色狐狸跳过了懒狗"), false},
		{"base64", []byte(base64.StdEncoding.EncodeToString(draw(3000))), false},
		{"hex", []byte(hex.EncodeToString(draw(3000))), false},
		{"zeros", make([]byte, 5000), false},
		{"numbers", floats(2000), false},
		{"gzip", gz.Bytes(), false},
		{"zlib, as git has it", zl.Bytes(), false},
		{"jpeg", picture(func(b *bytes.Buffer, m image.Image) error { return jpeg.Encode(b, m, &jpeg.Options{Quality: 98}) }), false},
		{"png", picture(func(b *bytes.Buffer, m image.Image) error { return png.Encode(b, m) }), false},
		{"mp3", append([]byte{0xff, 0xfb, 0x90, 0x64}, draw(8000)...), false},
		{"mp4", append([]byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"), draw(8000)...), false},
		{"docx, zip", append([]byte("PK\x03\x04\x14\x00\x08\x08\x08\x00"), draw(8000)...), false},
		{"7z", append([]byte("7z\xbc\xaf\x27\x1c\x00\x04"), draw(8000)...), false},
		{"zstd", append([]byte("\x28\xb5\x2f\xfd"), draw(8000)...), false},
		{"pdf", append([]byte("%PDF-1.7\n"), draw(8000)...), false},
	} {
		if Sealed(x.b) != x.want {
			t.Errorf("%s: %v", x.name, !x.want)
		}
	}
}

// Of random bytes nearly all are taken for noise: a known format begins with
// three in a thousand of them at most, and the short ones may look uneven.
func TestRandomBytesAreNoise(t *testing.T) {
	for _, n := range []int{24, 32, 64, 200, 512, 4096} {
		r := rand.NewChaCha8([32]byte{byte(n)})
		b, not := make([]byte, n), 0
		for range 2000 {
			_, _ = r.Read(b)
			if !Sealed(b) {
				not++
			}
		}
		if not > 20 {
			t.Errorf("%d of 2000 of %d bytes are not", not, n)
		}
	}
}

func TestTextIsNone(t *testing.T) {
	for _, s := range []string{"aabbccddeefghijklmnopqäö", "aabbccddeefghijklmnopqäö\xc3"} { // as uneven as random bytes
		if Sealed([]byte(s)) {
			t.Errorf("%q is noise", s)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		if s := rapid.StringOfN(rapid.RuneFrom([]rune("abcdefghijklmnopqrstuvwxyz ABC.,;\n0123456789äöüéß")), 24, 3000, -1).Draw(t, "text"); Sealed([]byte(s)) {
			t.Fatal("noise")
		}
	})
}

func BenchmarkSealed(b *testing.B) {
	for _, x := range []struct {
		name string
		head []byte
	}{{"text", []byte(prose)[:Head]}, {"noise", draw(Head)}, {"zip", append([]byte("PK\x03\x04\x14\x00\x08\x08\x08\x00"), draw(Head)...)}} {
		b.Run(x.name, func(b *testing.B) {
			for b.Loop() {
				Sealed(x.head)
			}
		})
	}
}
