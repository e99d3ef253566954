package look

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"pinion/engine/status"
	"pinion/tray/present"
)

// Kind is what a badge, a bar or a card says by its colour.
type Kind int

// The kinds, worst last.
const (
	Plain Kind = iota
	Synced
	Syncing
	Paused
	Needs   // a person's answer is needed
	Trouble // something is wrong
)

// Color is the name of the kind's colour.
func (k Kind) Color() fyne.ThemeColorName {
	switch k {
	case Synced:
		return ColorSynced
	case Syncing:
		return ColorSyncing
	case Paused:
		return ColorPaused
	case Needs:
		return ColorNeeds
	case Trouble:
		return ColorTrouble
	default:
		return theme.ColorNamePlaceHolder
	}
}

// KindOf is the kind of a folder's state, one of status's words.
func KindOf(state string) Kind {
	switch state {
	case status.Synced:
		return Synced
	case status.Scanning, status.Syncing:
		return Syncing
	case status.Paused:
		return Paused
	case status.Held:
		return Needs
	case status.Full, status.Missing, status.Error:
		return Trouble
	default:
		return Plain
	}
}

// KindOfIcon is the kind that goes with what the icon in the tray says.
func KindOfIcon(i present.Icon) Kind {
	switch i {
	case present.IconInSync:
		return Synced
	case present.IconSyncing:
		return Syncing
	case present.IconPaused:
		return Paused
	case present.IconNeeds:
		return Needs
	case present.IconTrouble:
		return Trouble
	default:
		return Plain
	}
}
