// Package page is what the window and its pages agree on: the Page that each
// page is, and the Host that each page is given. It holds no widgets.
package page
