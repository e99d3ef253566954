// Package present turns what the engine says into what a person reads: words
// for times, sizes and states, the icon, the menu, and the notices that news
// are worth. Values in, values out: it is handed the time, starts nothing and
// keeps nothing.
//
// Sentences go through fyne.io/fyne/v2/lang with English as the key. Text from a
// peer goes through Clean before it stands in any of them, and is only ever a
// value in a sentence, never part of its key.
package present
