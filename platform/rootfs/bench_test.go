package rootfs_test

import (
	"fmt"
	"testing"

	"pinion/platform/rootfs"
)

func BenchmarkLstat(b *testing.B) {
	for name, open := range map[string]opener{"native": rootfs.Open, "portable": rootfs.OpenPortable} {
		b.Run(name, func(b *testing.B) {
			r, err := open(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			defer r.Close()
			path := ""
			for i := range 4 {
				path += fmt.Sprint("d", i)
				if err := r.Mkdir(path, 0o755); err != nil {
					b.Fatal(err)
				}
				path += "/"
			}
			for b.Loop() {
				if _, err := r.Lstat(path + "none"); err == nil {
					b.Fatal("found nothing")
				}
			}
		})
	}
}

func BenchmarkCreateAndRename(b *testing.B) {
	r, err := rootfs.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	for _, dir := range []string{"a", "a/b", "a/b/c", "tmp"} {
		if err := r.Mkdir(dir, 0o755); err != nil {
			b.Fatal(err)
		}
	}
	for i := 0; b.Loop(); i++ {
		staged := fmt.Sprint("tmp/", i)
		f, err := r.Create(staged, 0o644)
		if err != nil {
			b.Fatal(err)
		}
		f.Close()
		if err := r.RenameNoReplace(staged, fmt.Sprint("a/b/c/", i)); err != nil {
			b.Fatal(err)
		}
	}
}
