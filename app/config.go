package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"pinion/app/show"
	"pinion/engine/config"
	"pinion/engine/control"
)

func newConfig(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "config", Short: "Show the configuration and where it is", Args: takes(),
		Long: "Show the configuration and where it is. The engine need not run; edit the file only while it does not.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.config(cmd.Context())
			if err != nil {
				return err
			}
			return a.answer(c, func() string { return "# " + show.Clean(c.File) + "\n" + c.Text })
		},
	}
}

// config asks the engine, or reads the file when none runs.
func (a *app) config(ctx context.Context) (control.Config, error) {
	e, err := a.engine()
	if err != nil {
		return control.Config{}, err
	}
	c, err := e.Config(ctx)
	var ce *control.Error
	if !errors.As(err, &ce) || ce.Kind != control.KindNotRunning {
		return c, err
	}
	home, herr := a.home()
	if herr != nil {
		return c, herr
	}
	file := filepath.Join(home, config.File)
	text, rerr := os.ReadFile(file)
	if errors.Is(rerr, fs.ErrNotExist) {
		return c, err
	}
	return control.Config{Home: home, File: file, Text: string(text)}, rerr
}
