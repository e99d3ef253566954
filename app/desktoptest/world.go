//go:build desktoptest

package desktoptest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/platform/localsock"
)

// device is one engine: its home, and where its files are.
type device struct {
	d      *Desk
	name   string
	home   string
	root   string // holds its folders
	listen string
	store  bool
	p      *process // nil where the tray started it
	*control.Client
}

func exe(t testing.TB) string {
	t.Helper()
	path := os.Getenv("PINION_EXE")
	if path == "" {
		t.Fatal("PINION_EXE has to name the program, built with the tag desktop; make test-desktop does that")
	}
	return path
}

// device prepares a home that stays on this machine. Nothing runs yet.
func (d *Desk) device(name string, store bool) *device {
	d.t.Helper()
	v := &device{d: d, name: name, home: filepath.Join(d.dir, name), root: filepath.Join(d.home, name), listen: "127.0.0.1:0", store: store}
	mkdir(d.t, v.home)
	mkdir(d.t, v.root)
	text := fmt.Sprintf("name = %q\nlisten = %q\nlan = false\n", name, "127.0.0.1:0")
	write(d.t, filepath.Join(v.home, "config.toml"), text)
	socket := filepath.Join(v.home, "control.sock")
	v.Client = control.Dial(v.home, func(ctx context.Context) (net.Conn, error) { return localsock.Dial(ctx, socket) })
	d.t.Cleanup(func() {
		v.Client.Close()
		v.killEngine()
	})
	return v
}

// start runs the engine as a process of its own, as a service would.
func (v *device) start() {
	v.d.t.Helper()
	args := []string{"--daemon", "--home", v.home, "--listen", v.listen}
	if v.store {
		args = append(args, "--store", v.root)
	}
	v.p = start(v.d.t, v.d.logs(), "engine-"+v.name, v.d.env, exe(v.d.t), args...)
	v.answers()
}

// answers waits until the engine does.
func (v *device) answers() {
	v.d.t.Helper()
	v.d.until("the engine of "+v.name+" answers", func() (string, bool) {
		_, err := v.state()
		return fmt.Sprint(err), err == nil
	})
}

func (v *device) state() (status.State, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return v.Status(ctx, 0)
}

// pid is that of the engine's process, whoever started it; 0 if there is none.
func (v *device) pid() int {
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range all {
		b, _ := os.ReadFile(file)
		args := strings.Split(string(b), "\x00")
		if slices.Contains(args, "--daemon") && (slices.Contains(args, v.home) || slices.Contains(args, "--home="+v.home)) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			return pid
		}
	}
	return 0
}

// killEngine ends the device's engine at once, whoever started it.
func (v *device) killEngine() {
	if pid := v.pid(); pid > 0 {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// pinion runs the command line against the device.
func (v *device) pinion(args ...string) string {
	v.d.t.Helper()
	cmd := exec.Command(exe(v.d.t), append([]string{"--home", v.home}, args...)...)
	cmd.Env = v.d.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		v.d.t.Fatalf("%s: pinion %s: %v: %s", v.name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// pair lets two devices be of one circle.
func (v *device) pair(other *device) {
	v.d.t.Helper()
	link := v.link()
	s, err := v.state()
	if err != nil {
		v.d.t.Fatal(err)
	}
	other.pinion("join", link, "--address", s.Device.Listen)
}

// link is an invitation.
func (v *device) link() string {
	v.d.t.Helper()
	var inv struct{ Link string }
	if err := json.Unmarshal([]byte(v.pinion("invite", "--json")), &inv); err != nil {
		v.d.t.Fatal(err)
	}
	return inv.Link
}

// share makes a folder with some files, and adds it.
func (v *device) share(name string, files map[string]string) string {
	v.d.t.Helper()
	dir := filepath.Join(v.root, name)
	mkdir(v.d.t, dir)
	for path, text := range files {
		write(v.d.t, filepath.Join(dir, path), text)
	}
	v.pinion("folder", "add", dir, "--name", name)
	return dir
}

// level waits until the devices say that they are in sync, and looks whether the
// disks are the same.
func (d *Desk) level(folder string, devices ...*device) {
	d.t.Helper()
	d.within(2*patience, "all devices are in sync", func() (string, bool) {
		for _, v := range devices {
			s, err := v.state()
			if err != nil {
				return v.name + ": " + err.Error(), false
			}
			ok := false
			for _, f := range s.Folders {
				if f.Name == folder {
					ok = f.State == status.Synced && f.Need.Files == 0
				}
			}
			if !ok {
				return fmt.Sprintf("%s: %+v", v.name, s.Folders), false
			}
		}
		var first map[string]string
		for _, v := range devices {
			files := tree(v.folder(folder))
			if first == nil {
				first = files
			} else if diff := differ(first, files); diff != "" {
				return fmt.Sprintf("%s and %s differ: %s", devices[0].name, v.name, diff), false
			}
		}
		return "", true
	})
}

// folder is where a device has it, or will: a store may choose another name.
func (v *device) folder(name string) string {
	if s, err := v.state(); err == nil {
		for _, f := range s.Folders {
			if f.Name == name {
				return f.Path
			}
		}
	}
	return filepath.Join(v.root, name)
}

// tree is what a person sees of a folder: paths and contents.
func tree(dir string) map[string]string {
	files := map[string]string{}
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil
		case e.IsDir() && e.Name() == ".pinion":
			return fs.SkipDir
		case e.Type().IsRegular():
			b, err := os.ReadFile(path)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				b = []byte(err.Error())
			}
			rel, _ := filepath.Rel(dir, path)
			files[rel] = string(b)
		}
		return nil
	})
	return files
}

func differ(a, b map[string]string) string {
	for path, text := range a {
		if other, ok := b[path]; !ok {
			return path + " is missing"
		} else if other != text {
			return path + " holds other bytes"
		}
	}
	for path := range b {
		if _, ok := a[path]; !ok {
			return path + " is too many"
		}
	}
	return ""
}

// archived says whether a content is in an archive on a device.
func (v *device) archived(folder, content string) bool {
	found := false
	_ = filepath.WalkDir(filepath.Join(v.folder(folder), ".pinion", "archive"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			b, _ := os.ReadFile(path)
			found = found || bytes.Equal(b, []byte(content))
		}
		return nil
	})
	return found
}

// conflict lets both devices write the same file while they don't hear of each
// other, and waits until both know of it.
func (d *Desk) conflict(a, b *device, folder, path, textA, textB string) {
	d.t.Helper()
	b.pinion("pause", "--folder", folder)
	write(d.t, filepath.Join(a.folder(folder), path), textA)
	write(d.t, filepath.Join(b.folder(folder), path), textB)
	d.until("the engine of "+a.name+" has noticed", func() (string, bool) {
		return a.pinion("activity"), true
	})
	b.pinion("resume", "--folder", folder)
	d.until("both devices know of the conflict", func() (string, bool) {
		for _, v := range []*device{a, b} {
			c, err := v.Conflicts(d.t.Context())
			if err != nil || len(c) == 0 {
				return fmt.Sprintf("%s: %v %v", v.name, c, err), false
			}
		}
		return "", true
	})
	d.t.Logf("%s and %s have written two versions of %s", a.name, b.name, path)
}

// tray starts the desktop program on the device's home.
func (v *device) tray(args ...string) *process {
	v.d.t.Helper()
	return start(v.d.t, v.d.logs(), "tray", v.d.env, exe(v.d.t), append([]string{"--home", v.home}, args...)...)
}
