//go:build measure

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// world is the machines of one measurement. The first one is the hub: the others
// are joined with it by a link each.
type world struct {
	o        options
	dir      string
	machines []*machine
}

func newWorld(o options, dir string) *world { return &world{o: o, dir: dir} }

func (w *world) clear() error {
	return errors.Join(os.RemoveAll(w.dir), os.MkdirAll(w.dir, 0o755))
}

// files is how many files the largest tree has.
func (w *world) files(ordinarily int) int {
	if w.o.files > 0 {
		return w.o.files
	}
	return ordinarily
}

// line prints figures, and what they should be.
func (w *world) line(what, figures, target string) {
	if target != "" {
		target = "   [" + target + "]"
	}
	fmt.Printf("  %-34s %s%s\n", what, figures, target)
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

// lan is a gigabit link. Shorter bursts than GSO's would cost what a network card
// does by itself.
const lan = "rate 1gbit burst 128kb limit 1500kb"

// add makes a machine. A rate (tc tbf's words) joins it with the hub.
func (w *world) add(name, rate string) (*machine, error) {
	base := filepath.Join(w.dir, name)
	m := &machine{w: w, name: name, home: filepath.Join(base, "home"), disk: filepath.Join(base, "disk")}
	if err := errors.Join(os.MkdirAll(m.home, 0o755), os.MkdirAll(m.disk, 0o755)); err != nil {
		return nil, err
	}
	text := fmt.Sprintf("name = %q\nlan = false\n", name)
	if err := os.WriteFile(filepath.Join(m.home, "config.toml"), []byte(text), 0o600); err != nil {
		return nil, err
	}
	var err error
	if m.log, err = os.Create(filepath.Join(w.dir, name+".log")); err != nil {
		return nil, err
	}
	if err := sh("ip", "netns", "add", name); err != nil {
		return nil, fmt.Errorf("%w: %w", errSkip, err)
	}
	w.machines = append(w.machines, m)
	if err := sh("ip", "-n", name, "link", "set", "lo", "up"); err != nil || len(w.machines) == 1 {
		return m, err
	}
	return m, w.link(w.machines[0], m, rate)
}

func (w *world) link(hub, m *machine, rate string) error {
	i := byte(len(w.machines))
	at := netip.AddrFrom4([4]byte{10, 79, i, 1})
	m.addr, m.dev = at.Next(), "link0"
	if !hub.addr.IsValid() {
		hub.addr, hub.dev = at, "to"+m.name
	}
	m.hubAddr, m.hubDev = at, "to"+m.name
	if err := sh("ip", "link", "add", m.hubDev, "netns", hub.name, "type", "veth", "peer", "name", m.dev, "netns", m.name); err != nil {
		return fmt.Errorf("%w: %w", errSkip, err)
	}
	for _, end := range []struct {
		ns, dev string
		addr    netip.Addr
	}{{hub.name, m.hubDev, m.hubAddr}, {m.name, m.dev, m.addr}} {
		err := sh("ip", "-n", end.ns, "addr", "add", end.addr.String()+"/24", "dev", end.dev)
		if err == nil {
			err = sh("ip", "-n", end.ns, "link", "set", end.dev, "up")
		}
		if err == nil {
			args := append([]string{"netns", "exec", end.ns, "tc", "qdisc", "replace", "dev", end.dev, "root", "tbf"}, strings.Fields(rate)...)
			if err = sh("ip", args...); err != nil {
				err = fmt.Errorf("%w: %w", errSkip, err)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// pair makes one circle of the hub and all others, which run.
func (w *world) pair(ctx context.Context) error {
	hub := w.machines[0]
	for _, m := range w.machines[1:] {
		var inv struct{ Link string }
		err := hub.ask(ctx, &inv, "invite")
		if err == nil {
			_, err = m.pinion(ctx, "join", inv.Link, "--address", netip.AddrPortFrom(m.hubAddr, port).String())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// share adds a folder of one machine and has others accept it.
func (w *world) share(ctx context.Context, name string, from *machine, to ...*machine) error {
	for i, m := range append([]*machine{from}, to...) {
		if err := os.MkdirAll(m.folder(name), 0o755); err != nil {
			return err
		}
		args := []string{"folder", "add", m.folder(name), "--name", name}
		if i > 0 {
			args = []string{"folder", "accept", name, m.folder(name)}
		}
		err := until(ctx, time.Minute, 20*time.Millisecond, func() error { _, err := m.pinion(ctx, args...); return err })
		if err != nil {
			return err
		}
	}
	return nil
}

// synced waits until machines say that a folder is in sync and holds so many files.
func (w *world) synced(ctx context.Context, name string, files int, limit time.Duration, on ...*machine) error {
	return until(ctx, limit, 250*time.Millisecond, func() error {
		for _, m := range on {
			f, err := m.said(ctx, name)
			if err != nil {
				return err
			}
			if f.State != "synced" || f.Files < files {
				return fmt.Errorf("%s is %s with %d of %d files %s", m.name, f.State, f.Files, files, f.Reason)
			}
		}
		return nil
	})
}

// until tries until it works.
func until(ctx context.Context, limit, every time.Duration, do func() error) error {
	var err error
	for end := time.Now().Add(limit); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(every) {
		if err = do(); err == nil {
			return nil
		}
	}
	return errors.Join(fmt.Errorf("not within %v: %w", limit, err), ctx.Err())
}

// ask is a command whose answer is JSON.
func (m *machine) ask(ctx context.Context, to any, args ...string) error {
	out, err := m.pinion(ctx, append(args, "--json")...)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(out), to)
}

// end stops everything and unmounts it.
func (w *world) end() {
	for _, m := range w.machines {
		if err := m.stop(); err != nil {
			fmt.Println("  ", err)
		}
		m.unmount()
		m.log.Close()
		if err := sh("ip", "netns", "delete", m.name); err != nil {
			fmt.Println("  ", err)
		}
	}
}
