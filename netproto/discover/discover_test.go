package discover

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"pgregory.net/rapid"

	"pinion/engine/tree"
	"pinion/netproto/circle"
)

var (
	noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	pi   = tree.DeviceID{1}
)

func expect(t *testing.T, b *Book, at time.Time, want ...string) {
	t.Helper()
	if got := b.Candidates(pi, at); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCandidatesInOrder(t *testing.T) {
	b := NewBook()
	for _, k := range []Known{
		{pi, "pi.example:1", Roster, noon},
		{pi, "10.0.0.5:1", Roster, noon},
		{pi, "[fd00::5]:1", Roster, noon},
		{pi, "10.0.0.6:1", Link, noon},
		{pi, "10.0.0.7:1", Typed, noon},
		{pi, "10.0.0.8:1", LastGood, noon.Add(-time.Hour)},
		{pi, "10.0.0.9:1", LastGood, noon.Add(-time.Minute)},
		{pi, "10.0.0.5:1", LAN, noon},
	} {
		if !b.Add(k) {
			t.Fatal(k)
		}
	}
	expect(t, b, noon, "10.0.0.5:1", "10.0.0.9:1", "10.0.0.8:1", "10.0.0.7:1", "10.0.0.6:1", "[fd00::5]:1", "pi.example:1")
	expect(t, b, noon.Add(lanFresh+1), "10.0.0.9:1", "10.0.0.8:1", "10.0.0.7:1", "10.0.0.6:1", "[fd00::5]:1", "10.0.0.5:1", "pi.example:1")
	for range manyFailures {
		b.Failed(pi, "10.0.0.9:1")
		b.Failed(pi, "10.0.0.5:1")
	}
	expect(t, b, noon, "10.0.0.8:1", "10.0.0.7:1", "10.0.0.6:1", "[fd00::5]:1", "pi.example:1", "10.0.0.9:1", "10.0.0.5:1")
	b.Good(pi, "10.0.0.5:1", noon)
	b.NetworkChanged()
	expect(t, b, noon, "10.0.0.5:1", "10.0.0.9:1", "10.0.0.8:1", "10.0.0.7:1", "10.0.0.6:1", "[fd00::5]:1", "pi.example:1")
	b.SetRoster(pi, []string{"[fd00::6]:1"}, noon)
	expect(t, b, noon, "10.0.0.5:1", "10.0.0.9:1", "10.0.0.8:1", "10.0.0.7:1", "10.0.0.6:1", "[fd00::6]:1")
	expect(t, b, noon.Add(goodFresh+linkFresh), "10.0.0.7:1", "[fd00::6]:1")
}

func TestOneSpellingForEachAddress(t *testing.T) {
	b := NewBook()
	for _, a := range []string{"[::ffff:10.0.0.5]:1", "10.0.0.5:1", "PI.local.:2", "pi.local:2", "[FD00:0::5]:3", "[fd00::5]:3"} {
		b.Add(Known{pi, a, Typed, noon})
	}
	expect(t, b, noon, "[fd00::5]:3", "10.0.0.5:1", "pi.local:2")
	for _, a := range []string{"", "x", "0.0.0.0:1", "[::]:1", "[ff02::1]:1", "224.0.0.1:1", "a b:1", "10.0.0.5:0"} {
		if b.Add(Known{pi, a, Typed, noon}) {
			t.Errorf("took %q", a)
		}
	}
	if b.Add(Known{tree.DeviceID{}, "a:1", Typed, noon}) || b.Add(Known{pi, "a:1", 0, noon}) {
		t.Error("took something of nobody")
	}
}

func TestBookRemembers(t *testing.T) {
	b := NewBook()
	b.Add(Known{pi, "a:1", Typed, noon})
	b.Add(Known{pi, "b:1", Roster, noon})
	b.Good(pi, "c:1", noon)
	again := NewBook()
	for _, k := range b.Remember() {
		again.Add(k)
	}
	expect(t, again, noon, "c:1", "a:1")
	again.Forget(pi)
	expect(t, again, noon)
}

func TestBookIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := NewBook()
		b.Add(Known{pi, "typed:1", Typed, noon})
		for range rapid.IntRange(0, 80).Draw(t, "n") {
			addr := fmt.Sprintf("10.0.%d.%d:1", rapid.Byte().Draw(t, "a"), rapid.Byte().Draw(t, "b"))
			source := rapid.SampledFrom([]Source{LAN, LastGood, Link, Roster}).Draw(t, "source")
			at := noon.Add(time.Duration(rapid.IntRange(0, 1000).Draw(t, "s")) * time.Second)
			b.Add(Known{pi, addr, source, at})
			if rapid.Bool().Draw(t, "fail") {
				b.Failed(pi, addr)
			}
		}
		got := b.Candidates(pi, noon)
		if len(b.devices[pi]) > maxPerDevice || !slices.Contains(got, "typed:1") {
			t.Fatal(len(b.devices[pi]), got)
		}
		if s := slices.Sorted(slices.Values(got)); len(slices.Compact(s)) != len(got) {
			t.Fatal("an address twice: ", got)
		}
	})
	b := NewBook()
	for n := range maxDevices + 10 {
		b.Add(Known{tree.DeviceID{1, byte(n), byte(n >> 8)}, "a:1", Roster, noon})
	}
	if len(b.devices) != maxDevices {
		t.Error(len(b.devices))
	}
}

