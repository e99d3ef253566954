package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"pinion/engine/config"
	"pinion/engine/control"
	"pinion/engine/folder"
	"pinion/engine/status"
	"pinion/engine/tree"
	"pinion/platform/drive"
)

// offers lists the folders that connected devices hold and this one does not.
func (e *Engine) offers() []status.Offer {
	e.mu.Lock()
	defer e.mu.Unlock()
	from := map[tree.FolderID]status.Offer{}
	for dev, m := range e.sessions {
		for _, o := range m.offers {
			if e.running[o.Folder] != nil {
				continue
			}
			name := dev.Short()
			for _, x := range e.o.Network.Members() {
				if x.ID == dev && x.Name != "" {
					name = x.Name
				}
			}
			if have, ok := from[o.Folder]; !ok || name < have.From {
				from[o.Folder] = status.Offer{ID: o.Folder, Name: o.Name, From: name, Declined: slices.Contains(e.cfg.Declined, o.Folder)}
			}
		}
	}
	out := make([]status.Offer, 0, len(from))
	for _, o := range from {
		out = append(out, o)
	}
	sort.Slice(out, func(i, j int) bool {
		return out[i].Name < out[j].Name || out[i].Name == out[j].Name && out[i].ID.String() < out[j].ID.String()
	})
	return out
}

// takeOffers takes every offered folder into the store, if there is one.
func (e *Engine) takeOffers() {
	e.mu.Lock()
	store := e.cfg.Store
	e.mu.Unlock()
	if store == "" {
		return
	}
	for _, o := range e.offers() {
		if o.Declined {
			continue
		}
		if err := e.takeOffer(store, o); err != nil {
			e.log.Warn("an offered folder was not taken", "folder", o.Name, "err", err)
			e.setStoreNote(fmt.Sprintf("folder %s was offered but not taken: %v", o.Name, err))
		}
	}
}

func (e *Engine) takeOffer(store string, o status.Offer) error {
	if err := checkStore(store); err != nil {
		return err
	}
	if n := e.taken(store); n >= maxTaken {
		return fmt.Errorf("the store holds %d folders, and no more are taken unasked; take this one with pinion folder accept if it is wanted", n)
	}
	base := storeName(o.Name)
	for n := 1; n < 100; n++ {
		dir := filepath.Join(store, base)
		if n > 1 {
			dir = filepath.Join(store, fmt.Sprintf("%s-%d", base, n))
		}
		if !e.freeFor(dir, o.ID) {
			continue
		}
		_, err := e.Accept(e.ctx, control.Accept{Folder: o.ID.String(), Path: dir})
		if err == nil {
			e.setStoreNote("")
		}
		return err
	}
	return fmt.Errorf("no name is free for it in %s", store)
}

// maxTaken is how many folders a store takes without being asked, so that a
// device gone bad can't fill it with ever new ones.
const maxTaken = 64

// taken is how many folders stand in the store.
func (e *Engine) taken(store string) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.cfg.Folders {
		if filepath.Dir(c.Path) == store {
			n++
		}
	}
	return n
}

// freeFor says whether a folder may come to stand at dir: nothing is there, or an
// empty directory, or this very folder.
func (e *Engine) freeFor(dir string, id tree.FolderID) bool {
	e.mu.Lock()
	for _, c := range e.cfg.Folders {
		if c.Path == dir {
			e.mu.Unlock()
			return false
		}
	}
	e.mu.Unlock()
	if marked, err := folder.Marked(dir); err == nil {
		return marked == id
	}
	list, err := os.ReadDir(dir)
	return errors.Is(err, fs.ErrNotExist) || err == nil && len(list) == 0
}

// storeName makes a directory's name of a folder's.
func storeName(name string) string {
	clean := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) || r < 0x20 {
			return '_'
		}
		return r
	}, name)
	clean = strings.Trim(clean, ". ")
	if len(clean) > 200 {
		clean = strings.ToValidUTF8(clean[:200], "")
	}
	if clean == "" {
		return "folder"
	}
	return clean
}

// storeMark is a file that says that a store's disk is there.
const storeMark = ".pinion-store"

// OpenStore makes dir the store for offered folders: it is created and marked the
// first time. known says that it was marked before; then the mark has to be
// there, since without it the disk is not mounted and the space below the mount
// point is another disk's.
func OpenStore(dir string, known bool) error {
	if known {
		return checkStore(dir)
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		if point, bare := bareMountPoint(dir); bare {
			return fmt.Errorf("%s is not there and no disk is mounted at %s; mount it, or make the directory yourself to use the system's own disk", dir, point)
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make the store: %w", err)
		}
	}
	text := []byte("Folders that are offered to this device come to stand here. Where this file is missing, Pinion takes the disk to be away.\n")
	return config.WriteFile(filepath.Join(dir, storeMark), text, 0o644)
}

func checkStore(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, storeMark)); err != nil {
		return fmt.Errorf("the store %s is not there (no %s in it); plug in or mount its disk", dir, storeMark)
	}
	return nil
}

// bareMountPoint says whether dir would come to stand below a place where disks
// are mounted, while none is.
func bareMountPoint(dir string) (string, bool) {
	for _, place := range []string{"/media", "/mnt", "/run/media", "/Volumes"} {
		if dir != place && !strings.HasPrefix(dir, place+"/") {
			continue
		}
		up := dir
		for up != place {
			if _, err := os.Stat(up); err == nil {
				break
			}
			up = filepath.Dir(up)
		}
		m, err := drive.Stat(up)
		if err == nil && m.Point != place && !strings.HasPrefix(m.Point, place+"/") {
			return up, true
		}
	}
	return "", false
}

func (e *Engine) setStoreNote(note string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.storeNote = note
}

// Accept takes an offered folder into a directory.
func (e *Engine) Accept(ctx context.Context, r control.Accept) (status.Folder, error) {
	o, err := e.findOffer(r.Folder)
	if err != nil {
		return status.Folder{}, err
	}
	return e.open(config.Folder{ID: o.ID, Name: o.Name, Path: r.Path, Mode: r.Mode, State: r.State}, true)
}

// findOffer finds an offer by its name or id.
func (e *Engine) findOffer(who string) (status.Offer, error) {
	var found []status.Offer
	for _, o := range e.offers() {
		if o.Name == who || o.ID.String() == who {
			found = append(found, o)
		}
	}
	switch len(found) {
	case 0:
		return status.Offer{}, notFound("no folder %q is offered; pinion folder offers lists those that are", who)
	case 1:
		return found[0], nil
	}
	return status.Offer{}, usage("%d folders named %q are offered; give the id instead", len(found), who)
}
