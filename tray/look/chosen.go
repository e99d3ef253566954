package look

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// PrefVariant is the preference of the colours: Light, Dark, or "" for the
// desktop's.
const (
	PrefVariant = "look.variant"
	Light       = "light"
	Dark        = "dark"
)

// Chosen is the theme that the person has chosen.
func Chosen(p fyne.Preferences) Theme {
	variants := map[string]fyne.ThemeVariant{Light: theme.VariantLight, Dark: theme.VariantDark}
	if v, ok := variants[p.String(PrefVariant)]; ok {
		return Theme{Variant: &v}
	}
	return Theme{}
}
