package circle

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pinion/engine/tree"
)

// key is a device that can sign: key(1) is always the same one.
type key byte

var privateKeys = func() (all [8]ed25519.PrivateKey) {
	for k := range all {
		all[k] = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{byte(k)}, ed25519.SeedSize))
	}
	return all
}()

func (k key) private() ed25519.PrivateKey  { return privateKeys[k] }
func (k key) PublicKey() ed25519.PublicKey { return k.private().Public().(ed25519.PublicKey) }
func (k key) Device() tree.DeviceID        { return deviceOf(k.PublicKey()) }
func (k key) Sign(domain string, message []byte) []byte {
	return ed25519.Sign(k.private(), slices.Concat([]byte(domain), []byte{0}, message))
}

// world is some devices, each with its own copy.
type world struct {
	t      fataler
	copies map[key]*Circle
}

type fataler interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func newWorld(t fataler, n int) *world {
	w := &world{t, map[key]*Circle{}}
	for k := key(1); k <= key(n); k++ {
		w.copies[k] = w.fresh(k)
	}
	return w
}

func (w *world) fresh(k key) *Circle {
	w.t.Helper()
	c, err := New(k.Device())
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// pair is what a person does with an invitation of inviter at joiner.
func (w *world) pair(inviter, joiner key) {
	w.t.Helper()
	i, j := w.copies[inviter], w.copies[joiner]
	w.must(i.Endorse(inviter, joiner.PublicKey()))
	welcome := i.Statements()
	_, _, err := j.Join(joiner, inviter.PublicKey(), welcome)
	w.must(err)
	_, _, err = i.Join(inviter, joiner.PublicKey(), j.Statements())
	w.must(err)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) remove(by, who key) error { return w.copies[by].Remove(by, who.Device()) }

// tell carries all of from's statements to to, as a session between members does.
func (w *world) tell(from, to key) (changed bool) {
	w.t.Helper()
	changed, rejected := w.copies[to].Merge(w.copies[from].Statements())
	if len(rejected) > 0 {
		w.t.Fatal("an honest device's statements were rejected: ", rejected)
	}
	added, err := w.copies[to].Cosign(to)
	w.must(err)
	return changed || added
}

// settle lets all who are members to each other talk until nothing is new. With
// everyone, strangers talk too, as if somebody carried the sets around.
func (w *world) settle(everyone bool) {
	w.t.Helper()
	for range 100 {
		changed := false
		for a, ca := range w.copies {
			for b, cb := range w.copies {
				if a != b && (everyone || ca.IsMember(b.Device()) && cb.IsMember(a.Device())) {
					changed = w.tell(a, b) || changed
				}
			}
		}
		if !changed {
			return
		}
	}
	w.t.Fatal("the circle does not come to rest")
}

func (w *world) sees(k key) string {
	var out []string
	for _, m := range w.copies[k].Members() {
		for o := range w.copies {
			if o.Device() == m.Device {
				out = append(out, fmt.Sprint(byte(o)))
			}
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func (w *world) expect(k key, want string) {
	w.t.Helper()
	if got := w.sees(k); got != want {
		w.t.Fatalf("device %d sees %q, want %q", k, got, want)
	}
}

func TestJoiningThroughAnyMemberJoinsAll(t *testing.T) {
	w := newWorld(t, 4)
	w.expect(1, "1")
	w.pair(1, 2)
	w.pair(2, 3)
	w.settle(false)
	w.pair(3, 4)
	w.settle(false)
	for k := key(1); k <= 4; k++ {
		w.expect(k, "1 2 3 4")
	}
}

func TestTwoCirclesBecomeOne(t *testing.T) {
	w := newWorld(t, 5)
	w.pair(1, 2)
	w.pair(3, 4)
	w.pair(4, 5)
	w.settle(false)
	w.pair(2, 4)
	w.settle(false)
	for k := key(1); k <= 5; k++ {
		w.expect(k, "1 2 3 4 5")
	}
}

func TestRemovingTheInviterOrphansNobody(t *testing.T) {
	w := newWorld(t, 4)
	for k := key(2); k <= 4; k++ {
		w.pair(1, k)
		w.settle(false)
	}
	w.must(w.remove(3, 1))
	w.settle(false)
	for k := key(2); k <= 4; k++ {
		w.expect(k, "2 3 4")
	}
}

func TestARemovedDeviceKnowsWhenItIsTold(t *testing.T) {
	w := newWorld(t, 3)
	w.pair(1, 2)
	w.pair(1, 3)
	w.settle(false)
	w.must(w.remove(1, 3))
	w.tell(1, 3)
	w.expect(3, "3")
	if !w.copies[3].Removed() || w.copies[1].Removed() {
		t.Error("who is removed is not who thinks so")
	}
}

func TestReturnByANewInvitationOnly(t *testing.T) {
	w := newWorld(t, 3)
	w.pair(1, 2)
	w.pair(1, 3)
	w.settle(false)
	w.must(w.remove(2, 3))
	w.settle(false)
	// 3 has not heard, and says again all that it ever said.
	w.tell(3, 1)
	w.settle(false)
	w.expect(1, "1 2")
	w.pair(1, 3)
	w.settle(false)
	for k := key(1); k <= 3; k++ {
		w.expect(k, "1 2 3")
	}
	if w.copies[3].Removed() {
		t.Error("it is back but thinks that it is not")
	}
	w.must(w.remove(1, 3))
	w.settle(false)
	w.expect(2, "1 2")
	w.pair(2, 3)
	w.settle(false)
	w.expect(1, "1 2 3")
}

func TestWhatARemovedDeviceEndorsedIsGoneAndStaysGone(t *testing.T) {
	w := newWorld(t, 4)
	w.pair(1, 2)
	w.pair(1, 3)
	w.settle(false)
	w.must(w.remove(1, 3))
	w.tell(1, 2)
	w.pair(3, 4) // 3 is stolen: it does not listen, and invites
	w.tell(3, 1)
	w.expect(1, "1 2")
	w.pair(1, 3) // it comes back, but 4 was invited in a life that has ended
	w.settle(false)
	w.expect(1, "1 2 3")
	w.expect(3, "1 2 3")
}

func TestDevicesThatRemoveEachOtherAreBothGone(t *testing.T) {
	w := newWorld(t, 4)
	for k := key(2); k <= 4; k++ {
		w.pair(1, k)
		w.settle(false)
	}
	w.must(w.remove(1, 2))
	w.must(w.remove(2, 1))
	w.tell(1, 3)
	w.tell(2, 3)
	w.settle(false)
	w.expect(3, "3 4")
	w.expect(4, "3 4")
}

func TestPairingWithWhoRemovedUsNamesWhomItCosts(t *testing.T) {
	w := newWorld(t, 3)
	w.pair(2, 3)
	w.must(w.remove(3, 2)) // 2 hears nothing of it
	w.pair(2, 1)
	w.must(w.copies[3].Endorse(key(3), key(2).PublicKey()))
	lost, _, err := w.copies[2].Join(key(2), key(3).PublicKey(), w.copies[3].Statements())
	if err != nil || len(lost) != 1 || lost[0].Device != key(1).Device() {
		t.Fatal(lost, err)
	}
	w.settle(false)
	w.expect(2, "2 3")
	w.expect(3, "2 3")
	w.pair(2, 1)
	w.settle(false)
	for k := key(1); k <= 3; k++ {
		w.expect(k, "1 2 3")
	}
}

func TestAStrangersWordIsNothing(t *testing.T) {
	w := newWorld(t, 4)
	w.pair(1, 2)
	w.pair(3, 4)
	codec, err := newCodec()
	w.must(err)
	id := key(2).Device()
	no, err := codec.sign(key(3), body{Kind: remove, Subject: id[:], Count: 9})
	w.must(err)
	yes, err := codec.sign(key(3), body{Kind: endorse, Key: key(2).PublicKey(), Count: 9, As: 9})
	w.must(err)
	name, err := codec.sign(key(3), body{Kind: nick, Subject: id[:], Count: 9, Name: "stranger"})
	w.must(err)
	w.copies[1].Merge([][]byte{no.raw, yes.raw, name.raw})
	w.expect(1, "1 2")
	if m, _ := w.copies[1].Member(id); m.Name == "stranger" || m.Via != key(1).Device() {
		t.Error(m)
	}
}

func TestLeaving(t *testing.T) {
	w := newWorld(t, 3)
	w.pair(1, 2)
	w.pair(1, 3)
	w.settle(false)
	w.must(w.remove(2, 2))
	w.tell(2, 1)
	w.settle(false)
	w.expect(1, "1 3")
	w.expect(2, "2")
}

func TestRefusals(t *testing.T) {
	w := newWorld(t, 2)
	c := w.copies[1]
	if err := c.Remove(key(1), key(2).Device()); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	if _, err := c.Rename(key(1), key(2).Device(), "x"); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	if err := c.Endorse(key(2), key(1).PublicKey()); !errors.Is(err, ErrNotSelf) {
		t.Error(err)
	}
	if err := c.Endorse(key(1), key(1).PublicKey()); err == nil {
		t.Error("endorsed itself")
	}
	if err := c.Endorse(key(1), nil); err == nil {
		t.Error("endorsed nothing")
	}
	for _, name := range []string{" x", "a\nb", strings.Repeat("x", 65), "\x1b[2J", "\xff"} {
		if _, err := c.SetAbout(key(1), name, nil, 1); err == nil {
			t.Errorf("took the name %q", name)
		}
	}
	if _, err := c.SetAbout(key(1), "x", []string{"nowhere"}, 1); err == nil {
		t.Error("took an address that is none")
	}
	if len(c.Statements()) != 0 {
		t.Error("what was refused left something behind")
	}
}

func TestAboutAndNames(t *testing.T) {
	w := newWorld(t, 3)
	w.pair(1, 2)
	w.pair(1, 3)
	w.settle(false)
	name := func(want string, addrs ...string) {
		t.Helper()
		w.settle(false)
		for k := key(1); k <= 3; k++ {
			m, ok := w.copies[k].Member(key(2).Device())
			if !ok || m.Name != want || !slices.Equal(m.Addrs, addrs) {
				t.Fatalf("device %d sees %+v, want %s %v", k, m, want, addrs)
			}
		}
	}
	set := func(changed, want bool, err error) {
		t.Helper()
		if err != nil || changed != want {
			t.Fatal(changed, err)
		}
	}
	name(key(2).Device().Short())
	changed, err := w.copies[2].SetAbout(key(2), "pi", []string{"192.168.1.5:27464", "[fd00::1]:27464"}, 100)
	set(changed, true, err)
	name("pi", "192.168.1.5:27464", "[fd00::1]:27464")
	changed, err = w.copies[2].SetAbout(key(2), "pi", []string{"192.168.1.5:27464", "[fd00::1]:27464"}, 200)
	set(changed, false, err)
	changed, err = w.copies[2].SetAbout(key(2), "pi", []string{"10.0.0.5:27464"}, 50) // the clock was set back
	set(changed, true, err)
	name("pi", "10.0.0.5:27464")
	changed, err = w.copies[3].Rename(key(3), key(2).Device(), "attic")
	set(changed, true, err)
	name("attic", "10.0.0.5:27464")
	changed, err = w.copies[1].Rename(key(1), key(2).Device(), "cellar")
	set(changed, true, err)
	name("cellar", "10.0.0.5:27464")
	changed, err = w.copies[2].Rename(key(2), key(2).Device(), "")
	set(changed, true, err)
	name("pi", "10.0.0.5:27464")
	changed, err = w.copies[2].Rename(key(2), key(2).Device(), "")
	set(changed, false, err)
}

func TestSupersededStatementsDropOut(t *testing.T) {
	w := newWorld(t, 2)
	w.pair(1, 2)
	for i := range 50 {
		if _, err := w.copies[1].SetAbout(key(1), fmt.Sprint("name ", i), nil, 0); err != nil {
			t.Fatal(err)
		}
		w.must(w.remove(1, 2))
		w.pair(1, 2)
	}
	if n := len(w.copies[1].Statements()); n > 6 {
		t.Errorf("%d statements", n)
	}
	w.expect(2, "1 2")
}

func TestLoadGivesWhatBytesTook(t *testing.T) {
	w := newWorld(t, 3)
	w.pair(1, 2)
	w.pair(2, 3)
	w.settle(false)
	b, err := w.copies[1].Bytes()
	if err != nil {
		t.Fatal(err)
	}
	c, rejected, err := Load(key(1).Device(), b)
	if err != nil || len(rejected) > 0 || c.Digest() != w.copies[1].Digest() {
		t.Fatal(rejected, err)
	}
	for i := range b {
		if _, _, err := Load(key(1).Device(), b[:i]); err == nil {
			t.Fatalf("took %d of %d bytes", i, len(b))
		}
	}
}

func TestAlteredStatementsAreRejected(t *testing.T) {
	w := newWorld(t, 2)
	w.pair(1, 2)
	_, err := w.copies[1].SetAbout(key(1), "pi", []string{"10.0.0.5:27464"}, 7)
	w.must(err)
	_, err = w.copies[1].Rename(key(1), key(2).Device(), "two")
	w.must(err)
	w.must(w.remove(1, 2))
	for _, raw := range w.copies[1].Statements() {
		for i := range raw {
			cut := w.fresh(1)
			if changed, rejected := cut.Merge([][]byte{raw[:i]}); changed || len(rejected) != 1 {
				t.Fatalf("cut at %d: %v %v", i, changed, rejected)
			}
			for bit := range 8 {
				altered := bytes.Clone(raw)
				altered[i] ^= 1 << bit
				if changed, rejected := cut.Merge([][]byte{altered}); changed || len(rejected) != 1 {
					t.Fatalf("bit %d of byte %d: %v %v", bit, i, changed, rejected)
				}
			}
		}
		long := w.fresh(1)
		if changed, rejected := long.Merge([][]byte{append(bytes.Clone(raw), 0)}); changed || len(rejected) != 1 {
			t.Fatal("took a statement with something behind it")
		}
	}
}

// A member that floods the set can't keep its own removal out.
func TestAFloodDoesNotKeepARemovalOut(t *testing.T) {
	w := newWorld(t, 3)
	w.pair(1, 2)
	w.pair(1, 3)
	w.settle(false)
	codec, err := newCodec()
	w.must(err)
	// All of the flood would come before the removal, were it not for who signs.
	removal := place{remove, key(2).Device(), key(3).Device()}.tie()
	var flood [][]byte
	for i := 0; len(flood) < MaxStatements; i++ {
		var id tree.DeviceID
		id[0], id[1], id[2] = byte(i), byte(i>>8), byte(1+i>>16)
		if tie := (place{remove, key(3).Device(), id}).tie(); bytes.Compare(tie[:], removal[:]) > 0 {
			continue
		}
		s, err := codec.sign(key(3), body{Kind: remove, Subject: id[:], Count: 1})
		w.must(err)
		flood = append(flood, s.raw)
	}
	w.copies[1].Merge(flood)
	w.expect(1, "1 2 3")
	if n := len(w.copies[1].Statements()); n != MaxStatements {
		t.Fatalf("%d statements", n)
	}
	w.copies[2].Merge(flood)
	w.must(w.remove(2, 3))
	w.tell(2, 1)
	w.copies[1].Merge(flood)
	w.expect(1, "1 2")
	w.expect(2, "1 2")
	if n := len(w.copies[1].Statements()); n > MaxStatements {
		t.Fatalf("%d statements", n)
	}
}

func TestMergeIsBounded(t *testing.T) {
	w := newWorld(t, 1)
	if _, rejected := w.copies[1].Merge(make([][]byte, MaxStatements+1)); len(rejected) != maxRejected {
		t.Error(len(rejected))
	}
	if _, rejected := w.copies[1].Merge([][]byte{make([]byte, MaxStatement+1)}); len(rejected) != 1 {
		t.Error(rejected)
	}
}

// history makes a random past of a few devices and gives all that was ever said.
func history(t *rapid.T) (*world, [][]byte) {
	w := newWorld(t, 5)
	var said [][]byte
	device := rapid.Map(rapid.IntRange(1, 5), func(i int) key { return key(i) })
	for range rapid.IntRange(1, 15).Draw(t, "steps") {
		a, b := device.Draw(t, "a"), device.Draw(t, "b")
		switch op := rapid.SampledFrom([]string{"pair", "pair", "tell", "tell", "remove", "about", "rename"}).Draw(t, "op"); {
		case op == "pair" && a != b:
			w.pair(a, b)
		case op == "tell" && a != b:
			w.tell(a, b)
		case op == "remove":
			_ = w.remove(a, b)
		case op == "about":
			_, err := w.copies[a].SetAbout(a, fmt.Sprint("name ", len(said)), nil, 0)
			w.must(err)
		case op == "rename":
			_, _ = w.copies[a].Rename(a, b.Device(), fmt.Sprint("nick ", len(said)))
		}
		said = append(said, w.copies[a].Statements()...)
	}
	return w, said
}

// What arrives in any order, in any batches, any number of times, gives the same.
func TestMergeIsOrderFree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, said := history(t)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "shuffle"), 0))
		var first *Circle
		for range 4 {
			c := w.fresh(1)
			rng.Shuffle(len(said), func(i, j int) { said[i], said[j] = said[j], said[i] })
			for rest := said; len(rest) > 0; {
				n := 1 + rng.IntN(len(rest))
				if _, rejected := c.Merge(rest[:n]); len(rejected) > 0 {
					t.Fatal(rejected)
				}
				if changed, _ := c.Merge(rest[:n]); changed {
					t.Fatal("the same again changed something")
				}
				rest = rest[n:]
			}
			if first == nil {
				first = c
			}
			if c.Digest() != first.Digest() || fmt.Sprint(c.Members()) != fmt.Sprint(first.Members()) {
				t.Fatal("another order gave another circle")
			}
		}
	})
}

