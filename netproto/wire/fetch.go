package wire

import (
	"encoding/binary"

	"pinion/engine/tree"
)

const (
	// MaxWants is how many wants a FetchRequest may have.
	MaxWants = 256
	// MaxRequestBytes is the cap of a FetchRequest. MaxDepth of them fit into the
	// least receive window, so that writing one never waits for an answer.
	MaxRequestBytes = 64 << 10
	// MaxDepth is how many requests may be unanswered on a lane.
	MaxDepth = 4
	// MaxWhole is how long a content that is asked for as a whole may be.
	MaxWhole = 16 << 20

	wantWhole = 1
	wantBytes = 1 + len(tree.ContentID{}) + 2 + 1
)

// CheckWant says why a want may not be asked for.
func CheckWant(w tree.Want) error {
	if w.Content.IsZero() {
		return bad("a want of nothing")
	}
	if w.Whole {
		if w.Length < 0 || w.Length > MaxWhole || w.First != 0 || w.Count != 0 || w.Offset != 0 {
			return bad("a want of a whole that is a part")
		}
		return nil
	}
	switch {
	case w.Count == 0 || uint64(w.First)+uint64(w.Count) > MaxChunks:
		return bad("a want of no chunks")
	case w.Offset < 0 || w.Length <= 0 || w.Offset >= MaxSize || w.Length >= MaxSize:
		return bad("a want of no bytes")
	}
	return nil
}

// AppendFetchRequest appends a FetchRequest frame with as many of the wants as
// fit, at least one, and says how many those are.
func AppendFetchRequest(dst []byte, folder tree.FolderID, wants []tree.Want) ([]byte, int, error) {
	wants = wants[:min(len(wants), MaxWants)]
	start := len(dst)
	body := make([]byte, 0, 4<<10)
	before, n := "", 0
	for _, w := range wants {
		if err := CheckWant(w); err != nil {
			return dst, 0, err
		}
		long := len(body)
		body = appendWant(body, before, w)
		// 16 bytes of folder and at most 2 of the number stand before the wants.
		if len(body) > MaxRequestBytes-18 {
			body = body[:long]
			break
		}
		before = string(w.Path)
		n++
	}
	dst = append(begin(dst, TypeFetchRequest), folder[:]...)
	dst = binary.AppendUvarint(dst, uint64(n))
	dst, err := end(append(dst, body...), start)
	return dst, n, err
}

func appendWant(dst []byte, before string, w tree.Want) []byte {
	var flags byte
	if w.Whole {
		flags = wantWhole
	}
	dst = append(append(dst, flags), w.Content[:]...)
	dst = appendPath(dst, before, string(w.Path))
	if !w.Whole {
		dst = binary.AppendUvarint(dst, uint64(w.First))
		dst = binary.AppendUvarint(dst, uint64(w.Count))
		dst = binary.AppendUvarint(dst, uint64(w.Offset))
	}
	return binary.AppendUvarint(dst, uint64(w.Length))
}

// ParseFetchRequest reads a FetchRequest.
func ParseFetchRequest(payload []byte) (folder tree.FolderID, wants []tree.Want, err error) {
	c := cursor{b: payload}
	copy(folder[:], c.take(uint64(len(folder)), "a folder id"))
	n := c.uvMax(min(MaxWants, uint64(len(c.b)/wantBytes)), "a number of wants")
	if c.err == nil && n == 0 {
		c.fail("a request without wants")
	}
	if c.err == nil {
		wants = make([]tree.Want, n)
	}
	before := ""
	for i := range wants {
		before = c.want(&wants[i], before)
		if c.err != nil {
			return folder, nil, c.err
		}
	}
	if err := c.done(); err != nil {
		return folder, nil, err
	}
	return folder, wants, nil
}

func (c *cursor) want(w *tree.Want, before string) (path string) {
	flags := c.byte("the flags")
	if flags&^wantWhole != 0 {
		c.fail("a want with unknown flags")
	}
	w.Whole = flags&wantWhole != 0
	w.Content = c.content("a content id")
	if path = c.pathAfter(before, "a path"); path != "" {
		w.Path = c.path(path, "a path")
	}
	if !w.Whole {
		w.First = uint32(c.uvMax(MaxChunks, "a chunk number"))
		w.Count = uint32(c.uvMax(MaxChunks, "a number of chunks"))
		w.Offset = int64(c.uvMax(uint64(MaxSize-1), "an offset"))
	}
	w.Length = int64(c.uvMax(uint64(MaxSize-1), "a length"))
	if c.err == nil {
		c.err = CheckWant(*w)
	}
	return path
}
