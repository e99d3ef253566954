// Package membership is this device's place in its circle: it keeps the roster
// and what is known of addresses on disk, gives out and redeems invitations, and
// keeps the Node's list of peers in line with the roster. What members say of the
// roster travels through it: what is news is told on to every connected member.
//
// It decides nothing about folders, and moves no content.
package membership
