package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pinion/engine/enginetest/memdisk"
	"pinion/engine/status"
	"pinion/platform/rootfs"
)

// Options say how stories are told.
type Options struct {
	Easy    bool // no files in the place of directories, no unreadable ones, true clocks
	Backups bool // indexes come back from old backups in every history, not only in some
	Sly     bool // power cuts leave other bytes under the same size and time on every disk, not only on some
	// Strict: what is known to come about counts as a fault, too: several conflict
	// copies of one content, and a joined version that stands for two outcomes for a while.
	Strict  bool
	Verbose bool   // everything is written down
	Words   bool   // only what persons and the weather do is written down
	Dir     string // where the indexes are for as long as a history lasts
}

// Result is what came of a history.
type Result struct {
	Faults []string // laws that were broken
	Trace  uint64   // equal for two runs in which the same happened
	Steps  int
	Text   string // with Options.Verbose or Words
}

// Play plays a story from beginning to end.
func Play(t *testing.T, s Story, o Options) (res Result) {
	dir, err := os.MkdirTemp(o.Dir, "sim-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	synctest.Test(t, func(t *testing.T) {
		h := &history{world: newWorld(s.Seed, dir, o), r: rand.New(rand.NewChaCha8(key(s.Seed, 2)))}
		if err := h.tell(s); err != nil {
			h.fault("%v", err)
		}
		h.end()
		h.mu.Lock()
		defer h.mu.Unlock()
		res = Result{Faults: append(h.faults, h.stampFaults...), Trace: h.trace.Sum64(), Steps: h.steps, Text: h.text.String()}
	})
	return res
}

// history is a story while it is told.
type history struct {
	*world
	r       *rand.Rand // whose turn it is
	steps   int
	starved string // who waits for the time being
	until   int
	calm    bool
}

func (h *history) tell(s Story) error {
	if err := h.begin(s); err != nil {
		return err
	}
	events := s.events
	for i := range s.steps {
		for len(events) > 0 && events[0].at <= i {
			if err := h.happen(events[0]); err != nil {
				return err
			}
			events = events[1:]
		}
		if err := h.step(); err != nil {
			return err
		}
	}
	if !h.quiet("after the story") {
		return nil
	}
	h.alike("after the story")
	h.judge("after the story")
	if len(h.faults) > 0 {
		return nil
	}
	return h.epilogue()
}

// begin makes the devices and what they hold at first.
func (h *history) begin(s Story) error {
	r := rand.New(rand.NewChaCha8(key(s.Seed, 3)))
	sly := rand.New(rand.NewChaCha8(key(s.Seed, 5))) // lots of its own, so that the others stay
	for range s.Devices {
		o := memdisk.Options{Sly: sly.IntN(4) == 0 || h.sly}
		if !s.plain {
			o.Grain = []time.Duration{0, 0, time.Millisecond, time.Second, 2 * time.Second}[r.IntN(5)]
			o.NoExchange = r.IntN(4) == 0
			o.NoSyncFS = r.IntN(4) == 0
		}
		if err := h.add(o); err != nil {
			return err
		}
	}
	for _, d := range h.devices {
		if d.n > 0 && r.IntN(2) == 0 {
			continue
		}
		for range r.IntN(8) {
			if r.IntN(4) == 0 {
				_ = d.disk.Mkdir(h.freshPath(d, r))
			}
			h.write(d, h.freshPath(d, r), h.words(d, r), false, r)
		}
	}
	for _, d := range h.devices {
		d.disk.Flush()
		if err := h.start(d); err != nil {
			return err
		}
	}
	return nil
}

// happen lets an event happen, while everybody holds still.
func (h *history) happen(e event) error {
	synctest.Wait()
	d := h.devices[e.dev]
	h.mark(fmt.Sprintf("event: %s %s", d.name, kindNames[e.kind]))
	if e.kind <= lastOfPerson {
		h.person(e, d)
		return nil
	}
	return h.weather(e, d)
}

// step lets one go on, or time pass.
func (h *history) step() error {
	synctest.Wait()
	h.steps++
	h.reconnect()
	if !h.calm && h.r.IntN(30) == 0 {
		for _, d := range h.devices {
			if err := h.startIfDown(d); err != nil {
				return err
			}
		}
	}
	list := h.gates.list()
	if h.steps >= h.until {
		h.starved, h.until = "", h.steps+20+h.r.IntN(60)
		if len(list) > 0 && h.r.IntN(2) == 0 {
			h.starved = list[h.r.IntN(len(list))].who
		}
	}
	if h.starved != "" && !h.calm {
		if others := slices.DeleteFunc(slices.Clone(list), func(w *waiter) bool { return w.who == h.starved }); len(others) > 0 {
			list = others
		}
	}
	switch {
	case len(list) == 0:
		h.sleep([]time.Duration{15 * time.Millisecond, 100 * time.Millisecond, time.Second, 7 * time.Second}[h.r.IntN(4)])
	case h.calm && h.r.IntN(20) == 0:
		h.sleep(time.Millisecond)
	case !h.calm && h.r.IntN(40) == 0:
		h.sleep([]time.Duration{time.Millisecond, 20 * time.Millisecond, time.Second, 20 * time.Second}[h.r.IntN(4)])
	default:
		w := list[h.r.IntN(len(list))]
		h.mark(w.String())
		h.gates.pass(w)
	}
	return nil
}

func (h *history) sleep(d time.Duration) {
	h.mark("time")
	time.Sleep(d)
}

// patience is how long devices may take to become level, once all is well.
const patience = 2 * time.Hour

