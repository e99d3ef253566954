package transfer

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"pinion/engine/chunk"
	"pinion/engine/tree"
)

// PieceWriter takes the answers to a peer's wants.
type PieceWriter interface {
	// Piece is a run of bytes of want i; off counts from the start of the
	// content. data is the caller's again when Piece returns.
	Piece(i int, off int64, data []byte) error
	// Done ends the answer to want i. gone: it can't be had here; what was sent
	// of it counts for nothing.
	Done(i int, gone bool) error
}

// ServerOptions are what a Server needs to know of the world.
type ServerOptions struct {
	FS      FS
	Index   Index
	Archive Archive // nil: there is none
	// Doubt is told of a file that does not hold what the index says, though it
	// looks as it did when it was read. nil: nobody.
	Doubt func(context.Context, tree.Path)
	// Reading is the file that is being read, which is given before it has an id.
	// nil: there is none.
	Reading *Reading
	// Most is up to how many bytes a content may have that is given now; 0: any.
	// What is larger is gone, for now. nil: any.
	Most func() int64
}

// MaxWants is how many wants one call of Serve answers.
const MaxWants = 1024

// PieceSize is the length of the longest piece.
const PieceSize = 128 << 10

// Server gives peers the content that they ask for. Its methods may be called
// from several goroutines.
type Server struct {
	o    ServerOptions
	bufs sync.Pool // of *[PieceSize]byte

	mu   sync.Mutex
	gave map[stretch]struct{} // what was sent lately
}

// stretch is a run of bytes that was asked for.
type stretch struct {
	content tree.ContentID
	offset  int64
}

// maxGave bounds how many runs are remembered.
const maxGave = 4096

// NewServer makes a Server.
func NewServer(o ServerOptions) *Server {
	return &Server{o: o, bufs: sync.Pool{New: func() any { return new([PieceSize]byte) }}}
}

// Manifest gives the chunks of a content that is here; ErrGone if it is not.
func (s *Server) Manifest(ctx context.Context, content, base tree.ContentID) (tree.Manifest, error) {
	if m, ok := s.o.Reading.list(content); ok {
		return m, nil
	}
	m, ok, err := s.o.Index.Manifest(ctx, content)
	if err != nil {
		return nil, fmt.Errorf("look up a chunk list: %w", err)
	}
	if ok {
		return m, nil
	}
	rows, err := s.o.Index.ByContent(ctx, content, 1)
	if err != nil {
		return nil, fmt.Errorf("look up a content: %w", err)
	}
	if len(rows) == 0 {
		return s.archivedManifest(ctx, content)
	}
	if rows[0].Size < 0 {
		return nil, ErrGone
	}
	if size := rows[0].Size; size > 0 {
		if size > int64(mostOf(size)) {
			return nil, ErrGone
		}
		return tree.Manifest{{ID: content, Len: uint32(size)}}, nil
	}
	return nil, nil
}

// archivedManifest cuts an archived file once more: the list of a content that is
// one chunk is kept nowhere.
func (s *Server) archivedManifest(ctx context.Context, content tree.ContentID) (tree.Manifest, error) {
	h := handle{disk: s.o.FS}
	defer h.close()
	if err := s.find(ctx, tree.Want{Content: content}, &h); err != nil {
		return nil, err
	}
	if h.file == nil {
		return nil, ErrGone
	}
	m, id, _, err := chunk.Of(io.NewSectionReader(untilDone{ctx, h.file}, 0, h.size), h.size)
	if err != nil || id != content || !h.unchanged() {
		return nil, ErrGone
	}
	return m, nil
}

// untilDone reads no more once its context has ended.
type untilDone struct {
	ctx context.Context
	io.ReaderAt
}

func (r untilDone) ReadAt(p []byte, off int64) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.ReaderAt.ReadAt(p, off)
}

// Serve sends the bytes that wants ask for to w, in their order. Content that is
// not here, or whose file is no longer what the index says, is gone. It fails
// when w or the index does.
func (s *Server) Serve(ctx context.Context, _ tree.FolderID, wants []tree.Want, w PieceWriter) error {
	if len(wants) > MaxWants {
		return fmt.Errorf("serve: %d wants", len(wants))
	}
	buf := s.bufs.Get().(*[PieceSize]byte)
	defer s.bufs.Put(buf)
	open := handle{disk: s.o.FS}
	defer open.close()
	if len(wants) > 1 {
		disk, end := batchOf(s.o.FS)
		defer end()
		open.disk = disk
	}
	for i, want := range wants {
		if err := ctx.Err(); err != nil {
			return err
		}
		ok, err := s.one(ctx, i, want, w, buf[:], &open)
		if err != nil {
			return err
		}
		if err := w.Done(i, !ok); err != nil {
			return fmt.Errorf("serve: %w", err)
		}
	}
	return nil
}

// handle is a file that is open for reading, with what it should be. It is kept
// from one want to the next, which often are of the same content.
type handle struct {
	disk    FS // to open it by
	content tree.ContentID
	path    tree.Path // where it is live; "" in the archive
	file    File
	size    int64
	mtime   int64
}

func (h *handle) close() {
	if h.file != nil {
		h.file.Close()
	}
	*h = handle{disk: h.disk}
}

// unchanged says whether the file is still as it was opened.
func (h *handle) unchanged() bool {
	info, err := h.file.Stat()
	return err == nil && info.Size() == h.size && info.ModTime().UnixNano() == h.mtime
}

