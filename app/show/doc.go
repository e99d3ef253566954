// Package show makes the text that a person sees on a terminal: a state, a
// progress line, tables, and the redrawing in place. Everything but Painter is
// pure: a value, a width and a moment in, text out.
//
// It promises that no line is wider than asked for, and that names which other
// devices or files brought along reach the terminal without control characters.
package show
