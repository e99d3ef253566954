//go:build desktoptest

package desktoptest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a program that runs beside the test and ends with it.
type process struct {
	name  string
	cmd   *exec.Cmd
	log   string // file of what it wrote
	ended chan struct{}
	once  sync.Once
}

// start runs a program with its output in a file. It ends, at the latest, with
// the test.
func start(t testing.TB, logs, name string, env []string, exe string, args ...string) *process {
	t.Helper()
	p, err := launch(logs, name, env, nil, exe, args...)
	if err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	t.Cleanup(p.kill)
	return p
}

// logFile gives each life of a program a file of its own.
func logFile(logs, name string) (*os.File, error) {
	path := filepath.Join(logs, name+".log")
	for n := 2; ; n++ {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
		path = filepath.Join(logs, fmt.Sprintf("%s-%d.log", name, n))
	}
}

func launch(logs, name string, env []string, extra []*os.File, exe string, args ...string) (*process, error) {
	out, err := logFile(logs, name)
	if err != nil {
		return nil, err
	}
	p := &process{name: name, log: out.Name(), ended: make(chan struct{})}
	defer out.Close()
	p.cmd = exec.Command(exe, args...)
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr, p.cmd.ExtraFiles = env, out, out, extra
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// kill ends it and what it started, at once.
func (p *process) kill() {
	p.once.Do(func() {
		_ = syscall.Kill(-p.pid(), syscall.SIGKILL)
		<-p.ended
	})
}

// killAlone ends it at once and leaves what it started alone.
func (p *process) killAlone() {
	_ = syscall.Kill(p.pid(), syscall.SIGKILL)
	<-p.ended
}

// stop asks it to end, and gives its exit code.
func (p *process) stop(patience time.Duration) (int, bool) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	return p.wait(patience)
}

func (p *process) wait(patience time.Duration) (int, bool) {
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode(), true
	case <-time.After(patience):
		return 0, false
	}
}

// said is what it wrote.
func (p *process) said() string {
	b, _ := os.ReadFile(p.log)
	return string(b)
}

// tail is the end of what it wrote.
func (p *process) tail(lines int) string {
	all := strings.Split(strings.TrimRight(p.said(), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// stat reads a process's CPU time and resident memory.
func stat(pid int) (cpu time.Duration, rss int64, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	f := strings.Fields(rest)
	var user, system, pages int64
	if _, err := fmt.Sscan(f[11]+" "+f[12]+" "+f[21], &user, &system, &pages); err != nil {
		return 0, 0, err
	}
	return time.Duration(user+system) * 10 * time.Millisecond, pages * int64(os.Getpagesize()), nil
}
