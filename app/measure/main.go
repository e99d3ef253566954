//go:build measure

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

type options struct {
	exe    string // the program
	dir    string // where to work
	files  int    // of the largest tree; 0: as many as the measurement is about
	memory bool   // disks are in memory: what is left is the program's part
	keep   bool
}

func main() {
	var o options
	flag.StringVar(&o.exe, "exe", "", "the program")
	flag.StringVar(&o.dir, "dir", "", "where to work")
	flag.IntVar(&o.files, "files", 0, "how many files the largest tree has, to try it out; 0: as many as the measurement is about")
	flag.BoolVar(&o.memory, "memory", false, "disks in memory, so that flushes cost nothing")
	flag.BoolVar(&o.keep, "keep", false, "keep what was made")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		stop()
		os.Exit(1)
	}
}

// errSkip: it can't be measured on this machine.
var errSkip = errors.New("skipped")

// measurement is one thing that is measured. It reports by w.line.
type measurement struct {
	name  string
	long  bool // only when it is asked for
	about string
	do    func(ctx context.Context, w *world) error
}

func measurements() []measurement {
	return []measurement{
		{"group", false, "the system calls of one group of small files", group},
		{"limits", false, "limits over ten seconds, with one peer and with two", limits},
		{"pis", false, "three slow peers against one", pis},
		{"saves", false, "a small save while something else is synced for the first time", saves},
		{"rest", false, "100,000 files at rest", rest},
		{"million", true, "a million tiny files in 100 MiB", million},
	}
}

func run(ctx context.Context, o options, names []string) error {
	all := measurements()
	for _, n := range names {
		if !slices.ContainsFunc(all, func(m measurement) bool { return m.name == n }) {
			var known []string
			for _, m := range all {
				known = append(known, fmt.Sprintf("%s (%s)", m.name, m.about))
			}
			return fmt.Errorf("there is no %q; there are %s", n, strings.Join(known, ", "))
		}
	}
	var errs []error
	for _, m := range all {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if len(names) > 0 && !slices.Contains(names, m.name) || len(names) == 0 && m.long {
			continue
		}
		begun := time.Now()
		w := newWorld(o, filepath.Join(o.dir, m.name))
		fmt.Printf("%s: %s\n", m.name, m.about)
		err := w.clear()
		if err == nil {
			err = m.do(ctx, w)
		}
		w.end()
		switch {
		case errors.Is(err, errSkip):
			fmt.Printf("  %v\n", err)
		case err != nil:
			fmt.Printf("  FAILED: %v\n", err)
			errs = append(errs, fmt.Errorf("%s: %w; logs are in %s", m.name, err, w.dir))
			continue
		}
		fmt.Printf("  (%d s)\n", int(time.Since(begun).Seconds()))
		if !o.keep {
			os.RemoveAll(w.dir)
		}
	}
	return errors.Join(errs...)
}
