package discover

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/mdns"
	"github.com/miekg/dns"

	"pinion/engine/tree"
	"pinion/netproto/circle"
)

const (
	service    = "_pinion._udp"
	domain     = "local."
	listenFor  = time.Second
	maxHeard   = 64 // answers to one look
	maxMDNSIfs = 4
)

// MDNS is discovery by multicast DNS (RFC 6762).
type MDNS struct {
	self  tree.DeviceID
	salt  [8]byte
	addrs func() []string // HOST:PORT, most useful first
	ifs   func() ([]net.Interface, error)
}

// NewMDNS is the local network for the device self, which is reached at what
// addrs gives at any time. Nothing is sent yet.
func NewMDNS(self tree.DeviceID, random io.Reader, addrs func() []string) (*MDNS, error) {
	m := &MDNS{self: self, addrs: addrs, ifs: multicastInterfaces}
	if _, err := io.ReadFull(random, m.salt[:]); err != nil {
		return nil, fmt.Errorf("draw salt: %w", err)
	}
	return m, nil
}

// Announce implements Network. It sends nothing but answers.
func (m *MDNS) Announce(ctx context.Context) error {
	ifs, err := m.ifs()
	if err != nil {
		return err
	}
	var servers []*mdns.Server
	defer func() {
		for _, s := range servers {
			_ = s.Shutdown()
		}
	}()
	var failed error
	for _, i := range ifs {
		s, err := mdns.NewServer(&mdns.Config{Zone: zone{m}, Iface: &i, Logger: quiet()})
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("announce on %s: %w", i.Name, err))
			continue
		}
		servers = append(servers, s)
	}
	if len(servers) == 0 && failed != nil {
		return failed
	}
	<-ctx.Done()
	return nil
}

// Lookup implements Network. It returns about a second after the question.
func (m *MDNS) Lookup(ctx context.Context, wanted []tree.DeviceID, found func(tree.DeviceID, string)) error {
	ifs, err := m.ifs()
	if err != nil {
		return err
	}
	heard := make(chan *mdns.ServiceEntry, maxHeard)
	failed := make(chan error, 2*maxMDNSIfs)
	var asking sync.WaitGroup
	for _, i := range ifs {
		// Apart for each family: the library gives up on both when one has no
		// route.
		for _, six := range []bool{false, true} {
			asking.Go(func() {
				failed <- mdns.QueryContext(ctx, &mdns.QueryParam{
					Service: service, Domain: strings.TrimSuffix(domain, "."), Timeout: listenFor, Interface: &i,
					Entries: heard, DisableIPv4: six, DisableIPv6: !six, Logger: quiet(),
				})
			})
		}
	}
	asking.Wait()
	close(heard)
	close(failed)
	for e := range heard {
		report(e.InfoFields, wanted, found)
	}
	var errs []error
	asked := 0
	for err := range failed {
		if err != nil {
			errs = append(errs, err)
		} else {
			asked++
		}
	}
	if asked == 0 && len(errs) > 0 {
		return fmt.Errorf("ask on the local network: %w", errors.Join(errs...))
	}
	return nil
}

func report(fields []string, wanted []tree.DeviceID, found func(tree.DeviceID, string)) {
	b, ok := parseBeacon(fields)
	if !ok {
		return
	}
	if d, ok := b.of(wanted); ok {
		for _, a := range b.addrs {
			found(d, a)
		}
	}
}

// zone answers with what is true when it is asked.
type zone struct{ m *MDNS }

func (z zone) Records(q dns.Question) []dns.RR {
	if !strings.HasSuffix(strings.ToLower(q.Name), domain) {
		return nil
	}
	b := newBeacon(z.m.self, z.m.salt, z.m.addrs())
	port, ips := 0, []net.IP(nil)
	for _, a := range b.addrs {
		host, p, err := circle.SplitAddr(a)
		if err != nil {
			continue
		}
		port = int(p)
		if ip, err := netip.ParseAddr(host); err == nil {
			ips = append(ips, net.IP(ip.AsSlice()))
		}
	}
	if len(ips) == 0 {
		return nil
	}
	name := hex.EncodeToString(b.hash[:8])
	s, err := mdns.NewMDNSService(name, service, domain, name+"."+domain, port, ips, b.txt())
	if err != nil {
		return nil
	}
	return s.Records(q)
}

// multicastInterfaces are those on which other devices may be.
func multicastInterfaces() ([]net.Interface, error) {
	list, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list network interfaces: %w", err)
	}
	const need = net.FlagUp | net.FlagMulticast
	var out []net.Interface
	for _, i := range list {
		if i.Flags&need == need && i.Flags&net.FlagLoopback == 0 && (Interface{Name: i.Name}).rank() < 2 && len(out) < maxMDNSIfs {
			out = append(out, i)
		}
	}
	return out, nil
}

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
