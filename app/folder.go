package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"pinion/app/show"
	"pinion/engine/config"
	"pinion/engine/control"
	"pinion/engine/status"
)

func newFolder(a *app) *cobra.Command {
	return group("folder", "The folders that are kept the same",
		folderAdd(a), folderList(a), folderOffers(a), folderAccept(a), folderDecline(a), folderRemove(a), folderSet(a))
}

// placeFlags are what a folder's place and manner can be given by.
func placeFlags(cmd *cobra.Command, mode, state *string) {
	cmd.Flags().StringVar(mode, "mode", "", "two-way (if not given), send or receive")
	cmd.Flags().StringVar(state, "state", "", "home: keep the index in the home directory instead of beside the files, for network disks")
	choices(cmd, "mode", modes())
	choices(cmd, "state", states())
}

func modes() []string  { return []string{"two-way", "send", "receive"} }
func states() []string { return []string{"disk", "home"} }

// choices completes a flag from a list.
func choices(cmd *cobra.Command, flag string, words []string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)) // fails for an unknown flag only
}

func oneOf(flag, value string, words []string) error {
	if value != "" && !slices.Contains(words, value) {
		return usagef("%s takes %s, not %q", flag, orList(words), value)
	}
	return nil
}

func checkPlace(mode, state string) error {
	if err := oneOf("--mode", mode, modes()); err != nil {
		return err
	}
	return oneOf("--state", state, states())
}

func folderAdd(a *app) *cobra.Command {
	var r control.AddFolder
	cmd := &cobra.Command{
		Use: "add PATH", Short: "Begin to sync a directory and offer it to the circle", Args: takes("PATH"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := checkPlace(r.Mode, r.State); err != nil {
				return err
			}
			if cmd.Flags().Changed("name") && r.Name == "" {
				return usagef("--name needs a name")
			}
			if r.Path, err = a.directory(args[0]); err != nil {
				return err
			}
			e, err := a.engine()
			if err != nil {
				return err
			}
			f, err := e.AddFolder(cmd.Context(), r)
			if err != nil {
				return err
			}
			return a.taken(f, "is synced")
		},
	}
	cmd.Flags().StringVar(&r.Name, "name", "", "what the folder is called on all devices (its directory's name if not given)")
	placeFlags(cmd, &r.Mode, &r.State)
	return cmd
}

// directory makes the path of a directory that a person typed absolute.
func (a *app) directory(path string) (string, error) {
	if path == "" {
		return "", usagef("a directory is needed, not an empty path")
	}
	return a.abs(path)
}

// taken answers with the folder that was just taken up.
func (a *app) taken(f status.Folder, what string) error {
	f.Problems, f.Peers = list(f.Problems), list(f.Peers)
	return a.answer(f, func() string {
		return fmt.Sprintf("%s at %s %s from now on; pinion status --watch shows it", show.Clean(f.Name), show.Clean(f.Path), what)
	})
}

func folderList(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the folders on this device", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := a.engine()
			if err != nil {
				return err
			}
			s, err := state(cmd.Context(), e, 0)
			if err != nil {
				return err
			}
			return a.answer(s.Folders, func() string { return show.Folders(s, a.options()) })
		},
	}
}

func folderOffers(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "offers", Short: "List the folders of the circle that this device does not hold", Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := a.engine()
			if err != nil {
				return err
			}
			s, err := state(cmd.Context(), e, 0)
			if err != nil {
				return err
			}
			return a.answer(s.Offers, func() string { return show.Offers(s, a.options()) })
		},
	}
}

func folderAccept(a *app) *cobra.Command {
	var r control.Accept
	cmd := &cobra.Command{
		Use: "accept NAME|ID PATH", Short: "Take an offered folder into a directory", Args: takes("NAME|ID", "PATH"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := checkPlace(r.Mode, r.State); err != nil {
				return err
			}
			r.Folder = args[0]
			if r.Path, err = a.directory(args[1]); err != nil {
				return err
			}
			e, err := a.engine()
			if err != nil {
				return err
			}
			f, err := e.Accept(cmd.Context(), r)
			if err != nil {
				return err
			}
			return a.taken(f, "is filled and synced")
		},
	}
	placeFlags(cmd, &r.Mode, &r.State)
	return cmd
}

