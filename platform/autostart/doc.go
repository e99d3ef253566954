// Package autostart has a program started when this person logs in, and takes
// that back. One entry, for this person alone; nothing needs rights.
//
// Linux, BSD: a .desktop file in $XDG_CONFIG_HOME/autostart (the Desktop
// Application Autostart Specification), which desktops read and window managers
// alone do not. macOS: a LaunchAgent, which is read at the next login. Windows: a
// value under HKCU\…\Run; what the person has switched off in the task manager
// counts as off.
//
// The entry names the program by its absolute path, with its arguments quoted as
// each system reads them.
package autostart
