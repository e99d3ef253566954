package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"pinion/engine/control"
	"pinion/engine/folder"
)

// unseenFor is after how long a device that was not seen is worth a note.
const unseenFor = 7 * 24 * time.Hour

// Doctor looks everything over.
func (e *Engine) Doctor(ctx context.Context, r control.DoctorRequest) ([]control.Finding, error) {
	out := []control.Finding{}
	find := func(level, format string, args ...any) {
		out = append(out, control.Finding{Level: level, Text: fmt.Sprintf(format, args...)})
	}
	for _, note := range e.board.Now().Notes {
		find("note", "%s", note)
	}
	now := e.o.Now()
	if now.Year() < 2025 {
		find("problem", "this device's clock says %s; set it, since the order of changes and the names of conflict copies come from it", now.Format(time.DateTime))
	}
	connected := 0
	for _, s := range e.o.Network.Sessions() {
		name := e.nameOf(s.Device)
		switch {
		case s.Connected:
			connected++
			if theirs := strings.TrimPrefix(s.Software, "pinion "); theirs != "" && theirs != e.o.Version {
				find("note", "device %s runs version %s, this one %s", name, theirs, e.o.Version)
			}
		case s.LastError != "":
			find("note", "device %s: %s", name, s.LastError)
		case !s.LastSeen.IsZero() && now.Sub(s.LastSeen) > unseenFor:
			find("note", "device %s was last seen %s", name, s.LastSeen.Format(time.DateTime))
		}
	}
	if n := len(e.o.Network.Members()); n == 0 {
		find("note", "no other device is in the circle; pinion invite prints a link for one")
	} else if connected == 0 {
		find("problem", "no other device can be reached; check that one is on and that UDP gets through, or give its address with pinion device set NAME --address HOST:PORT")
	}
	err := e.each(r.Folder, func(f *folder.Folder) error {
		out = append(out, f.Doctor(ctx, r.Deep)...)
		return ctx.Err()
	})
	return out, err
}
