package look

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Names of colours of ours, beside Fyne's: what a state looks like everywhere, and
// the grounds that things stand on.
const (
	ColorSynced  fyne.ThemeColorName = "pinionSynced"
	ColorSyncing fyne.ThemeColorName = "pinionSyncing"
	ColorPaused  fyne.ThemeColorName = "pinionPaused"
	ColorNeeds   fyne.ThemeColorName = "pinionNeeds" // a person's answer is needed
	ColorTrouble fyne.ThemeColorName = "pinionTrouble"
	ColorThis    fyne.ThemeColorName = "pinionThis" // one side of a conflict
	ColorThat    fyne.ThemeColorName = "pinionThat" // the other

	ColorSecondary fyne.ThemeColorName = "pinionSecondary" // text that is told beside the main thing
	ColorFaint     fyne.ThemeColorName = "pinionFaint"     // signs in empty places
	ColorCard      fyne.ThemeColorName = "pinionCard"      // the ground of a card
	ColorEdge      fyne.ThemeColorName = "pinionEdge"      // its edge
	ColorRail      fyne.ThemeColorName = "pinionRail"      // the ground of the rail of pages
	ColorTrack     fyne.ThemeColorName = "pinionTrack"     // the empty part of a bar
)

// SizeSmall is the size of text that is told beside the main thing.
const SizeSmall fyne.ThemeSizeName = "pinionSmall"

// Theme is Pinion's theme. The variant is the desktop's, unless Variant says otherwise.
type Theme struct {
	Variant *fyne.ThemeVariant
}

type pair struct{ light, dark color.NRGBA }

var palette = map[fyne.ThemeColorName]pair{
	ColorSynced:    {rgb(0x2e8b57), rgb(0x57c08a)},
	ColorSyncing:   {rgb(0x2a6fbb), rgb(0x6aa9ec)},
	ColorPaused:    {rgb(0x7a7f87), rgb(0x9aa0a8)},
	ColorNeeds:     {rgb(0xb86e00), rgb(0xf0b34c)},
	ColorTrouble:   {rgb(0xc0392b), rgb(0xf07f72)},
	ColorThis:      {rgb(0x2a6fbb), rgb(0x6aa9ec)},
	ColorThat:      {rgb(0x8a4fb8), rgb(0xc79bea)},
	ColorSecondary: {rgb(0x656b73), rgb(0xa2a8b0)},
	ColorFaint:     {rgb(0xb9bfc4), rgb(0x565d64)},
	ColorCard:      {rgb(0xffffff), rgb(0x24282c)},
	ColorEdge:      {rgb(0xe4e6e3), rgb(0x30353a)},
	ColorRail:      {rgb(0xeef0ed), rgb(0x16191b)},
	ColorTrack:     {rgb(0xe6e8e6), rgb(0x383e44)},

	theme.ColorNamePrimary:             {rgb(0x1f6f5c), rgb(0x4fb79a)},
	theme.ColorNameForegroundOnPrimary: {rgb(0xffffff), rgb(0x0c1f1a)},
	theme.ColorNameHyperlink:           {rgb(0x1f6f5c), rgb(0x4fb79a)},
	theme.ColorNameFocus:               {rgba(0x1f6f5c, 0x40), rgba(0x4fb79a, 0x48)},
	theme.ColorNameSelection:           {rgba(0x1f6f5c, 0x28), rgba(0x4fb79a, 0x34)},
	theme.ColorNameBackground:          {rgb(0xf7f8f6), rgb(0x1b1e21)},
	theme.ColorNameForeground:          {rgb(0x20252a), rgb(0xe8eaec)},
	theme.ColorNameDisabled:            {rgb(0x737981), rgb(0x8c9299)},
	theme.ColorNamePlaceHolder:         {rgb(0x868c93), rgb(0x858b92)},
	theme.ColorNameButton:              {rgb(0xe8ebe8), rgb(0x31363b)},
	theme.ColorNameDisabledButton:      {rgb(0xeff1ee), rgb(0x282c30)},
	theme.ColorNameInputBackground:     {rgb(0xffffff), rgb(0x24282c)},
	theme.ColorNameInputBorder:         {rgb(0xbfc6c1), rgb(0x525a62)},
	theme.ColorNameSeparator:           {rgb(0xe4e6e3), rgb(0x30353a)},
	theme.ColorNameHeaderBackground:    {rgb(0xf0f2ef), rgb(0x202427)},
	theme.ColorNameOverlayBackground:   {rgb(0xfdfdfc), rgb(0x24282c)},
	theme.ColorNameMenuBackground:      {rgb(0xffffff), rgb(0x2a2f33)},
	theme.ColorNameHover:               {rgba(0x20252a, 0x0c), rgba(0xffffff, 0x10)},
	theme.ColorNamePressed:             {rgba(0x20252a, 0x18), rgba(0xffffff, 0x20)},
	theme.ColorNameScrollBar:           {rgba(0x20252a, 0x50), rgba(0xffffff, 0x50)},
	theme.ColorNameSuccess:             {rgb(0x2e8b57), rgb(0x57c08a)},
	theme.ColorNameWarning:             {rgb(0xb86e00), rgb(0xf0b34c)},
	theme.ColorNameError:               {rgb(0xc0392b), rgb(0xf07f72)},
	theme.ColorNameForegroundOnSuccess: {rgb(0xffffff), rgb(0x0d1f15)},
	theme.ColorNameForegroundOnWarning: {rgb(0xffffff), rgb(0x241900)},
	theme.ColorNameForegroundOnError:   {rgb(0xffffff), rgb(0x2a0d09)},
}

func rgb(v uint32) color.NRGBA { return rgba(v, 0xff) }

func rgba(v uint32, alpha uint8) color.NRGBA {
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: alpha}
}

func (t Theme) Color(name fyne.ThemeColorName, variant fyne.ThemeVariant) color.Color {
	if t.Variant != nil {
		variant = *t.Variant
	}
	if p, ok := palette[name]; ok {
		if variant == theme.VariantDark {
			return p.dark
		}
		return p.light
	}
	return theme.DefaultTheme().Color(name, variant)
}

func (t Theme) Font(style fyne.TextStyle) fyne.Resource    { return theme.DefaultTheme().Font(style) }
func (t Theme) Icon(name fyne.ThemeIconName) fyne.Resource { return theme.DefaultTheme().Icon(name) }

func (t Theme) Size(name fyne.ThemeSizeName) float32 {
	switch name {
	case SizeSmall:
		return 12
	case theme.SizeNameHeadingText:
		return 21
	case theme.SizeNameSubHeadingText:
		return 15.5
	case theme.SizeNameInputRadius, theme.SizeNameSelectionRadius:
		return 7
	case theme.SizeNameScrollBar:
		return 10
	default:
		return theme.DefaultTheme().Size(name)
	}
}

var _ fyne.Theme = Theme{}
