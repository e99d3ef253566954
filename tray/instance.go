package tray

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"time"

	"pinion/platform/localsock"
)

// socketName is the tray's socket in the home directory. Who has it is the one tray
// of this home.
const socketName = "tray.sock"

const (
	mostCall  = 16 << 10 // bytes; an invitation is shorter by far
	callTime  = 5 * time.Second
	yieldTime = 10 * time.Second // until the other has let go
)

// call is what a second start asks of the first.
type call struct {
	Show    bool   `json:"show,omitempty"`
	Link    string `json:"link,omitempty"`
	Quit    bool   `json:"quit,omitempty"`
	Display string `json:"display,omitempty"` // the session in which it was started

	leave bool
}

// reply says what came of it.
type reply struct {
	Yields bool `json:"yields,omitempty"` // the caller is to be the tray now
}

// instance is the claim to be the one tray.
type instance struct {
	l    net.Listener
	here string // our session
	once sync.Once
}

// claim makes us the one tray. nil, nil: there is another, and it was told.
func claim(ctx context.Context, o Options) (*instance, error) {
	path := filepath.Join(o.Home, socketName)
	here := session(o.Env)
	end := time.Now().Add(yieldTime)
	for {
		if !o.Quit {
			l, err := localsock.Listen(path)
			if err == nil {
				return &instance{l: l, here: here}, nil
			}
			if !errors.Is(err, localsock.ErrInUse) {
				return nil, fmt.Errorf("be the one Pinion on this desktop: %w", err)
			}
		}
		r, err := tell(ctx, path, call{Show: !o.Hidden, Link: o.Link, Quit: o.Quit, Display: here})
		switch {
		case o.Quit && err != nil:
			return nil, fmt.Errorf("no Pinion is open on this desktop for %s", o.Home)
		case err == nil && !r.Yields:
			return nil, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case time.Now().After(end):
			return nil, fmt.Errorf("Pinion is open on this desktop already and does not answer; end it first: %w", err)
		}
		time.Sleep(100 * time.Millisecond) // it is just beginning, or on its way out
	}
}

// session names the desktop: the display, and the bus on which its tray is.
func session(env func(string) string) string {
	return env("WAYLAND_DISPLAY") + " " + env("DISPLAY") + " " + env("DBUS_SESSION_BUS_ADDRESS")
}

func tell(ctx context.Context, path string, c call) (r reply, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	conn, err := localsock.Dial(ctx, path)
	if err != nil {
		return r, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(callTime)); err != nil {
		return r, err
	}
	if err := json.NewEncoder(conn).Encode(c); err != nil {
		return r, err
	}
	return r, receive(conn, &r)
}

// receive reads one line.
func receive(conn net.Conn, v any) error {
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, mostCall)
	if !lines.Scan() {
		return errors.Join(errors.New("no answer"), lines.Err())
	}
	return json.Unmarshal(lines.Bytes(), v)
}

// serve hears other starts until ctx ends or the claim is given up.
func (i *instance) serve(ctx context.Context, calls chan<- call) {
	stop := context.AfterFunc(ctx, i.Close)
	defer stop()
	for {
		conn, err := i.l.Accept()
		if err != nil {
			return
		}
		i.answer(ctx, conn, calls)
	}
}

// answer is for one caller after the other: each has a few seconds.
func (i *instance) answer(ctx context.Context, conn net.Conn, calls chan<- call) {
	defer conn.Close()
	if conn.SetDeadline(time.Now().Add(callTime)) != nil {
		return
	}
	var c call
	if receive(conn, &c) != nil {
		return
	}
	// Started in another session: this one's is over, or the person has left it.
	yields := c.Display != i.here && !c.Quit
	c.leave = yields
	if json.NewEncoder(conn).Encode(reply{Yields: yields}) != nil {
		return
	}
	select {
	case calls <- c:
	case <-ctx.Done():
	}
}

// Close gives the claim up.
func (i *instance) Close() { i.once.Do(func() { i.l.Close() }) }

// called does what another start asked for.
func (t *tray) called(c call) {
	switch {
	case c.leave:
		t.leaves.Store(true)
		t.quit()
	case c.Quit:
		t.quit()
	case c.Link != "":
		t.join(c.Link)
	case c.Show:
		t.openWindow(nil)
	}
}
