package transfer

import (
	"context"
	"errors"
	"testing"

	"pinion/engine/chunk"
	"pinion/engine/tree"
)

// teller is a source that answers one want with given pieces.
type teller struct {
	pieces []string
	gap    int64
	gone   bool
	silent bool // ends without an answer
}

func (teller) Device() tree.DeviceID { return tree.DeviceID{7} }

func (teller) Manifest(context.Context, tree.FolderID, tree.ContentID, tree.ContentID, int64) (tree.Manifest, error) {
	return nil, ErrGone
}

func (s teller) Fetch(_ context.Context, _ tree.FolderID, wants []tree.Want, sink func(int, int64, []byte) error, done func(int, error)) error {
	off := s.gap
	for _, p := range s.pieces {
		if err := sink(0, off, []byte(p)); err != nil {
			return err
		}
		off += int64(len(p))
	}
	if s.silent {
		return nil
	}
	if s.gone {
		done(0, ErrGone)
		return nil
	}
	done(0, nil)
	return nil
}

func TestGet(t *testing.T) {
	id := chunk.Sum([]byte("hello there"))
	for _, x := range []struct {
		name string
		from teller
		most int64
		want error
	}{
		{"whole", teller{pieces: []string{"hello ", "there"}}, 11, nil},
		{"other bytes", teller{pieces: []string{"hello you"}}, 100, ErrLied},
		{"gone half way", teller{pieces: []string{"hello "}, gone: true}, 100, ErrGone},
		{"no answer", teller{pieces: []string{"hello there"}, silent: true}, 100, ErrGone},
		{"too long", teller{pieces: []string{"hello ", "there"}}, 10, errTooLong},
		{"a gap", teller{pieces: []string{"hello there"}, gap: 1}, 100, errTooLong},
	} {
		got, err := Get(context.Background(), x.from, tree.FolderID{}, id, "a", x.most)
		if !errors.Is(err, x.want) || (x.want == nil) != (string(got) == "hello there") {
			t.Errorf("%s: %q, %v", x.name, got, err)
		}
	}
}
