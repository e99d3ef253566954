//go:build torture

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// device is one engine in a process of its own, and its disk.
type device struct {
	w          *world
	name       string
	home, disk string // the folder is disk/sync; disk/out is beside it, on the same file system
	listen     string
	on         mount // what disk is
	what       able

	durable bool // the storm flushes after each edit
	frozen  bool
	exe     string
	log     *os.File
	cmd     *exec.Cmd
	ended   chan struct{}
}

// able is what a file system can hold.
type able struct{ exec, symlink, exchange bool }

func (d *device) root() string { return filepath.Join(d.disk, "sync") }
func (d *device) out() string  { return filepath.Join(d.disk, "out") }

func (w *world) newDevice(name string) (*device, error) {
	base := filepath.Join(w.dir, name)
	d := &device{w: w, name: name, home: filepath.Join(base, "home"), disk: filepath.Join(base, "disk"), exe: w.o.exe, what: able{true, true, true}}
	for _, dir := range []string{d.home, d.disk} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	text := fmt.Sprintf("name = %q\nlan = false\n", name)
	if err := os.WriteFile(filepath.Join(d.home, "config.toml"), []byte(text), 0o600); err != nil {
		return nil, err
	}
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer c.Close()
	d.listen = c.LocalAddr().String()
	d.log, err = os.Create(filepath.Join(w.dir, name+".log"))
	return d, err
}

// makeDirs makes the folder and the place beside it, on a fresh disk.
func (d *device) makeDirs() error {
	return errors.Join(os.MkdirAll(d.root(), 0o755), os.MkdirAll(d.out(), 0o755))
}

func (d *device) running() bool {
	if d.ended == nil {
		return false
	}
	select {
	case <-d.ended:
		return false
	default:
		return true
	}
}

// start starts the engine, with more in its environment, and waits until it answers or has ended.
func (d *device) start(ctx context.Context, env ...string) error {
	if d.running() {
		return nil
	}
	d.cmd = exec.Command(d.exe, "--daemon", "--home", d.home, "--listen", d.listen, "--name", d.name)
	d.cmd.Stdout, d.cmd.Stderr = d.log, d.log
	d.cmd.Env = append(os.Environ(), env...)
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	fmt.Fprintf(d.log, "---- start %s %v\n", time.Now().Format("15:04:05.000"), env)
	if err := d.cmd.Start(); err != nil {
		return fmt.Errorf("start the engine %s: %w", d.name, err)
	}
	ended, cmd := make(chan struct{}), d.cmd
	d.ended, d.frozen = ended, false
	go func() {
		defer close(ended)
		_ = cmd.Wait() // how it ended is seen in its log
	}()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end) && ctx.Err() == nil; {
		if _, err := os.Stat(filepath.Join(d.home, "control.sock")); err == nil {
			if _, err := d.status(ctx); err == nil {
				return nil
			}
		}
		select {
		case <-ended:
			if len(env) > 0 {
				return nil // it was meant to
			}
			return fmt.Errorf("the engine %s ended at once: %s", d.name, lastLine(d.log.Name()))
		case <-time.After(20 * time.Millisecond):
		}
	}
	if len(env) > 0 && !d.running() {
		return nil
	}
	return fmt.Errorf("the engine %s does not answer: %s", d.name, lastLine(d.log.Name()))
}

func (d *device) kill() {
	if !d.running() {
		return
	}
	d.measure()
	fmt.Fprintf(d.log, "---- kill -9 %s\n", time.Now().Format("15:04:05.000"))
	_ = d.cmd.Process.Kill() // fails when it has ended
	<-d.ended
}

// stop ends the engine cleanly.
func (d *device) stop() error {
	if !d.running() {
		return nil
	}
	d.thaw()
	d.measure()
	fmt.Fprintf(d.log, "---- stop %s\n", time.Now().Format("15:04:05.000"))
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.ended:
		return nil
	case <-time.After(30 * time.Second):
		_ = d.cmd.Process.Signal(syscall.SIGQUIT)
		<-d.ended
		return fmt.Errorf("%s did not stop within 30 s; its goroutines are in its log", d.name)
	}
}

func (d *device) freeze() {
	if d.running() {
		d.frozen = true
		_ = d.cmd.Process.Signal(syscall.SIGSTOP)
	}
}

func (d *device) thaw() {
	if d.frozen && d.running() {
		_ = d.cmd.Process.Signal(syscall.SIGCONT)
	}
	d.frozen = false
}

// measure takes the peak of the engine's memory into account.
func (d *device) measure() {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		return
	}
	for _, line := range strings.Split(string(text), "\n") {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmHWM:" {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			d.w.peak = max(d.w.peak, n)
		}
	}
}

// ticks is the CPU time that the engine has used, in hundredths of a second.
func (d *device) ticks() int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(f[11], 10, 64)
	sys, _ := strconv.ParseInt(f[12], 10, 64)
	return user + sys
}

// pinion is a command as a person types it.
func (d *device) pinion(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, d.w.o.exe, append(args, "--home", d.home)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: pinion %s: %s%w", d.name, strings.Join(args, " "), errs.String(), err)
	}
	return out.String(), nil
}

// said is what an engine says of itself, as far as it matters here.
type said struct {
	Version uint64
	Folders []struct {
		State, Reason string
		Files         int64
		Need          struct{ Files int64 }
		Conflicts     int64
		Problems      []struct{ Path, Error string }
		Peers         []struct {
			Device    string
			Connected bool
			UpToDate  bool  `json:"up_to_date"`
			NeedFiles int64 `json:"need_files"`
		}
	}
	Devices []struct{ Name, Error string }
	Offers  []struct{ Name string }
}

func (d *device) status(ctx context.Context) (s said, err error) {
	out, err := d.pinion(ctx, "status", "--json")
	if err == nil {
		err = json.Unmarshal([]byte(out), &s)
	}
	return s, err
}

func lastLine(file string) string {
	text, _ := os.ReadFile(file)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1]
}
