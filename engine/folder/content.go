package folder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/gabriel-vasile/mimetype"

	"pinion/engine/chunk"
	"pinion/engine/control"
	"pinion/engine/merge"
	"pinion/engine/transfer"
	"pinion/engine/tree"
)

// Content gives bytes of what stands at a path or, if a content is named, of that
// wherever it is; from off on, and no more than limit.
func (f *Folder) Content(ctx context.Context, p tree.Path, id tree.ContentID, off, limit int64) (control.Content, error) {
	c, err := f.opened()
	if err != nil {
		return control.Content{}, err
	}
	var out control.Content
	if id.IsZero() {
		out, err = c.standing(ctx, p, off, limit)
	} else {
		out, err = c.version(ctx, p, id, off, limit)
	}
	if err == nil && off == 0 {
		out.Media, _, _ = strings.Cut(mimetype.Detect(out.Data).String(), ";")
	}
	return out, err
}

// standing reads what stands at a path.
func (c *cycle) standing(ctx context.Context, p tree.Path, off, limit int64) (control.Content, error) {
	rec, ok, err := c.index.Get(ctx, p)
	switch {
	case err != nil:
		return control.Content{}, err
	case !ok || !rec.Exists():
		return control.Content{}, fmt.Errorf("%w: %s is not there", ErrNotThere, p)
	case rec.Kind == tree.Symlink:
		data := []byte(rec.Target)
		size := int64(len(data))
		data = data[min(off, size):]
		return control.Content{Data: data[:min(limit, int64(len(data)))], Size: size, Content: contentSeen(rec), Link: true}, nil
	case rec.Kind != tree.File:
		return control.Content{}, fmt.Errorf("%s is a %s and has no content to show", p, rec.Kind)
	}
	out, stat, err := c.part(string(p), off, limit)
	if err != nil {
		return control.Content{}, fmt.Errorf("%s can't be read: %w", p, err)
	}
	if stat.Size == rec.Disk.Size && stat.MTime == rec.Disk.MTime && stat.Inode == rec.Disk.Inode {
		out.Content = rec.Content
	}
	return out, nil
}

// version reads a content from where it stands here, from the archive, or from
// somebody who has it.
func (c *cycle) version(ctx context.Context, at tree.Path, id tree.ContentID, off, limit int64) (control.Content, error) {
	rows, err := c.index.ByContent(ctx, id, 4)
	if err != nil {
		return control.Content{}, err
	}
	for _, r := range rows {
		if out, err := c.standing(ctx, r.Path, off, limit); err == nil && out.Content == id {
			return out, nil
		}
	}
	kept, err := c.index.FindArchived(ctx, id, 4)
	if err != nil {
		return control.Content{}, err
	}
	for _, k := range kept {
		out, stat, err := c.part(k.File, off, limit)
		whole := off == 0 && int64(len(out.Data)) == stat.Size
		if err != nil || stat.Size != k.Size || whole && !holds(out.Data, id) {
			continue // an editor has gone on writing into it, or it is damaged
		}
		out.Content = id
		return out, nil
	}
	data, from, err := c.merging.fetch(ctx, id, at)
	if errors.Is(err, transfer.ErrGone) {
		return control.Content{}, fmt.Errorf("%w: no device that can be reached now has that version of %s, or it is larger than %d MiB", ErrNotThere, at, merge.MaxBytes>>20)
	}
	size := int64(len(data))
	data = data[min(off, size):]
	return control.Content{Data: data[:min(limit, int64(len(data)))], Size: size, Content: id, From: from}, err
}

// part reads a part of a regular file, of which stat is known before and after.
func (c *cycle) part(file string, off, limit int64) (control.Content, tree.Stat, error) {
	f, stat, err := c.root.Transfer().Open(file)
	if err != nil {
		return control.Content{}, stat, err
	}
	defer f.Close()
	data := make([]byte, max(0, min(limit, stat.Size-off)))
	n, err := f.ReadAt(data, off)
	if err != nil && !errors.Is(err, io.EOF) {
		return control.Content{}, stat, err
	}
	if info, err := f.Stat(); err != nil || info.Size() != stat.Size || info.ModTime().UnixNano() != stat.MTime {
		stat = tree.Stat{} // it is being written to
	}
	return control.Content{Data: data[:n], Size: max(stat.Size, off+int64(n))}, stat, nil
}

// contentSeen is what a person who looks at a version has seen. A symbolic link
// has no content, so its target's text stands for it.
func contentSeen(r tree.Record) tree.ContentID {
	if !r.Exists() || r.Kind != tree.Symlink {
		if !r.Exists() {
			return tree.ContentID{}
		}
		return r.Content
	}
	_, id, _, err := chunk.Of(bytes.NewReader([]byte(r.Target)), int64(len(r.Target)))
	if err != nil {
		return tree.ContentID{}
	}
	return id
}
