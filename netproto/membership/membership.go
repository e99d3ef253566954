package membership

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"pinion/engine/tree"
	"pinion/netproto"
	"pinion/netproto/circle"
	"pinion/netproto/discover"
	"pinion/netproto/identity"
	"pinion/netproto/pairing"
)

// Files in the home directory.
const (
	rosterFile = "circle"
	bookFile   = "addresses.json"
)

// Node is what membership needs of the transport.
type Node interface {
	SetPeers(list []netproto.Peer)
	Sessions() []netproto.Info
	Invite(addrs []string) (pairing.Invitation, error)
	Join(ctx context.Context, inv pairing.Invitation, addr string) (netproto.Joined, error)
	Kick()
}

// Options of a Membership.
type Options struct {
	Home     string
	Identity *identity.Identity
	Name     string
	Listen   string // HOST:PORT as it really is, for the addresses that are told
	LAN      discover.Network
	Now      func() time.Time
	Log      *slog.Logger
	Changed  func() // the members, or their names, are others now; must not block
	// WriteFile writes a small file whole or not at all, durably.
	WriteFile func(file string, data []byte, perm fs.FileMode) error
}

// Membership is safe for use by several goroutines.
type Membership struct {
	o    Options
	node Node
	wake chan struct{}

	mu       sync.Mutex
	circle   *circle.Circle
	book     *discover.Book
	typed    map[tree.DeviceID][]string
	sessions map[tree.DeviceID]*netproto.Session
	seen     map[tree.DeviceID]time.Time
	notes    []string
}

// Open reads the roster and the known addresses. A damaged roster is an error
// that names the file: it is never silently begun anew.
func Open(o Options) (*Membership, error) {
	m := &Membership{
		o: o, wake: make(chan struct{}, 1), book: discover.NewBook(),
		typed: map[tree.DeviceID][]string{}, sessions: map[tree.DeviceID]*netproto.Session{}, seen: map[tree.DeviceID]time.Time{},
	}
	file := filepath.Join(o.Home, rosterFile)
	b, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		m.circle, err = circle.New(o.Identity.Device())
	case err == nil:
		var rejected []error
		if m.circle, rejected, err = circle.Load(o.Identity.Device(), b); err != nil {
			err = fmt.Errorf("the list of your devices in %s is damaged (%w); move it away and join again from another device", file, err)
		}
		for _, r := range rejected {
			o.Log.Warn("a statement of the roster is left out", "err", r)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read the circle: %w", err)
	}
	m.loadBook()
	if err := m.sayAbout(); err != nil {
		return nil, err
	}
	return m, nil
}

// Attach gives the transport, and begins to keep it in line.
func (m *Membership) Attach(n Node) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.node = n
	m.alignLocked()
}

// addrsEvery is how often this device's own addresses are looked at: a laptop
// moves between networks.
const addrsEvery = 30 * time.Second

// Run looks for members on the local network and keeps this device's addresses
// up to date until ctx ends.
func (m *Membership) Run(ctx context.Context) error {
	var beside sync.WaitGroup
	defer beside.Wait()
	beside.Go(func() {
		if err := m.o.LAN.Announce(ctx); err != nil && ctx.Err() == nil {
			m.o.Log.Info("not announced on the local network", "err", err)
		}
	})
	beside.Go(func() {
		discover.Seek(ctx, discover.Seeking{
			Network: m.o.LAN, Wanted: m.unreachable, Found: m.found, Wake: m.wake, After: time.After, Jitter: rand.Float64,
			Failed: func(err error) { m.o.Log.Debug("look on the local network", "err", err) },
		})
	})
	tick := time.NewTicker(addrsEvery)
	defer tick.Stop()
	last := m.o.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := m.o.Now()
		slept := now.Round(0).Sub(last.Round(0)) > 3*addrsEvery
		last = now
		if m.refreshAddrs() || slept {
			m.mu.Lock()
			m.book.NetworkChanged()
			m.alignLocked()
			m.mu.Unlock()
			m.node.Kick()
			m.poke()
		}
	}
}

