package folder

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"pinion/engine/scan"
	"pinion/engine/status"
	"pinion/engine/tree"
)

// saying is when the folder's word on itself was last said.
type saying struct {
	changed bool
	at      time.Time
	state   string    // that was said last
	tidied  time.Time // when the folder was last tidied up
	rates   [8]sample // of the last seconds, a ring
	rate    int
	done    tally // of the work at hand; forgotten when it is done
}

type sample struct {
	at    time.Time
	bytes int64
}

// tally counts what has come since this device last lacked nothing.
type tally struct {
	files, bytes int64
}

// sayEvery bounds how often the state is said while it changes.
const sayEvery = 100 * time.Millisecond

// sayState posts the folder's state and tells peers, if it changed and was not
// said just now. It returns how long until it ought to be called again.
func (c *cycle) sayState(ctx context.Context) time.Duration {
	s := &c.saying
	if !s.changed && !c.moving() {
		return time.Hour
	}
	now := time.Now()
	if wait := sayEvery - now.Sub(s.at); wait > 0 {
		return wait
	}
	s.changed, s.at = false, now
	word := c.word()
	c.exchange.Say(word)
	c.exchange.Acknowledge()
	st := c.snapshot(word, now)
	s.state = st.State
	c.f.mu.Lock()
	c.f.state = st
	c.f.mu.Unlock()
	c.f.cfg.Changed()
	if c.moving() {
		return 250 * time.Millisecond
	}
	return time.Hour
}

func (c *cycle) moving() bool { return len(c.work.units) > 0 }

// word is what peers are told.
func (c *cycle) word() tree.FolderState {
	n := c.index.Counts()
	w := tree.FolderState{
		Busy: c.busyLooking() || c.missing.waiting && c.missing.held == 0, Files: n.Files, Bytes: n.Bytes,
		NeedFiles: n.NeedFiles, NeedBytes: n.NeedBytes, Confirmed: c.confirmedAt.Load(),
	}
	if c.f.cfg.Mode == Send {
		w.NeedFiles, w.NeedBytes = 0, 0
	} else if n.PendingPaths > 0 {
		w.Busy = true // a deletion that waits is no need, but neither are we level
	}
	return w
}

// snapshot is what a person is told.
func (c *cycle) snapshot(w tree.FolderState, now time.Time) status.Folder {
	cfg := c.f.cfg
	n := c.index.Counts()
	s := status.Folder{
		ID: cfg.ID, Name: cfg.Name, Path: cfg.Path, Mode: string(cfg.Mode), Files: n.Files, Bytes: n.Bytes,
		Need: status.Need{Files: w.NeedFiles, Bytes: w.NeedBytes}, Conflicts: n.Conflicts,
		Problems: c.problems.list(), Peers: []status.FolderPeer{},
	}
	if warn := c.watcher.Warning(); warn != nil {
		s.Problems = append(s.Problems, status.Problem{Path: ".", Error: warn.Error()})
	}
	all := c.peerStates(&s)
	s.Progress = c.progress(w, now)
	s.State, s.Reason = c.stateWord(w, all)
	return s
}

// peerStates lists the peers and says whether each of them is level with us.
func (c *cycle) peerStates(s *status.Folder) bool {
	all := true
	for _, p := range c.exchange.Peers() {
		level := p.Known && p.Recorded && p.Told && !p.State.Busy && p.State.NeedFiles == 0
		all = all && level
		s.Peers = append(s.Peers, status.FolderPeer{
			Device: c.f.cfg.NameOf(p.Device), ID: p.Device, Connected: true,
			NeedFiles: p.State.NeedFiles, NeedBytes: p.State.NeedBytes, UpToDate: level,
		})
	}
	slices.SortFunc(s.Peers, func(a, b status.FolderPeer) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return all
}

func (c *cycle) stateWord(w tree.FolderState, peersLevel bool) (state, reason string) {
	m := &c.missing
	switch {
	case c.paused != nil:
		return status.Paused, c.paused.Reason
	case m.emptied != nil:
		return status.Held, m.emptied.Error()
	case m.held > 0:
		return status.Held, fmt.Sprintf("%d files are missing here, a large part of the folder; if they were deleted on purpose: pinion confirm %s", m.held, c.f.cfg.Name)
	case m.remote > 0:
		return status.Held, fmt.Sprintf("%d files were deleted on another device, a large part of the folder; if that was on purpose: pinion confirm %s", m.remote, c.f.cfg.Name)
	case !c.notice.fullDone || c.notice.running[full] && w.NeedFiles == 0:
		return status.Scanning, ""
	case w.Busy || c.index.Counts().PendingPaths > 0 && c.f.cfg.Mode != Send || c.moving() || !peersLevel:
		return status.Syncing, ""
	}
	return status.Synced, ""
}

// progress says how much of the work at hand is done and how fast it goes.
func (c *cycle) progress(w tree.FolderState, now time.Time) status.Progress {
	p := c.fetcher.Progress()
	s := &c.saying
	if w.NeedFiles == 0 && !c.moving() {
		s.done = tally{}
	}
	done := s.done.bytes + p.BytesDone
	out := status.Progress{
		BytesDone: done, BytesTotal: s.done.bytes + max(w.NeedBytes, p.BytesTotal),
		FilesDone: s.done.files, FilesTotal: s.done.files + w.NeedFiles, ETA: -1, Scanned: c.scanned.Load(),
	}
	total := p.Received + p.Reused
	old := s.rates[s.rate]
	for _, r := range s.rates {
		if !r.at.IsZero() && r.at.Before(old.at) || old.at.IsZero() {
			old = r
		}
	}
	if dt := now.Sub(old.at); !old.at.IsZero() && dt > 0 && total >= old.bytes {
		out.Rate = int64(float64(total-old.bytes) / dt.Seconds())
	}
	if last := s.rates[(s.rate+len(s.rates)-1)%len(s.rates)]; now.Sub(last.at) >= 500*time.Millisecond {
		s.rates[s.rate] = sample{now, total}
		s.rate = (s.rate + 1) % len(s.rates)
	}
	if out.Rate > 0 && w.NeedBytes > 0 {
		out.ETA = max(0, out.BytesTotal-out.BytesDone) / out.Rate
	}
	if !c.moving() {
		out.Rate = 0
	}
	return out
}

// problems lists what can't be synced, a path each; bounded.
type problems struct {
	max     int
	scanned map[string]string // found by the last full scan
	carried map[string]string // found since
	more    int64             // that the last full scan did not list
}

func (p *problems) init(most int) {
	p.max = most
	if p.scanned == nil {
		p.scanned = map[string]string{}
	}
	if p.carried == nil {
		p.carried = map[string]string{}
	}
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
	p.scanned, p.more = map[string]string{}, s.MoreProblems
	for _, x := range s.Problems {
		p.scanned[x.Path] = x.Why
		delete(p.carried, x.Path)
	}
}

func (p *problems) clear(path string) { delete(p.carried, path) }

func (p *problems) list() []status.Problem {
	out := make([]status.Problem, 0, len(p.scanned)+len(p.carried))
	for _, m := range []map[string]string{p.scanned, p.carried} {
		for _, path := range slices.Sorted(maps.Keys(m)) {
			out = append(out, status.Problem{Path: path, Error: m[path]})
		}
	}
	if p.more > 0 {
		out = append(out, status.Problem{Path: ".", Error: fmt.Sprintf("%d more paths can't be synced", p.more)})
	}
	return out
}
