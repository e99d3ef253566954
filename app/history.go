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
		Use: "history [PATH]", Short: "List earlier versions, wherever they are kept", Args: takes("[PATH]"),
		Long: `List the earlier versions of a file, or of all below a directory or folder,
that this device and those that are connected keep: when each was put away and
when it was written, by whose change, and where it is kept. Of a file, the
version that stands now comes first.

With --deleted, list what was deleted and is not there any more: for each file
the version that pinion restore would bring back.

What a device keeps that can't be reached is not listed; a note says which.`,
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
			h, err := e.History(cmd.Context(), r)
			if err != nil {
				return err
			}
			for i := range h.Versions {
				h.Versions[i].KeptBy = list(h.Versions[i].KeptBy)
			}
			a.remark(h.Notes)
			return a.answer(list(h.Versions), func() string { return show.History(h.Versions, a.options()) })
		},
	}
	cmd.Flags().BoolVar(&r.Deleted, "deleted", false, "only what was deleted and is not there any more")
	return cmd
}

func newRestore(a *app) *cobra.Command {
	var r control.Restore
	var at, to string
	cmd := &cobra.Command{
		Use: "restore PATH", Short: "Bring an earlier version back", Args: takes("PATH"),
		Long: `Bring back a file, or all below a directory or folder, from whichever device keeps
it (pinion history lists what there is): of a file the newest version that is
kept, of a directory all that was deleted in it. With --at, what stood at that
time: 18:00, 2026-11-21 or "2026-11-21 18:00".

What comes back is a new change and goes to all devices; what it replaces goes to
the archive. With --to it comes to stand elsewhere in the folder.

While something of a folder is held (pinion status says so), restore FOLDER takes
that back, on whichever device it happened.`,
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
			a.remark(done.Notes)
			return a.answer(done, func() string { return show.Restored(done) })
		},
	}
	cmd.Flags().StringVar(&at, "at", "", "what stood at this `TIME`")
	cmd.Flags().StringVar(&to, "to", "", "another `PATH` in the folder")
	return cmd
}

// remark says beside the answer what a person should know of it.
func (a *app) remark(notes []string) {
	for _, n := range notes {
		fmt.Fprintf(a.err, "note: %s\n", show.Clean(n))
	}
}
