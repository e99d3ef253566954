//go:build measure

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// port is where engines listen, each in a network of its own.
const port = 27464

// machine is an engine in a process, a network and, where it was mounted, on a disk of its own.
type machine struct {
	w             *world
	name          string
	home, disk    string
	addr, hubAddr netip.Addr // of this end of its link, and of the hub's
	dev, hubDev   string
	loop          string // the loop device of its disk; "none": that is in memory
	memory        string // the group that bounds its memory

	log   *os.File
	cmd   *exec.Cmd
	ended chan struct{}
}

func (m *machine) folder(name string) string { return filepath.Join(m.disk, name) }

// mount gives it a disk of its own, an ext4 with so many inodes, or one in memory.
func (m *machine) mount(mib, inodes int) error {
	if m.w.o.memory {
		m.loop = "none"
		if err := sh("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm,nr_inodes=%d", mib, inodes), "none", m.disk); err != nil {
			return fmt.Errorf("%w: %w", errSkip, err)
		}
		return nil
	}
	image := filepath.Join(m.w.dir, m.name+".img")
	f, err := os.Create(image)
	if err != nil {
		return err
	}
	err = syscall.Fallocate(int(f.Fd()), 0, 0, int64(mib)<<20)
	f.Close()
	if err == nil {
		err = sh("mkfs.ext4", "-q", "-F", "-N", strconv.Itoa(inodes), image)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errSkip, err)
	}
	// Past the host's page cache, so that a flush costs what it costs; a file in memory can't be had so.
	out, err := exec.Command("losetup", "--direct-io=on", "-f", "--show", image).Output()
	if err != nil {
		out, err = exec.Command("losetup", "-f", "--show", image).Output()
	}
	if err != nil {
		return fmt.Errorf("%w: no loop device is to be had: %w", errSkip, err)
	}
	m.loop = strings.TrimSpace(string(out))
	if err := sh("mount", "-o", "noatime", m.loop, m.disk); err != nil {
		return fmt.Errorf("%w: %w", errSkip, err)
	}
	return nil
}

// settle has all that was written to its disk be on it, as a person's files are
// that were not made a moment ago.
func (m *machine) settle() error { return sh("sync", "-f", m.disk) }

func (m *machine) unmount() {
	if m.loop != "" {
		_ = syscall.Unmount(m.disk, syscall.MNT_DETACH)
		if m.loop != "none" {
			_ = sh("losetup", "-d", m.loop)
		}
		m.loop = ""
	}
	if m.memory != "" {
		_ = os.Remove(m.memory)
		m.memory = ""
	}
}

// bound bounds its memory, the kernel's for its files included. It says whether
// that can be done here.
func (m *machine) bound(mib int) bool {
	for _, way := range []struct{ dir, file string }{{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}, {"/sys/fs/cgroup", "memory.max"}} {
		dir := filepath.Join(way.dir, fmt.Sprintf("pinion-measure-%d-%s", os.Getpid(), m.name))
		if os.Mkdir(dir, 0o755) != nil {
			continue
		}
		if os.WriteFile(filepath.Join(dir, way.file), []byte(strconv.Itoa(mib<<20)), 0o644) == nil {
			m.memory = dir
			return true
		}
		_ = os.Remove(dir)
	}
	return false
}

// start starts the engine, with more in its environment, and waits until it answers.
func (m *machine) start(ctx context.Context, env ...string) error {
	at := netip.AddrPortFrom(netip.IPv4Unspecified(), port).String()
	m.cmd = exec.Command("nsenter", "--net=/run/netns/"+m.name, m.w.o.exe, "--daemon", "--home", m.home, "--listen", at, "--name", m.name)
	if m.memory != "" {
		m.cmd.Args = append([]string{"sh", "-c", `echo $$ >"$0/cgroup.procs" && exec "$@"`, m.memory}, m.cmd.Args...)
		m.cmd.Path = "/bin/sh"
	}
	m.cmd.Stdout, m.cmd.Stderr = m.log, m.log
	m.cmd.Env = append(os.Environ(), env...)
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := m.cmd.Start(); err != nil {
		return fmt.Errorf("start the engine %s: %w", m.name, err)
	}
	ended, cmd := make(chan struct{}), m.cmd
	m.ended = ended
	go func() {
		defer close(ended)
		_ = cmd.Wait() // how it ended is seen in its log
	}()
	return until(ctx, time.Minute, 10*time.Millisecond, func() error {
		if !m.running() {
			return fmt.Errorf("the engine %s has ended", m.name)
		}
		if _, err := os.Stat(filepath.Join(m.home, "control.sock")); err != nil {
			return err
		}
		_, err := m.pinion(ctx, "status", "--json")
		return err
	})
}

func (m *machine) running() bool {
	if m.ended == nil {
		return false
	}
	select {
	case <-m.ended:
		return false
	default:
		return true
	}
}

// stop ends the engine cleanly.
func (m *machine) stop() error {
	if !m.running() {
		return nil
	}
	_ = m.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-m.ended:
		return nil
	case <-time.After(30 * time.Second):
		_ = m.cmd.Process.Signal(syscall.SIGQUIT)
		<-m.ended
		return fmt.Errorf("%s did not stop within 30 s; its goroutines are in its log", m.name)
	}
}

// pinion is a command as a person types it.
func (m *machine) pinion(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, m.w.o.exe, append(args, "--home", m.home)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: pinion %s: %s%w", m.name, strings.Join(args, " "), errs.String(), err)
	}
	return out.String(), nil
}

// folderSaid is what an engine says of a folder, as far as it matters here.
type folderSaid struct {
	Name, State, Reason string
	Files               int
	Need                struct{ Files, Bytes int64 }
	Peers               []struct {
		Connected bool
		UpToDate  bool `json:"up_to_date"`
	}
}

func (m *machine) said(ctx context.Context, name string) (folderSaid, error) {
	var s struct{ Folders []folderSaid }
	if err := m.ask(ctx, &s, "status"); err != nil {
		return folderSaid{}, err
	}
	for _, f := range s.Folders {
		if f.Name == name {
			return f, nil
		}
	}
	return folderSaid{}, fmt.Errorf("%s has no folder %s", m.name, name)
}
