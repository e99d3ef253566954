package rootfs

import (
	"bytes"
	"testing"
)

func TestAccessListsAsText(t *testing.T) {
	who := &people{names: map[person]string{{id: 7}: "alice", {group: true, id: 8}: "staff"}, numbers: map[string]uint32{"ualice": 7, "gstaff": 8}}
	text := "user::rwx,user:#4000000001:rw-,user:alice:r--,group::r-x,group:staff:-w-,mask::rwx,other::---"
	raw, err := who.aclRaw(text)
	if err != nil {
		t.Fatal(err)
	}
	got, err := who.aclText(raw)
	if err != nil || got != text {
		t.Fatalf("%q: %v", got, err)
	}
	if again, err := who.aclRaw(got); err != nil || !bytes.Equal(again, raw) {
		t.Fatalf("%x instead of %x: %v", again, raw, err)
	}
}

// Somebody else may have the same number: a stranger is not let in, and is not
// forgotten.
func TestStrangersStayInTheText(t *testing.T) {
	who := &people{}
	text := "user::rw-,user:nobody-of-this-name:rwx,group::r--,mask::rwx,other::---"
	raw, err := who.aclRaw(text)
	if err != nil {
		t.Fatal(err)
	}
	here, err := who.aclText(raw)
	if want := "user::rw-,group::r--,mask::rwx,other::---"; err != nil || here != want {
		t.Fatalf("%q: %v", here, err)
	}
	if got := who.withStrangers(text, here); got != text {
		t.Errorf("%q", got)
	}
	if got := who.withStrangers("", here); got != here {
		t.Errorf("%q", got)
	}
}

func TestAccessListsThatAreRefused(t *testing.T) {
	who := &people{}
	for _, text := range []string{"", "user::rwx", "user::rwx,group::r-x", "user::rwz,group::r-x,other::---", "user::rwx,group::r-x,other::---,user:#1:rwx", "a,b", "user::rwx,group::r-x,other:x:---"} {
		if raw, err := who.aclRaw(text); err == nil {
			t.Errorf("%q became %x", text, raw)
		}
	}
}

func FuzzAccessList(f *testing.F) {
	who := &people{}
	for _, text := range []string{"user::rwx,group::r-x,other::---", "user::rw-,user:#1:r--,group::r--,mask::r--,other::---"} {
		raw, err := who.aclRaw(text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, text)
	}
	f.Fuzz(func(t *testing.T, raw []byte, text string) {
		if text, err := who.aclText(raw); err == nil {
			who.withStrangers(text, text)
		}
		if raw, err := who.aclRaw(text); err == nil {
			if _, err := who.aclText(raw); err != nil {
				t.Fatalf("%q gave %x: %v", text, raw, err)
			}
		}
	})
}
