package netcost

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/godbus/dbus/v5"
)

// fake is a manager that answers what it was told to, once for each change.
type fake struct {
	answers []uint32
	signals chan *dbus.Signal
}

func (f *fake) metered(context.Context) (uint32, error) {
	v := f.answers[0]
	f.answers = f.answers[1:]
	if len(f.answers) == 0 {
		close(f.signals)
	} else {
		f.signals <- &dbus.Signal{}
	}
	if v == 99 {
		return 0, errors.New("nobody is there")
	}
	return v, nil
}
func (f *fake) changes() <-chan *dbus.Signal { return f.signals }
func (f *fake) close()                       {}

func TestFollow(t *testing.T) {
	f := &fake{answers: []uint32{0, 4, 2, 3, 1, 99, 1, 77, 2}, signals: make(chan *dbus.Signal, 1)}
	var told []State
	follow(t.Context(), f, func(s State) { told = append(told, s) })
	if want := []State{Free, Metered, Unknown, Metered, Unknown, Free}; !slices.Equal(told, want) {
		t.Errorf("told %v, not %v", told, want)
	}
}
