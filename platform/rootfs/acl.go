package rootfs

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
)

// An access control list in the form that Linux stores (acl_entry in
// linux/posix_acl_xattr.h): version 2, then tag, permissions and id of each
// entry, all little-endian. As text, which is the same on every device:
//
//	user::rwx,user:alice:r--,group::r-x,group:#1003:rw-,mask::rwx,other::---
//
// Numbers mean other people on another device, so entries carry names; only who
// has no name where the list was made is carried by number.
const (
	aclVersion = 2
	aclHeader  = 4
	aclEntry   = 8
	maxACL     = 1024 // entries

	tagUserObj  = 0x01
	tagUser     = 0x02
	tagGroupObj = 0x04
	tagGroup    = 0x08
	tagMask     = 0x10
	tagOther    = 0x20
)

var errACL = errors.New("an access control list in an unknown form")

// aclText reads the stored form.
func (p *people) aclText(raw []byte) (string, error) {
	if len(raw) < aclHeader || (len(raw)-aclHeader)%aclEntry != 0 || len(raw) > aclHeader+maxACL*aclEntry ||
		binary.LittleEndian.Uint32(raw) != aclVersion {
		return "", errACL
	}
	var entries []string
	for b := raw[aclHeader:]; len(b) > 0; b = b[aclEntry:] {
		tag, perm, id := binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint16(b[2:]), binary.LittleEndian.Uint32(b[4:])
		name := ""
		if tag == tagUser || tag == tagGroup {
			name = p.name(person{group: tag == tagGroup, id: id})
		}
		word, ok := aclWords()[tag]
		if !ok || perm > 7 {
			return "", errACL
		}
		entries = append(entries, word+":"+name+":"+permText(perm))
	}
	return joinACL(entries), nil
}

func aclWords() map[uint16]string {
	return map[uint16]string{tagUserObj: "user", tagUser: "user", tagGroupObj: "group", tagGroup: "group", tagMask: "mask", tagOther: "other"}
}

func joinACL(entries []string) string {
	slices.SortStableFunc(entries, func(a, b string) int { return cmp.Or(cmp.Compare(aclRank(a), aclRank(b)), cmp.Compare(a, b)) })
	return strings.Join(slices.Compact(entries), ",")
}

// aclRank is the order that the system asks for.
func aclRank(entry string) int {
	return slices.IndexFunc([]string{"user::", "user:", "group::", "group:", "mask:", "other:"}, func(prefix string) bool {
		return strings.HasPrefix(entry, prefix)
	})
}

func permText(perm uint16) string {
	b := []byte("---")
	for i, c := range "rwx" {
		if perm&(4>>i) != 0 {
			b[i] = byte(c)
		}
	}
	return string(b)
}

func permOf(text string) (perm uint16, ok bool) {
	if len(text) != 3 {
		return 0, false
	}
	for i, c := range []byte("rwx") {
		switch text[i] {
		case c:
			perm |= 4 >> i
		case '-':
		default:
			return 0, false
		}
	}
	return perm, true
}

// entry reads one entry of the text. Not known: it names somebody whom this
// device does not know.
func (p *people) entry(text string) (tag, perm uint16, id uint32, known bool, err error) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return 0, 0, 0, false, errACL
	}
	perm, ok := permOf(parts[2])
	word, name := parts[0], parts[1]
	id, known = ^uint32(0), true
	switch {
	case !ok:
		return 0, 0, 0, false, errACL
	case word == "user" && name == "":
		tag = tagUserObj
	case word == "group" && name == "":
		tag = tagGroupObj
	case word == "user", word == "group":
		if tag = tagUser; word == "group" {
			tag = tagGroup
		}
		id, known = p.number(word == "group", name)
	case word == "mask" && name == "":
		tag = tagMask
	case word == "other" && name == "":
		tag = tagOther
	default:
		return 0, 0, 0, false, errACL
	}
	return tag, perm, id, known, nil
}

// aclRaw gives the stored form of a text, without those whom this device does not
// know: to let a stranger in who has the same number here would be worse.
func (p *people) aclRaw(text string) ([]byte, error) {
	entries := strings.Split(text, ",")
	if len(entries) > maxACL {
		return nil, errACL
	}
	type one struct {
		tag, perm uint16
		id        uint32
	}
	var list []one
	seen := map[one]bool{}
	var tags uint16
	for _, e := range entries {
		tag, perm, id, known, err := p.entry(e)
		if err != nil {
			return nil, err
		}
		if key := (one{tag: tag, id: id}); known && !seen[key] {
			seen[key] = true
			list = append(list, one{tag, perm, id})
			tags |= tag
		}
	}
	if tags&(tagUserObj|tagGroupObj|tagOther) != tagUserObj|tagGroupObj|tagOther || tags&(tagUser|tagGroup) != 0 && tags&tagMask == 0 {
		return nil, errACL
	}
	slices.SortStableFunc(list, func(a, b one) int { return cmp.Or(cmp.Compare(a.tag, b.tag), cmp.Compare(a.id, b.id)) })
	raw := binary.LittleEndian.AppendUint32(nil, aclVersion)
	for _, e := range list {
		raw = binary.LittleEndian.AppendUint16(raw, e.tag)
		raw = binary.LittleEndian.AppendUint16(raw, e.perm)
		raw = binary.LittleEndian.AppendUint32(raw, e.id)
	}
	return raw, nil
}

// withStrangers adds to now those entries of was that name somebody whom this
// device does not know.
func (p *people) withStrangers(was, now string) string {
	if was == "" || now == "" {
		return now
	}
	entries := strings.Split(now, ",")
	for _, e := range strings.Split(was, ",") {
		if _, _, _, known, err := p.entry(e); err == nil && !known {
			entries = append(entries, e)
		}
	}
	return joinACL(entries)
}
