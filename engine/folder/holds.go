package folder

import (
	"context"
	"fmt"
	"strings"
	"time"

	"pinion/engine/index"
	"pinion/engine/status"
	"pinion/engine/tree"
)

// maxExamples is how many held paths a person is shown.
const maxExamples = 3

// holdWord puts into w what peers are told of what is held.
func (m *missing) holdWord(w *tree.FolderState) {
	c := m.c
	w.TakenBack = c.takenBackAt.Load()
	all, over := m.held, c.suspicion.here.over
	switch {
	case m.emptied != nil:
		n := c.index.Counts()
		all, over = max(1, n.Files), 0
	case m.held == 0 && m.remote > 0:
		all, over = m.remote, c.suspicion.theirs.over
		w.HeldKind = tree.HeldOfOthers
	}
	if w.HeldFiles = all; all == 0 {
		return
	}
	if over > 0 {
		w.HeldKind |= tree.HeldOverwritten
	}
	if over < all {
		w.HeldKind |= tree.HeldDeleted
	}
}

// holds lists what is held of the folder, here first and then by others' word.
func (m *missing) holds(w tree.FolderState) []status.Hold {
	c := m.c
	var out []status.Hold
	if w.HeldFiles > 0 {
		h := hold(c.f.cfg.DeviceName, w)
		h.Examples = m.examples()
		if m.since != 0 {
			h.Since = time.Unix(0, m.since).UTC()
		}
		out = append(out, h)
	}
	for _, p := range c.exchange.Peers() {
		if p.Known && p.State.HeldFiles > 0 {
			out = append(out, hold(c.f.cfg.NameOf(p.Device), p.State))
		}
	}
	return out
}

func hold(dev string, w tree.FolderState) status.Hold {
	return status.Hold{
		Device: dev, Files: w.HeldFiles, Deleted: w.HeldKind&tree.HeldDeleted != 0,
		Overwritten: w.HeldKind&tree.HeldOverwritten != 0, OfOthers: w.HeldKind&tree.HeldOfOthers != 0,
	}
}

// examples names some of the paths that are held here.
func (m *missing) examples() (out []string) {
	c := m.c
	ctx := context.Background()
	side := index.Here
	if m.held == 0 {
		side = index.Theirs
	}
	list, err := c.index.Suspects(ctx, side, "", maxExamples)
	for _, s := range list {
		out = append(out, string(s.Path))
	}
	if m.held > 0 && len(out) < maxExamples && err == nil {
		paths, _ := c.index.Missing(ctx, "", maxExamples-len(out))
		for _, p := range paths {
			out = append(out, string(p))
		}
	}
	return out
}

// heldReason is the sentence for what is held; empty if nothing is.
func (m *missing) heldReason(holds []status.Hold) string {
	c := m.c
	name := c.f.cfg.Name
	if len(holds) == 0 {
		return ""
	}
	h := holds[0]
	here := h.Device == c.f.cfg.DeviceName
	var b strings.Builder
	switch {
	case here && m.emptied != nil:
		b.WriteString(m.emptied.Error())
	case here && !h.OfOthers && !h.Overwritten:
		fmt.Fprintf(&b, "%d files are missing here, a large part of the folder", h.Files)
	case h.OfOthers && here:
		fmt.Fprintf(&b, "%d files were %s on another device, a large part of the folder; nothing of that was done here", h.Files, verbs(h))
	case h.OfOthers:
		fmt.Fprintf(&b, "%d files were %s on another device, a large part of the folder; %s has not done that", h.Files, verbs(h), h.Device)
	default:
		fmt.Fprintf(&b, "%d files were %s on %s, a large part of the folder; nothing of that was sent on", h.Files, verbs(h), h.Device)
	}
	if came := m.came.Count(time.Now()); here && !h.OfOthers && came > 0 {
		fmt.Fprintf(&b, ", and %d new ones came that look encrypted", came)
	}
	if len(h.Examples) > 0 {
		fmt.Fprintf(&b, " (%s", strings.Join(h.Examples, ", "))
		if h.Files > int64(len(h.Examples)) {
			b.WriteString(", …")
		}
		b.WriteString(")")
	}
	fmt.Fprintf(&b, ". If that was you: pinion confirm %s. If not: ", name)
	if h.Overwritten {
		where := "on " + h.Device
		if h.OfOthers {
			where = "on the device where it began"
		}
		fmt.Fprintf(&b, "stop what does that %s, then ", where)
	}
	fmt.Fprintf(&b, "pinion restore %s", name)
	return b.String()
}

// verbs says what happened to the files.
func verbs(h status.Hold) string {
	const over = "overwritten with what looks like encrypted content"
	switch {
	case h.Deleted && h.Overwritten:
		return "deleted, or " + over
	case h.Overwritten:
		return over
	}
	return "deleted"
}
