package drive

import (
	"os"
	"path/filepath"
	"testing"
)

// sysTree makes a /sys with a USB disk in a case, a marked card reader, a fixed
// disk, and an encrypted volume on the USB disk.
func sysTree(t *testing.T) string {
	sys, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	add := func(device, dir, mark string) string {
		full := filepath.Join(sys, "devices", dir)
		if err := os.MkdirAll(full, 0o755); err != nil {
			t.Fatal(err)
		}
		if mark != "" {
			write(t, filepath.Join(full, "removable"), mark+"\n")
		}
		write(t, filepath.Join(full, "dev"), device+"\n")
		link(t, full, filepath.Join(sys, "dev", "block", device))
		return full
	}
	add("8:0", "pci/usb1/1-1/block/sda", "0")
	usb := add("8:1", "pci/usb1/1-1/block/sda/sda1", "")
	add("8:16", "pci/block/sdb", "1")
	add("8:17", "pci/block/sdb/sdb1", "")
	add("259:0", "pci/nvme/block/nvme0n1", "0")
	add("259:1", "pci/nvme/block/nvme0n1/p1", "")
	dm := add("253:0", "virtual/block/dm-0", "0")
	link(t, usb, filepath.Join(dm, "slaves", "sda1"))
	self := add("253:1", "virtual/block/dm-1", "0")
	link(t, self, filepath.Join(self, "slaves", "dm-1"))
	return sys
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func TestRemovable(t *testing.T) {
	sys := sysTree(t)
	for device, want := range map[string]bool{
		"8:0": true, "8:1": true, "8:16": true, "8:17": true, "259:0": false, "259:1": false,
		"253:0": true, "253:1": false, "7:7": false, "0:40": false,
	} {
		if got := removable(sys, device, 0); got != want {
			t.Errorf("%s: %v", device, got)
		}
	}
}
