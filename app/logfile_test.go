package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

func TestLogFileIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "engine.log")
	l, err := openLogFile(path, 1000)
	if err != nil {
		t.Fatal(err)
	}
	defer debug.SetCrashOutput(nil, debug.CrashOptions{})
	line := []byte(strings.Repeat("x", 99) + "\n")
	for range 35 {
		if n, err := l.Write(line); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	last := []byte("the last line\n")
	if _, err := l.Write(last); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(names) != 2 {
		t.Fatalf("%v, %v", names, err)
	}
	for _, n := range names {
		if info, err := n.Info(); err != nil || info.Size() > 1000 {
			t.Errorf("%s has %d bytes, %v", n.Name(), info.Size(), err)
		}
	}
	if b, err := os.ReadFile(path); err != nil || !bytes.HasSuffix(b, last) {
		t.Errorf("it ends in %q, %v", b, err)
	}
	l, err = openLogFile(path, 1000) // goes on where it ended
	if err != nil {
		t.Fatal(err)
	}
	l.Write(last)
	l.Close()
	if b, err := os.ReadFile(path); err != nil || !bytes.HasSuffix(b, append(last, last...)) {
		t.Errorf("it ends in %q, %v", b, err)
	}
}
