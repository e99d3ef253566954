// Package conflicts is the page that helps a person settle what was written twice:
// the list of conflicts, and for each both versions side by side, with what
// differs marked; a merge that can be edited; pictures at one scale.
//
// A side has one colour (look.ColorThis, look.ColorThat), one place (left, right)
// and one name (its device and time) wherever it is shown or chosen. Nothing is
// settled but what was seen: each choice names the contents that were shown, and
// the engine refuses it where others stand. What a person has edited is never let
// go of because something changed elsewhere.
//
// The page keeps no more than a few pages of the list; the engine does the work.
package conflicts