// refreshAddrs says this device's addresses anew if they are others now.
func (m *Membership) refreshAddrs() (changed bool) {
	m.mu.Lock()
	before := m.circle.Digest()
	m.mu.Unlock()
	if err := m.sayAbout(); err != nil {
		m.o.Log.Warn("this device's addresses can't be told", "err", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.circle.Digest() == before {
		return false
	}
	m.tellLocked(nil)
	return true
}

// Addrs are the addresses under which this device may be reached.
func (m *Membership) Addrs() []string {
	list, err := discover.Interfaces()
	if err != nil {
		m.o.Log.Debug("list network interfaces", "err", err)
	}
	addrs, err := discover.ListenAddrs(m.o.Listen, list)
	if err != nil {
		m.o.Log.Debug("own addresses", "err", err)
	}
	return addrs
}

// sayAbout puts this device's name and addresses into the roster.
func (m *Membership) sayAbout() error {
	addrs := m.Addrs()
	m.mu.Lock()
	defer m.mu.Unlock()
	changed, err := m.circle.SetAbout(m.o.Identity, m.o.Name, addrs, uint64(m.o.Now().Unix()))
	if err != nil {
		return fmt.Errorf("say this device's name: %w", err)
	}
	if changed {
		return m.saveLocked()
	}
	return nil
}

func (m *Membership) saveLocked() error {
	b, err := m.circle.Bytes()
	if err != nil {
		return err
	}
	return m.o.WriteFile(filepath.Join(m.o.Home, rosterFile), b, 0o600)
}

// alignLocked makes the Node's peers those of the roster.
func (m *Membership) alignLocked() {
	if m.node == nil {
		return
	}
	now := m.o.Now()
	var peers []netproto.Peer
	for _, x := range m.circle.Members() {
		if x.Device == m.o.Identity.Device() {
			continue
		}
		m.book.SetRoster(x.Device, x.Addrs, now)
		addrs := slices.Clone(m.typed[x.Device])
		for _, a := range m.book.Candidates(x.Device, now) {
			if !slices.Contains(addrs, a) {
				addrs = append(addrs, a)
			}
		}
		peers = append(peers, netproto.Peer{Device: x.Device, Addrs: addrs})
	}
	if m.circle.Removed() {
		peers = nil
	}
	m.node.SetPeers(peers)
}

// changedLocked keeps and spreads a change of the roster; from has told it.
func (m *Membership) changedLocked(from *netproto.Session) error {
	if _, err := m.circle.Cosign(m.o.Identity); err != nil {
		m.o.Log.Warn("endorse members", "err", err)
	}
	err := m.saveLocked()
	m.tellLocked(from)
	if m.farewellLocked() {
		time.AfterFunc(farewell, func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.alignLocked()
		})
	} else {
		m.alignLocked()
	}
	m.o.Changed()
	return err
}

// farewell is how long a connected device that is a member no more has to hear of
// it before it is cut off.
const farewell = 300 * time.Millisecond

// farewellLocked says whether somebody who is connected is a member no more.
func (m *Membership) farewellLocked() bool {
	for dev := range m.sessions {
		if !m.circle.IsMember(dev) {
			return true
		}
	}
	return false
}

func (m *Membership) tellLocked(except *netproto.Session) {
	all := m.circle.Statements()
	for _, s := range m.sessions {
		if s != except {
			s.SendRoster(all)
		}
	}
}

// Connected tells a member all statements.
func (m *Membership) Connected(s *netproto.Session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sessions[s.Device()] = s
	m.book.Good(s.Device(), s.RemoteAddr().String(), m.o.Now())
	m.saveBookLocked()
	s.SendRoster(m.circle.Statements())
}

// Disconnected forgets a session.
func (m *Membership) Disconnected(s *netproto.Session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen[s.Device()] = m.o.Now()
	if m.sessions[s.Device()] == s {
		delete(m.sessions, s.Device())
	}
	m.poke()
}

// Roster takes over what a member tells.
func (m *Membership) Roster(s *netproto.Session, statements [][]byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	changed, rejected := m.circle.Merge(statements)
	if len(rejected) > 0 {
		return netproto.Broken(fmt.Errorf("roster: %w", rejected[0]))
	}
	if !changed {
		return nil
	}
	return m.changedLocked(s)
}

func (m *Membership) poke() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// unreachable lists the members that are looked for.
func (m *Membership) unreachable() []tree.DeviceID {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []tree.DeviceID
	for _, x := range m.circle.Members() {
		if x.Device != m.o.Identity.Device() && m.sessions[x.Device] == nil {
			out = append(out, x.Device)
		}
	}
	return out
}

// found notes where a member was heard.
func (m *Membership) found(dev tree.DeviceID, addr string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.circle.IsMember(dev) && m.book.Add(discover.Known{Device: dev, Addr: addr, Source: discover.LAN, At: m.o.Now()}) {
		m.alignLocked()
	}
}

// Invite opens an invitation and gives its link.
func (m *Membership) Invite(context.Context) (link string, expires time.Time, err error) {
	addrs := m.Addrs()
	m.mu.Lock()
	removed := m.circle.Removed()
	m.mu.Unlock()
	if removed {
		return "", expires, errors.New("this device was removed from its circle; join again from another device before you invite")
	}
	inv, err := m.node.Invite(addrs)
	if err != nil {
		return "", expires, fmt.Errorf("invite: %w", err)
	}
	link, err = inv.Link()
	return link, inv.Expires, err
}

// ForPairing is the roster as the Node needs it when devices join.
func (m *Membership) ForPairing() pairing.Roster { return forPairing{m} }

type forPairing struct{ m *Membership }

func (r forPairing) Welcome(peer ed25519.PublicKey) ([][]byte, error) {
	m := r.m
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.circle.Endorse(m.o.Identity, peer); err != nil {
		return nil, err
	}
	err := m.changedLocked(nil)
	return m.circle.Statements(), err
}

func (r forPairing) Join(peer ed25519.PublicKey, theirs [][]byte) ([][]byte, error) {
	m := r.m
	m.mu.Lock()
	defer m.mu.Unlock()
	lost, rejected, err := m.circle.Join(m.o.Identity, peer, theirs)
	if err != nil {
		return nil, err
	}
	for _, x := range lost {
		m.o.Log.Warn("the other circle had removed a device, so it is a member no more", "device", x.Name)
	}
	for _, e := range rejected {
		m.o.Log.Warn("a statement of the other circle is left out", "err", e)
	}
	err = m.changedLocked(nil)
	return m.circle.Statements(), err
}

// Join redeems an invitation: address is tried first, then those in the link.
func (m *Membership) Join(ctx context.Context, link, address string) (tree.DeviceID, string, error) {
	inv, err := pairing.ParseLink(link)
	if err != nil {
		return tree.DeviceID{}, "", err
	}
	if inv.Device == m.o.Identity.Device() {
		return tree.DeviceID{}, "", errors.New("this device made the invitation itself; run pinion join on the other device")
	}
	if len(inv.Addrs) == 0 && address == "" {
		return tree.DeviceID{}, "", errors.New("the link names no address: say where the device that made it can be reached, as HOST:PORT (on the command line with --address)")
	}
	joined, err := m.node.Join(ctx, inv, address)
	var refused *pairing.Refusal
	if err != nil && address != "" && ctx.Err() == nil && !errors.As(err, &refused) {
		var again error
		if joined, again = m.node.Join(ctx, inv, ""); again != nil {
			return tree.DeviceID{}, "", err
		}
		err = nil
	}
	if err != nil {
		return tree.DeviceID{}, "", err
	}
	m.mu.Lock()
	m.book.Good(inv.Device, joined.Addr, m.o.Now())
	for _, l := range inv.Addrs {
		m.book.Add(discover.Known{Device: inv.Device, Addr: l, Source: discover.Link, At: m.o.Now()})
	}
	m.saveBookLocked()
	m.alignLocked()
	m.mu.Unlock()
	m.node.Kick()
	return inv.Device, joined.Name, nil
}

// Members lists the other devices of the circle.
func (m *Membership) Members() []circle.Member {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(m.circle.Members(), func(x circle.Member) bool { return x.Device == m.o.Identity.Device() })
}

// OwnName is what the circle calls this device.
func (m *Membership) OwnName() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	own, _ := m.circle.Member(m.o.Identity.Device())
	return own.Name
}

