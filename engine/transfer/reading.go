package transfer

import (
	"encoding/binary"
	"strconv"
	"sync"
	"time"

	"pinion/engine/chunk"
	"pinion/engine/tree"
)

// ReadingFrom is the size in bytes from which a file is given to peers while it is
// still being read: what is smaller is read before the word of it is there.
const ReadingFrom = 32 << 20

// sectionChunks is how many chunks one list of a file that is being read has.
const sectionChunks = 256

// section names the k-th list of a file that is being read.
func section(file tree.ContentID, k int) tree.ContentID {
	return chunk.Sum(binary.LittleEndian.AppendUint32(append([]byte("pinion section "), file[:]...), uint32(k)))
}

// Reading is the large file that is being read at the moment, or was last: its
// chunks as far as they are known, so that peers need not wait for the last of
// them. Its methods may be called from several goroutines. A nil one has none.
type Reading struct {
	mu       sync.Mutex // guards all below
	active   bool
	word     tree.Coming
	path     tree.Path
	stat     tree.Stat
	open     tree.Manifest // of the section that is not whole yet
	sections map[tree.ContentID]tree.Manifest

	// Of the lap that is being read:
	since time.Time     // when it began
	rest  time.Duration // with which it began
	read  int64         // bytes of it so far
	given int64         // bytes of the file that went to peers meanwhile
}

// lap is after how many bytes it is asked whether reading is to rest.
const lap = 4 << 20

// Begin says that the file at path, which looks like stat, is read from its first
// byte. base is the content that stood there before, or zero. Each chunk is then
// told to took; over is to be called at the end. ok is false while another file
// is being read.
func (r *Reading) Begin(folder tree.FolderID, path tree.Path, stat tree.Stat, base tree.ContentID) (took func(tree.Chunk), over func(), ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.active {
		return nil, nil, false
	}
	name := append([]byte("pinion reading "), folder[:]...)
	for _, n := range []int64{stat.Size, stat.MTime, int64(stat.Inode)} {
		name = strconv.AppendInt(append(name, ' '), n, 10)
	}
	id := chunk.Sum(append(append(name, ' '), path...))
	r.active, r.word = true, tree.Coming{ID: id, Size: stat.Size, Base: base}
	r.path, r.stat = path, stat
	r.open, r.sections = nil, map[tree.ContentID]tree.Manifest{}
	r.since, r.rest, r.read, r.given = time.Now(), 0, 0, 0
	return func(c tree.Chunk) { time.Sleep(r.took(c)) }, r.over, true
}

// took notes a chunk and says how long to rest before the next one. Where peers are
// given much of the file, it is read a quarter faster than they get it: reading and
// sending would else compete for a small machine's processors, and the sending
// suffer.
func (r *Reading) took(c tree.Chunk) (rest time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open = append(r.open, c); len(r.open) == sectionChunks {
		r.sections[section(r.word.ID, len(r.sections))] = r.open
		r.open = nil
	}
	if r.read += int64(c.Len); r.read < lap {
		return 0
	}
	now := time.Now()
	rest = restAfter(now.Sub(r.since), r.rest, r.read, r.given)
	r.since, r.rest, r.read, r.given = now, rest, 0, 0
	return rest
}

// restAfter is how long to rest after a lap that took so long, a rest at its
// beginning among it. Less than an eighth given is a link that leaves processors
// idle, or a peer that has most of the file.
func restAfter(took, rested time.Duration, read, given int64) time.Duration {
	if given <= read/8 {
		return 0
	}
	busy := took - rested
	wanted := took * 4 / 5 * time.Duration(read) / time.Duration(given)
	return min(max(0, wanted-busy), 3*busy, time.Second/4)
}

// gave notes that a peer was given bytes of a content.
func (r *Reading) gave(id tree.ContentID, n int) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if id == r.word.ID {
		r.given += int64(n)
	}
}

func (r *Reading) over() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.active, r.open = false, nil
}

// Word is what peers are told; zero when nothing is being read.
func (r *Reading) Word() tree.Coming {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.active {
		return tree.Coming{}
	}
	return r.word
}

// Forget lets go of a file that has been read.
func (r *Reading) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.active {
		r.word, r.sections = tree.Coming{}, nil
	}
}

// list gives a section's chunks. known: it is one, whole or not.
func (r *Reading) list(id tree.ContentID) (m tree.Manifest, ok bool) {
	if r == nil {
		return nil, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	m, ok = r.sections[id]
	return m, ok
}

// file says where the file is and what it looks like.
func (r *Reading) file(id tree.ContentID) (tree.Path, tree.Stat, bool) {
	if r == nil || id.IsZero() {
		return "", tree.Stat{}, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.path, r.stat, r.word.ID == id
}
