package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"sync"
)

// How large logs become before they are begun anew; the one before is kept as
// NAME.1.
const (
	mostEngineLog = 1 << 20
	mostTrayLog   = 256 << 10
)

// logFile is a log of bounded size. A crash of the program is written to it, too.
type logFile struct {
	path string
	most int64

	mu   sync.Mutex
	file *os.File
	size int64
}

func openLogFile(path string, most int64) (*logFile, error) {
	l := &logFile{path: path, most: most}
	return l, l.open()
}

func (l *logFile) open() error {
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return err
	}
	if err := debug.SetCrashOutput(f, debug.CrashOptions{}); err != nil {
		f.Close()
		return fmt.Errorf("have crashes written down: %w", err)
	}
	l.file, l.size = f, info.Size()
	return nil
}

// Write never fails because of the bound: a log that can't be begun anew goes on.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size > 0 && l.size+int64(len(p)) > l.most {
		l.renew()
	}
	n, err := l.file.Write(p)
	l.size += int64(n)
	return n, err
}

func (l *logFile) renew() {
	old := l.file
	if os.Rename(l.path, l.path+".1") != nil && old.Truncate(0) != nil { // Windows renames no open file
		l.size = 0 // tried again after as much more
		return
	}
	if l.open() == nil {
		old.Close()
	}
}

func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}
