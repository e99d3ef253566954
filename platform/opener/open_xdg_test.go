//go:build !windows && !darwin

package opener

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestXDG(t *testing.T) {
	const path = "/home/pat/-x $(id) %41#?;\n\xff.txt"
	var ran []string
	var shown string
	var fails error
	have := []string{"xdg-open", "gio"}
	x := xdg{
		find: func(p string) (string, error) {
			if !slices.Contains(have, p) {
				return "", errors.New("not there")
			}
			return "/usr/bin/" + p, nil
		},
		start: func(_ context.Context, program string, args ...string) error {
			ran = append(ran, program+" "+strings.Join(args, "|"))
			return fails
		},
		show: func(_ context.Context, uri string) error { shown = uri; return fails },
	}
	is := func(err error, want ...string) {
		t.Helper()
		if err != nil || !slices.Equal(ran, want) {
			t.Errorf("%v, %q, want %q", err, ran, want)
		}
		ran = nil
	}
	is(x.open(t.Context(), path), "/usr/bin/xdg-open "+path)
	is(x.reveal(t.Context(), path))
	if want := "file:///home/pat/-x%20$%28id%29%20%2541%23%3F;%0A%FF.txt"; shown != want {
		t.Errorf("%s, want %s", shown, want)
	}
	have = []string{"gio"}
	is(x.open(t.Context(), path), "/usr/bin/gio open|"+path)

	have, fails = []string{"xdg-open", "gio"}, errors.New("no program for it")
	if err := x.reveal(t.Context(), path); err == nil || len(ran) != 2 || ran[0] != "/usr/bin/xdg-open /home/pat" {
		t.Errorf("%v, %q", err, ran)
	}
	have = nil
	if err := x.openURL(t.Context(), "https://example.org"); err == nil || !strings.Contains(err.Error(), "xdg-utils") {
		t.Error(err)
	}
}