func folderDecline(a *app) *cobra.Command {
	var r control.Decline
	cmd := &cobra.Command{
		Use: "decline NAME|ID", Short: "Say that an offered folder is not wanted on this device", Args: takes("NAME|ID"),
		Long: `Say that an offered folder is not wanted on this device: it is not asked about
again, and --store does not take it. pinion folder accept takes it all the same.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			r.Folder = args[0]
			e, err := a.engine()
			if err != nil {
				return err
			}
			if err := e.Decline(cmd.Context(), r); err != nil {
				return err
			}
			if r.Undo {
				return a.say("%s is asked about again", show.Clean(r.Folder))
			}
			return a.say("%s is not asked about again; pinion folder accept takes it all the same", show.Clean(r.Folder))
		},
	}
	cmd.Flags().BoolVar(&r.Undo, "undo", false, "ask about it again")
	return cmd
}

func folderRemove(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "remove FOLDER", Short: "Stop syncing a folder on this device; its files stay", Args: takes("FOLDER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := a.engine()
			if err != nil {
				return err
			}
			if err := e.RemoveFolder(cmd.Context(), args[0]); err != nil {
				return err
			}
			return a.say("%s is no longer synced here; its files stay where they are", show.Clean(args[0]))
		},
	}
}

func merges() []string { return []string{"auto", "ask"} }

func folderSet(a *app) *cobra.Command {
	var name, mode, every, attributes, owner, keep, size, reserve, merge string
	cmd := &cobra.Command{
		Use: "set FOLDER", Short: "Change a folder's settings on this device", Args: takes("FOLDER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var s control.FolderSettings
			if cmd.Flags().Changed("name") {
				s.Name = &name
			}
			if cmd.Flags().Changed("mode") {
				if err := oneOf("--mode", mode, modes()); err != nil || mode == "" {
					return usagef("--mode takes %s, not %q", orList(modes()), mode)
				}
				s.Mode = &mode
			}
			if cmd.Flags().Changed("scan-every") {
				d, err := parseSpan(every)
				if err != nil || d < time.Minute {
					return usagef("--scan-every takes a time of a minute or more, such as 30m, 2h or 1d, not %q", every)
				}
				s.ScanEvery = &d
			}
			err := retentionFlags(cmd, &s, keep, size, reserve)
			if err != nil {
				return err
			}
			if s.Attributes, err = onOff(cmd, "attributes", attributes); err != nil {
				return err
			}
			if s.Owner, err = onOff(cmd, "owner", owner); err != nil {
				return err
			}
			if cmd.Flags().Changed("merge") {
				if err := oneOf("--merge", merge, merges()); err != nil || merge == "" {
					return usagef("--merge takes %s, not %q", orList(merges()), merge)
				}
				s.Merge = &merge
			}
			if s == (control.FolderSettings{}) {
				return usagef("%s needs a setting, such as --mode or --scan-every; see %s --help", cmd.CommandPath(), cmd.CommandPath())
			}
			e, err := a.engine()
			if err != nil {
				return err
			}
			if err := e.SetFolder(cmd.Context(), args[0], s); err != nil {
				return err
			}
			return a.say("%s is set", show.Clean(args[0]))
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "what the folder is called")
	cmd.Flags().StringVar(&mode, "mode", "", "two-way, send or receive")
	cmd.Flags().StringVar(&every, "scan-every", "", "how often everything is looked at besides being watched, such as 1h")
	cmd.Flags().StringVar(&attributes, "attributes", "", "on (if never set) or off: carry extended attributes and access control lists to and from this disk")
	cmd.Flags().StringVar(&owner, "owner", "", "on or off (if never set): carry owners and groups by name, too; for an engine that is root")
	cmd.Flags().StringVar(&keep, "keep", "", "how long replaced and deleted files are kept, such as 60d (30d if never set), or forever")
	cmd.Flags().StringVar(&size, "keep-size", "", "how much of them is kept, such as 20GB (a quarter of the disk if never set), or unlimited")
	cmd.Flags().StringVar(&reserve, "reserve", "", "how much of the disk is left free, such as 1GB (1 % of it, 256MiB to 5GiB, if never set)")
	cmd.Flags().StringVar(&merge, "merge", "", "auto: conflicts of text that merge cleanly are merged without asking; ask (if never set)")
	choices(cmd, "mode", modes())
	choices(cmd, "merge", merges())
	choices(cmd, "attributes", []string{"on", "off"})
	choices(cmd, "owner", []string{"on", "off"})
	return cmd
}

// retentionFlags reads how long and how much is kept, and what is left free;
// "default" takes a setting back.
func retentionFlags(cmd *cobra.Command, s *control.FolderSettings, keep, size, reserve string) error {
	if cmd.Flags().Changed("keep") {
		days := 0
		switch keep {
		case "default":
		case "forever":
			days = -1
		default:
			d, err := parseSpan(keep)
			if err != nil || d < 24*time.Hour {
				return usagef("--keep takes a number of days such as 60d, forever or default, not %q", keep)
			}
			days = int(d / (24 * time.Hour))
		}
		s.KeepDays = &days
	}
	for _, f := range []struct {
		flag, value string
		to          **int64
	}{{"keep-size", size, &s.KeepBytes}, {"reserve", reserve, &s.Reserve}} {
		if !cmd.Flags().Changed(f.flag) {
			continue
		}
		n, err := config.ParseSize(f.value)
		switch {
		case f.value == "default":
			n = 0
		case err != nil || n == 0 || n < 0 && f.flag == "reserve":
			return usagef("--%s takes a size such as 500MB or 20GB, or default, not %q", f.flag, f.value)
		}
		bytes := int64(n)
		*f.to = &bytes
	}
	return nil
}

// onOff is a flag that is on or off; nil: it was not given.
func onOff(cmd *cobra.Command, flag, value string) (*bool, error) {
	if !cmd.Flags().Changed(flag) {
		return nil, nil
	}
	on := value == "on"
	if !on && value != "off" {
		return nil, usagef("--%s takes on or off, not %q", flag, value)
	}
	return &on, nil
}
