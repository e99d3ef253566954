package pairing

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pinion/engine/tree"
	"pinion/netproto/circle"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func seeded(n uint64) io.Reader { return rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)}) }

// device is one with a key and a circle; saving fails when broken is set.
type device struct {
	key    ed25519.PrivateKey
	circle *circle.Circle
	broken error
}

func newDevice(t fataler, n byte) *device {
	t.Helper()
	d := &device{key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, 32))}
	c, err := circle.New(d.Device())
	if err != nil {
		t.Fatal(err)
	}
	d.circle = c
	return d
}

func (d *device) PublicKey() ed25519.PublicKey { return d.key.Public().(ed25519.PublicKey) }
func (d *device) Device() tree.DeviceID        { return deviceOf(d.PublicKey()) }
func (d *device) Sign(domain string, message []byte) []byte {
	return ed25519.Sign(d.key, slices.Concat([]byte(domain), []byte{0}, message))
}

func (d *device) Welcome(peer ed25519.PublicKey) ([][]byte, error) {
	if d.broken != nil {
		return nil, d.broken
	}
	err := d.circle.Endorse(d, peer)
	return d.circle.Statements(), err
}

func (d *device) Join(peer ed25519.PublicKey, theirs [][]byte) ([][]byte, error) {
	if d.broken != nil {
		return nil, d.broken
	}
	_, _, err := d.circle.Join(d, peer, theirs)
	return d.circle.Statements(), err
}

func (d *device) side(name string, peer *device, exporter []byte) Side {
	return Side{Self: d.Device(), Name: name, Peer: peer.PublicKey(), Exporter: exporter, Roster: d}
}

type fataler interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// meeting is one connection between a desk's device and a joiner.
type meeting struct {
	t            fataler
	now          time.Time
	desk         *Desk
	pi, laptop   *device
	joinerSees   []byte // exporter
	inviterSees  []byte
	alter        func(n int, b []byte) []byte // of the nth message; nil cuts the connection
	joinerName   string
	sent         int
	i            *Inviter
	j            *Joiner
	iDone, jDone bool
}

func newMeeting(t fataler) *meeting {
	t.Helper()
	m := &meeting{t: t, now: noon, pi: newDevice(t, 1), laptop: newDevice(t, 2), joinerName: "laptop"}
	m.desk = NewDesk(m.pi.Device())
	m.joinerSees = bytes.Repeat([]byte{7}, ExporterLen)
	m.inviterSees = m.joinerSees
	return m
}

func (m *meeting) invite() Invitation {
	m.t.Helper()
	inv, err := m.desk.Invite(m.now, seeded(m.rand()), []string{"10.0.0.5:27464"})
	if err != nil {
		m.t.Fatal(err)
	}
	return inv
}

func (m *meeting) rand() uint64 { return uint64(len(m.desk.open)+len(m.desk.closed)) + 1 }

// run plays the exchange and gives what each side ended with.
func (m *meeting) run(inv Invitation) (joinErr, inviteErr error) {
	m.t.Helper()
	var err error
	m.sent, m.iDone, m.jDone = 0, false, false
	if m.i, err = m.desk.Answer(m.pi.side("pi", m.laptop, m.inviterSees)); err != nil {
		m.t.Fatal(err)
	}
	j, up, err := NewJoiner(inv, m.laptop.side(m.joinerName, m.pi, m.joinerSees))
	if err != nil {
		m.t.Fatal(err)
	}
	m.j = j
	var down [][]byte
	for len(up)+len(down) > 0 {
		for _, b := range m.wire(up) {
			if inviteErr != nil || m.iDone {
				break
			}
			var out [][]byte
			out, m.iDone, inviteErr = m.i.Receive(m.now, b)
			down = append(down, out...)
		}
		up = nil
		for _, b := range m.wire(down) {
			if joinErr != nil || m.jDone {
				break
			}
			var out [][]byte
			out, m.jDone, joinErr = m.j.Receive(b)
			up = append(up, out...)
		}
		down = nil
	}
	return joinErr, inviteErr
}

