package pairing

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"

	"pinion/engine/tree"
	"pinion/netproto/circle"
)

const (
	// LinkPrefix begins every invitation.
	LinkPrefix = "pinion://join/"
	// MaxAddrs is how many addresses an invitation may name.
	MaxAddrs = 8
	// DefaultPort is the port that a link need not spell out.
	DefaultPort = 27464

	linkVersion = 1
	maxLink     = 8 << 10 // characters
	sumLen      = 4
)

// Invitation lets one device join. Who holds it can join: it is a secret.
type Invitation struct {
	Device  tree.DeviceID // who invites
	Addrs   []string      // where it may be found, HOST:PORT
	Secret  [16]byte
	Expires time.Time // whole seconds. The inviter's clock decides; a joiner's may be wrong
}

// What may be wrong with a link. The texts are for a person.
var (
	ErrNotLink  = errors.New("this is not an invitation: those begin with " + LinkPrefix)
	ErrMistyped = errors.New("the invitation is incomplete or mistyped: copy all of it once more")
	ErrNewer    = errors.New("the invitation was made by a newer version of Pinion: update Pinion on this device first")
)

// String hides the secret from logs.
func (i Invitation) String() string { return "invitation of " + i.Device.Short() }

// Link is the invitation as text.
func (i Invitation) Link() (string, error) {
	b, err := i.encode()
	if err != nil {
		return "", err
	}
	return LinkPrefix + strings.ToLower(letters().EncodeToString(b)), nil
}

// QRText is the link in the letters that make the smallest QR code.
func QRText(link string) string { return strings.ToUpper(link) }

func letters() *base32.Encoding { return base32.StdEncoding.WithPadding(base32.NoPadding) }

// ParseLink reads a link as people paste it: in either case, with quotes or
// brackets around it, broken into lines. Whether it has expired is for the
// inviter to say.
func ParseLink(text string) (Invitation, error) {
	if len(text) > maxLink {
		return Invitation{}, ErrNotLink
	}
	text = strings.ToUpper(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune("\"'`<>“”„‘’«»", r) {
			return -1
		}
		return r
	}, text))
	payload, ok := strings.CutPrefix(text, strings.ToUpper(LinkPrefix))
	if !ok {
		return Invitation{}, ErrNotLink
	}
	payload = strings.NewReplacer("0", "O", "1", "I", "8", "B").Replace(strings.TrimRight(payload, ".,;/)"))
	b, err := letters().DecodeString(payload)
	if err != nil || len(b) <= sumLen || letters().EncodeToString(b) != payload {
		return Invitation{}, ErrMistyped
	}
	sealed := b
	b = b[:len(b)-sumLen]
	if !slices.Equal(withSum(b), sealed) {
		return Invitation{}, ErrMistyped
	}
	if b[0] > linkVersion {
		return Invitation{}, ErrNewer
	}
	return decode(b)
}

const (
	kindIPv4 byte = iota + 1
	kindIPv6
	kindHost
	kindPort = 16 // added where the port is not DefaultPort
)

func (i Invitation) encode() ([]byte, error) {
	seconds := i.Expires.Unix()
	if len(i.Addrs) > MaxAddrs || seconds < 0 || seconds > 1<<32-1 {
		return nil, errors.New("encode invitation: too many addresses, or a date out of bounds")
	}
	b := []byte{linkVersion}
	b = append(b, i.Device[:]...)
	b = append(b, i.Secret[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(seconds))
	b = append(b, byte(len(i.Addrs)))
	for _, a := range i.Addrs {
		host, port, err := circle.SplitAddr(a)
		if err != nil {
			return nil, fmt.Errorf("encode invitation: %w", err)
		}
		b = appendAddr(b, host, port)
	}
	return withSum(b), nil
}

func appendAddr(b []byte, host string, port uint16) []byte {
	var flag byte
	if port != DefaultPort {
		flag = kindPort
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case err == nil && ip.Is4():
		b = append(append(b, kindIPv4|flag), ip.AsSlice()...)
	case err == nil:
		b = append(append(b, kindIPv6|flag), ip.AsSlice()...)
	default:
		b = append(append(b, kindHost|flag, byte(len(host))), host...)
	}
	if flag != 0 {
		b = binary.BigEndian.AppendUint16(b, port)
	}
	return b
}

// decode reads what the checksum already vouches for, so that what is wrong here
// was made wrong.
func decode(b []byte) (i Invitation, err error) {
	r := reader{b: b[1:]}
	copy(i.Device[:], r.take(len(i.Device)))
	copy(i.Secret[:], r.take(len(i.Secret)))
	if s := r.take(4); s != nil {
		i.Expires = time.Unix(int64(binary.BigEndian.Uint32(s)), 0).UTC()
	}
	count := r.byte()
	if b[0] != linkVersion || count > MaxAddrs {
		return Invitation{}, ErrMistyped
	}
	for range count {
		addr, ok := r.addr()
		if !ok {
			return Invitation{}, ErrMistyped
		}
		i.Addrs = append(i.Addrs, addr)
	}
	again, err := i.encode()
	if r.short || len(r.b) > 0 || err != nil || !slices.Equal(again[:len(again)-sumLen], b) {
		return Invitation{}, ErrMistyped
	}
	return i, nil
}

type reader struct {
	b     []byte
	short bool // more was asked for than there was
}

func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.short, r.b = true, nil
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) addr() (string, bool) {
	kind := r.byte()
	var host string
	switch kind &^ kindPort {
	case kindIPv4, kindIPv6:
		n := 4
		if kind&^kindPort == kindIPv6 {
			n = 16
		}
		ip, ok := netip.AddrFromSlice(r.take(n))
		if !ok {
			return "", false
		}
		host = ip.String()
	case kindHost:
		host = string(r.take(int(r.byte())))
	default:
		return "", false
	}
	port := uint16(DefaultPort)
	if kind&kindPort != 0 {
		p := r.take(2)
		if p == nil {
			return "", false
		}
		port = binary.BigEndian.Uint16(p)
	}
	addr := circle.JoinAddr(host, port)
	_, _, err := circle.SplitAddr(addr)
	return addr, err == nil && !r.short
}

func withSum(b []byte) []byte {
	sum := sha256.Sum256(b)
	return append(slices.Clip(b), sum[:sumLen]...)
}
