package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"pinion/app/show"
	"pinion/engine/control"
)

func newHistory(a *app) *cobra.Command {
	var r control.HistoryRequest
	cmd := &cobra.Command{
		Use: "history [PATH]", Short: "List earlier versions that are kept here", Args: takes("[PATH]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := a.engine()
			if err != nil {
				return err
			}
			if len(args) > 0 {
				if r.Path, err = a.place(cmd.Context(), e, args[0]); err != nil {
					return err
				}
			}
			kept, err := e.History(cmd.Context(), r)
			if err != nil {
				return err
			}
			return a.answer(list(kept), func() string { return show.History(kept, a.options()) })
		},
	}
	cmd.Flags().BoolVar(&r.Deleted, "deleted", false, "only what is not there any more")
	return cmd
}

func newRestore(a *app) *cobra.Command {
	var r control.Restore
	var at, to string
	cmd := &cobra.Command{
		Use: "restore PATH", Short: "Bring an earlier version back", Args: takes("PATH"),
		Long: "Bring back what pinion history lists: the newest version that is kept, or with --at the one that stood at that time.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("at") {
				t, err := parseMoment(at, a.env.now(), false)
				if err != nil {
					return usagef("--at takes a time such as 18:00, 2026-11-21 or '2026-11-21 18:00', not %q", at)
				}
				r.At = &t
			}
			e, err := a.engine()
			if err != nil {
				return err
			}
			if r.Path, err = a.place(cmd.Context(), e, args[0]); err != nil {
				return err
			}
			if cmd.Flags().Changed("to") {
				if r.To, err = a.place(cmd.Context(), e, to); err != nil {
					return err
				}
			}
			done, err := e.Restore(cmd.Context(), r)
			if err != nil {
				return err
			}
			return a.answer(done, func() string {
				return fmt.Sprintf("restored %s at %s", show.Count(done.Files, "file"), show.Clean(done.Path))
			})
		},
	}
	cmd.Flags().StringVar(&at, "at", "", "the version of this time")
	cmd.Flags().StringVar(&to, "to", "", "another path in the folder")
	return cmd
}
