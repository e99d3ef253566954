// Package window is Pinion's one window: the rail of pages at the left, the page
// that is shown, the line at the foot. It is the page.Host of its pages: it runs
// what they ask beside Fyne's goroutine and says what failed in a sentence.
//
// Everything here happens on Fyne's goroutine, but for what Ask runs. What is asked
// ends with the window: closing it, also to the tray, ends the context. Pages are
// made when they are first shown, and only the one that is shown is told of news;
// while the window is hidden nothing runs and nothing is drawn.
package window
