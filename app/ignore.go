package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"pinion/app/show"
	"pinion/engine/control"
)

func newIgnore(a *app) *cobra.Command {
	var try, set string
	cmd := &cobra.Command{
		Use: "ignore FOLDER", Short: "Show, try or change the rules of what is left out of a folder", Args: takes("FOLDER"),
		Long: `Show the rules of what is left out of a folder: its .pinionignore, in the syntax
of .gitignore. The file is synced, so that the rules hold on all devices. What is
left out stays where it is on each of them.

  pinion ignore docs                   show the rules
  pinion ignore docs --try new.txt     what these rules would leave out, and take up again
  pinion ignore docs --set new.txt     have them hold (- is the standard input)`,
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := a.engine()
			if err != nil {
				return err
			}
			switch {
			case try != "" && set != "":
				return usagef("--try or --set, not both in one go")
			case try != "":
				return a.tryIgnores(cmd, e, args[0], try)
			case set != "":
				return a.setIgnores(cmd, e, args[0], set)
			}
			i, err := e.Ignores(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			i.Problems = list(i.Problems)
			return a.answer(i, func() string { return show.Ignores(i, a.options()) })
		},
	}
	cmd.Flags().StringVar(&try, "try", "", "say what the rules in `FILE` would leave out; nothing is changed")
	cmd.Flags().StringVar(&set, "set", "", "have the rules in `FILE` hold, on all devices")
	return cmd
}

func (a *app) tryIgnores(cmd *cobra.Command, e control.Engine, folder, file string) error {
	text, err := a.rulesIn(cmd, file)
	if err != nil {
		return err
	}
	t, err := e.TryIgnores(cmd.Context(), control.TryIgnores{Folder: folder, Text: text})
	if err != nil {
		return err
	}
	t.Out, t.Back, t.Problems = list(t.Out), list(t.Back), list(t.Problems)
	return a.answer(t, func() string { return show.Tried(t, a.options()) })
}

func (a *app) setIgnores(cmd *cobra.Command, e control.Engine, folder, file string) error {
	text, err := a.rulesIn(cmd, file)
	if err != nil {
		return err
	}
	now, err := e.Ignores(cmd.Context(), folder)
	if err != nil {
		return err
	}
	i, err := e.SetIgnores(cmd.Context(), control.SetIgnores{Folder: folder, Text: text, Seen: now.Seen})
	if err != nil {
		return err
	}
	i.Problems = list(i.Problems)
	return a.answer(i, func() string {
		return fmt.Sprintf("these rules hold in %s from now on; what they leave out stays where it is", show.Clean(folder))
	})
}

// rulesIn reads the rules in a file, or with - those that are piped in.
func (a *app) rulesIn(cmd *cobra.Command, file string) (string, error) {
	in := cmd.InOrStdin()
	if file != "-" {
		path, err := a.abs(file)
		if err != nil {
			return "", err
		}
		f, err := os.Open(path)
		if err != nil {
			return "", fmt.Errorf("read the rules: %w", err)
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, control.MaxIgnores+1))
	if err == nil && len(text) > control.MaxIgnores {
		err = errors.New("they are too long")
	}
	if err != nil {
		return "", fmt.Errorf("read the rules: %w", err)
	}
	return string(text), nil
}
