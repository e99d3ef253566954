package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"pinion/engine/chunk"
	"pinion/engine/tree"
)

// errTooLong ends a Get whose content is longer than was allowed, or has a gap.
var errTooLong = errors.New("a device sent more than was asked for, or not in order")

// Get brings a content of a few MiB at most, whose size need not be known, from
// one peer into memory: for what is looked at and not kept. at is where it may
// have stood, a hint. ErrGone: the peer has not got it.
func Get(ctx context.Context, from Source, folder tree.FolderID, content tree.ContentID, at tree.Path, most int64) ([]byte, error) {
	var data []byte
	var gone error
	sink := func(_ int, off int64, piece []byte) error {
		if off != int64(len(data)) || off+int64(len(piece)) > most {
			return errTooLong
		}
		data = append(data, piece...)
		return nil
	}
	ended := false
	done := func(_ int, err error) { ended, gone = true, err }
	err := from.Fetch(ctx, folder, []tree.Want{{Content: content, Path: at, Whole: true}}, sink, done)
	switch {
	case err != nil:
		return nil, fmt.Errorf("get a content: %w", err)
	case gone != nil || !ended:
		return nil, ErrGone
	}
	_, id, _, err := chunk.Of(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("get a content: %w", err)
	}
	if id != content {
		return nil, ErrLied
	}
	return data, nil
}

// Stage puts a content that was made here into staging. It belongs to the caller,
// as one that came with a Result does.
func (f *Fetcher) Stage(content tree.ContentID, data []byte) (string, error) {
	return f.stageSmall(f.o.FS, content, data, nil)
}
