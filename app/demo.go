package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"pinion/app/demo"
)

func newDemo(a *app) *cobra.Command {
	o := demo.Options{}
	cmd := &cobra.Command{
		Use: "demo [DIR]", Short: "Two devices on this machine, paired and syncing, with live progress; verified at the end", Args: takes("[DIR]"),
		Long: `Start engines as processes of their own in a temporary directory, pair them, sync a
copy of DIR between them, and verify every file; then edit, rename, delete and
make a conflict. DIR itself is only read. Without DIR it is the source tree of Go
if that is installed, else a made-up tree of 10,000 small files.`,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.Devices < 2 || o.Devices > 3 {
				return usagef("--devices takes 2 or 3, not %d", o.Devices)
			}
			if len(args) > 0 {
				if o.Dir, err = a.directory(args[0]); err != nil {
					return err
				}
			}
			if o.Exe, err = a.env.exe(); err != nil {
				return fmt.Errorf("find this program's file: %w", err)
			}
			o.Out, o.Terminal, o.Size, o.Draw = a.out, a.terminal, a.size, a.options()
			return demo.Run(cmd.Context(), o)
		},
	}
	cmd.Flags().IntVar(&o.Devices, "devices", 2, "how many devices, 2 or 3")
	cmd.Flags().BoolVar(&o.Keep, "keep", false, "keep the temporary directory")
	return cmd
}
