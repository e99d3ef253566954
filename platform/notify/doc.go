// Package notify puts a short notice on the person's desktop and hears which of
// its buttons was clicked. What stands in a notice may come from another device;
// it is shown as text and is nothing else, on every system:
//
// Linux, BSD: org.freedesktop.Notifications over the session bus. The daemon is
// asked what it can: where bodies are markup they are escaped, buttons are sent
// to those that have them, a notice with the key of an earlier one takes its
// place, and one can be taken back. Without such a daemon the desktop portal is
// used, whose texts are plain. A session without either has no notices.
//
// Windows, macOS: the ways that a program without a bundle or an installer has
// go through a script for PowerShell or osascript, where quotes in a text end it
// and the rest is run. So a notice's own text is never sent: Plain sends its
// Plain sentence, which holds the program's words and numbers alone, and leaves
// out all characters but letters, digits, spaces and a few harmless marks.
// There are no buttons, nothing is replaced and nothing taken back.
//
// Everything is bounded: texts are cut, a notice has four buttons at most, and of
// one key there is one notice.
package notify