// one answers one want but for its end. It says whether all of it was sent.
func (s *Server) one(ctx context.Context, i int, want tree.Want, w PieceWriter, buf []byte, h *handle) (bool, error) {
	if h.file == nil || h.content != want.Content {
		h.close()
		if err := s.find(ctx, want, h); err != nil || h.file == nil {
			return false, err
		}
	}
	from, to := want.Offset, want.Offset+want.Length
	if want.Whole {
		from, to = 0, h.size
	}
	if from < 0 || to < from || to > h.size || s.tooBig(h.size) {
		return false, nil
	}
	if !want.Whole && s.gaveBefore(want) {
		if sound, err := s.sound(ctx, want, h); err != nil || !sound {
			return false, err
		}
	}
	for off := from; off < to; {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if s.tooBig(h.size) {
			return false, nil
		}
		piece := buf[:min(int64(len(buf)), to-off)]
		// Looked at after it was read: a piece that went out was read from an
		// unchanged file.
		if n, _ := h.file.ReadAt(piece, off); n < len(piece) || !h.unchanged() {
			h.close()
			return false, nil
		}
		if want.Whole && int64(len(piece)) == h.size && chunk.Sum(piece) != want.Content {
			s.doubt(ctx, h)
			return false, nil
		}
		if err := w.Piece(i, off, piece); err != nil {
			return false, fmt.Errorf("serve: %w", err)
		}
		s.o.Reading.gave(want.Content, len(piece))
		off += int64(len(piece))
	}
	return true, nil
}

func (s *Server) tooBig(size int64) bool {
	if s.o.Most == nil {
		return false
	}
	most := s.o.Most()
	return most > 0 && size > most
}

// doubt says that a file which looks as it did holds something else.
func (s *Server) doubt(ctx context.Context, h *handle) {
	path := h.path
	h.close()
	if path != "" && s.o.Doubt != nil {
		s.o.Doubt(ctx, path)
	}
}

// gaveBefore notes that a run of bytes is asked for, and says whether it was
// asked for before: what came may have been wrong.
func (s *Server) gaveBefore(want tree.Want) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := stretch{want.Content, want.Offset}
	_, again := s.gave[k]
	if s.gave == nil || len(s.gave) >= maxGave {
		s.gave = map[stretch]struct{}{}
	}
	s.gave[k] = struct{}{}
	return again
}

// sound says whether the file holds the chunks that are wanted.
func (s *Server) sound(ctx context.Context, want tree.Want, h *handle) (bool, error) {
	m, ok, err := s.o.Index.Manifest(ctx, want.Content)
	if err != nil {
		return false, fmt.Errorf("look up a chunk list: %w", err)
	}
	if !ok || uint64(want.First)+uint64(want.Count) > uint64(len(m)) {
		return true, nil // nothing to compare it with
	}
	at := int64(0)
	for _, c := range m[:want.First] {
		at += int64(c.Len)
	}
	var buf []byte
	for _, c := range m[want.First : want.First+want.Count] {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		buf = slices.Grow(buf[:0], int(c.Len))[:c.Len]
		n, _ := h.file.ReadAt(buf, at)
		if n < len(buf) || !h.unchanged() {
			h.close()
			return false, nil
		}
		if chunk.Sum(buf) != c.ID {
			s.doubt(ctx, h)
			return false, nil
		}
		at += int64(c.Len)
	}
	return true, nil
}

// find opens a file that holds what is wanted: where the asker believes it, else
// anywhere, else in the archive. h stays empty if there is none.
func (s *Server) find(ctx context.Context, want tree.Want, h *handle) error {
	if want.Content.IsZero() {
		return nil
	}
	if path, stat, ok := s.o.Reading.file(want.Content); ok {
		s.openAs(path, stat, want.Content, h)
		return nil
	}
	if want.Path != "" {
		r, ok, err := s.o.Index.Get(ctx, want.Path)
		if err != nil {
			return fmt.Errorf("look up a path: %w", err)
		}
		if ok && s.open(r, want.Content, h) {
			return nil
		}
	}
	rows, err := s.o.Index.ByContent(ctx, want.Content, donorLimit)
	if err != nil {
		return fmt.Errorf("look up a content: %w", err)
	}
	for _, r := range rows {
		if s.open(r, want.Content, h) {
			return nil
		}
	}
	if s.o.Archive == nil {
		return nil
	}
	files, err := s.o.Archive(ctx, want.Content)
	if err != nil {
		return fmt.Errorf("look into the archive: %w", err)
	}
	for _, name := range files[:min(len(files), donorLimit)] {
		if file, stat, err := h.disk.Open(name); err == nil {
			*h = handle{disk: h.disk, content: want.Content, file: file, size: stat.Size, mtime: stat.MTime}
			if h.unchanged() {
				return nil
			}
			h.close()
		}
	}
	return nil
}

// open opens a live file, if it holds the content by the index's word and the
// disk's.
func (s *Server) open(r tree.Record, content tree.ContentID, h *handle) bool {
	if !r.Exists() || r.Kind != tree.File || r.Content != content {
		return false
	}
	return r.Disk.Size == r.Size && s.openAs(r.Path, tree.Stat{Size: r.Size, MTime: r.Disk.MTime, Inode: r.Disk.Inode}, content, h)
}

// openAs opens a live file, if it looks as it is said to.
func (s *Server) openAs(path tree.Path, as tree.Stat, content tree.ContentID, h *handle) bool {
	file, stat, err := h.disk.Open(string(path))
	if err != nil {
		return false
	}
	if stat.Kind != tree.File || stat.Size != as.Size || stat.MTime != as.MTime || stat.Inode != as.Inode {
		file.Close()
		return false
	}
	*h = handle{disk: h.disk, content: content, path: path, file: file, size: stat.Size, mtime: stat.MTime}
	return true
}

// Bounds of the package's own vocabulary, checked when it is compiled.
const _ = uint(PieceSize - chunk.SmallMax)
