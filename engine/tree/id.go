package tree

import (
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// DeviceID names a device: the SHA-256 of its Ed25519 public key.
type DeviceID [32]byte

// FolderID names a folder on all the devices that hold it: 128 random bits,
// drawn when the folder is first added.
type FolderID [16]byte

// ReplicaID names one life of one device's index of one folder. It is drawn at
// random when an index is made, and anew when the index turns out to be older
// than what peers remember of it, so that a stamp is never used twice.
type ReplicaID uint64

// Replica says whose life a ReplicaID is. It never changes once made, so that
// names that are derived from it are the same everywhere.
type Replica struct {
	ID     ReplicaID
	Device DeviceID
	Name   string // the device's name when the replica was made
}

var b32 = base32.StdEncoding.WithPadding(base32.NoPadding)

// String gives the id in eight groups of seven: 52 base32 digits, each 13 of
// them followed by a check digit (Luhn mod 32), as people know it elsewhere.
func (d DeviceID) String() string {
	raw := b32.EncodeToString(d[:])
	var all strings.Builder
	for i := 0; i < 52; i += 13 {
		all.WriteString(raw[i : i+13])
		all.WriteByte(checkDigit(raw[i : i+13]))
	}
	s := all.String()
	groups := make([]string, 0, 8)
	for i := 0; i < len(s); i += 7 {
		groups = append(groups, s[i:i+7])
	}
	return strings.Join(groups, "-")
}

// Short is the first group of String: enough for a person to tell devices apart.
func (d DeviceID) Short() string { return b32.EncodeToString(d[:])[:7] }

// IsZero says whether d names no device.
func (d DeviceID) IsZero() bool { return d == DeviceID{} }

// ParseDeviceID reads what String gives; case, spaces and dashes don't matter.
func ParseDeviceID(s string) (DeviceID, error) {
	var d DeviceID
	clean := strings.ToUpper(strings.NewReplacer("-", "", " ", "", "0", "O", "1", "I", "8", "B").Replace(s))
	if len(clean) != 56 {
		return d, fmt.Errorf("device id %q: %d characters instead of 56", s, len(clean))
	}
	var raw strings.Builder
	for i := 0; i < 56; i += 14 {
		part := clean[i : i+13]
		if strings.Trim(part, b32Digits) != "" {
			return d, fmt.Errorf("device id %q: a character is not one of %s", s, b32Digits)
		}
		if clean[i+13] != checkDigit(part) {
			return d, fmt.Errorf("device id %q: a character is mistyped near %q", s, clean[i:i+14])
		}
		raw.WriteString(part)
	}
	b, err := b32.DecodeString(raw.String())
	if err != nil || len(b) != len(d) {
		return d, fmt.Errorf("device id %q is not one", s)
	}
	copy(d[:], b)
	return d, nil
}

const b32Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

// checkDigit is the Luhn mod 32 check digit of base32 digits.
func checkDigit(s string) byte {
	factor, sum := 1, 0
	for i := range len(s) {
		v := factor * strings.IndexByte(b32Digits, s[i])
		sum += v/32 + v%32
		factor = 3 - factor
	}
	return b32Digits[(32-sum%32)%32]
}

func (d DeviceID) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d *DeviceID) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDeviceID(string(b))
	return err
}

// String gives the id as 32 hex digits.
func (f FolderID) String() string { return hex.EncodeToString(f[:]) }

// ParseFolderID reads what String gives.
func ParseFolderID(s string) (FolderID, error) {
	var f FolderID
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(f) {
		return f, fmt.Errorf("folder id %q: 32 hex digits are needed", s)
	}
	copy(f[:], b)
	return f, nil
}

func (f FolderID) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

func (f *FolderID) UnmarshalText(b []byte) (err error) {
	*f, err = ParseFolderID(string(b))
	return err
}

// HashBLAKE3 is the tag of a BLAKE3-256 sum in a ContentID.
const HashBLAKE3 byte = 1

// ContentID names bytes: a tag for the hash in its first byte, the 256-bit sum
// in the others. A chunk's id is the hash of its bytes. A file's id is that of
// its only chunk, or the hash of its chunk list (engine/chunk); that of an
// empty file is the hash of nothing. The zero value names no content.
type ContentID [33]byte

// IsZero says whether c names no content.
func (c ContentID) IsZero() bool { return c == ContentID{} }

// String gives the 66 hex digits, tag first.
func (c ContentID) String() string { return hex.EncodeToString(c[:]) }

// ErrContentID is returned for bytes that are no ContentID.
var ErrContentID = errors.New("not a content id")

// ParseContentID reads what String gives.
func ParseContentID(s string) (ContentID, error) {
	b, err := hex.DecodeString(s)
	if err != nil {
		return ContentID{}, ErrContentID
	}
	return ContentIDFromBytes(b)
}

// ContentIDFromBytes checks the length and the tag; no bytes give the zero id.
func ContentIDFromBytes(b []byte) (ContentID, error) {
	var c ContentID
	if len(b) == 0 {
		return c, nil
	}
	if len(b) != len(c) || b[0] != HashBLAKE3 {
		return c, ErrContentID
	}
	copy(c[:], b)
	return c, nil
}

func (c ContentID) MarshalText() ([]byte, error) {
	if c.IsZero() {
		return nil, nil
	}
	return []byte(c.String()), nil
}

func (c *ContentID) UnmarshalText(b []byte) (err error) {
	*c, err = ParseContentID(string(b))
	return err
}
