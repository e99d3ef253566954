// Package tray is Pinion on the desktop: the icon and its menu, the window, the
// notices. It draws what the engine says and passes on what the person asks for;
// it decides nothing about files.
//
// Run is the program's life. One goroutine, the loop, owns what is shown: it hears
// of the engine (tray/link), of clicks, of a second start (instance.go) and of the
// desktop's tray (host), asks tray/present what to show, and changes only what
// differs. The goroutine that called Run becomes Fyne's when the first window is
// asked for; where the system's icon needs no loop of Fyne's (Linux), a tray whose
// window was never opened costs no graphics at all. Without OpenGL there is no
// window, and the menu says so.
//
// The icon is set through fyne.io/systray and not through Fyne's driver, which
// would keep a hidden OpenGL window for it, knows no tooltip, and makes the whole
// menu anew for each word that changes, under the eyes of who has it open.
//
// Quitting ends the engine if a tray has begun it: who quits a program expects it
// to be gone. Else the menu says that syncing goes on. A tray that dies leaves the
// engine running; the next one knows it again as its own.
package tray
