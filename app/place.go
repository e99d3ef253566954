package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"pinion/engine/control"
)

// place is a path as the engine is told it. What a person types is often relative
// to where they are: if that is inside a folder, the engine gets it absolute;
// else as it was given, which is relative to a folder.
func (a *app) place(ctx context.Context, e control.Engine, given string) (string, error) {
	if given == "" {
		return "", usagef("a path is needed, not an empty one")
	}
	if filepath.IsAbs(given) {
		return filepath.Clean(given), nil
	}
	dir, err := a.env.dir()
	if err != nil {
		return given, nil
	}
	s, err := e.Status(ctx, 0)
	if err != nil {
		return "", err
	}
	var roots []string
	for _, f := range s.Folders {
		roots = append(roots, f.Path)
	}
	return placeIn(roots, dir, given), nil
}

func placeIn(roots []string, dir, given string) string {
	dirs := []string{dir}
	if real, err := filepath.EvalSymlinks(dir); err == nil && real != dir {
		dirs = append(dirs, real)
	}
	for _, d := range dirs {
		abs := filepath.Join(d, given)
		for _, root := range roots {
			if !within(abs, root) {
				continue
			}
			// The lists print paths relative to the folder; one that is pasted further
			// down in it means the same.
			if !there(abs) && there(filepath.Join(root, given)) {
				return given
			}
			return abs
		}
	}
	return given
}

func there(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// within says whether path is root or lies below it.
func within(path, root string) bool {
	rel, err := filepath.Rel(root, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
