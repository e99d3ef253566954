package chunk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"pinion/engine/tree"
)

// noise is pseudo-random and the same for ever (splitmix64).
type noise struct{ state uint64 }

func (n *noise) Read(p []byte) (int, error) {
	var word [8]byte
	for i := 0; i < len(p); i += 8 {
		n.state += 0x9e3779b97f4a7c15
		z := n.state
		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
		z = (z ^ (z >> 27)) * 0x94d049bb133111eb
		binary.LittleEndian.PutUint64(word[:], z^(z>>31))
		copy(p[i:], word[:])
	}
	return len(p), nil
}

func bytesOf(seed uint64, n int) []byte {
	b := make([]byte, n)
	(&noise{seed}).Read(b)
	return b
}

// The protocol's rule: a change of any of these is a new protocol version.
func TestGolden(t *testing.T) {
	for _, g := range []struct {
		seed   uint64
		size   int
		chunks int
		id     string
	}{
		{1, 0, 0, "01af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"},
		{1, 1, 1, "01fefef50ec0aab3da282e1998d61f032951cb147829fd49ecbda13ddc2cf90eaf"},
		{2, SmallMax, 1, "01aeb09a40d5879e46b40301b1f44d3bb428263c421c2cbe29249cb223f66eda43"},
		{3, SmallMax + 1, 2, "0183859a8c7d343e6c7c639e16289710769cf294c4b3ea40288ebec05ba44e6311"},
		{4, 1 << 20, 14, "017e3d7c01753c239f53e5b9425d0f193c72cc43c196091207949baf004149bbac"},
		{5, 16 << 20, 208, "01a276562f148b1e4657b9a7abd0a0f10450cbdd8a00aa9ca5a7532466ea4175ab"},
	} {
		m, id, _, err := Of(bytes.NewReader(bytesOf(g.seed, g.size)), int64(g.size))
		if err != nil || id.String() != g.id || len(m) != g.chunks {
			t.Errorf("{%d, %d, %d, %q}, // %v", g.seed, g.size, len(m), id, err)
		}
	}
}

func TestGoldenOfLargerClasses(t *testing.T) {
	for _, g := range []struct {
		class int64
		first [3]int
	}{
		{5 << 30, [3]int{299779, 274505, 271455}},
		{65 << 30, [3]int{1132012, 1232084, 1094710}},
		{2 << 40, [3]int{3697931, 5704102, 4215469}},
	} {
		cdc, err := new(Chunker).cutter(&noise{6}, classOf(g.class))
		if err != nil {
			t.Fatal(err)
		}
		var got [3]int
		for i := range got {
			data, err := cdc.Next()
			if err != nil {
				t.Fatal(err)
			}
			got[i] = len(data)
		}
		if got != g.first {
			t.Errorf("class of %d: %v", g.class, got)
		}
	}
}

