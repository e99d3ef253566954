package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pinion/engine/config"
	"pinion/engine/control"
	"pinion/engine/folder"
	"pinion/engine/status"
	"pinion/engine/tree"
)

func usage(format string, args ...any) error {
	return &control.Error{Kind: control.KindUsage, Text: fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) error {
	return &control.Error{Kind: control.KindNotFound, Text: fmt.Sprintf(format, args...)}
}

// AddFolder begins to sync a directory and offers it to the circle.
func (e *Engine) AddFolder(_ context.Context, r control.AddFolder) (status.Folder, error) {
	if r.Name == "" {
		r.Name = filepath.Base(r.Path)
	}
	c := config.Folder{Name: r.Name, Path: r.Path, Mode: r.Mode, State: r.State}
	if id, err := folder.Marked(r.Path); err == nil {
		c.ID = id // it was a folder before: it goes on as the same
	} else if _, err := e.o.Rand.Read(c.ID[:]); err != nil {
		return status.Folder{}, fmt.Errorf("draw the folder's id: %w", err)
	}
	return e.open(c, false)
}

// open checks, marks, records and starts a folder. make: the directory may be
// made if its parent is there.
func (e *Engine) open(c config.Folder, make bool) (status.Folder, error) {
	if err := checkFolder(&c, make); err != nil {
		return status.Folder{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.clashLocked(c); err != nil {
		return status.Folder{}, err
	}
	if err := folder.Mark(c.Path, c.ID, e.o.Device, e.o.Now()); err != nil {
		return status.Folder{}, err
	}
	if c.State == "home" {
		if err := os.MkdirAll(filepath.Dir(e.indexFile(c.ID)), 0o700); err != nil {
			return status.Folder{}, fmt.Errorf("make the place of the index: %w", err)
		}
	}
	e.cfg.Folders = append(e.cfg.Folders, c)
	e.cfg.Declined = slices.DeleteFunc(e.cfg.Declined, func(id tree.FolderID) bool { return id == c.ID })
	if err := e.saveLocked(); err != nil {
		e.cfg.Folders = e.cfg.Folders[:len(e.cfg.Folders)-1]
		return status.Folder{}, err
	}
	r := e.startLocked(c)
	e.changed()
	return r.State(), nil
}

// clashLocked says why a folder can't be added to those that there are; e.mu is
// held. An empty name or id is not looked at.
func (e *Engine) clashLocked(c config.Folder) error {
	if len(e.cfg.Folders) >= maxFolders {
		return usage("this device holds %d folders, and more can't be offered to others; remove one, or sync a directory above several", maxFolders)
	}
	for _, have := range e.cfg.Folders {
		switch {
		case have.Path == c.Path:
			return usage("%s is the folder %s already", c.Path, have.Name)
		case have.ID == c.ID:
			return usage("this folder is on this device already, at %s", have.Path)
		case inside(c.Path, have.Path) || inside(have.Path, c.Path):
			return usage("%s and the folder %s (%s) lie one inside the other; choose a directory apart", c.Path, have.Name, have.Path)
		case have.Name == c.Name:
			return usage("there is a folder named %q already; choose another with --name", c.Name)
		}
	}
	if inside(e.o.Home, c.Path) || e.o.Home == c.Path {
		return usage("%s holds this device's key and settings (%s), which are not to be synced; choose another directory", c.Path, e.o.Home)
	}
	return nil
}

// maxFolders is how many folders an engine holds: as many as one word to a peer
// can offer (netproto/SPEC.md).
const maxFolders = 256

func checkFolder(c *config.Folder, make bool) error {
	if !filepath.IsAbs(c.Path) {
		return usage("the path %q has to be absolute", c.Path)
	}
	c.Path = filepath.Clean(c.Path)
	c.Name = strings.TrimSpace(c.Name)
	if p, err := tree.ParsePath(c.Name); err != nil || p.Depth() != 1 || len(c.Name) > 200 || strings.ContainsFunc(c.Name, badInName) {
		return usage("%q is no name for a folder: up to 200 bytes, without slashes", c.Name)
	}
	switch folder.Mode(c.Mode) {
	case "", folder.TwoWay, folder.Send, folder.Receive:
	default:
		return usage("--mode takes two-way, send or receive, not %q", c.Mode)
	}
	if c.Merge != "" && c.Merge != "auto" && c.Merge != "ask" {
		return usage("--merge takes auto or ask, not %q", c.Merge)
	}
	if c.State != "" && c.State != "disk" && c.State != "home" {
		return usage("--state takes disk or home, not %q", c.State)
	}
	st, err := os.Stat(c.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && make:
		if _, perr := os.Stat(filepath.Dir(c.Path)); perr != nil {
			return usage("neither %s nor the directory above it is there; make it first, on the disk that you mean", c.Path)
		}
		if err := os.Mkdir(c.Path, 0o755); err != nil {
			return fmt.Errorf("make the folder: %w", err)
		}
	case errors.Is(err, fs.ErrNotExist):
		return usage("there is no directory %s", c.Path)
	case err != nil:
		return fmt.Errorf("look at the folder: %w", err)
	case !st.IsDir():
		return usage("%s is not a directory", c.Path)
	}
	return nil
}

func badInName(r rune) bool { return r < 0x20 || r == 0x7f || r == '\\' }

// inside says whether a lies below b.
func inside(a, b string) bool {
	rel, err := filepath.Rel(b, a)
	return err == nil && rel != "." && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// findFolderLocked finds a folder by its name or id; e.mu is held.
func (e *Engine) findFolderLocked(who string) (int, *running, error) {
	for i, c := range e.cfg.Folders {
		if c.Name == who || c.ID.String() == who || c.Path == who {
			return i, e.running[c.ID], nil
		}
	}
	return 0, nil, notFound("there is no folder %q; pinion folder list shows those that there are", who)
}

// RemoveFolder ends the syncing of a folder on this device; its files stay, and
// so does its own directory, so that it can be added again without starting over.
func (e *Engine) RemoveFolder(_ context.Context, who string) error {
	e.mu.Lock()
	i, r, err := e.findFolderLocked(who)
	if err != nil {
		e.mu.Unlock()
		return err
	}
	old := e.cfg.Folders
	c := old[i]
	e.cfg.Folders = append(append([]config.Folder(nil), old[:i]...), old[i+1:]...)
	e.cfg.Declined = append(e.cfg.Declined, c.ID)
	if err := e.saveLocked(); err != nil {
		e.cfg.Folders = old
		e.mu.Unlock()
		return err
	}
	delete(e.running, c.ID)
	e.mu.Unlock()
	e.stop(r)
	e.changed()
	return nil
}

// SetFolder changes a folder's settings.
func (e *Engine) SetFolder(_ context.Context, who string, s control.FolderSettings) error {
	e.mu.Lock()
	i, r, err := e.findFolderLocked(who)
	if err != nil {
		e.mu.Unlock()
		return err
	}
	old := e.cfg.Folders[i]
	c := old
	if s.Name != nil {
		c.Name = *s.Name
	}
	if s.Mode != nil {
		c.Mode = *s.Mode
	}
	if s.Merge != nil {
		c.Merge = *s.Merge
	}
	if s.ScanEvery != nil {
		if *s.ScanEvery < time.Minute {
			e.mu.Unlock()
			return usage("a scan every %v is too often; a minute is the least", *s.ScanEvery)
		}
		c.ScanEvery = config.Duration(*s.ScanEvery)
	}
	err = errors.Join(setRetention(&c, s), setAttributes(&c, s), checkFolder(&c, false))
	if err == nil {
		e.cfg.Folders[i] = c
		if err = e.saveLocked(); err != nil {
			e.cfg.Folders[i] = old
		}
	}
	e.mu.Unlock()
	if err != nil {
		return err
	}
	e.stop(r)
	e.mu.Lock()
	e.startLocked(c)
	clear(e.told) // also where the offers are the same again, the folder is another
	e.mu.Unlock()
	e.changed()
	return nil
}

// setAttributes takes in which attributes are carried.
func setAttributes(c *config.Folder, s control.FolderSettings) error {
	if s.Attributes != nil {
		c.Attributes = s.Attributes
	}
	if s.Owner != nil {
		if *s.Owner && os.Geteuid() != 0 {
			return usage("only an engine that runs as root can give files to others, as --owner on asks it to")
		}
		c.Owner = *s.Owner
	}
	return nil
}

// setRetention takes in how long and how much is kept, and what is left free.
func setRetention(c *config.Folder, s control.FolderSettings) error {
	if s.KeepDays != nil {
		if *s.KeepDays < -1 || *s.KeepDays > config.MaxKeepDays {
			return usage("%d days are out of bounds", *s.KeepDays)
		}
		c.KeepDays = *s.KeepDays
	}
	if s.KeepBytes != nil {
		c.KeepBytes = config.Size(max(-1, *s.KeepBytes))
	}
	if s.Reserve != nil {
		if *s.Reserve < 0 {
			return usage("a reserve of %d bytes is none", *s.Reserve)
		}
		c.Reserve = config.Size(*s.Reserve)
	}
	return nil
}

// Scan and Confirm concern one folder, or with "" all of them.
func (e *Engine) Scan(_ context.Context, who string) error {
	return e.each(who, func(f *folder.Folder) error { return f.Scan() })
}

func (e *Engine) Confirm(_ context.Context, who string) error {
	return e.each(who, func(f *folder.Folder) error { return f.Confirm(e.o.Now()) })
}

func (e *Engine) each(who string, do func(*folder.Folder) error) error {
	folders := e.list()
	if who != "" {
		e.mu.Lock()
		_, r, err := e.findFolderLocked(who)
		e.mu.Unlock()
		if err != nil {
			return err
		}
		folders = []*folder.Folder{r.Folder}
	}
	var errs []error
	for _, f := range folders {
		errs = append(errs, do(f))
	}
	return errors.Join(errs...)
}
