package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"pinion/engine/control"
	"pinion/engine/tree"
)

// Doctor looks the folder over.
func (f *Folder) Doctor(ctx context.Context) []control.Finding {
	s := f.State()
	find := func(level, format string, args ...any) control.Finding {
		return control.Finding{Folder: f.cfg.Name, Level: level, Text: fmt.Sprintf(format, args...)}
	}
	c, err := f.opened()
	if err != nil {
		return []control.Finding{find("problem", "%v", err)}
	}
	out := []control.Finding{find("ok", "the marker is in place and %d files (%d bytes) are indexed", s.Files, s.Bytes)}
	if w := c.watcher.Warning(); w != nil {
		out = append(out, find("problem", "%v", w))
	}
	if !c.caps.Exchange {
		out = append(out, find("note", "the file system (%s) can't exchange two files in one step; a slower way with a written intent is used", c.caps.FSType))
	}
	if n, err := c.index.MissingCount(ctx); err == nil && n > 0 {
		out = append(out, find("note", "%d paths are missing on disk and not taken as deleted yet", n))
	}
	if _, err := c.root.Lstat(tree.Private + "/index.db"); errors.Is(err, fs.ErrNotExist) && f.cfg.IndexFile == "" {
		out = append(out, find("problem", "the index file is gone from disk although it is open; restart the engine to have it made anew"))
	}
	for _, p := range s.Problems {
		out = append(out, find("problem", "%s: %s", p.Path, p.Error))
	}
	return out
}
