package folder

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/dustin/go-humanize"

	"pinion/engine/index"
	"pinion/engine/plan"
	"pinion/engine/status"
	"pinion/engine/tree"
	"pinion/platform/drive"
)

// space is what the loop knows of the room on the folder's disk.
type space struct {
	c *cycle

	known   drive.Space
	told    bool  // known is true: the system tells it
	room    int64 // bytes that what is begun from now on may take
	files   int64 // the same in files
	waiting map[tree.Path]int64
	more    tally // what waits, too, and is not named
	logged  bool  // that something waits
	kept    tally // in the archive

	looked  time.Time
	expiry  time.Time // when the archive is next looked through
	futile  int64     // so little was asked of the archive last, and could not be had
	again   time.Time // when that may be asked again
	bounded time.Time // when the archive is held against its bound again
	running bool      // the archive is being looked through
	results chan expired
}

const (
	maxWaiting = 1000        // files named that wait for room
	spaceEvery = time.Second // how often is looked for room while something waits for it
	spaceCalm  = time.Minute // and while nothing does
)

// The reserve, unless a person has set one: a hundredth of the disk within
// bounds, and never more than a tenth. The index writes within it, so that it
// goes on when others fill the disk.
const (
	reserveLeast = 256 << 20
	reserveMost  = 5 << 30
)

// reserveOf gives the bytes that are left free on a disk.
func reserveOf(set, total int64) int64 {
	if set > 0 {
		return set
	}
	return min(min(max(total/100, reserveLeast), reserveMost), total/10)
}

// Usual is what holds where nothing was chosen, on a disk: how many days and bytes
// are kept, and how much is left free. Bytes are 0 where d is nil.
func Usual(d *status.Disk) (days int, kept, reserve int64) {
	days = int(keepDefault / (24 * time.Hour))
	if d != nil {
		kept, reserve = d.Total/4, reserveOf(0, d.Total)
	}
	return days, kept, reserve
}

// sparedFiles is how many files are left to be made by others.
func sparedFiles(total uint64) int64 {
	return int64(min(max(total/100, 16), 1000))
}

func (f *Folder) reserve(s drive.Space) int64 { return reserveOf(f.cfg.Reserve, bytesOf(s.Total)) }

// bytesOf holds what a file system claims within an int64.
func bytesOf(n uint64) int64 { return int64(min(n, math.MaxInt64/4)) }

// measure looks at the disk, and makes out what is still to be given away of it:
// what is free, less the reserve and what is on its way.
func (s *space) measure() {
	c := s.c
	s.looked = time.Now()
	known, err := c.f.cfg.Machine.space(c.f.cfg.Path)
	if s.told = err == nil && known.Total > 0; !s.told {
		s.room, s.files = math.MaxInt64/4, math.MaxInt64/4
		return
	}
	s.known = known
	p := c.fetcher.Progress()
	coming, jobs := p.BytesTotal-p.BytesDone, int64(p.Jobs+len(c.work.unsent))
	for _, j := range c.work.unsent {
		coming += j.Entry.Size
	}
	s.room = bytesOf(known.Free) - c.f.reserve(known) - coming
	s.files = math.MaxInt64 / 4
	if known.TotalInodes > 0 {
		s.files = bytesOf(known.FreeInodes) - sparedFiles(known.TotalInodes) - jobs
	}
}

// noRoom says how much a unit needs that does not fit, and that in a sentence.
type noRoom struct {
	need int64
	why  string
}

func (e *noRoom) Error() string { return e.why }

// takeRoom gives a unit the room that it needs, as of the last measure; or says
// what it lacks.
func (s *space) takeRoom(ctx context.Context, u *unit) *noRoom {
	var need, files int64
	for _, a := range u.actions {
		if a.Op == plan.Put {
			need, files = need+a.Entry.Size, files+1
		}
	}
	if files == 0 {
		return nil
	}
	if need > s.room {
		need = s.lacking(ctx, u)
	}
	if (need == 0 || need <= s.room) && files <= s.files {
		s.room, s.files = s.room-need, s.files-files
		return nil
	}
	return &noRoom{need, s.needs(need)}
}

// lacking is what a unit's content will still take on the disk: not what an
// earlier try has brought, nor what can share the blocks of something here.
func (s *space) lacking(ctx context.Context, u *unit) (need int64) {
	c := s.c
	for _, a := range u.actions {
		if a.Op != plan.Put {
			continue
		}
		left := a.Entry.Size - c.fetcher.Here(a.Entry.Content, a.Entry.Size)
		if c.caps.Reflink && left > 0 {
			if twins, err := c.index.ByContent(ctx, a.Entry.Content, 1); err == nil && len(twins) > 0 {
				left = 0
			} else if kept, err := c.index.FindArchived(ctx, a.Entry.Content, 1); err == nil && len(kept) > 0 {
				left = 0
			}
		}
		need += max(0, left)
	}
	return need
}

