package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"pinion/app/show"
	"pinion/engine/control"
	"pinion/engine/status"
)

// redrawEvery bounds how often a picture that changes is drawn.
const redrawEvery = 200 * time.Millisecond

func newStatus(a *app) *cobra.Command {
	var watch bool
	cmd := &cobra.Command{
		Use: "status", Short: "What is in sync, what moves, how fast, how long still, what is wrong", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := a.engine()
			if err != nil {
				return err
			}
			if watch {
				return a.watch(cmd.Context(), e)
			}
			s, err := state(cmd.Context(), e, 0)
			if err != nil {
				return err
			}
			return a.answer(s, func() string { return show.Status(s, a.options()) })
		},
	}
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "go on as things change; with --json one object a line")
	return cmd
}

// watch shows each newer state until ctx ends.
func (a *app) watch(ctx context.Context, e control.Engine) error {
	p := &show.Painter{W: a.out, Size: a.size}
	defer p.Close()
	plain := &plainWatch{a: a}
	return a.states(ctx, e, func(s status.State) error {
		switch {
		case a.json:
			return json.NewEncoder(a.out).Encode(s)
		case a.terminal:
			return p.Paint(show.Status(s, a.options()))
		}
		return plain.show(s)
	})
}

// states calls fn with the newest state, and with each newer one at most every
// redrawEvery, until ctx ends or fn fails.
func (a *app) states(ctx context.Context, e control.Engine, fn func(status.State) error) error {
	var after uint64
	for {
		s, err := state(ctx, e, after)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if err := fn(s); err != nil {
			return err
		}
		after = s.Version
		if !rest(ctx, redrawEvery) {
			return nil
		}
	}
}

// rest waits; false: ctx ended first.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// plainWatch prints, where nothing can be redrawn, a line for each folder whose
// line has changed.
type plainWatch struct {
	a    *app
	last map[string]string
}

func (w *plainWatch) show(s status.State) error {
	if w.last == nil {
		w.last = map[string]string{}
	}
	now := w.a.env.now()
	for _, f := range s.Folders {
		line := show.FolderLine(f, w.a.options())
		if f.Reason != "" {
			line += "  " + show.Clean(f.Reason)
		}
		if w.last[f.ID.String()] == line {
			continue
		}
		w.last[f.ID.String()] = line
		if _, err := fmt.Fprintf(w.a.out, "%s  %s\n", now.Format("15:04:05"), line); err != nil {
			return err
		}
	}
	return nil
}
