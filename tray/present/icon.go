package present

import "pinion/engine/status"

// Icon is what the icon in the tray says at a glance.
type Icon int

// The icons. Of several that are true the one that comes last is shown.
const (
	IconInSync Icon = iota
	IconSyncing
	IconPaused
	IconNeeds   // a conflict, a held deletion or an offer waits for the person
	IconTrouble // a folder can't be synced
	IconNotRunning
)

func (i Icon) String() string {
	return [...]string{"in sync", "syncing", "paused", "needs you", "trouble", "not running"}[i]
}

// View is what there is to show.
type View struct {
	Up     bool         // an engine answers
	Reason string       // while it does not: why, a sentence; "" while it is being started
	State  status.State // the newest that was seen, also of an engine that is gone
}

// IconOf is the icon for a view.
func IconOf(v View) Icon {
	s := v.State
	switch {
	case !v.Up:
		return IconNotRunning
	case count(s, troubled) > 0:
		return IconTrouble
	case conflicts(s) > 0 || count(s, IsHeld) > 0 || offers(s) > 0:
		return IconNeeds
	case s.Paused.State == status.Paused || len(s.Folders) > 0 && count(s, paused) == len(s.Folders):
		return IconPaused
	case count(s, moving) > 0:
		return IconSyncing
	}
	return IconInSync
}

// IsHeld: something in the folder waits for the person's yes.
func IsHeld(f status.Folder) bool { return f.State == status.Held || len(f.Holds) > 0 }

func troubled(f status.Folder) bool {
	return f.State == status.Missing || f.State == status.Error || f.State == status.Full
}
func paused(f status.Folder) bool { return f.State == status.Paused }

// moving: bytes are on their way, or a folder is looked at for the first time. A
// later look at it is routine, and no reason to draw anybody's eye.
func moving(f status.Folder) bool {
	return f.State == status.Syncing || first(f)
}
func first(f status.Folder) bool { return f.State == status.Scanning && f.Files == 0 }

func count(s status.State, is func(status.Folder) bool) (n int) {
	for _, f := range s.Folders {
		if is(f) {
			n++
		}
	}
	return n
}

func conflicts(s status.State) (n int64) {
	for _, f := range s.Folders {
		n += f.Conflicts
	}
	return n
}

// offers counts those about which the person has not said no.
func offers(s status.State) (n int) {
	for _, o := range s.Offers {
		if !o.Declined {
			n++
		}
	}
	return n
}
