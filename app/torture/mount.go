//go:build torture

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// mount is a file system of its own for a device.
type mount interface {
	make(d *device) error // makes it and mounts it on the device's disk
	drop()
}

func sh(name string, args ...string) error {
	var text bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &text, &text
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %s: %w", name, strings.Join(args, " "), strings.TrimSpace(text.String()), err)
	}
	return nil
}

// memory is a tmpfs with bounds.
type memory struct {
	d    *device
	opts string
}

func (m *memory) make(d *device) error {
	m.d = d
	if err := sh("mount", "-t", "tmpfs", "-o", m.opts, "none", d.disk); err != nil {
		return fmt.Errorf("%w: %w", errSkip, err)
	}
	return nil
}

func (m *memory) grow(opts string) error { return sh("mount", "-o", "remount,"+opts, m.d.disk) }
func (m *memory) drop()                  { _ = syscall.Unmount(m.d.disk, syscall.MNT_DETACH) }

// loop is a file system in a file.
type loop struct {
	fs    string // ext4, xfs, exfat, ntfs
	mib   int64
	d     *device
	image string
	dev   string
}

func (l *loop) make(d *device) error {
	l.d, l.image = d, filepath.Join(filepath.Dir(d.disk), l.fs+".img")
	f, err := os.Create(l.image)
	if err != nil {
		return err
	}
	err = errors.Join(f.Truncate(l.mib<<20), f.Close())
	if err != nil {
		return err
	}
	switch l.fs {
	case "ext4":
		err = sh("mkfs.ext4", "-q", "-F", l.image)
	case "xfs":
		err = sh("mkfs.xfs", "-q", l.image)
	case "exfat":
		err = sh("mkfs.exfat", l.image)
		d.what = able{}
	case "ntfs":
		err = sh("mkfs.ntfs", "-q", "-F", "-Q", l.image)
		d.what = able{symlink: true}
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errSkip, err)
	}
	out, err := exec.Command("losetup", "-f", "--show", l.image).Output()
	if err != nil {
		return fmt.Errorf("%w: no loop device is to be had: %w", errSkip, err)
	}
	l.dev = strings.TrimSpace(string(out))
	if err := l.mount(); err != nil {
		l.drop()
		return fmt.Errorf("%w: %w", errSkip, err)
	}
	return nil
}

func (l *loop) mount(opts ...string) error {
	o := strings.Join(append([]string{"noatime"}, opts...), ",")
	switch l.fs {
	case "exfat":
		return sh("mount.exfat-fuse", l.dev, l.d.disk)
	case "ntfs":
		return sh("ntfs-3g", l.dev, l.d.disk)
	}
	return sh("mount", "-t", l.fs, "-o", o, l.dev, l.d.disk)
}

// unmount waits until the file system is no longer used.
func (l *loop) unmount() error {
	var err error
	for range 100 {
		if err = syscall.Unmount(l.d.disk, 0); err == nil || errors.Is(err, syscall.EINVAL) {
			return l.settled()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("unmount %s: %w", l.d.disk, err)
}

// settled waits until the daemon of a FUSE file system has ended: until then it writes.
func (l *loop) settled() error {
	for range 200 {
		if pid, err := l.daemon(); err != nil || pid == 0 {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("the file system's daemon does not end")
}

func (l *loop) detach() error { return syscall.Unmount(l.d.disk, syscall.MNT_DETACH) }

// cut is a power cut: what was not flushed is gone.
func (l *loop) cut() error { return sh("xfs_io", "-x", "-c", "shutdown", l.d.disk) }

// daemon gives the process of a FUSE file system; 0: there is none.
func (l *loop) daemon() (int, error) {
	if l.fs != "exfat" && l.fs != "ntfs" {
		return 0, nil
	}
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return 0, err
	}
	for _, file := range all {
		text, _ := os.ReadFile(file)
		words := strings.Split(string(text), "\x00")
		for _, w := range words[1:] {
			if w == l.dev && (strings.Contains(words[0], "exfat") || strings.Contains(words[0], "ntfs")) {
				return strconv.Atoi(filepath.Base(filepath.Dir(file)))
			}
		}
	}
	return 0, nil
}

func (l *loop) drop() {
	_ = l.detach()
	if l.dev != "" {
		_ = l.settled()
		_ = sh("losetup", "-d", l.dev)
	}
}
