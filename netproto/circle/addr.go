package circle

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// maxHost is the longest name of DNS.
const maxHost = 253

// SplitAddr takes "host:port" apart: host is an IP address (v6 in brackets) or a
// DNS name, port a decimal 1–65535 without leading zeros. What passes is safe to
// print and to dial. Zones (fe80::1%eth0) mean nothing on another machine and
// are refused.
func SplitAddr(addr string) (host string, port uint16, err error) {
	bad := fmt.Errorf("address %.64q is not HOST:PORT", addr)
	i := strings.LastIndexByte(addr, ':')
	if i < 1 || len(addr) > maxHost+8 {
		return "", 0, bad
	}
	host, digits := addr[:i], addr[i+1:]
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || n == 0 || digits[0] == '0' || digits[0] == '+' {
		return "", 0, bad
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		ip, err := netip.ParseAddr(inner)
		if !ok || err != nil || !ip.Is6() || ip.Zone() != "" {
			return "", 0, bad
		}
		return inner, uint16(n), nil
	}
	if !isHost(host) {
		return "", 0, bad
	}
	return host, uint16(n), nil
}

// JoinAddr is the inverse of SplitAddr.
func JoinAddr(host string, port uint16) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(int(port))
}

func isHost(host string) bool {
	if host == "" || len(host) > maxHost {
		return false
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(host, "."), ".") {
		if label == "" || len(label) > 63 || label[0] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
				return false
			}
		}
	}
	return true
}