// awaitRoom has a path wait until there is room for it.
func (s *space) awaitRoom(p tree.Path, need int64) {
	c := s.c
	if len(s.waiting) >= maxWaiting {
		s.more.files++
		s.more.bytes += need
		return
	}
	if s.waiting == nil {
		s.waiting = map[tree.Path]int64{}
	}
	if !s.logged {
		s.logged = true
		c.log.Info("no room for what is to come; the rest goes on", "path", p, "bytes", need, "free", s.known.Free)
	}
	s.waiting[p] = need
	c.saying.changed = true
}

// forgetWaiting has everything that waits for room decided anew.
func (s *space) forgetWaiting() {
	c := s.c
	if s := &c.space; len(s.waiting) > 0 {
		clear(s.waiting)
		s.more = tally{}
		c.work.fromFront()
	}
}

// leastWaiting is what the smallest of those needs that wait.
func (s *space) leastWaiting() int64 {
	least := int64(math.MaxInt64)
	for _, n := range s.waiting {
		least = min(least, n)
	}
	return least
}

func (s *space) next(now time.Time) time.Duration {
	every := spaceCalm
	if len(s.waiting) > 0 {
		every = spaceEvery
	}
	next := max(0, every-now.Sub(s.looked))
	if !s.running {
		next = min(next, max(0, s.expiry.Sub(now)))
	}
	return next
}

// watchSpace looks at the disk now and then: what waits for room goes on when it
// has some, and the archive is looked through when its time has come or the disk
// runs short.
func (s *space) watchSpace(ctx context.Context, beside *sync.WaitGroup) {
	c := s.c
	now := time.Now()
	every := spaceCalm
	if len(s.waiting) > 0 {
		every = spaceEvery
	}
	if now.Sub(s.looked) >= every {
		s.measure()
		if len(s.waiting) > 0 && s.leastWaiting() <= s.room && s.files > 0 {
			s.logged = false
			c.log.Info("there is room again", "free", s.known.Free)
			s.forgetWaiting()
		}
		c.saying.changed = c.saying.changed || len(s.waiting) > 0 || c.saying.diskMoved()
	}
	if s.running {
		return
	}
	if w := s.wantOfArchive(now); w.bytes > 0 || w.daily || w.bound {
		s.running = true
		beside.Go(func() { s.results <- c.keeper.expire(ctx, w) })
	}
}

// want is what the archive is looked through for.
type want struct {
	daily bool  // what is due for its age
	bound bool  // more is kept than may be
	bytes int64 // these are to be freed
	all   bool  // else nothing: part of it would help nobody
	alone bool  // the loop has ended
}

// wantOfArchive says what is to be freed of the archive now. The reserve is made
// good as far as can be; for a file that waits nothing is given up in vain.
func (s *space) wantOfArchive(now time.Time) want {
	c := s.c
	w := want{daily: !now.Before(s.expiry) && c.notice.fullDone}
	if !s.told || s.kept.files == 0 {
		return w
	}
	bound := c.f.rules(bytesOf(s.known.Total)).Bytes
	w.bound = bound > 0 && s.kept.bytes > bound && now.After(s.bounded)
	if short := c.f.reserve(s.known) - bytesOf(s.known.Free); short > 0 {
		w.bytes = short
	} else if len(s.waiting) > 0 {
		w.bytes, w.all = max(0, s.leastWaiting()-s.room), true
	}
	if w.bytes > 0 && s.futile > 0 && w.bytes >= s.futile && now.Before(s.again) {
		w.bytes = 0
	}
	return w
}

// futileFor is how long the archive is left alone after it could not help.
const futileFor = 15 * time.Minute

// expiredOnce takes in what looking through the archive came to.
func (s *space) expiredOnce(ctx context.Context, r expired) {
	now := time.Now()
	s.running, s.futile = false, 0
	if r.short {
		s.futile, s.again = r.want.bytes, now.Add(futileFor)
	}
	s.bounded = now.Add(futileFor)
	if r.want.daily {
		s.expiry = now.Add(r.next)
	}
	s.measureArchive(ctx)
	s.measure()
	if r.files > 0 {
		s.forgetWaiting()
	}
	s.c.saying.changed = true
}

