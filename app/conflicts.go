package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"pinion/app/show"
	"pinion/engine/control"
)

func newConflicts(a *app) *cobra.Command {
	var folder string
	cmd := &cobra.Command{
		Use: "conflicts", Short: "List files that were changed on two devices at once", Args: takes(),
		Long: `List files that were changed on two devices at once. Both versions are kept on
all devices: "this" holds the name, "that" is the copy beside it. Listed, too, are
files that were changed on one device and deleted on another: they are kept.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := a.engine()
			if err != nil {
				return err
			}
			all, err := conflictsOf(cmd.Context(), e, folder)
			if err != nil {
				return err
			}
			return a.answer(list(all), func() string { return show.Conflicts(all, a.options()) })
		},
	}
	cmd.Flags().StringVar(&folder, "folder", "", "of one folder only")
	return cmd
}

// conflictsOf lists the conflicts of one folder, or with "" of all.
func conflictsOf(ctx context.Context, e control.Engine, folder string) ([]control.Conflict, error) {
	all, err := e.Conflicts(ctx)
	if err != nil || folder == "" {
		return all, err
	}
	var out []control.Conflict
	for _, c := range all {
		if c.Folder == folder {
			out = append(out, c)
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	s, err := state(ctx, e, 0)
	if err != nil {
		return nil, err
	}
	for _, f := range s.Folders {
		if f.Name == folder {
			return out, nil
		}
	}
	return nil, &control.Error{Kind: control.KindNotFound, Text: fmt.Sprintf("there is no folder %q; pinion folder list shows those that there are", folder)}
}

func keeps() []string {
	return []string{control.KeepThis, control.KeepThat, control.KeepBoth, control.KeepMerge, control.KeepEdit, control.KeepDeletion}
}

// keepUsage is what is said where nobody said what to keep.
const keepUsage = "this|that|both|merge"

func newResolve(a *app) *cobra.Command {
	var r control.Resolve
	var all bool
	var folder string
	cmd := &cobra.Command{
		Use: "resolve PATH --keep " + keepUsage, Short: "Settle a conflict on all devices",
		Args: takes("[PATH]"),
		Long: `Settle a conflict, on all devices. PATH is as pinion conflicts shows it, or where
the file is. What is not kept goes to the archive (pinion history).

  --keep this      what holds the name
  --keep that      the copy
  --keep both      two ordinary files
  --keep merge     one text with the changes of both; where they changed the same
                   lines it says which, and nothing is changed

Of a file that was changed on one device and deleted on another:

  --keep edit      the changed file
  --keep deletion  delete it after all

With --all --folder NAME, all conflicts of a folder are settled the same way.`,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if r.Keep == "" {
				return usagef("say what to keep: --keep %s", orList(keeps()))
			}
			if err := oneOf("--keep", r.Keep, keeps()); err != nil {
				return err
			}
			switch {
			case all && (len(args) > 0 || folder == ""):
				return usagef("--all takes --folder NAME and no path")
			case !all && len(args) == 0:
				return usagef("a path is needed, or --all --folder NAME; pinion conflicts lists the conflicts")
			case !all && folder != "":
				return usagef("--folder goes with --all; of one file give the path, such as %s/%s", folder, args[0])
			}
			e, err := a.engine()
			if err != nil {
				return err
			}
			if all {
				return a.resolveAll(cmd.Context(), e, folder, r.Keep)
			}
			if r.Path, err = a.place(cmd.Context(), e, args[0]); err != nil {
				return err
			}
			if err := e.Resolve(cmd.Context(), r); err != nil {
				return err
			}
			return a.say("settled: %s", show.Clean(args[0]))
		},
	}
	cmd.Flags().StringVar(&r.Keep, "keep", "", "this, that, both or merge; edit or deletion")
	cmd.Flags().BoolVar(&all, "all", false, "all conflicts of a folder, with --folder")
	cmd.Flags().StringVar(&folder, "folder", "", "the folder whose conflicts are settled, with --all")
	choices(cmd, "keep", keeps())
	return cmd
}

// resolveAll settles all conflicts of a folder to which the choice applies.
func (a *app) resolveAll(ctx context.Context, e control.Engine, folder, keep string) error {
	list, err := conflictsOf(ctx, e, folder)
	if err != nil {
		return err
	}
	settled, other := 0, 0
	var errs []error
	for _, c := range list {
		if !applies(keep, c.Kind) {
			other++
			continue
		}
		if err := e.Resolve(ctx, control.Resolve{Path: folder + "/" + c.Copy, Keep: keep}); err != nil {
			errs = append(errs, err)
			continue
		}
		settled++
	}
	if err := a.say("%d of %d conflicts in %s are settled", settled, len(list), show.Clean(folder)); err != nil {
		return err
	}
	if other > 0 {
		are := "are"
		if other == 1 {
			are = "is"
		}
		errs = append(errs, fmt.Errorf("%d %s of another kind, for which --keep %s says nothing; pinion conflicts lists them", other, are, keep))
	}
	return errors.Join(errs...)
}

// applies says whether a word answers a kind of conflict.
func applies(keep, kind string) bool {
	switch keep {
	case control.KeepThis:
		return true
	case control.KeepEdit, control.KeepDeletion:
		return kind == control.EditDelete
	}
	return kind != control.EditDelete
}
