package page

import (
	"context"
	"time"

	"fyne.io/fyne/v2"

	"pinion/engine/control"
	"pinion/engine/status"
)

// Page is one page of the window. All its methods are called on Fyne's
// goroutine.
type Page interface {
	Title() string              // in the rail, translated
	Icon() fyne.Resource        // in the rail
	Content() fyne.CanvasObject // made once
	// Update draws a newer state. Only the page that is shown is told of news; a
	// page that comes to be shown is told first. It must not wait for anything.
	Update(s status.State)
}

// Host is what a page may use of the world around it.
type Host interface {
	// Engine is what is asked; never on Fyne's goroutine, which may not wait.
	Engine() control.Engine
	Window() fyne.Window // for dialogs
	Now() time.Time
	// Ask runs f beside Fyne's goroutine, with a context that ends with the window;
	// then runs done on Fyne's goroutine, or shows the error: "doing: error".
	Ask(doing string, f func(ctx context.Context) error, done func())
	// Say shows a sentence at the foot of the window for a while.
	Say(sentence string)
	// Open opens a file or a folder with the program that the desktop has for it;
	// Reveal shows it in the file manager. Errors are shown.
	Open(path string)
	Reveal(path string)
	// Go shows the page of a name (one of the names below); arg is for the page, if it is a Receiver.
	Go(name string, arg any)
	Prefs() fyne.Preferences
}

// Receiver is a page that can be sent to something: a conflict, a file's history.
type Receiver interface {
	Receive(arg any)
}

// Keyed is a page that has keys of its own while it is shown.
type Keyed interface {
	Key(e *fyne.KeyEvent)
}

// Filtered is a page with a field that narrows what it lists: Ctrl+F goes there.
type Filtered interface {
	Filter() fyne.Focusable
}

// The names of the pages.
const (
	Overview  = "overview"
	Activity  = "activity"
	Conflicts = "conflicts"
	History   = "history"
	Devices   = "devices"
	Settings  = "settings"
)

// Place is a file or a directory in a folder: what History and Conflicts receive.
type Place struct {
	Folder string // name
	Path   string // relative, with slashes; "" is the whole folder
}
