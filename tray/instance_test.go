package tray

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"pinion/platform/localsock"
)

// desktop is the environment of a session with a display.
func desktop(display string) func(string) string {
	return func(name string) string {
		if name == "DISPLAY" {
			return display
		}
		return ""
	}
}

// first claims a home and hears other starts.
func first(t *testing.T, home string) (*instance, chan call) {
	t.Helper()
	i, err := claim(t.Context(), Options{Home: home, Env: desktop(":0")})
	if err != nil || i == nil {
		t.Fatalf("%v, %v", i, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	calls, ended := make(chan call), make(chan struct{})
	go func() {
		i.serve(ctx, calls)
		close(ended)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return i, calls
}

func TestASecondStartTellsTheFirst(t *testing.T) {
	home := t.TempDir()
	_, calls := first(t, home)
	for name, c := range map[string]struct {
		o    Options
		want call
	}{
		"plain":  {Options{}, call{Show: true}},
		"login":  {Options{Hidden: true}, call{}},
		"link":   {Options{Link: "pinion://join/x"}, call{Show: true, Link: "pinion://join/x"}},
		"quit":   {Options{Quit: true}, call{Show: true, Quit: true}},
		"at :1":  {Options{Env: desktop(":1")}, call{Show: true, leave: true, Display: " :1 "}},
		"quit 1": {Options{Env: desktop(":1"), Quit: true}, call{Show: true, Quit: true, Display: " :1 "}},
	} {
		c.o.Home = home
		if c.o.Env == nil {
			c.o.Env, c.want.Display = desktop(":0"), " :0 "
		}
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan call, 1)
		go func() {
			got <- <-calls
			cancel() // who is told to take over would wait for us to go
		}()
		i, err := claim(ctx, c.o)
		if i != nil || (err != nil) != c.want.leave {
			t.Errorf("%s: %v, %v", name, i, err)
		}
		if g := <-got; g != c.want {
			t.Errorf("%s: told %+v, want %+v", name, g, c.want)
		}
	}
}

func TestAnotherSessionTakesOver(t *testing.T) {
	home := t.TempDir()
	i, calls := first(t, home)
	go func() {
		<-calls
		i.Close() // as Run does, on its way out
	}()
	second, err := claim(t.Context(), Options{Home: home, Env: desktop(":1")})
	if err != nil || second == nil {
		t.Fatalf("%v, %v", second, err)
	}
	second.Close()
}

func TestQuitWithoutATray(t *testing.T) {
	_, err := claim(t.Context(), Options{Home: t.TempDir(), Env: desktop(":0"), Quit: true})
	if err == nil || !strings.Contains(err.Error(), "no Pinion is open") {
		t.Fatal(err)
	}
}

func TestNonsenseOnTheSocketIsPassedOver(t *testing.T) {
	home := t.TempDir()
	_, calls := first(t, home)
	for _, what := range []string{"", "\n", "{", strings.Repeat("x", 2*mostCall) + "\n", `{"show":"yes"}` + "\n"} {
		conn, err := localsock.Dial(t.Context(), filepath.Join(home, socketName))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write([]byte(what)) // may be cut off
		conn.Close()
	}
	go func() { _, _ = claim(t.Context(), Options{Home: home, Env: desktop(":0")}) }()
	if c := <-calls; !c.Show {
		t.Errorf("after the nonsense it heard %+v", c)
	}
}
