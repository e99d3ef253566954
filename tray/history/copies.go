package history

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"pinion/engine/control"
	"pinion/engine/tree"
)

// Bounds of copies that are opened: how large one may be, how many are held at
// once, for how long.
const (
	copyMost  = 512 << 20
	copiesMax = 50
	copyOld   = 24 * time.Hour
)

// copies is the directory where copies of versions are put to be looked at.
type copies struct {
	dir string
	now func() time.Time
}

// newCopies uses a directory of this person's cache.
func newCopies(now func() time.Time) copies {
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	return copies{dir: filepath.Join(base, "pinion", "copies"), now: now}
}

// write asks for a version's bytes and writes them to a read-only file of its own.
// It gives the file, and whether it may be opened: a program is only shown.
func (c copies) write(ctx context.Context, e control.Engine, k control.Kept) (file string, open bool, err error) {
	if k.Size > copyMost {
		return "", false, fmt.Errorf("it is too large to be looked at; restore it to another name instead")
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return "", false, fmt.Errorf("make a place for the copy: %w", err)
	}
	c.tidy()
	dir, err := os.MkdirTemp(c.dir, "v")
	if err != nil {
		return "", false, fmt.Errorf("make a place for the copy: %w", err)
	}
	name := safeName(path.Base(k.Path))
	file = filepath.Join(dir, name)
	if err := fill(ctx, e, k, file); err != nil {
		_ = os.RemoveAll(dir)
		return "", false, err
	}
	return file, !runs(name), nil
}

func fill(ctx context.Context, e control.Engine, k control.Kept, file string) (err error) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make the copy: %w", err)
	}
	defer func() {
		if cerr := f.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("write the copy: %w", cerr)
		}
		if err == nil {
			err = os.Chmod(file, 0o400)
		}
	}()
	r := control.ContentRequest{Folder: k.Folder, Path: k.Path, Content: k.Content}
	if k.Reason == control.ReasonLive {
		r.Content = tree.ContentID{}
	}
	for r.Offset < copyMost {
		part, err := e.Content(ctx, r)
		if err != nil {
			return err
		}
		if _, err := f.Write(part.Data); err != nil {
			return fmt.Errorf("write the copy: %w", err)
		}
		if r.Offset += int64(len(part.Data)); r.Offset >= part.Size {
			return nil
		}
		if len(part.Data) == 0 {
			return fmt.Errorf("the copy ends too early")
		}
	}
	return fmt.Errorf("it is larger than was said")
}

// tidy removes old copies, and the oldest of many.
func (c copies) tidy() {
	list, err := os.ReadDir(c.dir) // by name: of no order that matters here
	if err != nil {
		return
	}
	left := len(list)
	for _, e := range list {
		info, err := e.Info()
		if err != nil || left < copiesMax && c.now().Sub(info.ModTime()) < copyOld {
			continue
		}
		dir := filepath.Join(c.dir, e.Name())
		_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				_ = os.Chmod(p, 0o600) // some systems remove nothing that is read-only
			}
			return nil
		})
		_ = os.RemoveAll(dir)
		left--
	}
}

// safeName makes a name fit for any file system and any program's command line: it
// came from another device.
func safeName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r == utf8Error || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`<>:"/\|?*%$`+"`", r) {
			return '_'
		}
		return r
	}, name)
	name = strings.TrimRight(name, ". ")
	if ext := path.Ext(name); len(name) > 120 {
		if len(ext) > 20 {
			ext = ""
		}
		name = strings.ToValidUTF8(name[:100], "") + ext
	}
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	switch {
	case name == "" || strings.HasPrefix(name, "-") || strings.HasPrefix(name, "."):
		return "copy" + name
	case stem == "CON", stem == "PRN", stem == "AUX", stem == "NUL", len(stem) == 4 && (strings.HasPrefix(stem, "COM") || strings.HasPrefix(stem, "LPT")):
		return "copy of " + name
	}
	return name
}

const utf8Error = '\ufffd'

// runs says whether opening a file of that name may run it.
func runs(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".exe", ".com", ".bat", ".cmd", ".msi", ".msp", ".scr", ".pif", ".cpl", ".hta", ".js", ".jse", ".vbs", ".vbe", ".wsf", ".wsh", ".ps1", ".psm1", ".lnk", ".url",
		".reg", ".inf", ".jar", ".appref-ms", ".application", ".gadget", ".chm", ".desktop", ".sh", ".bash", ".csh", ".run", ".appimage", ".deb", ".rpm", ".py", ".pl", ".rb",
		".app", ".command", ".tool", ".workflow", ".scpt", ".pkg", ".dmg", ".terminal", ".fileloc", ".webloc", ".inetloc", ".service", ".iso", ".vhd", ".vhdx", ".img":
		return true
	}
	return false
}
