package enginetest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Path is where FOLDER/REST is on a device's disk.
func (w *World) Path(dev, path string) string {
	w.t.Helper()
	return filepath.Join(w.device(dev).Dir, filepath.FromSlash(path))
}

func (w *World) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// Write writes a file, as an editor does that saves beside and renames over; the
// directories above are made.
func (w *World) Write(dev, path, text string) {
	w.t.Helper()
	file := w.Path(dev, path)
	w.must(os.MkdirAll(filepath.Dir(file), 0o755))
	tmp := filepath.Join(w.device(dev).Home, "saving")
	w.must(os.WriteFile(tmp, []byte(text), 0o644))
	w.must(os.Rename(tmp, file))
}

// WriteAt writes a file that has been last changed some time ago.
func (w *World) WriteAt(dev, path, text string, age time.Duration) {
	w.t.Helper()
	file := w.Path(dev, path)
	w.must(os.MkdirAll(filepath.Dir(file), 0o755))
	tmp := filepath.Join(w.device(dev).Home, "saving")
	w.must(os.WriteFile(tmp, []byte(text), 0o644))
	at := time.Now().Add(-age)
	w.must(os.Chtimes(tmp, at, at))
	w.must(os.Rename(tmp, file))
}

// Fill writes n files named 000, 001, … with different texts into a directory.
func (w *World) Fill(dev, dir string, n int) {
	w.t.Helper()
	for i := range n {
		w.Write(dev, fmt.Sprintf("%s/%03d", dir, i), fmt.Sprintf("this is %s number %d", dir, i))
	}
}

// Append writes to the end of a file, in place.
func (w *World) Append(dev, path, text string) {
	w.t.Helper()
	f, err := os.OpenFile(w.Path(dev, path), os.O_WRONLY|os.O_APPEND, 0)
	w.must(err)
	_, err = f.WriteString(text)
	w.must(err)
	w.must(f.Close())
}

// Mkdir, Link, Chmod, Move and Delete do what their names say. Delete takes whole
// directories.
func (w *World) Mkdir(dev, path string) {
	w.t.Helper()
	w.must(os.MkdirAll(w.Path(dev, path), 0o755))
}

func (w *World) Link(dev, path, target string) {
	w.t.Helper()
	w.must(os.Symlink(target, w.Path(dev, path)))
}

func (w *World) Chmod(dev, path string, mode fs.FileMode) {
	w.t.Helper()
	w.must(os.Chmod(w.Path(dev, path), mode))
}

func (w *World) Move(dev, from, to string) {
	w.t.Helper()
	w.must(os.Rename(w.Path(dev, from), w.Path(dev, to)))
}

func (w *World) Delete(dev string, paths ...string) {
	w.t.Helper()
	for _, p := range paths {
		_, err := os.Lstat(w.Path(dev, p))
		w.must(err)
		w.must(os.RemoveAll(w.Path(dev, p)))
	}
}

// Copy copies a file from anywhere to anywhere, both absolute.
func (w *World) Copy(from, to string) {
	w.t.Helper()
	b, err := os.ReadFile(from)
	w.must(err)
	w.must(os.WriteFile(to, b, 0o600))
}