func ips(list ...string) (out []netip.Addr) {
	for _, s := range list {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

func TestListenAddrs(t *testing.T) {
	lo := Interface{Name: "lo", Up: true, Loopback: true, Addrs: ips("127.0.0.1", "::1")}
	eth := Interface{Name: "eth0", Up: true, Addrs: ips("fe80::1%eth0", "2001:db8::5", "fd00::5", "2001:db8::6", "192.168.1.5", "169.254.3.3")}
	docker := Interface{Name: "docker0", Up: true, Addrs: ips("172.17.0.1")}
	wg := Interface{Name: "wg0", Up: true, PointToPoint: true, Addrs: ips("10.8.0.3")}
	down := Interface{Name: "wlan0", Addrs: ips("192.168.2.5")}
	for _, c := range []struct {
		listen string
		ifs    []Interface
		want   string
	}{
		{":27464", []Interface{lo, docker, wg, eth, down}, "192.168.1.5:27464 [fd00::5]:27464 [2001:db8::5]:27464 10.8.0.3:27464 172.17.0.1:27464"},
		{"[::]:1", []Interface{lo, eth}, "192.168.1.5:1 [fd00::5]:1 [2001:db8::5]:1"},
		{"0.0.0.0:1", []Interface{lo, eth}, "192.168.1.5:1"},
		{":1", []Interface{lo, down}, "127.0.0.1:1 [::1]:1"},
		{"0.0.0.0:1", []Interface{lo}, "127.0.0.1:1"},
		{"127.0.0.1:1", []Interface{lo, eth}, "127.0.0.1:1"},
		{"pi.example.org:443", []Interface{lo, eth}, "pi.example.org:443"},
		{"[fd00::5]:1", []Interface{lo, eth}, "[fd00::5]:1"},
		{":1", nil, ""},
	} {
		got, err := ListenAddrs(c.listen, c.ifs)
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, %v; want %q", c.listen, got, err, c.want)
		}
	}
	for _, bad := range []string{"", "27464", ":0", ":http", ":70000", "a b:1", "[fe80::1%eth0]:1"} {
		if got, err := ListenAddrs(bad, []Interface{eth}); err == nil {
			t.Errorf("%q gave %q", bad, got)
		}
	}
	var many []Interface
	for n := range 50 {
		many = append(many, Interface{Name: fmt.Sprint("eth", n), Up: true, Addrs: ips(fmt.Sprintf("10.0.%d.1", n))})
	}
	if got, _ := ListenAddrs(":1", many); len(got) != circle.MaxAddrs {
		t.Error(len(got))
	}
}

func TestInterfacesGiveUsableAddresses(t *testing.T) {
	list, err := Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	addrs, err := ListenAddrs(":27464", list)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		if _, _, err := circle.SplitAddr(a); err != nil {
			t.Error(err)
		}
	}
}

