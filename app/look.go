package main

import (
	"github.com/spf13/cobra"

	"pinion/app/show"
)

func newScan(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "scan [FOLDER]", Short: "Look at the whole disk now, besides watching it", Args: takes("[FOLDER]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := a.engine()
			if err != nil {
				return err
			}
			if err := e.Scan(cmd.Context(), first(args)); err != nil {
				return err
			}
			return a.say("%s looked at", folderOrAll(args))
		},
	}
}

func newConfirm(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "confirm [FOLDER]", Short: "Let a deletion happen that is held", Args: takes("[FOLDER]"),
		Long: "Let a deletion of much of a folder happen that is held until a person says yes (pinion status shows it).",
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := a.engine()
			if err != nil {
				return err
			}
			if err := e.Confirm(cmd.Context(), first(args)); err != nil {
				return err
			}
			return a.say("confirmed; what is deleted is kept in the archive (pinion history --deleted)")
		},
	}
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func folderOrAll(args []string) string {
	if len(args) == 0 {
		return "all folders are being"
	}
	return "folder " + show.Clean(args[0]) + " is being"
}