func (m *meeting) wire(in [][]byte) (out [][]byte) {
	for _, b := range in {
		if len(b) > MaxMessage {
			m.t.Fatalf("a message of %d bytes", len(b))
		}
		if m.alter != nil {
			b = m.alter(m.sent, b)
		}
		m.sent++
		if b == nil {
			return out
		}
		out = append(out, b)
	}
	return out
}

func (m *meeting) both() bool {
	return m.pi.circle.IsMember(m.laptop.Device()) && m.laptop.circle.IsMember(m.pi.Device())
}

func code(err error) (c Code, here bool) {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Code, r.Here
	}
	return 0, false
}

func TestJoin(t *testing.T) {
	m := newMeeting(t)
	inv := m.invite()
	if j, i := m.run(inv); j != nil || i != nil || !m.iDone || !m.jDone {
		t.Fatal(j, i, m.iDone, m.jDone)
	}
	if !m.both() {
		t.Error("they are not members to each other")
	}
	if m.i.PeerName() != "laptop" || m.j.PeerName() != "pi" {
		t.Errorf("names %q %q", m.i.PeerName(), m.j.PeerName())
	}
	if m.pi.circle.Digest() != m.laptop.circle.Digest() {
		t.Error("the circles differ")
	}
}

func TestJoinWithBigCirclesOnBothSides(t *testing.T) {
	m := newMeeting(t)
	fill := func(d *device, from byte) {
		for n := from; n < from+25; n++ {
			o := newDevice(t, n)
			if _, err := d.Join(o.PublicKey(), nil); err != nil {
				t.Fatal(err)
			}
			if _, err := o.Join(d.PublicKey(), d.circle.Statements()); err != nil {
				t.Fatal(err)
			}
			if _, err := o.circle.Cosign(o); err != nil {
				t.Fatal(err)
			}
			d.circle.Merge(o.circle.Statements())
		}
	}
	fill(m.pi, 10)
	fill(m.laptop, 100)
	if j, i := m.run(m.invite()); j != nil || i != nil || !m.jDone {
		t.Fatal(j, i)
	}
	if m.sent < 10 {
		t.Errorf("only %d messages: the test does not test what it should", m.sent)
	}
	if n := len(m.pi.circle.Members()); n != 52 || !m.both() {
		t.Error(n)
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name  string
		setup func(*meeting, *Invitation)
		code  Code
	}{
		{"expired", func(m *meeting, _ *Invitation) { m.now = m.now.Add(Lifetime) }, Expired},
		{"just in time", func(m *meeting, _ *Invitation) { m.now = m.now.Add(Lifetime - time.Second) }, 0},
		{"long forgotten", func(m *meeting, _ *Invitation) {
			m.now = m.now.Add(Lifetime)
			m.desk.Open(m.now)
			m.now = m.now.Add(rememberIt)
		}, NotOpen},
		{"unknown", func(_ *meeting, inv *Invitation) { inv.Secret[0]++ }, NotOpen},
		{"restarted", func(m *meeting, _ *Invitation) { m.desk = NewDesk(m.pi.Device()) }, NotOpen},
		{"withdrawn", func(m *meeting, _ *Invitation) { m.desk.Withdraw(m.now) }, NotOpen},
		{"pushed out", func(m *meeting, _ *Invitation) {
			for range MaxOpen {
				m.invite()
			}
		}, NotOpen},
		{"other connection", func(m *meeting, _ *Invitation) { m.joinerSees = make([]byte, ExporterLen) }, Wrong},
		{"inviter can't save", func(m *meeting, _ *Invitation) { m.pi.broken = errors.New("disk full") }, Failed},
		{"joiner can't save", func(m *meeting, _ *Invitation) { m.laptop.broken = errors.New("disk full") }, Failed},
		{"used by another", func(m *meeting, inv *Invitation) {
			other := m.laptop
			m.laptop = newDevice(m.t, 3)
			if j, i := m.run(*inv); j != nil || i != nil {
				m.t.Fatal(j, i)
			}
			m.laptop = other
		}, Used},
	} {
		m := newMeeting(t)
		inv := m.invite()
		c.setup(m, &inv)
		j, i := m.run(inv)
		jc, _ := code(j)
		ic, _ := code(i)
		if jc != c.code || ic != c.code {
			t.Errorf("%s: joiner %v, inviter %v", c.name, j, i)
		}
		if c.code != 0 && (m.laptop.circle.IsMember(m.pi.Device()) || m.jDone || m.iDone) {
			t.Errorf("%s: joined all the same", c.name)
		}
		if c.code != 0 && c.code != Failed && m.pi.circle.IsMember(m.laptop.Device()) {
			t.Errorf("%s: endorsed all the same", c.name)
		}
	}
}

