package main

import (
	"github.com/spf13/cobra"

	"pinion/app/show"
	"pinion/engine/control"
)

func newConflicts(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "conflicts", Short: "List files that were edited on two devices at once", Args: takes(),
		Long: `List files that were edited on two devices at once. Both versions are kept on
all devices: "this" holds the name, "that" is the copy beside it.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := a.engine()
			if err != nil {
				return err
			}
			all, err := e.Conflicts(cmd.Context())
			if err != nil {
				return err
			}
			return a.answer(list(all), func() string { return show.Conflicts(all, a.options()) })
		},
	}
}

func keeps() []string { return []string{"this", "that", "both"} }

func newResolve(a *app) *cobra.Command {
	var r control.Resolve
	cmd := &cobra.Command{
		Use: "resolve PATH --keep this|that|both", Short: "Settle a conflict on all devices", Args: takes("PATH"),
		Long: `Settle a conflict, on all devices. PATH is as pinion conflicts shows it, or where
the file is. What is not kept goes to the archive (pinion history).

  --keep this   what holds the name
  --keep that   the copy
  --keep both   two ordinary files`,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if r.Keep == "" {
				return usagef("say what to keep: --keep %s", orList(keeps()))
			}
			if err := oneOf("--keep", r.Keep, keeps()); err != nil {
				return err
			}
			e, err := a.engine()
			if err != nil {
				return err
			}
			if r.Path, err = a.place(cmd.Context(), e, args[0]); err != nil {
				return err
			}
			if err := e.Resolve(cmd.Context(), r); err != nil {
				return err
			}
			return a.say("settled: %s", show.Clean(args[0]))
		},
	}
	cmd.Flags().StringVar(&r.Keep, "keep", "", "this, that or both")
	choices(cmd, "keep", keeps())
	return cmd
}
