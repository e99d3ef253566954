package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"pinion/app/show"
	"pinion/engine/control"
)

// followWait is how long one request for news waits before it is made again.
const followWait = 30 * time.Second

func newActivity(a *app) *cobra.Command {
	var follow bool
	var limit int
	cmd := &cobra.Command{
		Use: "activity", Short: "List the last changes: what, where, by which device, when", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 || limit > 1000 {
				return usagef("--limit takes a number from 1 to 1000, not %d", limit)
			}
			e, err := a.engine()
			if err != nil {
				return err
			}
			page, err := e.Activity(cmd.Context(), control.ActivityRequest{Limit: limit})
			if err != nil {
				return err
			}
			if follow {
				return a.follow(cmd.Context(), e, page)
			}
			return a.answer(list(page.Items), func() string {
				if len(page.Items) == 0 {
					return "nothing has changed yet"
				}
				text := ""
				for _, i := range page.Items {
					text += show.Activity(i, a.options()) + "\n"
				}
				return text
			})
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with new changes as they happen; with --json one object a line")
	cmd.Flags().IntVarP(&limit, "limit", "n", 50, "how many of the last changes")
	return cmd
}

// follow prints page and every later change until ctx ends.
func (a *app) follow(ctx context.Context, e control.Engine, page control.ActivityPage) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	for {
		for _, i := range page.Items {
			var err error
			if a.json {
				err = enc.Encode(i)
			} else {
				_, err = fmt.Fprintln(a.out, show.Activity(i, a.options()))
			}
			if err != nil {
				return err
			}
		}
		next, err := e.Activity(ctx, control.ActivityRequest{After: page.Next, Limit: 1000, Wait: followWait})
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		page = next
	}
}
