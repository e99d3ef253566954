//go:build measure

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// traced are the system calls that change a disk or flush it.
const traced = "openat,openat2,write,pwrite64,writev,copy_file_range,rename,renameat,renameat2,linkat,mkdirat,unlinkat,fsync,fdatasync,syncfs,sync_file_range"

// group has a receiver take some small files under strace, and prints in which order
// content, names and the index are written and flushed.
func group(ctx context.Context, w *world) error {
	if _, err := exec.LookPath("strace"); err != nil {
		return fmt.Errorf("%w: there is no strace", errSkip)
	}
	lap, pi, err := w.two(ctx)
	if err != nil {
		return err
	}
	if err := w.share(ctx, "docs", lap, pi); err != nil {
		return err
	}
	if err := w.synced(ctx, "docs", 0, time.Minute, lap, pi); err != nil {
		return err
	}
	const files = 200
	beside := filepath.Join(lap.disk, "beside")
	if _, err := (tree{files: files, each: files, least: 500, most: 8000}).make(beside); err != nil {
		return err
	}
	log := filepath.Join(w.dir, "trace")
	strace := exec.Command("strace", "-f", "-y", "-s", "0", "-e", "trace="+traced, "-o", log, "-p", fmt.Sprint(pi.cmd.Process.Pid))
	if err := strace.Start(); err != nil {
		return fmt.Errorf("%w: %w", errSkip, err)
	}
	err = pause(ctx, 2*time.Second)
	if err == nil {
		err = os.Rename(filepath.Join(beside, "d00"), filepath.Join(lap.folder("docs"), "d00"))
	}
	if err == nil {
		err = w.synced(ctx, "docs", files, time.Minute, lap, pi)
	}
	if err == nil {
		err = pause(ctx, 2*time.Second)
	}
	_ = strace.Process.Signal(syscall.SIGINT)
	_ = strace.Wait() // it ends by a signal
	if err != nil {
		return err
	}
	text, err := os.ReadFile(log)
	if err != nil {
		return err
	}
	t := &trace{root: pi.folder("docs"), state: map[string]string{}, pending: map[string]string{}}
	for _, l := range strings.Split(string(text), "\n") {
		t.read(l)
	}
	for _, l := range t.lines {
		fmt.Println("    " + l)
	}
	w.line("content flushed before its name", fmt.Sprintf("%d of %d", t.names-t.early, t.names), "all")
	w.line("names flushed before the index", fmt.Sprintf("%d of %d commits with new names", t.commits-t.rash, t.commits), "all")
	return nil
}

// trace follows strace's lines. What a flush covers was done before it began, and
// is covered when it has ended.
type trace struct {
	root    string
	state   map[string]string // staged files and names: "loose", "flushing", "durable"
	pending map[string]string // by thread: the flush under way
	done    []string          // since the last flush, with counts
	counts  map[string]int
	lines   []string

	names, early  int // names given, and those whose content was not durable
	commits, rash int // flushes of the index after names, and those before the names were durable
	loose, fresh  int // names that are not durable; names since the index was flushed
}

var call = regexp.MustCompile(`^(\d+) +(<\.\.\. )?(\w+)(?: resumed>|\()(.*)$`)

func (t *trace) read(line string) {
	m := call.FindStringSubmatch(line)
	if m == nil || strings.Contains(line, ") = -1 ") {
		return
	}
	thread, resumed, name, rest := m[1], m[2] != "", m[3], m[4]
	unfinished := strings.HasSuffix(line, "<unfinished ...>")
	switch {
	case strings.HasSuffix(name, "sync") || name == "syncfs":
		if !resumed {
			t.flushing(thread, name, rest)
		}
		if !unfinished {
			t.flushed(thread)
		}
	case !resumed:
		t.change(name, rest)
	}
}

// flushing notes what a flush that begins will cover.
func (t *trace) flushing(thread, name, args string) {
	switch {
	case name == "syncfs":
		t.pending[thread] = "syncfs"
		for k, s := range t.state {
			if s == "loose" {
				t.state[k] = "flushing " + thread
			}
		}
	case strings.Contains(args, "/.pinion/index.db"):
		t.pending[thread] = name + " of the index"
	default:
		t.pending[thread] = name
	}
}

// flushed notes what a flush that has ended covered.
func (t *trace) flushed(thread string) {
	what := t.pending[thread]
	delete(t.pending, thread)
	switch {
	case what == "syncfs":
		for k, s := range t.state {
			if s == "flushing "+thread {
				t.state[k] = "durable"
				t.loose -= boolean(k[0] == '>')
			}
		}
	case strings.HasSuffix(what, "of the index") && slices.Contains(t.done, "index written"):
		t.commits += boolean(t.fresh > 0)
		t.rash += boolean(t.fresh > 0 && t.loose > 0)
		t.fresh = t.loose
	}
	var words []string
	for _, d := range t.done {
		words = append(words, fmt.Sprintf("%s %d x", d, t.counts[d]))
	}
	if len(words) == 0 {
		words = []string{"nothing"}
	}
	t.lines = append(t.lines, fmt.Sprintf("%-28s before it: %s", what, strings.Join(words, ", ")))
	t.done, t.counts = nil, nil
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

var named = regexp.MustCompile(`<([^>]*)>, "([^"]*)"`)

// change notes a call that changes something.
func (t *trace) change(name, args string) {
	if !strings.Contains(args, t.root) {
		return
	}
	staging := strings.Contains(args, t.root+"/.pinion/tmp")
	switch {
	case strings.HasPrefix(name, "rename") && staging:
		from := named.FindStringSubmatch(args)
		if from == nil {
			return
		}
		file := filepath.Join(from[1], from[2])
		t.names++
		t.early += boolean(t.state[file] != "durable")
		delete(t.state, file)
		t.state[">"+file] = "loose"
		t.loose++
		t.fresh++
		t.count("name given")
	case strings.HasPrefix(name, "open"):
		if staging && strings.Contains(args, "O_CREAT") {
			t.count("staged file made")
		}
	case strings.Contains(name, "write") && staging:
		file, _, _ := strings.Cut(args[strings.Index(args, t.root):], ">")
		t.state[file] = "loose"
		t.count("staged file written")
	case strings.Contains(name, "write") && strings.Contains(args, "/.pinion/index.db"):
		t.count("index written")
	case strings.Contains(name, "write"):
		t.count("note written")
	default:
		t.count(name)
	}
}

func (t *trace) count(what string) {
	if t.counts == nil {
		t.counts = map[string]int{}
	}
	if t.counts[what]++; t.counts[what] == 1 {
		t.done = append(t.done, what)
	}
}
