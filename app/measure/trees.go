//go:build measure

package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// tree is files of a kind, the same ones each time.
type tree struct {
	files, each int // each: files in a directory
	least, most int // bytes of a file
	noise       bool
}

// ordinary are small files as the bench against other products has them.
func ordinary(files int) tree { return tree{files: files, each: 40, least: 500, most: 10 << 10} }

// make writes the tree and gives its bytes.
func (t tree) make(root string) (total int64, err error) {
	rng := rand.New(rand.NewPCG(7, uint64(t.files)))
	text := make([]byte, t.most+8)
	for i := range t.files {
		dir := filepath.Join(root, fmt.Sprintf("d%02d", i/t.each%64), fmt.Sprintf("e%05d", i/t.each))
		if i%t.each == 0 {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return total, err
			}
		}
		n := t.least
		if t.most > t.least {
			n += rng.IntN(t.most - t.least)
		}
		fill(rng, text[:n], t.noise)
		if n >= 8 {
			binary.LittleEndian.PutUint64(text, uint64(i)) // no two are the same
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%06d.txt", i)), text[:n], 0o644); err != nil {
			return total, err
		}
		total += int64(n)
	}
	return total, nil
}

// fill makes noise, or text that can be compressed to half.
func fill(rng *rand.Rand, p []byte, noise bool) {
	for i := 0; i < len(p); i += 8 {
		var word [8]byte
		binary.LittleEndian.PutUint64(word[:], rng.Uint64())
		if !noise {
			for j := range word {
				word[j] = "etaoin shrdlu-02"[word[j]&15]
			}
		}
		copy(p[i:], word[:])
	}
}

// big writes a file of noise.
func big(name string, mib int) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(uint64(mib), uint64(len(name))))
	text := make([]byte, 1<<20)
	for range mib {
		fill(rng, text, true)
		if _, err := f.Write(text); err != nil {
			f.Close()
			return err
		}
	}
	return f.Close()
}