// quiet mends what is broken and waits until all devices say that they are level.
func (h *history) quiet(when string) bool {
	synctest.Wait()
	h.mark("quiet")
	if err := h.clear(); err != nil {
		h.fault("%s: %v", when, err)
		return false
	}
	h.calm = true
	defer func() { h.calm = false }()
	level := 0
	for began := time.Now(); time.Since(began) < patience; {
		if !h.drain(when) {
			return false
		}
		for _, d := range h.devices {
			if err := h.startIfDown(d); err != nil {
				h.fault("%s: %v", when, err)
				return false
			}
		}
		if words := h.states(true); words == "" {
			level++
		} else {
			level = 0
		}
		if level == 4 {
			return true
		}
		h.sleep(5 * time.Second)
	}
	h.fault("%s: not level after %s: %s", when, patience, h.states(false))
	return false
}

// drain lets everybody go on until nobody waits.
func (h *history) drain(when string) bool {
	for range 200_000 {
		synctest.Wait()
		if len(h.gates.list()) == 0 {
			return true
		}
		if err := h.step(); err != nil {
			h.fault("%s: %v", when, err)
			return false
		}
	}
	h.fault("%s: it never rests", when)
	return false
}

// states says what keeps devices from being level; confirm answers their questions.
func (h *history) states(confirm bool) string {
	var words []string
	for _, d := range h.devices {
		if d.life == nil {
			words = append(words, d.name+" is down")
			continue
		}
		st, err := d.life.engine.Status(context.Background(), 0)
		if err != nil || len(st.Folders) != 1 {
			words = append(words, d.name+" has no folder")
			continue
		}
		f := st.Folders[0]
		if f.State == status.Held && confirm {
			h.log("%s: held: %s; confirmed", d.name, f.Reason)
			e := d.life.engine
			go func() { _ = e.Confirm(context.Background(), folderName) }()
		}
		if f.State != status.Synced || len(f.Peers) != len(h.devices)-1 {
			words = append(words, fmt.Sprintf("%s is %s (%s) need %+v peers %+v problems %v", d.name, f.State, f.Reason, f.Need, f.Peers, f.Problems))
		}
	}
	return strings.Join(words, "; ")
}

// end lets every life end.
func (h *history) end() {
	synctest.Wait()
	var over []chan struct{}
	for _, d := range h.devices {
		h.leave(d)
		over = append(over, d.last)
	}
	h.gates.openAll()
	for _, c := range over {
		<-c
	}
	synctest.Wait()
}

// epilogue does some simple things in a quiet world, whose outcome is known, and
// then looks whether it is silent at rest.
func (h *history) epilogue() error {
	r := rand.New(rand.NewChaCha8(key(h.seed, 4)))
	for round := range 2 {
		want := model{}
		for _, t := range h.devices[0].disk.Tree(false) {
			want[t.Path] = t
		}
		for range 1 + r.IntN(4) {
			h.plain(want, h.devices[r.IntN(len(h.devices))], r)
		}
		if round == 1 {
			for _, d := range h.devices {
				h.leave(d)
			}
		}
		when := fmt.Sprintf("after simple changes (%d)", round)
		if !h.quiet(when) {
			return nil
		}
		h.alike(when)
		h.judge(when)
		h.expect(when, want)
		if len(h.faults) > 0 {
			return nil
		}
	}
	return h.silence()
}

// model is what a tree should be.
type model map[string]memdisk.Thing

func (h *history) expect(when string, want model) {
	var list []memdisk.Thing
	for _, t := range want {
		list = append(list, t)
	}
	got := h.devices[0].disk.Tree(false)
	a, b := lines(list), lines(got)
	slices.Sort(a)
	slices.Sort(b)
	if !slices.Equal(a, b) {
		h.fault("%s: missing: %s; too much: %s", when, only(a, b), only(b, a))
	}
}

// plain does one simple thing to what nobody has touched since the last rest.
func (h *history) plain(want model, d *device, r *rand.Rand) {
	t, ok := h.pick(d, r, rootfs.Regular)
	if was, there := want[t.Path]; !ok || !there || was.Data != t.Data || t.Data == "" {
		return
	}
	h.log("%s: simple change of %s", d.name, t.Path)
	switch r.IntN(4) {
	case 0:
		text := h.words(d, r)
		h.write(d, t.Path, text, r.IntN(2) == 0, r)
		now, _ := stands(d, t.Path)
		want[t.Path] = now
	case 1:
		h.remove(d, t.Path, r)
		delete(want, t.Path)
	case 2:
		to := t.Path + ".moved"
		if _, there := stands(d, to); there || len(to) > 200 {
			return
		}
		_ = d.disk.Rename(t.Path, to)
		delete(want, t.Path)
		t.Path = to
		want[to] = t
	case 3:
		path := fmt.Sprintf("new-%d", r.IntN(1000))
		if _, there := want[path]; there {
			return
		}
		h.write(d, path, h.words(d, r), false, r)
		now, _ := stands(d, path)
		want[path] = now
	}
	d.disk.Flush()
}

// silence looks whether devices at rest are silent: no messages, no writing.
func (h *history) silence() error {
	h.calm = true
	rest := func(d time.Duration) bool {
		for range int(d / (5 * time.Minute)) {
			h.sleep(5 * time.Minute)
			if !h.drain("at rest") {
				return false
			}
		}
		return true
	}
	if !rest(3 * time.Hour) { // what was displaced lately is looked at for as long
		return nil
	}
	messages, changes := h.messages.Load(), int64(0)
	for _, d := range h.devices {
		changes -= d.disk.Changes()
	}
	h.log("at rest from here")
	if !rest(2 * time.Hour) {
		return nil
	}
	for _, d := range h.devices {
		changes += d.disk.Changes()
	}
	if n := h.messages.Load() - messages; n > 0 || changes > 0 {
		h.fault("at rest: %d messages and %d changes of disks in two hours", n, changes)
	}
	h.alike("at rest")
	return nil
}