func TestWhoFailsIsNamed(t *testing.T) {
	m := newMeeting(t)
	m.laptop.broken = errors.New("disk full")
	j, i := m.run(m.invite())
	if !strings.Contains(j.Error(), "this device") || !strings.Contains(j.Error(), "disk full") || !strings.Contains(i.Error(), "the other device") {
		t.Errorf("joiner %q, inviter %q", j, i)
	}
}

func TestThreeWrongProofsBurnAnInvitation(t *testing.T) {
	m := newMeeting(t)
	inv := m.invite()
	m.inviterSees = make([]byte, ExporterLen)
	for n, want := range []Code{Wrong, Wrong, TooMany, TooMany} {
		if got, _ := code(second(m.run(inv))); got != want {
			t.Fatalf("attempt %d: %v", n, got)
		}
	}
	m.inviterSees = m.joinerSees
	if got, _ := code(second(m.run(inv))); got != TooMany || m.both() {
		t.Error("a burnt invitation was good")
	}
	if j, i := m.run(m.invite()); j != nil || i != nil {
		t.Error("another invitation was burnt along", j, i)
	}
}

func second(_, err error) error { return err }

// A connection that is cut after any message leaves both sides such that the same
// invitation works again for the same device, and never half joined.
func TestCutAnywhereAndTryAgain(t *testing.T) {
	for n := range 4 {
		m := newMeeting(t)
		inv := m.invite()
		m.alter = func(k int, b []byte) []byte {
			if k == n {
				return nil
			}
			return b
		}
		m.run(inv)
		if m.jDone {
			t.Fatalf("cut at %d: the joiner thinks that it is finished", n)
		}
		if m.laptop.circle.IsMember(m.pi.Device()) && !m.pi.circle.IsMember(m.laptop.Device()) {
			t.Errorf("cut at %d: the joiner counts on an inviter that does not know it", n)
		}
		m.alter = nil
		if j, i := m.run(inv); j != nil || i != nil || !m.both() || !m.jDone {
			t.Errorf("cut at %d: once more: %v %v", n, j, i)
		}
	}
}

func TestAnImpostorIsFound(t *testing.T) {
	m := newMeeting(t)
	inv := m.invite()
	m.alter = func(k int, b []byte) []byte {
		if k != 1 {
			return b
		}
		msg, err := m.j.codec.decode(b)
		if err != nil {
			t.Fatal(err)
		}
		msg.Proof[0]++
		b, err = m.j.codec.encode(msg)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	j, _ := m.run(inv)
	if c, here := code(j); c != Wrong || !here || m.laptop.circle.IsMember(m.pi.Device()) {
		t.Error(j)
	}
}

// Whatever a message is turned into, nobody panics, and who has not shown the
// right proof for the right invitation is not endorsed.
func TestAlteredMessages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMeeting(t)
		inv := m.invite()
		at := rapid.IntRange(0, 3).Draw(t, "message")
		junk := rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "junk")
		pos := rapid.IntRange(0, 400).Draw(t, "position")
		proved := true
		m.alter = func(k int, b []byte) []byte {
			if k != at {
				return b
			}
			out := bytes.Clone(b)
			copy(out[pos%len(out):], junk)
			if at == 0 {
				was, _ := m.i.codec.decode(b)
				now, err := m.i.codec.decode(out)
				proved = err == nil && bytes.Equal(was.ID, now.ID) && bytes.Equal(was.Proof, now.Proof)
			}
			return out
		}
		m.run(inv)
		if endorsed := m.pi.circle.IsMember(m.laptop.Device()); endorsed != proved {
			t.Fatalf("proved %v, endorsed %v", proved, endorsed)
		}
	})
}

