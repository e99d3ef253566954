package membership_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pinion/engine/tree"
	"pinion/netproto"
	"pinion/netproto/discover"
	"pinion/netproto/identity"
	"pinion/netproto/membership"
)

// device is a Node on loopback with its place in a circle.
type device struct {
	t       *testing.T
	name    string
	home    string
	id      *identity.Identity
	members *membership.Membership
	node    *netproto.Node
	changes atomic.Int64
	stop    func()
}

// launch starts a device with this home; it is stopped with the test, or before.
func launch(t *testing.T, name, home string) *device {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Skipf("no UDP on loopback here: %v", err)
	}
	d := &device{t: t, name: name, home: home}
	if d.id, _, err = identity.Open(home, rand.Reader); err != nil {
		t.Fatal(err)
	}
	d.members, err = membership.Open(d.options(conn.LocalAddr().String()))
	if err != nil {
		t.Fatal(err)
	}
	d.node, err = netproto.New(netproto.Config{
		Identity: d.id, Handler: handler{d}, Roster: d.members.ForPairing(), PacketConn: conn, Name: name, Software: "test",
		Timing: netproto.Timing{RetryFirst: 20 * time.Millisecond, RetryMost: 200 * time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	d.members.Attach(d.node)
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{}, 2)
	go func() { _ = d.node.Run(ctx); over <- struct{}{} }()
	go func() { _ = d.members.Run(ctx); over <- struct{}{} }()
	stopped := false
	d.stop = func() {
		if !stopped {
			stopped = true
			cancel()
			<-over
			<-over
		}
	}
	t.Cleanup(d.stop)
	return d
}

func (d *device) options(listen string) membership.Options {
	return membership.Options{
		Home: d.home, Identity: d.id, Name: d.name, Listen: listen, LAN: discover.Off{}, Now: time.Now,
		Log: slog.New(slog.DiscardHandler), Changed: func() { d.changes.Add(1) }, WriteFile: os.WriteFile,
	}
}

// handler hands on what concerns the circle.
type handler struct{ d *device }

func (h handler) Connected(s *netproto.Session)                 { h.d.members.Connected(s) }
func (h handler) Disconnected(s *netproto.Session, _ error)     { h.d.members.Disconnected(s) }
func (handler) Offers(*netproto.Session, []tree.Offer) error    { return nil }
func (handler) State(*netproto.Session, tree.FolderState) error { return nil }
func (h handler) Roster(s *netproto.Session, st [][]byte) error { return h.d.members.Roster(s, st) }
func (handler) Batch(context.Context, *netproto.Session, tree.FolderID, tree.Batch) error {
	return nil
}
func (handler) Manifest(context.Context, *netproto.Session, tree.FolderID, tree.ContentID) (tree.Manifest, error) {
	return nil, netproto.ErrGone
}
func (handler) Serve(context.Context, *netproto.Session, tree.FolderID, []tree.Want, netproto.PieceWriter) error {
	return nil
}

// names lists the other members as d knows them.
func (d *device) names() []string {
	out := []string{}
	for _, m := range d.members.Members() {
		out = append(out, m.Name)
	}
	slices.Sort(out)
	return out
}

// connected says whether d has a session with each of these.
func (d *device) connected(others ...*device) bool {
	have := map[tree.DeviceID]bool{}
	for _, s := range d.node.Sessions() {
		have[s.Device] = s.Connected
	}
	for _, o := range others {
		if !have[o.id.Device()] {
			return false
		}
	}
	return true
}

func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (d *device) join(by *device) {
	d.t.Helper()
	link, expires, err := by.members.Invite(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	if left := time.Until(expires); left <= 0 || left > 15*time.Minute {
		d.t.Errorf("the invitation ends in %v", left)
	}
	dev, name, err := d.members.Join(d.t.Context(), link, "")
	if err != nil {
		d.t.Fatal(err)
	}
	if dev != by.id.Device() || name != by.name {
		d.t.Errorf("joined %s (%s), not %s", name, dev.Short(), by.name)
	}
}

// trio is three devices of which the third joined through the second.
func trio(t *testing.T) (laptop, pi1, pi2 *device) {
	t.Helper()
	laptop, pi1, pi2 = launch(t, "laptop", t.TempDir()), launch(t, "pi1", t.TempDir()), launch(t, "pi2", t.TempDir())
	pi1.join(laptop)
	pi2.join(pi1)
	await(t, "all to be connected", func() bool {
		return laptop.connected(pi1, pi2) && pi1.connected(laptop, pi2) && pi2.connected(laptop, pi1)
	})
	return laptop, pi1, pi2
}

func TestJoiningThroughAnyMemberJoinsAll(t *testing.T) {
	laptop, pi1, pi2 := trio(t)
	for d, want := range map[*device][]string{laptop: {"pi1", "pi2"}, pi1: {"laptop", "pi2"}, pi2: {"laptop", "pi1"}} {
		if got := d.names(); !slices.Equal(got, want) {
			t.Errorf("%s knows %v, not %v", d.name, got, want)
		}
		if d.changes.Load() == 0 {
			t.Errorf("%s was not told that its circle changed", d.name)
		}
		if d.members.OwnName() != d.name {
			t.Errorf("%s calls itself %s", d.name, d.members.OwnName())
		}
	}
}

func TestInvitationServesOnce(t *testing.T) {
	laptop, pi1 := launch(t, "laptop", t.TempDir()), launch(t, "pi1", t.TempDir())
	link, _, err := laptop.members.Invite(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := pi1.members.Join(t.Context(), link, ""); err != nil {
		t.Fatal(err)
	}
	thief := launch(t, "thief", t.TempDir())
	if _, _, err := thief.members.Join(t.Context(), link, ""); err == nil {
		t.Error("an invitation served twice")
	}
	if got := thief.names(); len(got) != 0 {
		t.Errorf("who was refused knows %v", got)
	}
}

func TestJoinThatCannotBe(t *testing.T) {
	laptop := launch(t, "laptop", t.TempDir())
	link, _, err := laptop.members.Invite(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for what, given := range map[string]string{"its own invitation": link, "nonsense": "pinion:nonsense", "nothing": ""} {
		if _, _, err := laptop.members.Join(t.Context(), given, ""); err == nil {
			t.Errorf("%s was accepted", what)
		}
	}
}

func TestRemovalWinsEverywhere(t *testing.T) {
	laptop, pi1, pi2 := trio(t)
	if err := laptop.members.Remove(t.Context(), pi2.id.Device()); err != nil {
		t.Fatal(err)
	}
	await(t, "pi1 to hear of it", func() bool { return slices.Equal(pi1.names(), []string{"laptop"}) })
	await(t, "pi2 to be let in by nobody", func() bool {
		return !laptop.connected(pi2) && !pi1.connected(pi2) && !pi2.connected(laptop) && !pi2.connected(pi1)
	})
	await(t, "pi2 to know and to say so", func() bool {
		return strings.Contains(strings.Join(pi2.members.Notes(), "\n"), "removed from its circle")
	})
	if _, _, err := pi2.members.Invite(t.Context()); err == nil {
		t.Error("who was removed can invite others")
	}
	if !laptop.connected(pi1) {
		await(t, "the others to stay connected", func() bool { return laptop.connected(pi1) })
	}
	pi2.join(pi1) // a new invitation brings it back
	await(t, "pi2 to be back", func() bool { return laptop.connected(pi2) && pi2.connected(pi1, laptop) })
}

func TestRemovalOfWhoIsOffCountsWhenItReturns(t *testing.T) {
	laptop, pi1, pi2 := trio(t)
	pi2.stop()
	if err := pi1.members.Remove(t.Context(), pi2.id.Device()); err != nil {
		t.Fatal(err)
	}
	await(t, "the laptop to hear of it", func() bool { return slices.Equal(laptop.names(), []string{"pi1"}) })
	back := launch(t, "pi2", pi2.home)
	await(t, "the removed device to be refused", func() bool {
		for _, s := range back.node.Sessions() {
			if s.LastError != nil {
				return true
			}
		}
		return false
	})
	await(t, "nobody to be connected with it", func() bool { return !laptop.connected(back) && !pi1.connected(back) })
}

func TestRosterAndAddressesSurviveARestart(t *testing.T) {
	laptop, pi1, pi2 := trio(t)
	laptop.stop()
	laptop = launch(t, "laptop", laptop.home) // on another port
	if got := laptop.names(); !slices.Equal(got, []string{"pi1", "pi2"}) {
		t.Errorf("after a restart it knows %v", got)
	}
	await(t, "the laptop to be connected again", func() bool { return laptop.connected(pi1, pi2) })
	if seen := pi1.members.Seen(laptop.id.Device()); seen.IsZero() {
		t.Error("nobody knows when the laptop was last seen")
	}
}

func TestRenamedDevices(t *testing.T) {
	laptop, pi1, pi2 := trio(t)
	if err := laptop.members.Rename(t.Context(), laptop.id.Device(), "desk"); err != nil {
		t.Fatal(err)
	}
	await(t, "all to know the laptop's own new name", func() bool {
		return slices.Equal(pi1.names(), []string{"desk", "pi2"}) && slices.Equal(pi2.names(), []string{"desk", "pi1"})
	})
	if err := pi1.members.Rename(t.Context(), pi2.id.Device(), "attic"); err != nil {
		t.Fatal(err)
	}
	await(t, "all to know the name that pi1 gave pi2", func() bool {
		return slices.Equal(laptop.names(), []string{"attic", "pi1"}) && pi2.members.OwnName() == "attic"
	})
	for _, bad := range []string{"", "two\nlines", strings.Repeat("long", 100)} {
		if err := pi1.members.Rename(t.Context(), pi2.id.Device(), bad); err == nil && bad != "" {
			t.Errorf("the name %q was accepted", bad)
		}
	}
	if err := pi1.members.Rename(t.Context(), tree.DeviceID{7}, "stranger"); err == nil {
		t.Error("a stranger was named")
	}
}

func TestDamagedRosterIsNamedAndNeverBegunAnew(t *testing.T) {
	laptop, _, _ := trio(t)
	laptop.stop()
	file := filepath.Join(laptop.home, "circle")
	if err := os.WriteFile(file, []byte("this is no roster"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := membership.Open(laptop.options("127.0.0.1:27464"))
	if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "join") {
		t.Errorf("a damaged roster: %v", err)
	}
	if b, _ := os.ReadFile(file); string(b) != "this is no roster" {
		t.Error("the damaged roster was overwritten")
	}
}

func TestDamagedAddressesAreLearntAnew(t *testing.T) {
	laptop, pi1, _ := trio(t)
	laptop.stop()
	if err := os.WriteFile(filepath.Join(laptop.home, "addresses.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	laptop = launch(t, "laptop", laptop.home)
	await(t, "the laptop to be connected again", func() bool { return laptop.connected(pi1) })
}

func TestForgedRosterEndsTheSession(t *testing.T) {
	laptop, pi1, _ := trio(t)
	var s *netproto.Session
	if err := laptop.members.Roster(s, [][]byte{[]byte("forged")}); err == nil {
		t.Error("a forged statement was taken")
	}
	if got := laptop.names(); !slices.Equal(got, []string{"pi1", "pi2"}) {
		t.Errorf("a forged statement changed the circle to %v", got)
	}
	_ = pi1
}

func TestRosterThatCannotBeKeptIsAnError(t *testing.T) {
	home := t.TempDir()
	id, _, err := identity.Open(home, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d := &device{t: t, name: "laptop", home: home, id: id}
	full := errors.New("the disk is full")
	o := d.options("127.0.0.1:27464")
	o.WriteFile = func(string, []byte, os.FileMode) error { return full }
	if _, err := membership.Open(o); !errors.Is(err, full) {
		t.Errorf("a roster that can't be written: %v", err)
	}
}
