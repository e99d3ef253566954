package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"pinion/engine/tree"
	"pinion/netproto/identity"
)

func newID(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "id", Short: "Print this device's id", Args: takes(),
		Long: "Print this device's id. The engine need not run.",
		RunE: func(*cobra.Command, []string) error {
			home, err := a.home()
			if err != nil {
				return err
			}
			file := filepath.Join(home, identity.KeyFile)
			if _, err := os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("there is no device key in %s yet: it is made when the engine starts for the first time (pinion --daemon)", home)
			}
			id, notes, err := identity.Open(home, rand.Reader)
			if err != nil {
				return err
			}
			for _, n := range notes {
				fmt.Fprintf(a.stdio.err, "pinion: %s\n", n)
			}
			answer := struct {
				ID tree.DeviceID `json:"id"`
			}{id.Device()}
			return a.answer(answer, answer.ID.String)
		},
	}
}
