package main

import (
	"errors"

	"github.com/spf13/cobra"

	"pinion/app/show"
	"pinion/engine/control"
)

func newDoctor(a *app) *cobra.Command {
	var r control.DoctorRequest
	cmd := &cobra.Command{
		Use: "doctor [FOLDER]", Short: "Look everything over and say what is wrong", Args: takes("[FOLDER]"),
		Long: `Look over the network, and of each folder the marker, the disk, the index, the
archive and how it stands with the other devices. Nothing is changed.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				r.Folder = args[0]
			}
			e, err := a.engine()
			if err != nil {
				return err
			}
			findings, err := e.Doctor(cmd.Context(), r)
			if err != nil {
				return err
			}
			if err := a.answer(list(findings), func() string { return show.Findings(findings, a.options()) }); err != nil {
				return err
			}
			for _, f := range findings {
				if f.Level == "problem" {
					return errors.New("there are problems; each line that is marked says what to do")
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&r.Deep, "deep", false, "read every file, too, and compare it with what is recorded")
	return cmd
}
