package main

import (
	"errors"

	"github.com/spf13/cobra"

	"pinion/app/show"
)

func newDoctor(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Look everything over and say what is wrong", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := a.engine()
			if err != nil {
				return err
			}
			findings, err := e.Doctor(cmd.Context())
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
}
