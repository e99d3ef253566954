package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func newRoot(a *app) *cobra.Command {
	var o daemonOptions
	var w windowFlags
	var daemon bool
	root := &cobra.Command{
		Use:   "pinion",
		Short: "Keep folders the same on your laptop and your Raspberry Pis",
		Long: `Pinion keeps your folders the same on devices you own. No cloud, no account, no server.

  pinion --daemon                  start the engine, in the foreground
  pinion invite                    on one device: print an invitation
  pinion join LINK                 on another: join the circle of devices
  pinion folder add ~/Documents    keep a folder the same on all of them
  pinion status --watch            see what happens

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 engine not running, 4 timed out.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && isInvitation(args[0]) {
				return nil
			}
			return unknown(cmd, args)
		},
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("home") && a.homeFlag == "" {
				return usagef("--home needs a directory")
			}
			if err := checkLogLevel(a.logLevel); err != nil {
				return err
			}
			a.begun = true
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if !daemon {
				if err := forDaemon(cmd); err != nil {
					return err
				}
				return a.window(cmd, w, strings.Join(args, ""))
			}
			if len(args) > 0 {
				return usagef("--daemon takes no invitation: start it, then pinion join LINK")
			}
			return a.daemon(cmd.Context(), o)
		},
	}
	p := root.PersistentFlags()
	p.StringVar(&a.homeFlag, "home", "", "`DIR` with this device's key and settings (PINION_HOME, else the system's config directory)")
	p.BoolVar(&a.json, "json", false, "answer in JSON")
	p.StringVar(&a.logLevel, "log-level", "info", "what the engine logs: debug, info, warn or error")
	f := root.Flags()
	f.BoolVar(&daemon, "daemon", false, "be the engine, in the foreground; SIGTERM stops it cleanly")
	f.StringVar(&o.Listen, "listen", "", "UDP address `HOST:PORT` to be reached at (:27464 unless the configuration says otherwise)")
	f.StringVar(&o.Store, "store", "", "take every folder that is offered into a directory below `DIR`")
	f.StringVar(&o.Name, "name", "", "what other devices call this one")
	f.StringVar(&o.LogFile, "log-file", "", "log to `FILE`, which is kept below 1 MB, instead of the standard error")
	w.add(f)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%s; see %s --help", err, cmd.CommandPath())
	})
	root.AddCommand(
		newID(a), newInvite(a), newJoin(a), newDevice(a), newFolder(a),
		newStatus(a), newWait(a), newPause(a), newResume(a), newLimit(a), newRules(a),
		newConflicts(a), newResolve(a), newHistory(a), newRestore(a), newActivity(a),
		newScan(a), newConfirm(a), newIgnore(a), newDoctor(a), newConfig(a), newVersion(a), newDemo(a), newMan(a),
	)
	root.SetHelpCommand(newHelp())
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Args, c.RunE = unknown, needsOne
		}
	}
	return root
}

func newHelp() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Help about any command",
		Args: func(cmd *cobra.Command, args []string) error {
			at := cmd.Root()
			for _, word := range args {
				next, _, err := at.Find([]string{word})
				if err != nil || next == at {
					return unknown(at, []string{word})
				}
				at = next
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			about, _, err := cmd.Root().Find(args)
			if err != nil {
				return err
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// isInvitation: what a desktop hands over when a link was clicked.
func isInvitation(arg string) bool { return strings.HasPrefix(arg, "pinion://") }

// forDaemon refuses flags that mean nothing without --daemon.
func forDaemon(cmd *cobra.Command) error {
	for _, name := range []string{"listen", "store", "name", "log-file"} {
		if cmd.Flags().Changed(name) {
			return usagef("--%s goes with --daemon: pinion --daemon --%s …", name, name)
		}
	}
	return nil
}

// daemon runs the engine until ctx ends.
func (a *app) daemon(ctx context.Context, o daemonOptions) (err error) {
	if o.Home, err = a.home(); err != nil {
		return err
	}
	if o.Store != "" {
		if o.Store, err = a.abs(o.Store); err != nil {
			return err
		}
	}
	if o.Listen != "" {
		if err := checkHostPort("--listen", o.Listen, false); err != nil {
			return err
		}
	}
	o.LogLevel = a.logLevel
	log := a.stdio.err
	if o.LogFile != "" {
		if o.LogFile, err = a.abs(o.LogFile); err != nil {
			return err
		}
		file, err := openLogFile(o.LogFile, mostEngineLog)
		if err != nil {
			return fmt.Errorf("open the log: %w", err)
		}
		defer file.Close()
		log = file
	}
	err = runDaemon(ctx, o, a.out, log)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// unknown refuses words that name no subcommand of cmd, and suggests near ones.
func unknown(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if near := suggestions(cmd, args[0]); len(near) > 0 {
		hint = fmt.Sprintf("; did you mean %s?", orList(near))
	}
	return usagef("%s has no command %q%s (%s --help lists them)", cmd.CommandPath(), args[0], hint, cmd.CommandPath())
}

func suggestions(cmd *cobra.Command, word string) []string {
	cmd.SuggestionsMinimumDistance = 2
	var near []string
	for _, s := range cmd.SuggestionsFor(word) {
		if c, _, err := cmd.Find([]string{s}); err == nil && !c.Hidden {
			near = append(near, s)
		}
	}
	return near
}

// group makes a command that only holds others.
func group(use, short string, children ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: unknown, RunE: needsOne}
	cmd.AddCommand(children...)
	return cmd
}

func needsOne(cmd *cobra.Command, _ []string) error {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return usagef("%s needs one of its commands: %s; see %s --help", cmd.CommandPath(), orList(names), cmd.CommandPath())
}

// takes says which arguments a command needs; those in brackets may be left out.
func takes(names ...string) cobra.PositionalArgs {
	need := 0
	for _, n := range names {
		if !strings.HasPrefix(n, "[") {
			need++
		}
	}
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < need:
			return usagef("%s needs %s; see %s --help", cmd.CommandPath(), strings.Join(names[len(args):need], " and "), cmd.CommandPath())
		case len(args) > len(names) && len(names) == 0:
			return usagef("%s takes no argument, but was given %q; see %s --help", cmd.CommandPath(), args[0], cmd.CommandPath())
		case len(args) > len(names):
			return usagef("%s takes %s only, and %q is one too many; see %s --help", cmd.CommandPath(), strings.Join(names, " "), args[len(names)], cmd.CommandPath())
		}
		return nil
	}
}