func TestPaceGrowsAndStartsAnew(t *testing.T) {
	var p Pace
	last := time.Duration(0)
	for n := range 20 {
		wait := p.Next(0)
		if wait < last || wait > maxWait || (n < 5 && wait == last) {
			t.Fatalf("wait %d is %v after %v", n, wait, last)
		}
		last = wait
	}
	if last != maxWait || p.Next(0.999) > maxWait || p.Next(0.999) < maxWait*2/3 {
		t.Error(last)
	}
	p.Reset()
	if p.Next(0) != firstWait {
		t.Error("did not start anew")
	}
}

func TestBeaconIsKnownToMembersOnly(t *testing.T) {
	salt := [8]byte{1, 2, 3}
	b, ok := parseBeacon(newBeacon(pi, salt, []string{"10.0.0.5:1", "[fd00::5]:1"}).txt())
	if !ok || !slices.Equal(b.addrs, []string{"10.0.0.5:1", "[fd00::5]:1"}) {
		t.Fatal(b, ok)
	}
	if d, ok := b.of([]tree.DeviceID{{9}, pi}); !ok || d != pi {
		t.Error("a member does not know it")
	}
	if _, ok := b.of([]tree.DeviceID{{9}}); ok {
		t.Error("taken for another")
	}
	other := newBeacon(pi, [8]byte{4}, nil)
	if other.hash == b.hash {
		t.Error("the salt changes nothing")
	}
	for _, text := range newBeacon(pi, salt, nil).txt() {
		if strings.Contains(text, fmt.Sprintf("%x", pi[:8])) {
			t.Error("the device id is announced")
		}
	}
}

func FuzzParseBeacon(f *testing.F) {
	f.Add(strings.Join(newBeacon(pi, [8]byte{1}, []string{"10.0.0.5:1"}).txt(), "\n"))
	f.Fuzz(func(t *testing.T, text string) {
		b, ok := parseBeacon(strings.Split(text, "\n"))
		if !ok {
			return
		}
		again, ok := parseBeacon(b.txt())
		if !ok || fmt.Sprint(again) != fmt.Sprint(b) || len(b.addrs) > maxBeaconAddrs {
			t.Fatal(b, again)
		}
	})
}

// fakeNetwork counts looks and finds pi at the second.
type fakeNetwork struct {
	Off
	looks chan int
	n     int
}

func (f *fakeNetwork) Lookup(_ context.Context, wanted []tree.DeviceID, found func(tree.DeviceID, string)) error {
	f.n++
	f.looks <- f.n
	if f.n == 1 {
		return errors.New("no network")
	}
	found(wanted[0], "10.0.0.5:1")
	return nil
}

func TestSeekIsSilentWhenNobodyIsMissing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	net := &fakeNetwork{looks: make(chan int, 8)}
	wake, tick := make(chan struct{}), make(chan time.Time)
	waits := make(chan time.Duration, 8)
	asked := make(chan bool, 8)
	found, failed := make(chan string, 8), make(chan error, 8)
	missing := make(chan bool, 8)
	missing <- false
	done := make(chan struct{})
	go func() {
		defer close(done)
		Seek(ctx, Seeking{
			Network: net,
			Wanted: func() []tree.DeviceID {
				asked <- true
				if <-missing {
					return []tree.DeviceID{pi}
				}
				return nil
			},
			Found:  func(_ tree.DeviceID, a string) { found <- a },
			Wake:   wake,
			After:  func(d time.Duration) <-chan time.Time { waits <- d; return tick },
			Jitter: func() float64 { return 0 },
			Failed: func(err error) { failed <- err },
		})
	}()
	<-asked // nobody is missing: no look, no timer
	missing <- true
	wake <- struct{}{}
	if n := <-net.looks; n != 1 || len(waits) > 1 {
		t.Fatal(n)
	}
	if err := <-failed; err == nil || <-waits != firstWait {
		t.Fatal(err)
	}
	<-asked
	missing <- true
	tick <- time.Time{}
	if a := <-found; a != "10.0.0.5:1" || <-waits != 3*firstWait {
		t.Fatal(a)
	}
	<-asked
	missing <- false
	tick <- time.Time{}
	<-asked
	cancel()
	<-done
	if net.n != 2 || len(waits) != 0 {
		t.Errorf("%d looks, %d timers", net.n, len(waits))
	}
}

