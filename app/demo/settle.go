package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"pinion/app/show"
	"pinion/engine/status"
)

// settleTime bounds how long nothing at all may move before a sync is given up.
const settleTime = 2 * time.Minute

// settle waits until all devices say "synced" of as many files, twice in a row.
// draw: with live progress.
func (s *stage) settle(ctx context.Context, draw bool) error {
	p := &show.Painter{W: s.o.Out, Size: s.o.Size}
	defer p.Close()
	draw = draw && s.o.Terminal
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	sure, last, moved := false, "", time.Now()
	for {
		all, err := s.folders(ctx)
		if err != nil {
			return err
		}
		picture := s.picture(all)
		if draw {
			_ = p.Paint(picture)
		}
		done := s.level(all)
		if done && sure {
			p.Wipe()
			return nil
		}
		sure = done
		if picture != last {
			last, moved = picture, time.Now()
		}
		if time.Since(moved) > settleTime {
			return fmt.Errorf("nothing has moved for %s, and the devices are not in sync:\n%s", show.Left(settleTime), s.picture(all))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// folders gives the folder's state on each device; nil where it is not yet.
func (s *stage) folders(ctx context.Context) ([]*status.Folder, error) {
	var all []*status.Folder
	for _, d := range s.devices {
		if err := d.alive(); err != nil {
			return nil, err
		}
		f, found, err := d.folder(ctx)
		if err != nil {
			return nil, fmt.Errorf("ask %s: %w", d.name, err)
		}
		switch {
		case !found:
			all = append(all, nil)
			continue
		case f.State == status.Error || f.State == status.Held || f.State == status.Missing:
			return nil, fmt.Errorf("the folder is %s on %s: %s", f.State, d.name, f.Reason)
		}
		all = append(all, &f)
	}
	return all, nil
}

// level says whether all devices are done with the same.
func (s *stage) level(all []*status.Folder) bool {
	for i, f := range all {
		if f == nil || f.State != status.Synced || f.Files != all[0].Files || f.Bytes != all[0].Bytes {
			return false
		}
		connected := 0
		for _, p := range f.Peers {
			if p.Connected {
				connected++
			}
		}
		if connected < len(all)-1 {
			return false
		}
		if i == 0 && f.Files != s.files {
			return false
		}
	}
	return true
}

func (s *stage) picture(all []*status.Folder) string {
	o := s.o.Draw
	if s.o.Terminal {
		o.Width, _ = s.o.Size()
	}
	var b strings.Builder
	for i, f := range all {
		name := fmt.Sprintf("  %-7s ", s.devices[i].name)
		line := o
		line.Width -= len(name)
		if f == nil {
			b.WriteString(name + "waiting for the folder\n")
			continue
		}
		b.WriteString(name + show.FolderLine(*f, line) + "\n")
	}
	return b.String()
}

// until looks again and again, quickly, until seen says yes.
func (s *stage) until(ctx context.Context, what string, seen func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !seen() {
		select {
		case <-ctx.Done():
			for _, d := range s.devices {
				if err := d.alive(); err != nil {
					return err
				}
			}
			return fmt.Errorf("%s did not happen", what)
		case <-tick.C:
		}
	}
	return nil
}
