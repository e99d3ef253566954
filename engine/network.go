package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"pinion/engine/folder"
	"pinion/engine/transfer"
	"pinion/engine/tree"
)

// Network is what the engine needs of the circle of devices.
type Network interface {
	Invite(ctx context.Context) (link string, expires time.Time, err error)
	Join(ctx context.Context, link, address string) (tree.DeviceID, string, error)
	Members() []Member // the other devices of the circle
	OwnName() string   // as the circle calls this device
	Remove(ctx context.Context, dev tree.DeviceID) error
	Rename(ctx context.Context, dev tree.DeviceID, name string) error
	SetAddresses(typed map[tree.DeviceID][]string) // given by hand
	Sessions() []SessionInfo
	Listening() string
	Notes() []string // sentences about the network for the person
}

// Member is another device of the circle.
type Member struct {
	ID   tree.DeviceID
	Name string
}

// SessionInfo is how a device is connected, or why it is not.
type SessionInfo struct {
	Device    tree.DeviceID
	Connected bool
	Address   string
	RTT       time.Duration
	LastSeen  time.Time
	Software  string
	LastError string
	Bytes     uint64 // that passed in this session, both ways
}

// Session is a connection with another device.
type Session interface {
	folder.Peer
	SendOffers(offers []tree.Offer)
}

// Connected lets a device in. A later session takes the place of an earlier one.
func (e *Engine) Connected(s Session) {
	e.mu.Lock()
	e.sessions[s.Device()] = &member{session: s}
	e.mu.Unlock()
	e.log.Info("connected", "device", e.nameOf(s.Device()))
	s.SendOffers(e.openTo(s.Device()))
	e.changed()
}

// Disconnected says that a session has ended.
func (e *Engine) Disconnected(s Session, err error) {
	e.mu.Lock()
	m := e.sessions[s.Device()]
	if m == nil || m.session != s {
		e.mu.Unlock()
		return
	}
	delete(e.sessions, s.Device())
	folders := e.listLocked()
	e.mu.Unlock()
	for _, f := range folders {
		f.PeerDown(s.Device())
	}
	e.log.Info("disconnected", "device", e.nameOf(s.Device()), "err", err)
	e.changed()
}

// Offers takes the full list of folders that a device has open to us now.
func (e *Engine) Offers(s Session, offers []tree.Offer) {
	e.mu.Lock()
	m := e.sessions[s.Device()]
	if m == nil || m.session != s {
		e.mu.Unlock()
		return
	}
	m.offers = offers
	e.mu.Unlock()
	e.meet(s.Device())
	e.takeOffers()
	e.changed()
}

// meet brings each folder together with a device that has it open, and apart
// from one that has not.
func (e *Engine) meet(dev tree.DeviceID) {
	e.mu.Lock()
	m := e.sessions[dev]
	folders := e.listLocked()
	if m == nil {
		e.mu.Unlock()
		return
	}
	theirs := map[tree.FolderID]bool{}
	for _, o := range m.offers {
		theirs[o.Folder] = true
	}
	session, paused := m.session, e.devicePausedLocked(dev)
	e.mu.Unlock()
	for _, f := range folders {
		if theirs[f.ID()] && f.Open() && !paused {
			f.PeerUp(e.ctx, session)
		} else {
			f.PeerDown(dev)
		}
	}
}

// meetIn brings a folder together with the device of a session that tells of it
// before its list of folders has come, or while that is gone through: on streams of
// their own, one may overtake the other.
func (e *Engine) meetIn(s Session, f *folder.Folder) {
	e.mu.Lock()
	m := e.sessions[s.Device()]
	told := m != nil && m.session == s && !e.devicePausedLocked(s.Device()) &&
		(m.offers == nil || slices.ContainsFunc(m.offers, func(o tree.Offer) bool { return o.Folder == f.ID() }))
	e.mu.Unlock()
	if told && f.Open() {
		f.PeerUp(e.ctx, s)
	}
}

// openTo lists the folders that are open to a device.
func (e *Engine) openTo(dev tree.DeviceID) []tree.Offer {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := []tree.Offer{}
	if e.devicePausedLocked(dev) {
		return out
	}
	for _, f := range e.listLocked() {
		if f.Open() {
			out = append(out, tree.Offer{Folder: f.ID(), Name: f.Name()})
		}
	}
	return out
}

// State, Batch, Manifest and Serve hand on what concerns one folder.
func (e *Engine) State(s Session, st tree.FolderState) {
	if f := e.folder(st.Folder); f != nil {
		f.Heard(s.Device(), st)
	}
}

func (e *Engine) Batch(ctx context.Context, s Session, id tree.FolderID, b tree.Batch) error {
	f := e.folder(id)
	if f == nil {
		return nil
	}
	e.meetIn(s, f)
	err := f.Batch(ctx, s.Device(), b)
	if err != nil && ctx.Err() == nil && !errors.Is(err, context.Canceled) {
		e.log.Warn("a batch was not recorded", "folder", f.Name(), "device", e.nameOf(s.Device()), "err", err)
	}
	return err
}

func (e *Engine) Manifest(ctx context.Context, id tree.FolderID, content, base tree.ContentID) (tree.Manifest, error) {
	if f := e.folder(id); f != nil {
		return f.Manifest(ctx, content, base)
	}
	return nil, folder.ErrClosed
}

func (e *Engine) Serve(ctx context.Context, id tree.FolderID, wants []tree.Want, w transfer.PieceWriter) error {
	if f := e.folder(id); f != nil {
		return f.Serve(ctx, wants, w)
	}
	return folder.ErrClosed
}

// CircleChanged says that the list of members, or a name, has changed.
func (e *Engine) CircleChanged() {
	name := e.o.Network.OwnName()
	e.mu.Lock()
	if name != "" && name != e.cfg.Name {
		e.cfg.Name = name
		e.name.Store(&name)
		if err := e.saveLocked(); err != nil {
			e.log.Warn("this device's new name can't be kept", "err", err)
		}
	}
	e.mu.Unlock()
	e.changed()
}
