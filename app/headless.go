//go:build !desktop

package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// windowFlags: this build has no window to start.
type windowFlags struct{}

func (*windowFlags) add(*pflag.FlagSet) {}

// window answers a plain "pinion", which in a desktop build opens the window.
func (a *app) window(_ *cobra.Command, _ windowFlags, link string) error {
	if link != "" {
		return usagef("this build has no window: join with pinion join LINK")
	}
	return usagef("this build has no window: start the engine with pinion --daemon, look at it with pinion status; pinion --help shows all commands")
}