func TestZoneAnswersForItselfOnly(t *testing.T) {
	m, err := NewMDNS(pi, rand.Reader, func() []string { return []string{"10.0.0.5:27464", "[fd00::5]:27464"} })
	if err != nil {
		t.Fatal(err)
	}
	records := zone{m}.Records(dns.Question{Name: service + "." + domain, Qtype: dns.TypePTR})
	var srv, a, aaaa, txt int
	for _, r := range records {
		switch rr := r.(type) {
		case *dns.SRV:
			srv = int(rr.Port)
		case *dns.A:
			a++
		case *dns.AAAA:
			aaaa++
		case *dns.TXT:
			txt++
			got := ""
			report(rr.Txt, []tree.DeviceID{pi}, func(_ tree.DeviceID, addr string) { got += addr + " " })
			if got != "10.0.0.5:27464 [fd00::5]:27464 " {
				t.Errorf("heard %q", got)
			}
		}
	}
	if srv != 27464 || a != 1 || aaaa != 1 || txt != 1 {
		t.Error(srv, a, aaaa, txt)
	}
	for _, name := range []string{"_http._tcp.local.", "example.org.", ""} {
		if got := (zone{m}).Records(dns.Question{Name: name, Qtype: dns.TypePTR}); len(got) > 0 {
			t.Errorf("%q: %v", name, got)
		}
	}
	if _, err := NewMDNS(pi, strings.NewReader(""), nil); err == nil {
		t.Error("made a salt of nothing")
	}
}

// multicastWorks says whether this machine hands a multicast datagram of ours
// back to us on an interface.
func multicastWorks(t *testing.T, ifi net.Interface) bool {
	group := &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: 5353}
	l, err := net.ListenMulticastUDP("udp4", &ifi, group)
	if err != nil {
		return false
	}
	defer l.Close()
	query, err := new(dns.Msg).SetQuestion("_probe._udp.local.", dns.TypePTR).Pack()
	if err != nil {
		t.Fatal(err)
	}
	out, err := net.DialUDP("udp4", nil, group)
	if err != nil {
		return false
	}
	defer out.Close()
	if _, err := out.Write(query); err != nil {
		return false
	}
	_ = l.SetReadDeadline(time.Now().Add(time.Second))
	_, _, err = l.ReadFromUDP(make([]byte, 1500))
	return err == nil
}

func TestMDNSFindsADeviceOnTheLocalNetwork(t *testing.T) {
	ifs, err := multicastInterfaces()
	if err != nil {
		t.Fatal(err)
	}
	if len(ifs) == 0 || !multicastWorks(t, ifs[0]) {
		t.Skip("no interface of this machine carries multicast: the local network can't be tried")
	}
	m, err := NewMDNS(pi, rand.Reader, func() []string { return []string{"10.0.0.5:27464", "[fd00::5]:27464"} })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Announce(ctx) }()
	asker, err := NewMDNS(tree.DeviceID{2}, rand.Reader, func() []string { return nil })
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for range 5 { // a datagram may be lost
		err := asker.Lookup(ctx, []tree.DeviceID{{9}, pi}, func(d tree.DeviceID, a string) {
			if d != pi {
				t.Errorf("found %v", d)
			}
			got = append(got, a)
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(got) > 0 {
			break
		}
	}
	slices.Sort(got)
	if fmt.Sprint(slices.Compact(got)) != "[10.0.0.5:27464 [fd00::5]:27464]" {
		t.Errorf("found %q", got)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestOffIsSilent(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (Off{}).Announce(ctx); err != nil {
		t.Error(err)
	}
	if err := (Off{}).Lookup(ctx, []tree.DeviceID{pi}, nil); err != nil {
		t.Error(err)
	}
}
