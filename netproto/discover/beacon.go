package discover

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"pinion/engine/tree"
)

// beacon is what a device says of itself on the local network.
type beacon struct {
	salt  [8]byte
	hash  [16]byte
	addrs []string
}

const maxBeaconAddrs = 4

func newBeacon(device tree.DeviceID, salt [8]byte, addrs []string) beacon {
	return beacon{salt, beaconHash(device, salt), slices.Clone(addrs[:min(len(addrs), maxBeaconAddrs)])}
}

func beaconHash(device tree.DeviceID, salt [8]byte) [16]byte {
	sum := sha256.Sum256(slices.Concat([]byte("pinion lan 1\x00"), salt[:], device[:]))
	return [16]byte(sum[:16])
}

// txt is the beacon as TXT strings.
func (b beacon) txt() []string {
	out := []string{"v=1", "s=" + hex.EncodeToString(b.salt[:]), "h=" + hex.EncodeToString(b.hash[:])}
	for _, a := range b.addrs {
		out = append(out, "a="+a)
	}
	return out
}

// parseBeacon reads TXT strings of anybody. What it does not know it skips.
func parseBeacon(fields []string) (b beacon, ok bool) {
	var version, salt, hash bool
	for _, f := range fields[:min(len(fields), 32)] {
		name, value, _ := strings.Cut(f, "=")
		switch name {
		case "v":
			version = value == "1"
		case "s":
			salt = unhex(b.salt[:], value)
		case "h":
			hash = unhex(b.hash[:], value)
		case "a":
			if addr, ok := normal(value); ok && len(b.addrs) < maxBeaconAddrs {
				b.addrs = append(b.addrs, addr)
			}
		}
	}
	return b, version && salt && hash && len(b.addrs) > 0
}

func unhex(into []byte, s string) bool {
	if len(s) != 2*len(into) {
		return false
	}
	_, err := hex.Decode(into, []byte(s))
	return err == nil
}

// of is the device among these whose beacon it is.
func (b beacon) of(devices []tree.DeviceID) (tree.DeviceID, bool) {
	for _, d := range devices {
		if beaconHash(d, b.salt) == b.hash {
			return d, true
		}
	}
	return tree.DeviceID{}, false
}
