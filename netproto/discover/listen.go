package discover

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"pinion/netproto/circle"
)

// Interface is a network interface as the system lists it.
type Interface struct {
	Name         string
	Up           bool
	Loopback     bool
	PointToPoint bool
	Multicast    bool
	Addrs        []netip.Addr
}

// perInterface bounds how many IPv6 addresses one interface contributes: privacy
// extensions pile them up.
const perInterface = 2

// ListenAddrs are the addresses under which others may reach a listener on
// HOST:PORT, most useful first, at most circle.MaxAddrs. A HOST that is given is
// the only one. Without one (or with 0.0.0.0, which leaves IPv6 out): all of the
// interfaces that are up, wired and wireless ones before tunnels before the
// bridges of virtual machines and containers; no link-local addresses, and
// loopback only if there is nothing else.
func ListenAddrs(listen string, interfaces []Interface) ([]string, error) {
	host, digits, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, fmt.Errorf("listen address %q is not HOST:PORT: %w", listen, err)
	}
	port, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || port == 0 {
		return nil, fmt.Errorf("listen address %q: %q is not a port", listen, digits)
	}
	fixed, err := netip.ParseAddr(host)
	isIP := err == nil
	if host != "" && (!isIP || !fixed.IsUnspecified()) {
		addr := circle.JoinAddr(host, uint16(port))
		if _, _, err := circle.SplitAddr(addr); err != nil {
			return nil, fmt.Errorf("listen address %q: %w", listen, err)
		}
		return []string{addr}, nil
	}
	ips := usable(interfaces, isIP && fixed.Is4(), false)
	if len(ips) == 0 {
		ips = usable(interfaces, isIP && fixed.Is4(), true)
	}
	var out []string
	for _, ip := range ips {
		if addr := circle.JoinAddr(ip.String(), uint16(port)); !slices.Contains(out, addr) && len(out) < circle.MaxAddrs {
			out = append(out, addr)
		}
	}
	return out, nil
}

func usable(interfaces []Interface, only4, loopback bool) (out []netip.Addr) {
	sorted := slices.Clone(interfaces)
	slices.SortStableFunc(sorted, func(a, b Interface) int {
		return cmp.Or(a.rank()-b.rank(), cmp.Compare(a.Name, b.Name))
	})
	for _, i := range sorted {
		if !i.Up || i.Loopback != loopback {
			continue
		}
		six := 0
		ips := slices.Clone(i.Addrs)
		for n := range ips {
			ips[n] = ips[n].Unmap().WithZone("")
		}
		slices.SortFunc(ips, func(a, b netip.Addr) int {
			return cmp.Or(boolInt(a.Is6())-boolInt(b.Is6()), boolInt(b.IsPrivate())-boolInt(a.IsPrivate()), a.Compare(b))
		})
		for _, ip := range ips {
			if !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast() || ip.IsLoopback() != loopback || (only4 && ip.Is6()) {
				continue
			}
			if ip.Is6() {
				if six++; six > perInterface {
					continue
				}
			}
			out = append(out, ip)
		}
	}
	return out
}

// rank: 0 a wire or radio, 1 a tunnel, 2 a bridge that leads into this machine.
func (i Interface) rank() int {
	name := strings.ToLower(i.Name)
	for _, p := range []string{"docker", "br-", "veth", "virbr", "vmnet", "vboxnet", "lxc", "lxd", "cni", "flannel", "podman", "vethernet", "bridge100", "waydroid"} {
		if strings.HasPrefix(name, p) {
			return 2
		}
	}
	if i.PointToPoint {
		return 1
	}
	for _, p := range []string{"tun", "tap", "wg", "tailscale", "zt", "utun", "ppp"} {
		if strings.HasPrefix(name, p) {
			return 1
		}
	}
	return 0
}

// maxInterfaces and maxIfaceAddrs bound what is taken of a machine with very
// many of them.
const (
	maxInterfaces = 64
	maxIfaceAddrs = 64
)

// Interfaces are the system's network interfaces.
func Interfaces() ([]Interface, error) {
	list, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list network interfaces: %w", err)
	}
	var out []Interface
	for _, ifi := range list[:min(len(list), maxInterfaces)] {
		i := Interface{
			Name:         ifi.Name,
			Up:           ifi.Flags&net.FlagUp != 0,
			Loopback:     ifi.Flags&net.FlagLoopback != 0,
			PointToPoint: ifi.Flags&net.FlagPointToPoint != 0,
			Multicast:    ifi.Flags&net.FlagMulticast != 0,
		}
		addrs, err := ifi.Addrs()
		if err != nil {
			continue // it has gone meanwhile
		}
		for _, a := range addrs[:min(len(addrs), maxIfaceAddrs)] {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				i.Addrs = append(i.Addrs, p.Addr())
			}
		}
		out = append(out, i)
	}
	return out, nil
}