// When all was carried everywhere, all who are members to each other agree about
// everyone; nobody is a member whose removal stands.
func TestAllConverge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, _ := history(t)
		w.settle(true)
		for a, ca := range w.copies {
			if ca.Digest() != w.copies[1].Digest() {
				t.Fatal("the sets differ")
			}
			for b, cb := range w.copies {
				ab, ba := ca.IsMember(b.Device()), cb.IsMember(a.Device())
				if ab && ba && w.sees(a) != w.sees(b) {
					t.Fatalf("%d sees %s, %d sees %s", a, w.sees(a), b, w.sees(b))
				}
			}
		}
	})
}

func TestRemovalWins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, _ := history(t)
		w.settle(true)
		remover := key(rapid.IntRange(1, 5).Draw(t, "remover"))
		gone := key(rapid.IntRange(1, 5).Draw(t, "gone"))
		if remover == gone || !w.copies[remover].IsMember(gone.Device()) {
			t.Skip("the two drawn do not know each other: nothing to remove")
		}
		stale := w.copies[gone].Statements()
		w.must(w.remove(remover, gone))
		w.settle(true)
		for k, c := range w.copies {
			c.Merge(stale)
			_, err := c.Cosign(k)
			w.must(err)
		}
		w.settle(true)
		for k, c := range w.copies {
			if k != gone && c.IsMember(remover.Device()) && c.IsMember(gone.Device()) {
				t.Fatalf("%d still sees %d", k, gone)
			}
		}
	})
}

