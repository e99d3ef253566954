package folder

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pinion/engine/scan"
	"pinion/engine/status"
	"pinion/engine/transfer"
	"pinion/engine/tree"
)

// saying is when the folder's word on itself was last said.
type saying struct {
	c *cycle

	changed bool
	at      time.Time
	state   string    // that was said last
	digest  uint64    // that was said last
	tidied  time.Time // when the folder was last tidied up
	rates   [8]sample // of the last seconds, a ring
	rate    int
	done    tally // of the work at hand; forgotten when it is done
	disk    room  // on the disk, that was said last
}

type sample struct {
	at    time.Time
	bytes int64
}

// tally counts what has come since this device last lacked nothing.
type tally struct {
	files, bytes int64
}

// room is what is told of the folder's disk.
type room struct{ free, total int64 }

// diskGrain is the part of a disk by which its free bytes must have changed to be
// told anew when nothing else is: others write to it, too, and devices at rest are
// silent.
const diskGrain = 64

// sayEvery bounds how often the state is said while it changes.
const sayEvery = 100 * time.Millisecond

// sayState posts the folder's state and tells peers, if it changed and was not
// said just now. It returns how long until it ought to be called again.
func (say *saying) sayState(ctx context.Context) time.Duration {
	c := say.c
	if !say.changed && !say.moving() {
		return time.Hour
	}
	now := time.Now()
	if wait := sayEvery - now.Sub(say.at); wait > 0 {
		return wait
	}
	say.changed, say.at = false, now
	word := say.word()
	c.exchange.Say(word)
	c.exchange.Acknowledge()
	st := say.snapshot(word, now)
	say.state, say.digest = st.State, word.Digest
	c.f.mu.Lock()
	c.f.state = st
	c.f.mu.Unlock()
	c.f.cfg.Changed()
	if say.moving() {
		return 250 * time.Millisecond
	}
	return time.Hour
}

func (say *saying) moving() bool {
	return len(say.c.work.units) > 0
}

// word is what peers are told.
func (say *saying) word() tree.FolderState {
	c := say.c
	n := c.names.counts()
	w := tree.FolderState{
		Busy: c.notice.busyLooking() || c.missing.busy(), Files: n.Files, Bytes: n.Bytes,
		NeedFiles: n.NeedFiles, NeedBytes: n.NeedBytes, Confirmed: c.confirmedAt.Load(),
	}
	w.NoRoom = int64(len(c.space.waiting)) + c.space.more.files
	w.Small = c.small.most
	w.Coming = c.comingWord()
	if c.f.cfg.Mode == Send {
		w.NeedFiles, w.NeedBytes = 0, 0
	} else if n.PendingPaths > 0 {
		w.Busy = true // a deletion that waits is no need, but neither are we level
	}
	say.diskWord(&w)
	c.missing.holdWord(&w)
	w.Digest = c.accord.digest(w)
	return w
}

// diskWord tells of the disk, exactly while things move and coarsely at rest.
func (say *saying) diskWord(w *tree.FolderState) {
	if w.NeedFiles > 0 || say.diskMoved() {
		say.disk = say.c.space.now()
	}
	w.DiskFree, w.DiskTotal = say.disk.free, say.disk.total
}

// diskMoved says whether the disk is worth a word of its own.
func (say *saying) diskMoved() bool {
	old, now := say.disk, say.c.space.now()
	moved := max(now.free-old.free, old.free-now.free)
	return now.total != old.total || moved > now.total/diskGrain
}

// now is how the disk was when it was last looked at; nothing where the system
// does not tell.
func (s *space) now() room {
	if !s.told {
		return room{}
	}
	total := bytesOf(s.known.Total)
	return room{free: min(bytesOf(s.known.Free), total), total: total}
}

// snapshot is what a person is told.
func (say *saying) snapshot(w tree.FolderState, now time.Time) status.Folder {
	c := say.c
	cfg := c.f.cfg
	n := c.names.counts()
	s := status.Folder{
		ID: cfg.ID, Name: cfg.Name, Path: cfg.Path, Mode: string(cfg.Mode), Files: n.Files, Bytes: n.Bytes,
		Need: status.Need{Files: w.NeedFiles, Bytes: w.NeedBytes}, Conflicts: n.Conflicts,
		Problems: c.problems.list(), Peers: []status.FolderPeer{},
	}
	if warn := c.watcher.Warning(); warn != nil {
		s.Problems = append(s.Problems, status.Problem{Path: ".", Error: warn.Error()})
	}
	s.Problems = append(s.Problems, c.space.roomProblems(maxRoomProblems)...)
	s.Archive = status.Archive{Files: c.space.kept.files, Bytes: c.space.kept.bytes}
	if c.space.told {
		s.Disk = &status.Disk{Free: bytesOf(c.space.known.Free), Total: bytesOf(c.space.known.Total), Reserve: c.f.reserve(c.space.known)}
	}
	all := say.peerStates(&s)
	say.moves(&s, now, w)
	s.Holds = c.missing.holds(w)
	s.State, s.Reason = say.stateWord(w, s.Holds, all)
	return s
}

