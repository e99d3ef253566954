package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := run(ctx, os.Args[1:], systemStdio(), systemEnv())
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "pinion: %s\n", sentence(err))
	}
	os.Exit(exitCode(err))
}

// stdio is where a command reads and writes.
type stdio struct {
	in       io.Reader
	out, err io.Writer
	terminal bool                      // out is one
	size     func() (width, lines int) // of the terminal
}

// environment is what a command takes from around it.
type environment struct {
	get func(string) string // an environment variable
	dir func() (string, error)
	now func() time.Time
	exe func() (string, error) // this program's file
}

// run does what the arguments say. Its errors are sentences for a person.
func run(ctx context.Context, args []string, s stdio, env environment) error {
	a := &app{stdio: s, env: env}
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	err := root.ExecuteContext(ctx)
	if err != nil && !a.begun {
		return asUsage(err)
	}
	return err
}

func systemStdio() stdio {
	fd := int(os.Stdout.Fd())
	return stdio{
		in: os.Stdin, out: os.Stdout, err: os.Stderr,
		terminal: term.IsTerminal(fd) && os.Getenv("TERM") != "dumb",
		size: func() (int, int) {
			w, h, err := term.GetSize(fd)
			if err != nil || w <= 0 || h <= 0 {
				return 80, 24
			}
			return w, h
		},
	}
}

func systemEnv() environment {
	return environment{get: os.Getenv, dir: os.Getwd, now: time.Now, exe: os.Executable}
}