func TestZerosAndRepeats(t *testing.T) {
	for _, data := range [][]byte{make([]byte, 3<<20), bytes.Repeat([]byte("abc"), 1<<20)} {
		m, id, _, err := Of(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		if err := Verify(m, id, int64(len(data))); err != nil {
			t.Error(err)
		}
	}
}

func TestChangedWhileRead(t *testing.T) {
	for _, size := range []int{0, 1, SmallMax, SmallMax + 1, 3 << 20} {
		data := bytesOf(7, size+1)
		if _, _, _, err := Of(bytes.NewReader(data), int64(size)); !errors.Is(err, ErrChanged) {
			t.Errorf("%d bytes and one more: %v", size, err)
		}
		if _, _, _, err := Of(bytes.NewReader(data), int64(size+2)); !errors.Is(err, ErrChanged) {
			t.Errorf("%d bytes less one: %v", size+2, err)
		}
	}
}

func TestReadErrorsComeThrough(t *testing.T) {
	broken := errors.New("disk is on fire")
	for _, size := range []int64{10, 1 << 20} {
		r := io.MultiReader(bytes.NewReader(bytesOf(1, int(size/2))), iotest.ErrReader(broken))
		if _, _, _, err := Of(r, size); !errors.Is(err, broken) {
			t.Errorf("size %d: %v", size, err)
		}
	}
	if _, _, _, err := Of(strings.NewReader(""), -1); err == nil {
		t.Error("a negative size was taken")
	}
	if _, _, _, err := Of(strings.NewReader(""), MaxFile+1); !errors.Is(err, ErrTooLarge) {
		t.Error("a file beyond all classes was taken")
	}
}

// However the reader cuts its answers, and whatever the Chunker did before, the
// chunks are the same, lie end to end, and verify.
func TestSameChunksForSameBytes(t *testing.T) {
	reused := new(Chunker)
	rapid.Check(t, func(t *rapid.T) {
		data := bytesOf(rapid.Uint64().Draw(t, "seed"), rapid.IntRange(0, 1<<20).Draw(t, "size"))
		size := int64(len(data))
		want, id, n, err := Of(bytes.NewReader(data), size)
		if err != nil || n != size {
			t.Fatal(n, err)
		}
		var again tree.Manifest
		var joined []byte
		_, err = reused.Each(iotest.HalfReader(bytes.NewReader(data)), size, func(c tree.Chunk, b []byte) error {
			again, joined = append(again, c), append(joined, b...)
			return nil
		})
		if err != nil || ID(again) != id || len(again) != len(want) || !bytes.Equal(joined, data) {
			t.Fatal("another cut of the same bytes", err)
		}
		if err := Verify(want, id, size); err != nil {
			t.Fatal(err)
		}
		back, err := Unpack(Pack(nil, want))
		if err != nil || ID(back) != id || int64(len(Pack(nil, want))) != PackedSize(int64(len(want))) {
			t.Fatal("packing", err)
		}
	})
}

// An edit changes the chunks around it and no others.
func TestEditsAreLocal(t *testing.T) {
	data := bytesOf(8, 8<<20)
	m, _, _, _ := Of(bytes.NewReader(data), int64(len(data)))
	known := map[tree.ContentID]bool{}
	for _, c := range m {
		known[c.ID] = true
	}
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(0, len(data)).Draw(t, "at")
		cut := rapid.IntRange(0, min(100_000, len(data)-at)).Draw(t, "delete")
		add := bytesOf(rapid.Uint64().Draw(t, "seed"), rapid.IntRange(0, 100_000).Draw(t, "insert"))
		edited := append(append(append([]byte{}, data[:at]...), add...), data[at+cut:]...)
		e, _, _, err := Of(bytes.NewReader(edited), int64(len(edited)))
		if err != nil {
			t.Fatal(err)
		}
		var fresh int
		for _, c := range e {
			if !known[c.ID] {
				fresh += int(c.Len)
			}
		}
		if limit := len(add) + 4*256<<10; fresh > limit {
			t.Fatalf("%d bytes in new chunks for %d inserted and %d deleted", fresh, len(add), cut)
		}
	})
}

func TestVerifyRefuses(t *testing.T) {
	data := bytesOf(9, 2<<20)
	m, id, n, _ := Of(bytes.NewReader(data), int64(len(data)))
	edit := func(fn func(tree.Manifest) tree.Manifest) tree.Manifest {
		return fn(append(tree.Manifest{}, m...))
	}
	for name, bad := range map[string]tree.Manifest{
		"one less": m[:len(m)-1],
		"none":     nil,
		"swapped":  edit(func(m tree.Manifest) tree.Manifest { m[0], m[1] = m[1], m[0]; return m }),
		"too long": edit(func(m tree.Manifest) tree.Manifest { m[0].Len += 300 << 10; return m }),
		"too short": edit(func(m tree.Manifest) tree.Manifest {
			m[1].Len, m[0].Len = m[1].Len+m[0].Len-1, 1
			return m
		}),
		"no tag": edit(func(m tree.Manifest) tree.Manifest { m[0].ID[0] = 0; return m }),
	} {
		if err := Verify(bad, id, n); !errors.Is(err, ErrManifest) {
			t.Errorf("%s: %v", name, err)
		}
		if err := Verify(bad, ID(bad), n); !errors.Is(err, ErrManifest) && name != "swapped" {
			t.Errorf("%s with its own id: %v", name, err)
		}
	}
	if err := Verify(make(tree.Manifest, 1), id, 1<<62); !errors.Is(err, ErrManifest) {
		t.Error("a size beyond all classes was taken")
	}
}

func FuzzUnpack(f *testing.F) {
	m, _, _, _ := Of(bytes.NewReader(bytesOf(1, 300<<10)), 300<<10)
	f.Add(Pack(nil, m))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Unpack(b)
		if err == nil && !bytes.Equal(Pack(nil, m), b) {
			t.Fatal("two packed forms for one list")
		}
	})
}

func BenchmarkOf(b *testing.B) {
	for _, size := range []int{0, 4 << 10, SmallMax, 64 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			data := bytesOf(1, size)
			c, r := new(Chunker), bytes.NewReader(nil)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				r.Reset(data)
				if _, _, _, err := c.Of(r, int64(size)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	data := bytesOf(1, 64<<20)
	m, id, n, _ := Of(bytes.NewReader(data), int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Verify(m, id, n); err != nil {
			b.Fatal(err)
		}
	}
}
