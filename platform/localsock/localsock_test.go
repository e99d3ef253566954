package localsock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func socket(t *testing.T) string { return filepath.Join(t.TempDir(), "sock") }

func listening(t *testing.T, path string) net.Listener {
	t.Helper()
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// talk checks that a connection to path reaches l.
func talk(t *testing.T, l net.Listener, path string) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			_, err = c.Write([]byte("hello"))
			c.Close()
		}
		done <- err
	}()
	c, err := Dial(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if b, err := io.ReadAll(c); err != nil || string(b) != "hello" {
		t.Fatalf("read %q, %v", b, err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestListenAndDial(t *testing.T) {
	path := socket(t)
	if _, err := Dial(t.Context(), path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("nobody listens: %v", err)
	}
	l := listening(t, path)
	talk(t, l, path)
	if runtime.GOOS != "windows" {
		if fi, err := os.Lstat(path); err != nil || fi.Mode().Perm() != 0o600 {
			t.Fatalf("mode %v, %v", fi.Mode(), err)
		}
	}
	if _, err := Listen(path); !errors.Is(err, ErrInUse) {
		t.Fatalf("a second listener: %v", err)
	}
	talk(t, l, path) // the second took nothing away
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatalf("closed twice: %v", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("the socket is still there: %v", err)
	}
	talk(t, listening(t, path), path)
	names, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(names) != 2 { // the socket and its lock
		t.Fatalf("left behind: %v, %v", names, err)
	}
}

// dead makes what a killed process leaves: a socket on which nobody listens.
func dead(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestTakesOverADeadSocket(t *testing.T) {
	path := socket(t)
	dead(t, path)
	if runtime.GOOS != "windows" { // and it died in the middle of making another
		if err := os.Mkdir(path+newSuffix, 0o700); err != nil {
			t.Fatal(err)
		}
		dead(t, filepath.Join(path+newSuffix, "s"))
	}
	talk(t, listening(t, path), path)
}

func TestOneOfManyTakesOver(t *testing.T) {
	path := socket(t)
	dead(t, path)
	const many = 16
	var wg sync.WaitGroup
	got := make(chan net.Listener, many)
	for range many {
		wg.Go(func() {
			if l, err := Listen(path); err == nil {
				got <- l
			} else if !errors.Is(err, ErrInUse) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	close(got)
	if len(got) != 1 {
		t.Fatalf("%d listen", len(got))
	}
	l := <-got
	defer l.Close()
	talk(t, l, path)
}

func TestForeignListenerIsNotTakenOver(t *testing.T) {
	path := socket(t)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Skipf("no unix sockets here: %v", err)
	}
	defer l.Close()
	if _, err := Listen(path); !errors.Is(err, ErrInUse) {
		t.Fatalf("got %v", err)
	}
}

func TestOtherFilesAreNotReplaced(t *testing.T) {
	path := socket(t)
	if err := os.WriteFile(path, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("got %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "mine" {
		t.Fatalf("the file holds %q, %v", b, err)
	}
}

func TestLongPath(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		dir = filepath.Join(dir, strings.Repeat("long", 15))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "sock")
	l := listening(t, path)
	talk(t, l, path)
	if _, err := Listen(path); !errors.Is(err, ErrInUse) {
		t.Fatalf("a second listener: %v", err)
	}
	talk(t, l, path)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	talk(t, listening(t, path), path)
}

func TestShortened(t *testing.T) {
	a, b := shortened("/tmp/pinion-1000", strings.Repeat("a", 500)), shortened("/tmp/pinion-1000", strings.Repeat("a", 501))
	if a == b || len(a) > maxAddress {
		t.Fatalf("%s, %s", a, b)
	}
}

func TestDialGivesUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path := socket(t)
	listening(t, path)
	if c, err := Dial(ctx, path); err == nil {
		c.Close()
		t.Fatal("connected after the context ended")
	}
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	l, err := Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Lock(path)
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Fatalf("locked twice: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l, err = Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
}

const holderVariable = "PINION_TEST_HOLD"

// TestHolder is the other process of TestLockEndsWithTheProcess.
func TestHolder(t *testing.T) {
	path := os.Getenv(holderVariable)
	if path == "" {
		t.Skip("runs only as a process of its own")
	}
	if _, err := Lock(path); err != nil {
		t.Fatal(err)
	}
	fmt.Println("held")
	io.Copy(io.Discard, os.Stdin)
}

func TestLockEndsWithTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	cmd := exec.Command(os.Args[0], "-test.run=^TestHolder$", "-test.v")
	cmd.Env = append(os.Environ(), holderVariable+"="+path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skipf("no processes here: %v", err)
	}
	var said strings.Builder
	for b := make([]byte, 256); !strings.Contains(said.String(), "held"); {
		n, err := out.Read(b)
		said.Write(b[:n])
		if err != nil {
			t.Fatalf("the other process said %q: %v", said.String(), err)
		}
	}
	_, err = Lock(path)
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), fmt.Sprint(cmd.Process.Pid)) {
		t.Errorf("held by %d: %v", cmd.Process.Pid, err)
	}
	cmd.Process.Kill()
	in.Close()
	cmd.Wait()
	l, err := Lock(path)
	if err != nil {
		t.Fatalf("after it was killed: %v", err)
	}
	l.Close()
}
