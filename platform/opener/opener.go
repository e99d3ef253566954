package opener

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// Withheld is what Open answers for a file that would be run: it was shown in its
// folder instead. It is a sentence for a person.
type Withheld struct{ Path string }

func (w *Withheld) Error() string {
	return fmt.Sprintf("%q would be run, not shown: here is its folder instead", filepath.Base(w.Path))
}

// desktop is what each system has.
type desktop interface {
	open(ctx context.Context, path string) error    // a file or a directory; absolute
	reveal(ctx context.Context, path string) error  // absolute
	openURL(ctx context.Context, link string) error // of a checked scheme
}

// Open opens a file or a directory. The error is a Withheld where it would be run.
func Open(ctx context.Context, path string) error { return open(ctx, system(), path) }

// Reveal shows a file or a directory in the file manager, in the directory that it
// is in. When it is gone, the nearest directory that stands is shown.
func Reveal(ctx context.Context, path string) error { return reveal(ctx, system(), path) }

// OpenURL opens a web address: http or https, and nothing else.
func OpenURL(ctx context.Context, link string) error {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return fmt.Errorf("open %q: that is no web address", link)
	}
	return system().openURL(ctx, u.String())
}

func open(ctx context.Context, d desktop, path string) error {
	path, info, err := look(path)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	if wouldRun(path, info) {
		if err := d.reveal(ctx, path); err != nil {
			return err
		}
		return &Withheld{Path: path}
	}
	return d.open(ctx, path)
}

func reveal(ctx context.Context, d desktop, path string) error {
	path, _, err := look(path)
	if errors.Is(err, os.ErrNotExist) {
		for errors.Is(err, os.ErrNotExist) && filepath.Dir(path) != path {
			path = filepath.Dir(path)
			_, err = os.Stat(path)
		}
		if err == nil {
			return d.open(ctx, path)
		}
	}
	if err != nil {
		return fmt.Errorf("show: %w", err)
	}
	return d.reveal(ctx, path)
}

// look checks a path and says what stands there.
func look(path string) (string, os.FileInfo, error) {
	if !filepath.IsAbs(path) || strings.ContainsRune(path, 0) {
		return path, nil, fmt.Errorf("%q is no absolute path", path)
	}
	path = filepath.Clean(path)
	info, err := os.Stat(path)
	return path, info, err
}
