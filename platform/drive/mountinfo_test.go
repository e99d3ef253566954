package drive

import (
	"strings"
	"testing"
)

const sample = `22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
42 27 8:1 / /mnt/usb\040disk rw,relatime shared:5 master:2 - vfat /dev/sda1 rw,utf8
43 42 0:50 / /mnt/usb\040disk/net rw - nfs4 host:/exp\134ort ro
44 27 8:17 /sub /mnt/usb\040disk rw - ext4 /dev/sdb1 rw
not a line
45 27
`

func TestParseMounts(t *testing.T) {
	got, err := parseMounts(strings.NewReader(sample))
	if err != nil || len(got) != 5 {
		t.Fatalf("got %d, %v", len(got), err)
	}
	if want := (entry{42, "8:1", "/mnt/usb disk", "vfat", "/dev/sda1"}); got[2] != want {
		t.Errorf("got %+v", got[2])
	}
	if want := (entry{43, "0:50", "/mnt/usb disk/net", "nfs4", `host:/exp\ort`}); got[3] != want {
		t.Errorf("got %+v", got[3])
	}
	for path, id := range map[string]uint64{
		"/": 27, "/mnt": 27, "/mnt/usb disk": 44, "/mnt/usb disk/x": 44, "/mnt/usb disk2": 27, "/mnt/usb disk/net/a": 43, "/proc/1": 22,
	} {
		if e, ok := deepest(got, path); !ok || e.id != id {
			t.Errorf("%s is on %d, want %d", path, e.id, id)
		}
	}
	if _, ok := deepest(nil, "/"); ok {
		t.Error("found a mount in nothing")
	}
}

func TestIsNetwork(t *testing.T) {
	for fs, want := range map[string]bool{"nfs4": true, "cifs": true, "fuse.sshfs": true, "ext4": false, "fuseblk": false, "": false} {
		if isNetwork(fs) != want {
			t.Errorf("%q: %v", fs, !want)
		}
	}
}

func FuzzParseMounts(f *testing.F) {
	f.Add(sample)
	f.Add(`1 1 0:1 / \ - \0 \400`)
	f.Fuzz(func(t *testing.T, s string) {
		entries, err := parseMounts(strings.NewReader(s))
		if err != nil {
			return
		}
		for _, e := range entries {
			if e.point == "" || e.fsType == "" || e.source == "" {
				t.Fatalf("an entry lacks something: %+v", e)
			}
		}
	})
}
