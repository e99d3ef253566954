package discover

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"pinion/engine/tree"
	"pinion/netproto/circle"
)

// Source is who told an address.
type Source uint8

const (
	LAN      Source = iota + 1 // heard on the local network
	LastGood                   // it answered there before
	Typed                      // a person
	Link                       // an invitation
	Roster                     // the device itself, through the circle
)

const (
	maxDevices    = 1024
	maxPerDevice  = 32
	lanFresh      = 10 * time.Minute    // an unrenewed LAN hint is worth nothing after it
	goodFresh     = 90 * 24 * time.Hour // after it, LastGood is forgotten
	linkFresh     = 30 * 24 * time.Hour
	manyFailures  = 3 // in a row: tried after all others
	failuresLimit = 1 << 20
)

// Known is one thing that is known about where a device may be. Typed and
// LastGood ones are worth keeping over a restart.
type Known struct {
	Device tree.DeviceID
	Addr   string // HOST:PORT
	Source Source
	At     time.Time // when it was last told, or last answered
}

// Book knows the candidate addresses of each device. Bounded, and not safe for
// use by several goroutines at once.
type Book struct {
	devices map[tree.DeviceID]map[entryKey]*candidate
}

type entryKey struct {
	addr   string
	source Source
}

type candidate struct {
	at     time.Time
	failed int
}

// NewBook is an empty one.
func NewBook() *Book { return &Book{devices: map[tree.DeviceID]map[entryKey]*candidate{}} }

// Add notes an address, and says whether it is one.
func (b *Book) Add(k Known) bool {
	addr, ok := normal(k.Addr)
	if !ok || k.Source < LAN || k.Source > Roster || k.Device.IsZero() {
		return false
	}
	all := b.devices[k.Device]
	if all == nil {
		if len(b.devices) >= maxDevices {
			return false
		}
		all = map[entryKey]*candidate{}
		b.devices[k.Device] = all
	}
	key := entryKey{addr, k.Source}
	if old := all[key]; old != nil {
		if k.At.After(old.at) {
			old.at = k.At
		}
		if k.Source != Roster { // told anew, it deserves a new try
			old.failed = 0
		}
		return true
	}
	all[key] = &candidate{at: k.At}
	for len(all) > maxPerDevice {
		delete(all, slices.MaxFunc(slices.Collect(maps.Keys(all)), func(x, y entryKey) int {
			return cmp.Or(boolInt(x.source != Typed)-boolInt(y.source != Typed), compare(all, x, y))
		}))
	}
	return true
}

// SetRoster replaces all that a device said of itself.
func (b *Book) SetRoster(device tree.DeviceID, addrs []string, now time.Time) {
	kept := map[string]bool{}
	for _, a := range addrs {
		if n, ok := normal(a); ok {
			kept[n] = true
		}
		b.Add(Known{device, a, Roster, now})
	}
	maps.DeleteFunc(b.devices[device], func(k entryKey, _ *candidate) bool { return k.source == Roster && !kept[k.addr] })
}

// Good notes that the device answered at addr.
func (b *Book) Good(device tree.DeviceID, addr string, now time.Time) {
	addr, ok := normal(addr)
	if !ok {
		return
	}
	for k, c := range b.devices[device] {
		if k.addr == addr {
			c.failed = 0
		}
	}
	b.Add(Known{device, addr, LastGood, now})
}

// Failed notes that nobody, or somebody else, answered at addr.
func (b *Book) Failed(device tree.DeviceID, addr string) {
	addr, _ = normal(addr)
	for k, c := range b.devices[device] {
		if k.addr != addr {
			continue
		}
		if c.failed = min(c.failed+1, failuresLimit); c.failed >= manyFailures && k.source == LAN {
			delete(b.devices[device], k) // it was a hint, and a wrong one
		}
	}
}

// Candidates are the addresses to try, best first, each once: what was heard on
// the LAN, what answered last, then what a person or an invitation or the device
// itself said; those that failed three times in a row come after all others.
func (b *Book) Candidates(device tree.DeviceID, now time.Time) []string {
	b.expire(device, now)
	all := b.devices[device]
	keys := slices.SortedFunc(maps.Keys(all), func(x, y entryKey) int { return compare(all, x, y) })
	var out []string
	for _, k := range keys {
		if !slices.Contains(out, k.addr) {
			out = append(out, k.addr)
		}
	}
	return out
}

// Remember gives what is worth keeping over a restart, to be given to Add then.
func (b *Book) Remember() (out []Known) {
	for d, all := range b.devices {
		for k, c := range all {
			if k.source == Typed || k.source == LastGood {
				out = append(out, Known{d, k.addr, k.source, c.at})
			}
		}
	}
	slices.SortFunc(out, func(x, y Known) int {
		return cmp.Or(slices.Compare(x.Device[:], y.Device[:]), cmp.Compare(x.Source, y.Source), cmp.Compare(x.Addr, y.Addr))
	})
	return out
}

// NetworkChanged forgets what was heard on the network that we have left, and
// gives every address a new chance.
func (b *Book) NetworkChanged() {
	for _, all := range b.devices {
		maps.DeleteFunc(all, func(k entryKey, _ *candidate) bool { return k.source == LAN })
		for _, c := range all {
			c.failed = 0
		}
	}
}

// Forget drops a device.
func (b *Book) Forget(device tree.DeviceID) { delete(b.devices, device) }

func (b *Book) expire(device tree.DeviceID, now time.Time) {
	maps.DeleteFunc(b.devices[device], func(k entryKey, c *candidate) bool {
		age := now.Sub(c.at)
		switch k.source {
		case LAN:
			return age > lanFresh
		case LastGood:
			return age > goodFresh
		case Link:
			return age > linkFresh
		}
		return false
	})
	if len(b.devices[device]) == 0 {
		delete(b.devices, device)
	}
}

// compare orders two of a device's candidates; it is total.
func compare(all map[entryKey]*candidate, x, y entryKey) int {
	a, b := all[x], all[y]
	return cmp.Or(
		boolInt(a.failed >= manyFailures)-boolInt(b.failed >= manyFailures),
		cmp.Compare(x.source, y.source),
		lateFirst(x.source, a, b),
		family(x.addr)-family(y.addr),
		cmp.Compare(x.addr, y.addr),
	)
}

// lateFirst: of several places where a device answered, the latest.
func lateFirst(s Source, a, b *candidate) int {
	if s != LastGood {
		return 0
	}
	return b.at.Compare(a.at)
}

func family(addr string) int {
	ip, err := netip.ParseAddrPort(addr)
	switch {
	case err != nil:
		return 2 // a name costs a look-up
	case ip.Addr().Is6():
		return 0
	}
	return 1
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// normal gives each address one spelling.
func normal(addr string) (string, bool) {
	host, port, err := circle.SplitAddr(addr)
	if err != nil {
		return "", false
	}
	host = strings.ToLower(strings.TrimRight(host, ".")) // a rooted name; "0.0.0.0." is an address in disguise
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap()
		if ip.IsUnspecified() || ip.IsMulticast() {
			return "", false
		}
		return circle.JoinAddr(ip.String(), port), true
	}
	return circle.JoinAddr(host, port), true
}
