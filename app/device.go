package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"pinion/app/show"
	"pinion/engine/control"
)

func newDevice(a *app) *cobra.Command {
	return group("device", "The devices of the circle", deviceList(a), deviceRemove(a), deviceRename(a), deviceSet(a))
}

func deviceList(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the other devices", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := a.engine()
			if err != nil {
				return err
			}
			s, err := state(cmd.Context(), e, 0)
			if err != nil {
				return err
			}
			return a.answer(s.Devices, func() string { return show.Devices(s, a.options()) })
		},
	}
}

func deviceRemove(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "remove DEVICE", Short: "Remove a device from the circle, on all its members", Args: takes("DEVICE"),
		Long: "Remove a device from the circle. Every member stops talking to it; the files that it holds stay there.",
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := a.engine()
			if err != nil {
				return err
			}
			if err := e.RemoveDevice(cmd.Context(), args[0]); err != nil {
				return err
			}
			return a.say("%s is no longer in the circle", show.Clean(args[0]))
		},
	}
}

func deviceRename(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "rename DEVICE NAME", Short: "Give a device another name", Args: takes("DEVICE", "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := a.engine()
			if err != nil {
				return err
			}
			if err := e.RenameDevice(cmd.Context(), args[0], args[1]); err != nil {
				return err
			}
			return a.say("%s is called %s now", show.Clean(args[0]), show.Clean(args[1]))
		},
	}
}

func deviceSet(a *app) *cobra.Command {
	var addresses []string
	cmd := &cobra.Command{
		Use: "set DEVICE", Short: "Say where a device can be reached", Args: takes("DEVICE"),
		Long: "Say where a device can be reached. The addresses given replace those given before; --address '' forgets them.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("address") {
				return usagef("%s needs --address HOST:PORT; see %s --help", cmd.CommandPath(), cmd.CommandPath())
			}
			given := []string{}
			for _, addr := range addresses {
				if addr == "" && len(addresses) == 1 {
					continue
				}
				if err := checkHostPort("--address", addr, true); err != nil {
					return err
				}
				given = append(given, addr)
			}
			e, err := a.engine()
			if err != nil {
				return err
			}
			if err := e.SetDevice(cmd.Context(), args[0], control.DeviceSettings{Addresses: &given}); err != nil {
				return err
			}
			if len(given) == 0 {
				return a.say("%s is looked for by itself", show.Clean(args[0]))
			}
			return a.say("%s is tried first at %s", show.Clean(args[0]), fmt.Sprint(orList(given)))
		},
	}
	cmd.Flags().StringArrayVar(&addresses, "address", nil, "`HOST:PORT`, tried first; may be repeated")
	return cmd
}
