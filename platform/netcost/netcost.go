package netcost

// State is whether the connection is metered.
type State int

const (
	Unknown State = iota
	Metered
	Free
)