func TestJoiningOneself(t *testing.T) {
	m := newMeeting(t)
	inv := m.invite()
	if _, _, err := NewJoiner(inv, m.pi.side("pi", m.pi, m.joinerSees)); err == nil {
		t.Error("a device joined itself")
	}
	if _, _, err := NewJoiner(inv, m.pi.side("pi", m.laptop, m.joinerSees)); err == nil {
		t.Error("somebody else was taken for the inviter")
	}
	if _, err := m.desk.Answer(m.pi.side("pi", m.laptop, nil)); err == nil {
		t.Error("began without an exporter")
	}
}

func TestMessagesThatAreNotDue(t *testing.T) {
	c, err := newCodec()
	if err != nil {
		t.Fatal(err)
	}
	for _, msg := range []message{{Kind: ack}, {Kind: done}, {Kind: more}, {Kind: welcome, Proof: make([]byte, 32)}} {
		b, err := c.encode(msg)
		if err != nil {
			t.Fatal(err)
		}
		m := newMeeting(t)
		m.alter = func(k int, old []byte) []byte {
			if k == 0 {
				return b
			}
			return old
		}
		_, i := m.run(m.invite())
		if got, here := code(i); got != BadMessage || !here || m.both() {
			t.Errorf("kind %d: %v", msg.Kind, i)
		}
	}
}

func TestEachCodeHasASentence(t *testing.T) {
	seen := map[string]bool{}
	for c := Expired; c <= Failed+1; c++ {
		s := c.String()
		if seen[s] || !strings.Contains(s, ":") {
			t.Errorf("%d: %q", c, s)
		}
		seen[s] = true
	}
}

func TestDeskIsBounded(t *testing.T) {
	d := NewDesk(tree.DeviceID{1})
	if d.Expecting(noon) {
		t.Error("lets strangers in without an invitation")
	}
	for n := range uint64(100) {
		if _, err := d.Invite(noon, seeded(n), make([]string, 0)); err != nil {
			t.Fatal(err)
		}
	}
	if d.Open(noon) != MaxOpen || len(d.closed) != maxClosed {
		t.Error(d.Open(noon), len(d.closed))
	}
	if !d.Expecting(noon.Add(Lifetime)) || d.Expecting(noon.Add(Lifetime+rememberIt)) {
		t.Error("lets strangers in for the wrong time")
	}
	if _, err := d.Invite(noon, bytes.NewReader(nil), nil); err == nil {
		t.Error("made an invitation without randomness")
	}
	if _, err := d.Invite(noon, bytes.NewReader(make([]byte, 16)), nil); err == nil {
		t.Error("made a secret of zeros")
	}
}

func TestLinkRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		inv := Invitation{Expires: time.Unix(int64(rapid.Uint32().Draw(t, "expires")), 0).UTC()}
		copy(inv.Device[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "device"))
		copy(inv.Secret[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "secret"))
		hosts := rapid.SampledFrom([]string{"10.0.0.5", "192.168.178.20", "fd00::1", "2001:db8::1:2", "pi.local", "a", "x.example.org.", strings.Repeat("abcdefgh.", 27) + "org"})
		for range rapid.IntRange(0, MaxAddrs).Draw(t, "addresses") {
			port := rapid.OneOf(rapid.Just(uint16(DefaultPort)), rapid.Uint16Min(1)).Draw(t, "port")
			inv.Addrs = append(inv.Addrs, circle.JoinAddr(hosts.Draw(t, "host"), port))
		}
		link, err := inv.Link()
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{link, QRText(link), " \n\"" + link + "\".\r\n", "<" + link + ">", fold(link, 40)} {
			got, err := ParseLink(text)
			if err != nil || fmt.Sprint(got.Addrs) != fmt.Sprint(inv.Addrs) || got.Device != inv.Device || got.Secret != inv.Secret || !got.Expires.Equal(inv.Expires) {
				t.Fatalf("%q: %v", text, err)
			}
		}
	})
}

func fold(s string, n int) string {
	var out []string
	for ; len(s) > n; s = s[n:] {
		out = append(out, s[:n])
	}
	return strings.Join(append(out, s), "\r\n  ")
}

