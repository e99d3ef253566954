package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"

	"pinion/engine/chunk"
	"pinion/engine/tree"
)

// donorLimit is how many files that should hold a content are tried.
const donorLimit = 4

// places are the files here that should hold a content: live ones, archived
// ones, stages that an earlier run left.
func (f *Fetcher) places(ctx context.Context, id tree.ContentID) ([]string, error) {
	rows, err := f.o.Index.ByContent(ctx, id, donorLimit)
	if err != nil {
		return nil, fmt.Errorf("look for the content here: %w", err)
	}
	var out []string
	for _, r := range rows {
		if r.Exists() && r.Kind == tree.File {
			out = append(out, string(r.Path))
		}
	}
	out = append(out, f.olderStages(id)...)
	if f.o.Archive != nil {
		files, err := f.o.Archive(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("look for the content in the archive: %w", err)
		}
		out = append(out, files[:min(len(files), donorLimit)]...)
	}
	return out, nil
}

// findSmall looks for a small content here.
func (f *Fetcher) findSmall(ctx context.Context, n *need, buf []byte) ([]byte, bool, error) {
	if n.size < 0 || n.size == 0 && n.content != chunk.Empty() {
		return nil, false, fmt.Errorf("%w: %d bytes cannot have it", chunk.ErrManifest, n.size)
	}
	if n.size == 0 {
		return nil, true, nil
	}
	places, err := f.places(ctx, n.content)
	if err != nil {
		return nil, false, err
	}
	for _, name := range places {
		file, stat, err := f.o.FS.Open(name)
		if err != nil {
			continue
		}
		data := buf[:n.size]
		if stat.Size == n.size {
			_, err = file.ReadAt(data, 0)
		} else {
			err = io.ErrUnexpectedEOF
		}
		file.Close()
		if (err == nil || errors.Is(err, io.EOF)) && chunk.Sum(data) == n.content {
			return data, true, nil
		}
	}
	return nil, false, nil
}

// share makes an empty file share the blocks of one here that should have the
// content, where the file system can.
func (f *Fetcher) share(ctx context.Context, n *need, dst File) (bool, error) {
	places, err := f.places(ctx, n.content)
	if err != nil {
		return false, err
	}
	for _, name := range places {
		src, stat, err := f.o.FS.Open(name)
		if err != nil {
			continue
		}
		if stat.Size == n.size {
			err = f.o.FS.Reflink(dst, src)
		} else {
			err = errors.ErrUnsupported
		}
		src.Close()
		if err == nil {
			return true, nil
		}
	}
	return false, nil
}

// reuse copies the chunks into p that are found here: in files with the same
// content, then in those that hold what it was made from.
func (f *Fetcher) reuse(ctx context.Context, n *need, p *part) error {
	if err := f.copyFrom(ctx, n.content, p.m, p); err != nil {
		return err
	}
	for _, old := range f.relatives(ctx, n) {
		if p.progress() == n.size {
			return nil
		}
		m, ok, err := f.o.Index.Manifest(ctx, old)
		if err != nil {
			return fmt.Errorf("look up the old version's chunk list: %w", err)
		}
		if ok && chunk.ID(m) == old {
			if err := f.copyFrom(ctx, old, m, p); err != nil {
				return err
			}
			continue
		}
		if twin := p.find(old); twin != nil {
			// The old version is one chunk, and a part of the new one.
			if err := f.copyFrom(ctx, old, tree.Manifest{p.m[twin[0]]}, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// relatives are contents that are likely to share chunks with n.
func (f *Fetcher) relatives(ctx context.Context, n *need) []tree.ContentID {
	f.mu.Lock()
	jobs := append([]Job(nil), n.jobs[:min(len(n.jobs), donorLimit)]...)
	f.mu.Unlock()
	seen := map[tree.ContentID]bool{n.content: true, {}: true}
	var out []tree.ContentID
	add := func(id tree.ContentID) {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	for _, j := range jobs {
		for _, path := range []tree.Path{j.Entry.Path, j.Near} {
			if path == "" {
				continue
			}
			if r, ok, err := f.o.Index.Get(ctx, path); err == nil && ok && r.Exists() && r.Kind == tree.File {
				add(r.Content)
			}
		}
		add(j.Entry.Base)
	}
	return out
}

// copyFrom copies chunks out of the files that should hold a content, whose
// chunks are m.
func (f *Fetcher) copyFrom(ctx context.Context, id tree.ContentID, m tree.Manifest, p *part) error {
	if p.progress() == p.size() || !p.wantsAny(m) {
		return nil
	}
	places, err := f.places(ctx, id)
	if err != nil {
		return err
	}
	for _, name := range places {
		src, _, err := f.o.FS.Open(name)
		if err != nil {
			continue
		}
		whole, err := p.copy(ctx, src, m)
		src.Close()
		if err != nil || whole {
			return err
		}
	}
	return nil
}

// wantsAny says whether a chunk of m is lacking.
func (p *part) wantsAny(m tree.Manifest) bool {
	for _, c := range m {
		if p.lacks(c) >= 0 {
			return true
		}
	}
	return false
}

// lacks gives a place at which c belongs and is not yet; -1 if there is none.
func (p *part) lacks(c tree.Chunk) int {
	for _, i := range p.find(c.ID) {
		if p.m[i].Len == c.Len && !p.has(int(i)) {
			return int(i)
		}
	}
	return -1
}

// copyDoubts is after how many chunks in a row that are not what they should be
// a file is given up: it has changed.
const copyDoubts = 16

// copy takes the chunks that are lacking out of src, which should be made of m.
// It says whether all that m has to give was there.
func (p *part) copy(ctx context.Context, src File, m tree.Manifest) (whole bool, err error) {
	buf := make([]byte, mostOf(p.size()))
	at, doubts := int64(0), 0
	whole = true
	for _, c := range m {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		from := at
		at += int64(c.Len)
		i := p.lacks(c)
		if i < 0 {
			continue
		}
		data := buf[:c.Len]
		if _, err := src.ReadAt(data, from); err != nil && !errors.Is(err, io.EOF) {
			return false, nil // the source's trouble, not ours
		}
		switch err := p.put(i, data, nil); {
		case errors.Is(err, errWrong):
			if whole, doubts = false, doubts+1; doubts == copyDoubts {
				return false, nil
			}
		case err != nil:
			return false, err
		default:
			doubts = 0
		}
	}
	return whole, nil
}
