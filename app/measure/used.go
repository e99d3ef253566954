//go:build measure

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// used is what an engine has used of the machine since it began.
type used struct {
	cpu      time.Duration
	switches int64 // how often one of its threads woke, or was made to wait
	written  int64 // bytes, by the kernel's account of what it made dirty
	rss, top int64 // KiB now, and at most
	wire     int64 // bytes on its link, both ways
}

func (m *machine) used() (u used, err error) {
	pid := strconv.Itoa(m.cmd.Process.Pid)
	proc := filepath.Join("/proc", pid)
	stat, err := os.ReadFile(filepath.Join(proc, "stat"))
	if err != nil {
		return u, err
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	if f := strings.Fields(after); len(f) > 12 {
		u.cpu = time.Duration(number(f[11])+number(f[12])) * 10 * time.Millisecond
	}
	u.rss, u.top = field(filepath.Join(proc, "status"), "VmRSS:"), field(filepath.Join(proc, "status"), "VmHWM:")
	u.written = field(filepath.Join(proc, "io"), "write_bytes:")
	tasks, err := filepath.Glob(filepath.Join(proc, "task", "*", "status"))
	for _, t := range tasks {
		u.switches += field(t, "voluntary_ctxt_switches:") + field(t, "nonvoluntary_ctxt_switches:")
	}
	if m.hubDev != "" {
		out, errs := m.counters()
		u.wire, err = out, errs
	}
	return u, err
}

// counters gives the bytes that passed on its link, in both directions.
func (m *machine) counters() (int64, error) {
	in, out, err := m.passed()
	return in + out, err
}

// passed gives the bytes that came over its link and that it sent, as the hub's network has them.
func (m *machine) passed() (came, sent int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/dev", m.cmd.Process.Pid))
	for _, l := range strings.Split(string(text), "\n") {
		dev, rest, ok := strings.Cut(strings.TrimSpace(l), ":")
		if f := strings.Fields(rest); ok && dev == m.dev && len(f) > 8 {
			return number(f[0]), number(f[8]), nil
		}
	}
	return 0, 0, err
}

func (u used) since(old used) used {
	u.cpu, u.switches, u.written, u.wire = u.cpu-old.cpu, u.switches-old.switches, u.written-old.written, u.wire-old.wire
	return u
}

func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

// field is a number of a file of /proc that has one in a line.
func field(file, name string) int64 {
	text, _ := os.ReadFile(file)
	for _, l := range strings.Split(string(text), "\n") {
		if f := strings.Fields(l); len(f) > 1 && f[0] == name {
			return number(f[1])
		}
	}
	return 0
}

// sizeOf is how many bytes files take, by pattern.
func sizeOf(pattern string) (n int64) {
	files, _ := filepath.Glob(pattern)
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			n += info.Size()
		}
	}
	return n
}

func mb(kib int64) string { return fmt.Sprintf("%.0f MB", float64(kib)*1024/1e6) }
