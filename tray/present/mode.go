package present

import "fyne.io/fyne/v2/lang"

// Modes are a folder's modes, the usual one first.
func Modes() []string { return []string{"two-way", "send", "receive"} }

// ModeName is a mode in a word or two, and ModeWords in a sentence.
func ModeName(mode string) string {
	switch mode {
	case "send":
		return lang.L("Only send")
	case "receive":
		return lang.L("Only receive")
	}
	return lang.L("Both ways")
}

func ModeWords(mode string) string {
	switch mode {
	case "send":
		return lang.L("What changes here goes to the other devices; what changes there does not come here.")
	case "receive":
		return lang.L("What changes elsewhere comes here; what changes here stays here.")
	}
	return lang.L("What changes on one device changes on all of them.")
}
