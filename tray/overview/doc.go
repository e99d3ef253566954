// Package overview is the first page: what waits for the person, the devices with
// their disks, and each folder with who has it completely, what moves, how fast and
// how long still.
//
// What a state comes to is worked out by plain functions (model.go); the widgets
// only draw that. Of many folders only those that can be seen are drawn.
package overview
