package wire

import "fmt"

// Code says why a session or a stream was ended. Append only.
type Code uint32

const (
	Closed Code = iota
	Stopping
	Duplicate
	Removed
	BadVersion
	BadMessage
	OutOfOrder
	Slow
	Internal
	Limit
	JoinRefused
	Torn
)

// String is a phrase for a person that follows "the session ended because".
func (c Code) String() string {
	switch c {
	case Closed:
		return "the device ended it"
	case Stopping:
		return "the device is shutting down"
	case Duplicate:
		return "another connection between the two was kept"
	case Removed:
		return "the device is not in the circle"
	case BadVersion:
		return "the two have no version of the protocol in common"
	case BadMessage:
		return "a message broke the protocol's rules"
	case OutOfOrder:
		return "a message came where it is not allowed"
	case Slow:
		return "an answer or the rest of a message did not come in time"
	case Internal:
		return "the device could not go on"
	case Limit:
		return "there were too many connections"
	case JoinRefused:
		return "joining was refused"
	case Torn:
		return "one of its connections broke"
	}
	return fmt.Sprintf("of error %d", uint32(c))
}