// peerStates lists the peers and says whether each of them is level with us.
func (say *saying) peerStates(s *status.Folder) bool {
	c := say.c
	all := true
	for _, p := range c.exchange.Peers() {
		level := level(p)
		all = all && level
		s.Peers = append(s.Peers, status.FolderPeer{
			Device: c.f.cfg.NameOf(p.Device), ID: p.Device, Connected: true,
			NeedFiles: p.State.NeedFiles, NeedBytes: p.State.NeedBytes, NoRoom: p.State.NoRoom, UpToDate: level,
			Disk: diskOf(p.State),
		})
	}
	slices.SortFunc(s.Peers, func(a, b status.FolderPeer) int { return slices.Compare(a.ID[:], b.ID[:]) })
	for _, dev := range c.index.Heard() {
		if !slices.ContainsFunc(s.Peers, func(p status.FolderPeer) bool { return p.ID == dev }) {
			s.Away = append(s.Away, dev)
		}
	}
	return all
}

func diskOf(s tree.FolderState) *status.Disk {
	if s.DiskTotal == 0 {
		return nil
	}
	return &status.Disk{Free: s.DiskFree, Total: s.DiskTotal}
}

func (say *saying) stateWord(w tree.FolderState, holds []status.Hold, peersLevel bool) (state, reason string) {
	c := say.c
	noRoom, lacksRoom := c.space.noRoomState()
	switch {
	case c.paused != nil:
		return status.Paused, c.paused.Reason
	case len(holds) > 0:
		return status.Held, c.missing.heldReason(holds)
	case lacksRoom:
		return status.Full, noRoom
	case !c.notice.fullDone || c.notice.running[full] && w.NeedFiles == 0:
		return status.Scanning, ""
	case c.small.most > 0 && w.NeedFiles > 0 && !say.moving():
		return status.Syncing, c.small.why
	case w.Busy || c.names.counts().PendingPaths > 0 && c.f.cfg.Mode != Send || say.moving() || !peersLevel:
		return status.Syncing, ""
	}
	return status.Synced, ""
}

// maxMoving bounds what is named of what is on its way.
const maxMoving = 8

// moves says what is on its way, and how far all of it is.
func (say *saying) moves(s *status.Folder, now time.Time, w tree.FolderState) {
	c := say.c
	p := c.fetcher.Progress()
	for _, a := range p.Active[:min(len(p.Active), maxMoving)] {
		m := status.Moving{Path: string(a.Path), Done: a.Done, Total: a.Size}
		for _, dev := range a.From {
			m.From = append(m.From, c.f.cfg.NameOf(dev))
		}
		s.Moving = append(s.Moving, m)
	}
	s.Progress = say.progress(p, w, now)
}

// progress says how much of the work at hand is done and how fast it goes.
func (say *saying) progress(p transfer.Progress, w tree.FolderState, now time.Time) status.Progress {
	c := say.c
	if w.NeedFiles == 0 && !say.moving() {
		say.done = tally{}
	}
	done := say.done.bytes + p.BytesDone
	out := status.Progress{
		BytesDone: done, BytesTotal: say.done.bytes + max(w.NeedBytes, p.BytesTotal),
		FilesDone: say.done.files, FilesTotal: say.done.files + w.NeedFiles, ETA: -1, Scanned: c.scanned.Load(),
	}
	out.Rate = say.pace(p.Received+p.Reused, now)
	if !say.moving() {
		out.Rate = 0
	}
	if out.Rate > 0 && w.NeedBytes > 0 {
		out.ETA = max(0, out.BytesTotal-out.BytesDone) / out.Rate
	}
	return out
}

// Samples are taken this often while things move; after a rest they begin anew, so
// that a rate is of what moves now.
const (
	paceEvery = 500 * time.Millisecond
	paceRest  = 3 * time.Second
)

