package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pinion/app/show"
	"pinion/engine/control"
	"pinion/engine/status"
)

// secondLook is how much later a verdict is believed. Between two batches a
// folder may look done for an instant, and just after a resume or a confirm the
// state may still be that from before.
const secondLook = 150 * time.Millisecond

// roomLook is how long a disk has to have no room until that is believed.
const roomLook = 1500 * time.Millisecond

func newWait(a *app) *cobra.Command {
	var folder, timeout string
	cmd := &cobra.Command{
		Use: "wait", Short: "Return when everything is in sync with every connected peer", Args: takes(),
		Long: `Return when every folder, or the named one, is in sync with every connected peer.
It fails at once if a folder is paused, held, missing or in error, or if a disk
has no room for the rest, since waiting would not help. With --timeout, a named folder that is not on this device yet is
waited for, too.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w := waiter{a: a, folder: folder, p: &show.Painter{W: a.out, Size: a.size}}
			ctx := cmd.Context()
			if cmd.Flags().Changed("timeout") {
				d, err := parseSpan(timeout)
				if err != nil {
					return usagef("--timeout takes a time such as 30s, 10m or 2h, not %q", timeout)
				}
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, d)
				defer cancel()
				w.timeout = timeout
			}
			if cmd.Flags().Changed("folder") && folder == "" {
				return usagef("--folder needs a name")
			}
			e, err := a.engine()
			if err != nil {
				return err
			}
			return w.wait(ctx, e)
		},
	}
	cmd.Flags().StringVar(&folder, "folder", "", "only this folder (name or id)")
	cmd.Flags().StringVar(&timeout, "timeout", "", "give up after this time, with exit code 4")
	return cmd
}

type waiter struct {
	a       *app
	folder  string // "": all
	timeout string // as given; "": none
	p       *show.Painter
	lacking string // what was not yet done at the last look
}

func (w *waiter) wait(ctx context.Context, e control.Engine) error {
	defer w.p.Close()
	var after uint64
	wasDone, wasStuck := false, 0
	for {
		s, err := state(ctx, e, after)
		if err != nil {
			return w.over(ctx, err)
		}
		done, err := w.look(s)
		switch {
		case done && wasDone:
			return w.done(s)
		case err != nil && wasStuck >= w.looks(s):
			w.p.Wipe()
			return err
		case err != nil:
			wasStuck++
		default:
			wasStuck = 0
		}
		w.draw(s)
		wasDone, after = done, s.Version
		pause := time.Duration(0)
		switch {
		case done || err != nil:
			after, pause = 0, secondLook // look again although nothing has changed
		case w.a.terminal:
			pause = redrawEvery / 2
		}
		if pause > 0 && !rest(ctx, pause) {
			return w.over(ctx, ctx.Err())
		}
	}
}

// looks is how often a verdict is looked at again. A disk is looked at every
// second only, and somebody may just have made room on it.
func (w *waiter) looks(s status.State) int {
	folders, _ := w.chosen(s)
	for _, f := range folders {
		if f.State == status.Full || fullPeer(f) != nil {
			return int(roomLook / secondLook)
		}
	}
	return 2
}

// look says whether all is in sync, or why waiting is of no use.
func (w *waiter) look(s status.State) (done bool, err error) {
	folders, err := w.chosen(s)
	if err != nil {
		return false, err
	}
	var lacking []string
	for _, f := range folders {
		switch f.State {
		case status.Synced:
		case status.Scanning, status.Syncing:
			if err := fullPeer(f); err != nil {
				return false, err
			}
			lacking = append(lacking, lackingOf(f))
		default:
			return false, stuck(f)
		}
	}
	if w.folder != "" && len(folders) == 0 {
		lacking = []string{fmt.Sprintf("folder %s is not on this device yet", w.folder)}
	}
	w.lacking = strings.Join(lacking, "; ")
	return len(lacking) == 0, nil
}

func (w *waiter) chosen(s status.State) ([]status.Folder, error) {
	if w.folder == "" {
		return s.Folders, nil
	}
	for _, f := range s.Folders {
		if f.Name == w.folder || f.ID.String() == w.folder {
			return []status.Folder{f}, nil
		}
	}
	if w.timeout != "" {
		return nil, nil
	}
	return nil, &control.Error{Kind: control.KindNotFound, Text: fmt.Sprintf("there is no folder %q; pinion folder list shows those that there are", w.folder)}
}

// fullPeer says that nothing is on its way but what other devices have no room for.
func fullPeer(f status.Folder) error {
	if f.State != status.Syncing || f.Need.Files > 0 {
		return nil
	}
	var full *status.FolderPeer
	for i, p := range f.Peers {
		switch {
		case p.NoRoom > 0 && p.NoRoom >= p.NeedFiles:
			full = &f.Peers[i]
		case !p.UpToDate:
			return nil // something is still moving
		}
	}
	if full == nil {
		return nil
	}
	return &control.Error{Kind: control.KindFailed, Text: fmt.Sprintf("%s has no room for %s of folder %s (%s); see pinion status on it, and free some there",
		full.Device, show.Count(full.NoRoom, "file"), f.Name, show.Size(full.NeedBytes))}
}

// stuck is why a folder does not get in sync by itself, and what to do.
func stuck(f status.Folder) error {
	reason, remedy := f.Reason, ""
	switch f.State {
	case status.Paused:
		reason, remedy = "", "pinion resume"
	case status.Held:
		remedy = "pinion confirm " + f.Name
	case status.Missing, status.Error:
		remedy = "pinion doctor"
	}
	text := fmt.Sprintf("folder %s is %s", f.Name, stateWord(f.State))
	if reason != "" {
		text += ": " + strings.TrimSuffix(reason, ".")
	}
	if remedy != "" && !strings.Contains(reason, remedy) {
		text += "; see " + remedy
		if f.State == status.Paused || f.State == status.Held {
			text = strings.Replace(text, "; see ", "; to go on: ", 1)
		}
	}
	return &control.Error{Kind: control.KindFailed, Text: text}
}

func stateWord(s string) string {
	if s == status.Error {
		return "in error"
	}
	return s
}

// lackingOf says what keeps a folder from being in sync.
func lackingOf(f status.Folder) string {
	if f.State == status.Scanning {
		return fmt.Sprintf("folder %s is still being looked at", f.Name)
	}
	if f.Need.Files > 0 {
		return fmt.Sprintf("folder %s lacks %s (%s)", f.Name, show.Count(f.Need.Files, "file"), show.Size(f.Need.Bytes))
	}
	for _, p := range f.Peers {
		if p.Connected && p.NeedFiles > 0 {
			return fmt.Sprintf("%s lacks %s of folder %s (%s)", p.Device, show.Count(p.NeedFiles, "file"), f.Name, show.Size(p.NeedBytes))
		}
	}
	return fmt.Sprintf("folder %s is still syncing", f.Name)
}

func (w *waiter) draw(s status.State) {
	if !w.a.terminal || w.a.json {
		return
	}
	if folders, err := w.chosen(s); err == nil {
		s.Folders = folders
	}
	_ = w.p.Paint(show.Lines(s, w.a.options())) // a terminal that went away ends the wait by a signal
}

func (w *waiter) done(s status.State) error {
	if err := w.sayProblems(s); err != nil {
		return err
	}
	if w.a.json {
		folders, _ := w.chosen(s)
		return w.a.answer(list(folders), nil)
	}
	if !w.a.terminal {
		return nil
	}
	w.draw(s)
	for _, d := range s.Devices {
		if d.Connected {
			return nil
		}
	}
	_, err := fmt.Fprintln(w.a.out, "in sync here, but no other device is connected")
	return err
}

// sayProblems says that some paths are not in sync and can't get there by waiting:
// their names can't live here, say.
func (w *waiter) sayProblems(s status.State) error {
	folders, err := w.chosen(s)
	if err != nil {
		return err
	}
	n := 0
	for _, f := range folders {
		n += len(f.Problems)
	}
	if n == 0 {
		return nil
	}
	w.p.Wipe()
	_, err = fmt.Fprintf(w.a.err, "in sync but for %s: pinion status lists them\n", show.Count(int64(n), "problem"))
	return err
}

// over ends a wait that ran out of time, or was interrupted.
func (w *waiter) over(ctx context.Context, err error) error {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return err
	}
	w.p.Wipe()
	lacking := w.lacking
	if lacking == "" {
		lacking = "the engine did not answer"
	}
	return &control.Error{Kind: control.KindTimeout, Text: fmt.Sprintf("not in sync after %s: %s", w.timeout, lacking)}
}
