package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"pinion/app/show"
	"pinion/engine/control"
	"pinion/netproto/pairing"
)

func newJoin(a *app) *cobra.Command {
	var r control.JoinRequest
	cmd := &cobra.Command{
		Use: "join LINK", Short: "Join the circle of a device that printed an invitation", Args: takes("LINK"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r.Link = args[0]
			if _, err := pairing.ParseLink(r.Link); err != nil {
				return usagef("%s", err)
			}
			if r.Address != "" {
				if err := checkHostPort("--address", r.Address, true); err != nil {
					return err
				}
			}
			e, err := a.engine()
			if err != nil {
				return err
			}
			j, err := e.Join(cmd.Context(), r)
			if err != nil {
				return err
			}
			return a.answer(j, func() string {
				return fmt.Sprintf("joined %s (%s); folders of the circle: pinion folder offers", show.Clean(j.Name), j.Device.Short())
			})
		},
	}
	cmd.Flags().StringVar(&r.Address, "address", "", "where the other device is, `HOST:PORT`, tried before those in the link")
	return cmd
}