// pace is the bytes a second by which total has grown over the last seconds.
func (say *saying) pace(total int64, now time.Time) int64 {
	last := say.rates[(say.rate+len(say.rates)-1)%len(say.rates)]
	if now.Sub(last.at) > paceRest || total < last.bytes {
		say.rates, last = [len(say.rates)]sample{}, sample{}
	}
	if now.Sub(last.at) >= paceEvery {
		say.rates[say.rate] = sample{now, total}
		say.rate = (say.rate + 1) % len(say.rates)
	}
	old := sample{at: now}
	for _, r := range say.rates {
		if !r.at.IsZero() && r.at.Before(old.at) {
			old = r
		}
	}
	dt := now.Sub(old.at)
	if dt < paceEvery/2 { // a moment says little
		return 0
	}
	return int64(float64(total-old.bytes) / dt.Seconds())
}

// problems lists what can't be synced, a path each; bounded.
type problems struct {
	max     int
	scanned map[string]string // found by the last full scan
	noticed map[string]string // found by scans of some paths since
	carried map[string]string // met while something was carried out, or by a hand
	// untilDone are those of carried that end when their path is not pending any
	// more, however that comes about.
	untilDone map[string]bool
	more      int64 // that the last full scan did not list
}

func (p *problems) init(most int) {
	p.max = most
	if p.scanned == nil {
		p.scanned = map[string]string{}
	}
	if p.carried == nil {
		p.carried = map[string]string{}
	}
	p.noticed, p.untilDone = map[string]string{}, map[string]bool{}
}

// noteScanned takes in what a scan of some paths found. What was listed of a path
// that was looked at, or does not stand any more, is cured unless it was found
// again.
func (p *problems) noteScanned(s scan.Summary, asked []string, stands func(path string) bool) {
	found := make(map[string]bool, len(s.Problems))
	for _, x := range s.Problems {
		found[x.Path] = true
	}
	looked := make(map[string]bool, len(asked))
	for _, path := range asked {
		looked[path] = true
	}
	for _, m := range []map[string]string{p.scanned, p.noticed} {
		for path := range m {
			dir := ""
			if i := strings.LastIndexByte(path, '/'); i >= 0 {
				dir = path[:i]
			}
			if !found[path] && (looked[path] || looked[dir] && !stands(path)) {
				delete(m, path)
			}
		}
	}
	for _, x := range s.Problems {
		if _, ok := p.scanned[x.Path]; ok {
			p.scanned[x.Path] = x.Why
		} else if len(p.noticed) < p.max {
			p.noticed[x.Path] = x.Why
		}
	}
}

// clearSettled takes off the list what was to be carried out and is not pending
// any more.
func (say *saying) clearSettled(ctx context.Context) error {
	c := say.c
	for path := range c.problems.untilDone {
		p := tree.Path(path)
		if c.work.units[p] != nil {
			continue
		}
		_, pending, err := c.index.PendingAt(ctx, p)
		if err != nil {
			return fmt.Errorf("read what is pending: %w", err)
		}
		if !pending {
			c.problems.clear(path)
		}
	}
	return nil
}

// note lists a problem until clear or the next full scan.
func (p *problems) note(_ time.Time, path, why string) {
	if p.carried == nil {
		p.carried = map[string]string{}
	}
	if _, ok := p.carried[path]; ok || p.max == 0 || len(p.carried) < p.max {
		p.carried[path] = why
	}
}

// replaceScanned lists what a full scan found in place of what was found before.
func (p *problems) replaceScanned(s scan.Summary) {
	p.scanned, p.noticed, p.more = map[string]string{}, map[string]string{}, s.MoreProblems
	for _, x := range s.Problems {
		p.scanned[x.Path] = x.Why
		delete(p.carried, x.Path)
	}
}

func (p *problems) clear(path string) {
	delete(p.carried, path)
	delete(p.untilDone, path)
}

// ofPending lists a problem for as long as its path is pending.
func (p *problems) ofPending(now time.Time, path, why string) {
	p.note(now, path, why)
	if _, ok := p.carried[path]; ok {
		p.untilDone[path] = true
	}
}

func (p *problems) list() []status.Problem {
	out := make([]status.Problem, 0, len(p.scanned)+len(p.carried))
	for _, m := range []map[string]string{p.scanned, p.noticed, p.carried} {
		for _, path := range slices.Sorted(maps.Keys(m)) {
			out = append(out, status.Problem{Path: path, Error: m[path]})
		}
	}
	if p.more > 0 {
		out = append(out, status.Problem{Path: ".", Error: fmt.Sprintf("%d more paths can't be synced", p.more)})
	}
	return out
}
