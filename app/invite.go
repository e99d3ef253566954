package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/mdp/qrterminal/v3"
	"github.com/spf13/cobra"

	"pinion/app/show"
	"pinion/engine/control"
	"pinion/netproto/pairing"
)

func newInvite(a *app) *cobra.Command {
	var qr bool
	cmd := &cobra.Command{
		Use: "invite", Short: "Print an invitation for another device", Args: takes(),
		Long: `Print an invitation: a link and, on a terminal, a QR code. Another device joins
with it, and then all devices of the circle know each other. It is valid for 15
minutes and for one device; who has the link can join, so keep it to yourself.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := a.engine()
			if err != nil {
				return err
			}
			inv, err := e.Invite(cmd.Context())
			if err != nil {
				return err
			}
			if !a.json && !a.terminal && !qr {
				// A script gets the link alone: LINK=$(pinion invite).
				fmt.Fprintln(a.stdio.err, a.validity(inv))
				return a.answer(inv, func() string { return inv.Link })
			}
			return a.answer(inv, func() string { return a.invitation(inv) })
		},
	}
	cmd.Flags().BoolVar(&qr, "qr", false, "print the QR code even if the output is not a terminal")
	return cmd
}

func (a *app) invitation(inv control.Invitation) string {
	var b strings.Builder
	b.WriteString(show.Clean(inv.Link) + "\n\n")
	if len(inv.Link) < maxQR {
		qrterminal.GenerateWithConfig(pairing.QRText(inv.Link), qrterminal.Config{
			Level: qrterminal.L, Writer: &b, HalfBlocks: true, QuietZone: 2,
		})
		b.WriteByte('\n')
	}
	b.WriteString("On the other device: pinion join LINK\n" + a.validity(inv) + "\n")
	return b.String()
}

func (a *app) validity(inv control.Invitation) string {
	now := a.env.now()
	left := max(int(inv.Expires.Sub(now).Round(time.Minute).Minutes()), 0)
	return fmt.Sprintf("valid %d minutes (until %s), one use", left, inv.Expires.In(now.Location()).Format("15:04"))
}

// maxQR is below what a code of the lowest redundancy holds.
const maxQR = 2000
