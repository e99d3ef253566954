package engine

import (
	"context"
	"slices"
	"sort"
	"strings"
	"time"

	"pinion/engine/config"
	"pinion/engine/status"
	"pinion/engine/tree"
)

// changed says that the state may have changed. It never blocks.
func (e *Engine) changed() {
	select {
	case e.dirty <- struct{}{}:
	default:
	}
}

// showEvery bounds how often the state is made anew.
const showEvery = 50 * time.Millisecond

// refresh is how often it is made anew although nothing was said to have changed:
// for round trips and pauses that end by themselves, and only while somebody is
// connected or something is paused.
const refresh = 10 * time.Second

// show keeps the board, and what devices are offered, up to date.
func (e *Engine) show(ctx context.Context) {
	tick := time.NewTicker(refresh)
	defer tick.Stop()
	var rest repose
	for {
		e.endPauses()
		if e.govern() {
			e.applyPauses()
		}
		e.offer()
		e.takeOffers()
		s := e.state()
		e.board.Post(s)
		if rest.over(s, e.o.Now()) {
			e.rest(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			continue
		case <-e.dirty:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(showEvery):
		}
	}
}

// told is what was last offered to a device, and in which session.
type told struct {
	session Session
	offers  []tree.Offer
}

// offer tells each device the folders that are open to it, where that has changed.
func (e *Engine) offer() {
	e.mu.Lock()
	sessions := make([]Session, 0, len(e.sessions))
	for _, m := range e.sessions {
		sessions = append(sessions, m.session)
	}
	e.mu.Unlock()
	for _, s := range sessions {
		offers := e.openTo(s.Device())
		e.mu.Lock()
		last := e.told[s.Device()]
		same := last.session == s && slices.Equal(last.offers, offers)
		e.told[s.Device()] = told{s, offers}
		e.mu.Unlock()
		if !same {
			s.SendOffers(offers)
			e.meet(s.Device())
		}
	}
}

// state makes the newest State.
func (e *Engine) state() status.State {
	e.mu.Lock()
	folders := e.listLocked()
	name, paused, note := e.cfg.Name, e.cfg.Paused, e.storeNote
	byHand := map[tree.DeviceID]config.Device{}
	for _, d := range e.cfg.Devices {
		byHand[d.ID] = d
	}
	automatic, sentence := e.automaticLocked(), e.ruling.verdict.Sentence()
	e.mu.Unlock()
	s := status.State{
		Device:  status.Self{ID: e.o.Device, Name: name, Version: e.o.Version, Listen: e.o.Network.Listening()},
		Paused:  status.Pause{State: "running", Reason: sentence},
		Folders: make([]status.Folder, 0, len(folders)), Devices: []status.Device{}, Offers: e.offers(),
		Notes: append(append([]string(nil), e.o.Notes...), e.o.Network.Notes()...),
	}
	if note != "" {
		s.Notes = append(s.Notes, note)
	}
	switch {
	case !paused.Over(e.o.Now()):
		s.Paused = status.Pause{State: "paused", Reason: "paused by hand", Until: paused.Until}
	case automatic != nil:
		s.Paused = *automatic
	}
	for _, f := range folders {
		s.Folders = append(s.Folders, f.State())
	}
	infos := map[tree.DeviceID]SessionInfo{}
	for _, i := range e.o.Network.Sessions() {
		infos[i.Device] = i
	}
	for _, m := range e.o.Network.Members() {
		i := infos[m.ID]
		d := status.Device{
			ID: m.ID, Name: m.Name, Connected: i.Connected, Address: i.Address,
			RTT: float64(i.RTT.Round(100*time.Microsecond)) / float64(time.Millisecond), Software: i.Software, Error: i.LastError,
		}
		if !i.LastSeen.IsZero() && !i.Connected {
			seen := i.LastSeen
			d.LastSeen = &seen
		}
		d.Given = slices.Clone(byHand[m.ID].Addresses)
		if p := byHand[m.ID].Paused; !p.Over(e.o.Now()) {
			d.Paused = &status.Pause{State: "paused", Reason: "paused by hand", Until: p.Until}
		}
		s.Devices = append(s.Devices, d)
	}
	sort.Slice(s.Devices, func(i, j int) bool { return strings.Compare(s.Devices[i].Name, s.Devices[j].Name) < 0 })
	return s
}

// Status waits for a state newer than after and gives the newest; with 0 it does
// not wait.
func (e *Engine) Status(ctx context.Context, after uint64) (status.State, error) {
	if after == 0 {
		if s := e.board.Now(); s.Version > 0 {
			return s, nil
		}
	}
	return e.board.After(ctx, after)
}
