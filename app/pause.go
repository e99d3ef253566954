package main

import (
	"github.com/spf13/cobra"

	"pinion/app/show"
	"pinion/engine/control"
)

func newPause(a *app) *cobra.Command {
	var r control.PauseRequest
	var span, until string
	cmd := &cobra.Command{
		Use: "pause", Short: "Stop moving files: all, of one folder, or with one device", Args: takes(),
		Long: "Stop moving files until resumed, or for a time. A pause outlives a restart of the engine.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkPause(r); err != nil {
				return err
			}
			if span != "" && until != "" {
				return usagef("give either --for or --until, not both")
			}
			now := a.env.now()
			if cmd.Flags().Changed("for") {
				d, err := parseSpan(span)
				if err != nil {
					return usagef("--for takes a time such as 30m, 2h or 1d, not %q", span)
				}
				r.For = d
			}
			if cmd.Flags().Changed("until") {
				t, err := parseMoment(until, now, true)
				if err != nil {
					return usagef("--until takes a time such as 18:00 or '2026-11-21 18:00', not %q", until)
				}
				if !t.After(now) {
					return usagef("--until %s is in the past", until)
				}
				r.Until = &t
			}
			e, err := a.engine()
			if err != nil {
				return err
			}
			if err := e.Pause(cmd.Context(), r); err != nil {
				return err
			}
			ends := "until pinion resume"
			switch {
			case r.Until != nil:
				ends = "until " + show.Moment(*r.Until, now)
			case r.For > 0:
				ends = "until " + show.Moment(now.Add(r.For), now)
			}
			return a.say("%s paused %s", subject(r), ends)
		},
	}
	pauseFlags(cmd, &r)
	cmd.Flags().StringVar(&span, "for", "", "how long, such as 30m, 2h or 1d")
	cmd.Flags().StringVar(&until, "until", "", "till when, such as 18:00")
	return cmd
}

func newResume(a *app) *cobra.Command {
	var r control.PauseRequest
	cmd := &cobra.Command{
		Use: "resume", Short: "End a pause", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkPause(r); err != nil {
				return err
			}
			e, err := a.engine()
			if err != nil {
				return err
			}
			if err := e.Resume(cmd.Context(), r); err != nil {
				return err
			}
			return a.say("%s running again", subject(r))
		},
	}
	pauseFlags(cmd, &r)
	return cmd
}

func pauseFlags(cmd *cobra.Command, r *control.PauseRequest) {
	cmd.Flags().StringVar(&r.Folder, "folder", "", "only this folder")
	cmd.Flags().StringVar(&r.Device, "device", "", "only with this device")
}

func checkPause(r control.PauseRequest) error {
	if r.Folder != "" && r.Device != "" {
		return usagef("give either --folder or --device, not both")
	}
	return nil
}

func subject(r control.PauseRequest) string {
	switch {
	case r.Folder != "":
		return "folder " + show.Clean(r.Folder) + " is"
	case r.Device != "":
		return "syncing with " + show.Clean(r.Device) + " is"
	}
	return "everything is"
}