// measureArchive reads how much the archive holds.
func (s *space) measureArchive(ctx context.Context) {
	files, bytes, err := s.c.index.Kept(ctx)
	if err == nil {
		s.kept = tally{files, bytes}
	}
}

// noRoomState says whether nothing but room is lacking, and says it in a sentence.
func (s *space) noRoomState() (string, bool) {
	c := s.c
	if len(s.waiting) == 0 || c.saying.moving() || c.work.more {
		return "", false
	}
	p := s.roomProblems(1)[0]
	text := p.Path + " " + p.Error
	if n := int64(len(s.waiting)) + s.more.files; n > 1 {
		text = fmt.Sprintf("%d files wait for room; %s", n, text)
	}
	return text, true
}

// roomProblems lists what waits for room, at most n by name.
func (s *space) roomProblems(n int) []status.Problem {
	var out []status.Problem
	more := s.more
	for _, p := range slices.Sorted(maps.Keys(s.waiting)) {
		if len(out) < n {
			out = append(out, status.Problem{Path: string(p), Error: s.needs(s.waiting[p])})
			continue
		}
		more.files, more.bytes = more.files+1, more.bytes+s.waiting[p]
	}
	if more.files > 0 {
		out = append(out, status.Problem{Path: ".", Error: fmt.Sprintf("%d more files (%s) wait for room", more.files, sizeWord(more.bytes))})
	}
	return out
}

// maxRoomProblems is how many files are named as waiting for room.
const maxRoomProblems = 20

// needs says what something needs and what there is.
func (s *space) needs(need int64) string {
	c := s.c
	cfg := c.f.cfg
	if s.files < 1 {
		return fmt.Sprintf("needs a new file, and the disk of %s on %s can take %d more only, which are left to others (it is inodes that are short, not bytes): remove files that are not needed", cfg.Name, cfg.DeviceName, s.known.FreeInodes)
	}
	reserve := c.f.reserve(s.known)
	free := max(0, bytesOf(s.known.Free)-reserve)
	lower := ""
	if least := reserveOf(0, bytesOf(s.known.Total)); reserve > least/4 && need <= free+reserve-least/4 {
		lower = fmt.Sprintf(", or lower the reserve: pinion folder set %s --reserve SIZE", cfg.Name)
	}
	return fmt.Sprintf("needs %s and %s has %s free besides the reserve of %s: free %s there%s",
		sizeWord(need), cfg.DeviceName, sizeWord(free), sizeWord(reserve), sizeWord(max(1, need-s.room)), lower)
}

func sizeWord(n int64) string { return humanize.Bytes(uint64(max(0, n))) }

// isFull says whether an error means that the disk has no room left.
func isFull(err error) bool {
	return errors.Is(err, index.ErrFull) || errors.Is(err, syscall.ENOSPC)
}

// fullReason says why a folder had to stop because nothing can be written.
func (f *Folder) fullReason() string {
	s, err := f.cfg.Machine.space(f.cfg.Path)
	if err == nil && s.TotalInodes > 0 && s.FreeInodes < fileRoom {
		return fmt.Sprintf("the disk of %s has no room for another file (its inodes are used up, not its bytes); it goes on by itself once some are removed", f.cfg.Name)
	}
	if err == nil {
		return fmt.Sprintf("the disk of %s is full, so that not even its index can be written; it goes on by itself once %s are free", f.cfg.Name, sizeWord(f.indexRoom(s)))
	}
	return fmt.Sprintf("the disk of %s is full; it goes on by itself once there is room", f.cfg.Name)
}

// fileRoom is how many files an index needs to be able to make.
const fileRoom = 8

// indexRoom is what has to be free for the index to be opened again.
func (f *Folder) indexRoom(s drive.Space) int64 {
	return max(1<<20, min(f.reserve(s)/4, 16<<20))
}

// roomy says whether a folder that stopped on a full disk can go on.
func (f *Folder) roomy() bool {
	s, err := f.cfg.Machine.space(f.cfg.Path)
	return err == nil && bytesOf(s.Free) >= f.indexRoom(s) && (s.TotalInodes == 0 || s.FreeInodes >= fileRoom)
}

// makeRoom frees what the reserve lacks from the archive once the loop had to end
// on a full disk. The index can be read still, and files can be removed.
func (s *space) makeRoom(ctx context.Context) {
	c := s.c
	disk, err := c.f.cfg.Machine.space(c.f.cfg.Path)
	if err != nil || ctx.Err() != nil {
		return
	}
	if short := c.f.reserve(disk) - bytesOf(disk.Free); short > 0 {
		c.keeper.expire(ctx, want{bytes: short, alone: true})
	}
}
