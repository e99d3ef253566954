package localsock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// ErrInUse: another living program has the socket, or the lock.
var ErrInUse = errors.New("in use by another process")

const (
	lockSuffix = ".lock"
	newSuffix  = ".new" // of the directory in which a socket gets its mode
	answerTime = 2 * time.Second
)

// Listen makes a socket at path, in an existing directory, and listens on it.
// What stands there is replaced if it is a socket on which nobody answers.
// Closing the listener removes it.
func Listen(path string) (net.Listener, error) {
	l, err := listen(path)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	return l, nil
}

func listen(path string) (net.Listener, error) {
	at, err := place(path)
	if err != nil {
		return nil, err
	}
	lock, err := Lock(at + lockSuffix)
	if err != nil {
		return nil, err
	}
	if err := refuseLiving(at); err != nil {
		lock.Close()
		return nil, err
	}
	l, err := bind(at)
	if err != nil {
		lock.Close()
		return nil, err
	}
	l.SetUnlinkOnClose(false) // it would remove the address, which is not always the path
	return &listener{UnixListener: l, path: at, lock: lock}, nil
}

// refuseLiving lets through a path at which nothing stands, or a dead socket.
func refuseLiving(path string) error {
	fi, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !isSocket(fi) {
		return fmt.Errorf("%w: it is not a socket", fs.ErrExist)
	}
	ctx, cancel := context.WithTimeout(context.Background(), answerTime)
	defer cancel()
	c, err := dial(ctx, path)
	switch {
	case err == nil:
		c.Close()
		return ErrInUse
	case refused(err), errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, fs.ErrPermission):
		return err
	}
	return fmt.Errorf("%w: %w", ErrInUse, err) // busy, but somebody is there
}

// Dial connects to the socket that Listen made at path.
func Dial(ctx context.Context, path string) (net.Conn, error) {
	at, err := place(path)
	if err == nil {
		var c net.Conn
		if c, err = dial(ctx, at); err == nil {
			return c, nil
		}
	}
	return nil, fmt.Errorf("connect to %s: %w", path, err)
}

func dial(ctx context.Context, path string) (c net.Conn, err error) {
	err = nearby(path, func(address string) (err error) {
		var d net.Dialer
		c, err = d.DialContext(ctx, "unix", address)
		return err
	})
	return c, err
}

// listener removes its socket and gives its lock back when it is closed.
type listener struct {
	*net.UnixListener
	path string
	lock io.Closer

	once sync.Once
	err  error
}

func (l *listener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unix"} }

func (l *listener) Close() error {
	l.once.Do(func() {
		// First the name, so that whoever comes now is not refused by a socket.
		rerr := os.Remove(l.path)
		if errors.Is(rerr, fs.ErrNotExist) {
			rerr = nil
		}
		l.err = errors.Join(l.UnixListener.Close(), rerr, l.lock.Close())
	})
	return l.err
}

// absolute is what both sides agree on.
func absolute(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, filepath.Base(path)), nil
}
