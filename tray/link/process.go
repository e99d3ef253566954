package link

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Names in the home directory.
const (
	LogFile  = "engine.log"
	ownFile  = "tray.engine" // the number of the engine's process that a tray has begun
	lockFile = "lock"        // the engine's, with its number
)

// Exe begins engines from the program's file.
type Exe struct {
	Path  string
	Home  string
	Level string // of the log
}

// Start begins an engine in a session of its own. Its log goes to a file in the
// home directory, which it bounds itself.
func (e Exe) Start() (Process, error) {
	if err := os.MkdirAll(e.Home, 0o700); err != nil {
		return nil, fmt.Errorf("make the home directory: %w", err)
	}
	file := filepath.Join(e.Home, LogFile)
	// What it says before its log is open, and what only a crash says.
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the engine's log: %w", err)
	}
	defer out.Close()
	size, err := out.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("look at the engine's log: %w", err)
	}
	cmd := exec.Command(e.Path, "--daemon", "--home", e.Home, "--log-file", file, "--log-level", e.Level)
	cmd.Stdout, cmd.Stderr, cmd.Dir = out, out, e.Home
	apart(cmd)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the engine: %w", err)
	}
	p := &process{cmd: cmd, log: file, from: size, done: make(chan struct{})}
	own := []byte(strconv.Itoa(cmd.Process.Pid) + "\n")
	if err := os.WriteFile(filepath.Join(e.Home, ownFile), own, 0o600); err != nil {
		_ = cmd.Process.Kill()
		go p.reap()
		return nil, fmt.Errorf("note the engine's process: %w", err)
	}
	go p.reap()
	return p, nil
}

// Ours says whether the engine that holds the home directory is one that a tray
// has begun.
func (e Exe) Ours() bool {
	own := number(filepath.Join(e.Home, ownFile))
	return own > 0 && own == number(filepath.Join(e.Home, lockFile))
}

// Reap waits for the engine that this process begun before it began anew, if there
// is one, so that no zombie is left of it.
func (e Exe) Reap() {
	pid := number(filepath.Join(e.Home, ownFile))
	if pid <= 0 {
		return
	}
	go func() {
		if p, err := os.FindProcess(pid); err == nil {
			_, _ = p.Wait() // at once, if it is no child of ours
		}
	}()
}

func number(file string) int {
	f, err := os.Open(file)
	if err != nil {
		return 0
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 32))
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0
	}
	return n
}

type process struct {
	cmd  *exec.Cmd
	log  string
	from int64 // of its words in the log
	done chan struct{}
}

// reap waits for the end, so that no zombie is left. It ends with the process,
// which may be after the tray.
func (p *process) reap() {
	_ = p.cmd.Wait()
	close(p.done)
}

func (p *process) Done() <-chan struct{} { return p.done }
func (p *process) Interrupt()            { interrupt(p.cmd.Process) }
func (p *process) Kill()                 { _ = p.cmd.Process.Kill() }

// Why is the sentence with which the program ends when it fails.
func (p *process) Why() string {
	f, err := os.Open(p.log)
	if err != nil {
		return ""
	}
	defer f.Close()
	const most = 16 << 10
	if size, err := f.Seek(0, io.SeekEnd); err == nil && size-p.from <= most && size >= p.from {
		_, err = f.Seek(p.from, io.SeekStart)
	} else if err == nil {
		_, err = f.Seek(max(0, size-most), io.SeekStart)
	}
	if err != nil {
		return ""
	}
	b, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return ""
	}
	return lastWords(b)
}

// lastWords is the last line that begins with the program's name.
func lastWords(log []byte) string {
	lines := bytes.Split(bytes.TrimRight(log, "\n"), []byte("\n"))
	for i := len(lines) - 1; i >= 0; i-- {
		if words, ok := bytes.CutPrefix(lines[i], []byte("pinion: ")); ok {
			return string(words)
		}
	}
	return ""
}
