package engine

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"pinion/engine/config"
	"pinion/engine/control"
	"pinion/engine/folder"
	"pinion/engine/tree"
	"pinion/platform/drive"
)

// FolderConfig gives what was chosen for a folder.
func (e *Engine) FolderConfig(_ context.Context, who string) (control.FolderConfig, error) {
	e.mu.Lock()
	i, r, err := e.findFolderLocked(who)
	if err != nil {
		e.mu.Unlock()
		return control.FolderConfig{}, err
	}
	c := e.cfg.Folders[i]
	e.mu.Unlock()
	out := control.FolderConfig{
		ID: c.ID, Name: c.Name, Path: c.Path, Mode: cmp.Or(c.Mode, string(folder.TwoWay)), State: cmp.Or(c.State, "disk"),
		ScanEvery: cmp.Or(time.Duration(c.ScanEvery), time.Hour), Attributes: c.Attributes == nil || *c.Attributes,
		Owner: c.Owner, MayOwn: os.Geteuid() == 0, KeepDays: c.KeepDays, KeepBytes: int64(c.KeepBytes), Reserve: int64(c.Reserve), Merge: cmp.Or(c.Merge, "ask"),
	}
	out.Usual.KeepDays, out.Usual.KeepBytes, out.Usual.Reserve = folder.Usual(r.State().Disk)
	return out, nil
}

// LookAt says what a directory would be like as a folder's place.
func (e *Engine) LookAt(_ context.Context, path string) (control.Spot, error) {
	if !filepath.IsAbs(path) {
		return control.Spot{}, usage("the path %q has to be absolute", path)
	}
	s := control.Spot{Path: filepath.Clean(path)}
	c := config.Folder{Path: s.Path}
	if id, err := folder.Marked(s.Path); err == nil {
		s.Was, c.ID = true, id
	}
	at := s.Path
	switch st, err := os.Stat(s.Path); {
	case err == nil && st.IsDir():
		s.There = true
		list, err := firstNames(s.Path)
		if err != nil {
			s.Refused = s.Path + " can't be read: " + err.Error()
		}
		s.Empty = len(list) == 0
	case err == nil:
		s.Refused = s.Path + " is not a directory"
	default:
		at = filepath.Dir(s.Path)
		if _, err := os.Stat(at); err != nil {
			s.Refused = "neither " + s.Path + " nor the directory above it is there"
			return s, nil
		}
	}
	e.mu.Lock()
	if err := e.clashLocked(c); err != nil && s.Refused == "" {
		s.Refused = err.Error()
	}
	e.mu.Unlock()
	if m, err := drive.Stat(at); err == nil {
		s.FSType, s.Network, s.Removable, s.ReadOnly = m.FSType, m.Network, m.Removable, m.ReadOnly
		s.Free, s.Total = int64(min(m.Free, 1<<62)), int64(min(m.Total, 1<<62))
	}
	return s, nil
}

// firstNames lists a few of what is in a directory.
func firstNames(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(4)
	if len(names) > 0 || errors.Is(err, io.EOF) {
		err = nil
	}
	names = slices.DeleteFunc(names, func(n string) bool { return n == tree.Private })
	return names, err
}

// Decline notes that an offered folder is not wanted here, or that it may be
// asked about again.
func (e *Engine) Decline(_ context.Context, r control.Decline) error {
	id, err := e.declined(r.Folder)
	if err != nil {
		return err
	}
	e.mu.Lock()
	old := e.cfg.Declined
	e.cfg.Declined = slices.DeleteFunc(slices.Clone(old), func(have tree.FolderID) bool { return have == id })
	if !r.Undo {
		e.cfg.Declined = append(e.cfg.Declined, id)
	}
	if err = e.saveLocked(); err != nil {
		e.cfg.Declined = old
	}
	e.mu.Unlock()
	if err != nil {
		return err
	}
	if r.Undo {
		e.takeOffers()
	}
	e.changed()
	return nil
}

// declined finds the folder that is meant among those that are offered, or by its
// id among those that were declined.
func (e *Engine) declined(who string) (tree.FolderID, error) {
	e.mu.Lock()
	for _, id := range e.cfg.Declined {
		if id.String() == who {
			e.mu.Unlock()
			return id, nil
		}
	}
	e.mu.Unlock()
	o, err := e.findOffer(who)
	return o.ID, err
}
