package demo

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
	"strings"
	"time"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/platform/localsock"
)

// device is one engine, a child process.
type device struct {
	exe, name, home, root, store, listen string

	log    string
	cmd    *exec.Cmd
	ended  chan struct{}
	client *control.Client
}

func newDevice(exe, dir, name string) *device {
	base := filepath.Join(dir, name)
	d := &device{exe: exe, name: name, home: filepath.Join(base, "home"), root: filepath.Join(base, folderName), log: filepath.Join(base, "log")}
	socket := filepath.Join(d.home, "control.sock")
	d.client = control.Dial(d.home, func(ctx context.Context) (net.Conn, error) { return localsock.Dial(ctx, socket) })
	return d
}

// startTime bounds how long an engine may take until it answers.
const startTime = 30 * time.Second

func (d *device) start(ctx context.Context) error {
	port, err := freePort(ctx)
	if err != nil {
		return fmt.Errorf("find a free UDP port: %w", err)
	}
	d.listen = port
	args := []string{"--daemon", "--home", d.home, "--name", d.name, "--listen", d.listen}
	if d.store != "" {
		args = append(args, "--store", d.store)
	}
	log, err := os.Create(d.log)
	if err != nil {
		return fmt.Errorf("make the engine's log: %w", err)
	}
	defer log.Close()
	d.cmd = exec.Command(d.exe, args...)
	d.cmd.Stdout, d.cmd.Stderr = log, log
	apart(d.cmd)
	if err := d.cmd.Start(); err != nil {
		return fmt.Errorf("start the engine %s: %w", d.name, err)
	}
	d.ended = make(chan struct{})
	go func() {
		defer close(d.ended)
		_ = d.cmd.Wait() // why it ended is in its log
	}()
	return d.answering(ctx)
}

// answering waits until the engine's control socket answers.
func (d *device) answering(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := d.client.Status(ctx, 0); err == nil {
			return nil
		}
		select {
		case <-d.ended:
			return fmt.Errorf("the engine %s ended at once: %s", d.name, d.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("the engine %s does not answer: %s", d.name, d.lastWords())
		case <-tick.C:
		}
	}
}

func (d *device) lastWords() string {
	text, _ := os.ReadFile(d.log)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return last
	}
	return "it said nothing"
}

func freePort(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	c, err := lc.ListenPacket(ctx, "udp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer c.Close()
	return c.LocalAddr().String(), nil
}

// run is a command as a person types it.
func (d *device) run(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, d.exe, append(args, "--home", d.home)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	apart(cmd)
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		why := strings.TrimPrefix(strings.TrimSpace(errs.String()), "pinion: ")
		if why == "" {
			why = err.Error()
		}
		return nil, fmt.Errorf("%s: pinion %s: %s", d.name, args[0], why)
	}
	return out.Bytes(), nil
}

func (d *device) pinion(ctx context.Context, args ...string) error {
	_, err := d.run(ctx, args...)
	return err
}

func (d *device) json(ctx context.Context, v any, args ...string) error {
	out, err := d.run(ctx, append(args, "--json")...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, v); err != nil {
		return fmt.Errorf("%s: pinion %s: %w", d.name, args[0], err)
	}
	return nil
}

// folder is what the engine says of the demonstration's folder.
func (d *device) folder(ctx context.Context) (f status.Folder, found bool, err error) {
	s, err := d.client.Status(ctx, 0)
	if err != nil {
		return f, false, err
	}
	for _, f := range s.Folders {
		if f.Name == folderName {
			return f, true, nil
		}
	}
	return f, false, nil
}

func (d *device) alive() error {
	select {
	case <-d.ended:
		return errors.New("the engine " + d.name + " has ended: " + d.lastWords())
	default:
		return nil
	}
}

func (d *device) interrupt() {
	if d.ended != nil {
		ask(d.cmd)
	}
}

// stop ends the engine, by force if it does not end by itself.
func (d *device) stop() {
	if d.ended == nil {
		return
	}
	d.client.Close()
	t := time.NewTimer(5 * time.Second)
	defer t.Stop()
	select {
	case <-d.ended:
	case <-t.C:
	}
	force(d.cmd) // whatever it may have left in its group
	<-d.ended
}