// Remove ends a device's membership, everywhere.
func (m *Membership) Remove(_ context.Context, dev tree.DeviceID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.circle.Remove(m.o.Identity, dev); err != nil {
		return err
	}
	m.book.Forget(dev)
	m.saveBookLocked()
	return m.changedLocked(nil)
}

// Rename gives a device another name, everywhere.
func (m *Membership) Rename(_ context.Context, dev tree.DeviceID, name string) error {
	if err := circle.CheckName(name); err != nil {
		return err
	}
	m.mu.Lock()
	if dev == m.o.Identity.Device() {
		m.o.Name = name
		m.mu.Unlock()
		if err := m.sayAbout(); err != nil {
			return err
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.changedLocked(nil)
	}
	defer m.mu.Unlock()
	changed, err := m.circle.Rename(m.o.Identity, dev, name)
	if err != nil || !changed {
		return err
	}
	return m.changedLocked(nil)
}

// SetAddresses says what a person typed of where devices are.
func (m *Membership) SetAddresses(typed map[tree.DeviceID][]string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.typed = typed
	m.alignLocked()
}

// Seen is when a device that is not connected was last connected; zero if never
// since the start.
func (m *Membership) Seen(dev tree.DeviceID) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.seen[dev]
}

// Notes are sentences for the person.
func (m *Membership) Notes() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.circle.Removed() {
		return append(slices.Clone(m.notes), "this device was removed from its circle by another one and syncs no more; join again to come back")
	}
	return slices.Clone(m.notes)
}