func TestLinkIsShort(t *testing.T) {
	inv := Invitation{Expires: noon, Addrs: []string{"192.168.178.20:27464", "10.8.0.3:27464", "[2001:db8:1:2:3:4:5:6]:27464"}}
	link, err := inv.Link()
	if err != nil || len(link) > 170 {
		t.Errorf("%d characters, %v", len(link), err)
	}
	if s := fmt.Sprintf("%v %s", inv, inv); strings.Contains(s, "Secret") || strings.Contains(s, "[0 0") {
		t.Errorf("printing shows the secret: %s", s)
	}
}

func TestWrongLinks(t *testing.T) {
	inv := Invitation{Device: tree.DeviceID{1, 2, 3}, Secret: [16]byte{4, 5, 6}, Expires: noon, Addrs: []string{"10.0.0.5:1"}}
	link, err := inv.Link()
	if err != nil {
		t.Fatal(err)
	}
	for i := len(LinkPrefix); i < len(link); i++ {
		for _, typo := range []string{link[:i], link[:i] + link[i+1:], link[:i] + "q" + link[i+1:]} {
			if _, err := ParseLink(typo); typo != link && !errors.Is(err, ErrMistyped) {
				t.Fatalf("%q: %v", typo, err)
			}
		}
	}
	for _, text := range []string{"", "hello", "https://example.org", link[1:], strings.Repeat("x", 10000)} {
		if _, err := ParseLink(text); !errors.Is(err, ErrNotLink) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	b, err := inv.encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		body []byte
		want error
	}{
		{append([]byte{2}, b[1:len(b)-sumLen]...), ErrNewer},
		{append([]byte{0}, b[1:len(b)-sumLen]...), ErrMistyped},
		{b[:30], ErrMistyped},
		{append(bytes.Clone(b[:len(b)-sumLen]), 0), ErrMistyped},
	} {
		if _, err := ParseLink(LinkPrefix + letters().EncodeToString(withSum(c.body))); !errors.Is(err, c.want) {
			t.Errorf("%v, want %v", err, c.want)
		}
	}
	for _, bad := range []Invitation{{Addrs: make([]string, MaxAddrs+1)}, {Addrs: []string{"x"}}, {Expires: time.Unix(1<<33, 0)}} {
		if _, err := bad.Link(); err == nil {
			t.Errorf("%v made a link", bad)
		}
	}
}

func FuzzParseLink(f *testing.F) {
	inv := Invitation{Device: tree.DeviceID{1, 2, 3}, Secret: [16]byte{4, 5, 6}, Expires: noon, Addrs: []string{"10.0.0.5:1", "[fd00::1]:27464", "pi:2"}}
	b, err := inv.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b[:len(b)-sumLen])
	f.Fuzz(func(t *testing.T, body []byte) {
		link := LinkPrefix + letters().EncodeToString(withSum(body))
		inv, err := ParseLink(link)
		if err != nil {
			return
		}
		again, err := inv.Link()
		if err != nil || !strings.EqualFold(again, link) {
			t.Fatalf("%q became %q (%v)", link, again, err)
		}
	})
}

func FuzzReceive(f *testing.F) {
	c, err := newCodec()
	if err != nil {
		f.Fatal(err)
	}
	for _, m := range []message{
		{Kind: hello, ID: make([]byte, 16), Name: "pi", Proof: make([]byte, 32)},
		{Kind: welcome, Proof: make([]byte, 32), Statements: [][]byte{{1}}, Follows: true},
		{Kind: refuse, Code: 3}, {Kind: ack},
	} {
		b, err := c.encode(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := newMeeting(t)
		inv := m.invite()
		i, err := m.desk.Answer(m.pi.side("pi", m.laptop, m.inviterSees))
		if err != nil {
			t.Fatal(err)
		}
		if _, finished, err := i.Receive(m.now, b); finished || err == nil {
			t.Fatal("an inviter took it")
		}
		j, _, err := NewJoiner(inv, m.laptop.side("laptop", m.pi, m.joinerSees))
		if err != nil {
			t.Fatal(err)
		}
		if _, finished, err := j.Receive(b); finished || err == nil {
			t.Fatal("a joiner took it")
		}
	})
}