func FuzzMerge(f *testing.F) {
	w := newWorld(f, 3)
	w.pair(1, 2)
	_, err := w.copies[1].SetAbout(key(1), "pi", []string{"10.0.0.5:27464"}, 7)
	w.must(err)
	w.must(w.remove(1, 2))
	for _, raw := range w.copies[1].Statements() {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		codec, err := newCodec()
		if err != nil {
			t.Fatal(err)
		}
		s, err := codec.decode(raw)
		if err == nil && !bytes.Equal(s.raw, raw) {
			t.Fatal("decoded to something else")
		}
		c, err := New(key(3).Device())
		if err != nil {
			t.Fatal(err)
		}
		c.Merge([][]byte{raw})
		if len(c.Members()) != 1 {
			t.Fatal("somebody got in")
		}
	})
}

func FuzzLoad(f *testing.F) {
	w := newWorld(f, 2)
	w.pair(1, 2)
	b, err := w.copies[1].Bytes()
	w.must(err)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, _, err := Load(key(1).Device(), b); err == nil {
			c.Members()
		}
	})
}

func TestSplitAddr(t *testing.T) {
	for _, good := range []string{"10.0.0.5:27464", "[fd00::1]:1", "pi.local:65535", "pi.local.:80", "a_b:1"} {
		host, port, err := SplitAddr(good)
		if err != nil || JoinAddr(host, port) != good {
			t.Errorf("%q: %q %d %v", good, host, port, err)
		}
	}
	for _, bad := range []string{
		"", ":", ":1", "a", "a:", "a:0", "a:01", "a:+1", "a:65536", "fd00::1:1", "[fd00::1]", "[fe80::1%eth0]:1", "[10.0.0.1]:1",
		"a b:1", "a\n:1", "-a:1", "a..b:1", strings.Repeat("a", 64) + ":1", strings.Repeat("a.", 127) + "a:1", "ä:1", "[::1:1",
	} {
		if host, port, err := SplitAddr(bad); err == nil {
			t.Errorf("%q: took it as %q %d", bad, host, port)
		}
	}
}
