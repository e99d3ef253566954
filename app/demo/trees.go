package demo

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"pinion/engine/ignore"
	"pinion/engine/tree"
)

type tally struct{ files, bytes, skipped int64 }

// goSources finds the source tree of an installed Go.
func goSources(ctx context.Context) string {
	if _, err := exec.LookPath("go"); err != nil {
		return ""
	}
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	dir := filepath.Join(strings.TrimSpace(string(out)), "src")
	if st, serr := os.Stat(dir); err != nil || serr != nil || !st.IsDir() {
		return ""
	}
	return dir
}

// madeUp writes 10,000 small files, always the same.
func madeUp(root string) (n tally, err error) {
	mtime := time.Date(2026, 1, 2, 3, 4, 5, 678_901_234, time.UTC)
	for i := range 100 {
		dir := filepath.Join(root, fmt.Sprintf("dir%02d", i))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return n, err
		}
		for j := range 100 {
			file := filepath.Join(dir, fmt.Sprintf("file%02d.txt", j))
			text := strings.Repeat(fmt.Sprintf("file %d of directory %d\n", j, i), 1+(i*j)%200)
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				return n, err
			}
			if err := os.Chtimes(file, time.Time{}, mtime.Add(time.Duration(i*100+j)*time.Second)); err != nil {
				return n, err
			}
			n.files++
			n.bytes += int64(len(text))
		}
	}
	return n, nil
}

// copyTree copies what can be synced of a tree: regular files, directories and
// symlinks, with modes and mtimes, apart from what is ignored. from is only read.
func copyTree(ctx context.Context, from, to string) (n tally, err error) {
	ignored, _ := ignore.Parse("")
	type dirMode struct {
		path string
		mode fs.FileMode
	}
	var dirs []dirMode
	err = filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		name, dest := filepath.ToSlash(rel), filepath.Join(to, rel)
		if rel == "." {
			return os.MkdirAll(dest, 0o755)
		}
		_, perr := tree.ParsePath(name)
		if perr != nil || name == ignore.File || ignored.Match(name, e.IsDir()) {
			n.skipped++
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		switch {
		case e.IsDir():
			dirs = append(dirs, dirMode{dest, info.Mode().Perm()})
			return os.Mkdir(dest, 0o700)
		case e.Type() == fs.ModeSymlink:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(target, dest)
		case !e.Type().IsRegular():
			n.skipped++
			return nil
		}
		n.files++
		n.bytes += info.Size()
		return copyFile(path, dest, info)
	})
	for i := len(dirs) - 1; i >= 0 && err == nil; i-- {
		err = os.Chmod(dirs[i].path, dirs[i].mode|0o700) // a directory that its owner cannot write stays as it is, unsynced
	}
	return n, err
}

func copyFile(from, to string, info fs.FileInfo) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Chmod(to, info.Mode().Perm()|0o400)
	}
	if err == nil {
		err = os.Chtimes(to, time.Time{}, info.ModTime())
	}
	return err
}

// seen is what stands at a path.
type seen struct {
	kind   fs.FileMode
	mode   fs.FileMode
	mtime  int64
	size   int64
	sum    [sha256.Size]byte
	target string
}

// listTree reads a whole tree, apart from Pinion's own directory.
func listTree(ctx context.Context, root string) (map[string]seen, error) {
	all := map[string]*seen{}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.NumCPU())
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || gctx.Err() != nil {
			return errors.Join(err, gctx.Err())
		}
		rel, err := filepath.Rel(root, path)
		if err != nil || rel == "." {
			return err
		}
		if rel == tree.Private {
			return fs.SkipDir
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		s := &seen{kind: info.Mode().Type()}
		all[filepath.ToSlash(rel)] = s
		switch {
		case info.IsDir():
			s.mode = info.Mode().Perm()
		case s.kind == fs.ModeSymlink:
			s.mtime = 0 // not every system can set a symlink's
			s.target, err = os.Readlink(path)
			return err
		default:
			s.mode, s.mtime, s.size = info.Mode().Perm(), info.ModTime().UnixNano(), info.Size()
			g.Go(func() error { return s.hash(path) })
		}
		return nil
	})
	if werr := g.Wait(); err == nil {
		err = werr
	}
	out := make(map[string]seen, len(all))
	for p, s := range all {
		out[p] = *s
	}
	return out, err
}

func (s *seen) hash(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	h.Sum(s.sum[:0])
	return nil
}

// difference says where two trees differ; "" nowhere.
func difference(want, got map[string]seen) string {
	var all []string
	for path, w := range want {
		g, ok := got[path]
		switch {
		case !ok:
			all = append(all, path+" is not there")
		case g.kind != w.kind:
			all = append(all, fmt.Sprintf("%s is of another kind (%v, not %v)", path, g.kind, w.kind))
		case g.sum != w.sum || g.size != w.size || g.target != w.target:
			all = append(all, path+" has other content")
		case g.mode != w.mode:
			all = append(all, fmt.Sprintf("%s has mode %v, not %v", path, g.mode, w.mode))
		case g.mtime != w.mtime:
			all = append(all, fmt.Sprintf("%s has mtime %v, not %v", path, time.Unix(0, g.mtime).UTC(), time.Unix(0, w.mtime).UTC()))
		}
	}
	for path := range got {
		if _, ok := want[path]; !ok {
			all = append(all, path+" is one too many")
		}
	}
	if len(all) == 0 {
		return ""
	}
	first := all[0]
	for _, a := range all {
		first = min(first, a)
	}
	if len(all) > 1 {
		first += fmt.Sprintf(" (and %d more)", len(all)-1)
	}
	return first
}
