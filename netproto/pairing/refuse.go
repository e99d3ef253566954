package pairing

// Code says why a pairing was refused. It crosses the wire: append only.
type Code uint8

const (
	Expired    Code = iota + 1 // the invitation is older than its time
	Used                       // another device has joined with it
	Wrong                      // the proof does not fit
	TooMany                    // three wrong proofs
	NotOpen                    // unknown: withdrawn, replaced, or the engine was started anew since
	BadMessage                 // the other side does not keep to the exchange
	Failed                     // the other side could not go on (its disk)
)

// Refusal is why the exchange ended. Its text is a sentence for the person at
// the joining device.
type Refusal struct {
	Code  Code
	Here  bool  // this side refused; else the other did
	Cause error // more for a log; may be nil
}

func (r *Refusal) Error() string {
	if r.Here && r.Code == Failed && r.Cause != nil {
		return "this device could not complete the pairing: " + r.Cause.Error()
	}
	return r.Code.String()
}

func (r *Refusal) Unwrap() error { return r.Cause }

func (c Code) String() string {
	switch c {
	case Expired:
		return "the invitation has expired: run `pinion invite` on the other device for a new one, and join within 15 minutes"
	case Used:
		return "the invitation was used by another device: run `pinion invite` on the other device once more; each is good for one device"
	case Wrong:
		return "the invitation does not fit the device that answered: copy the whole link of a new `pinion invite` on the other device"
	case TooMany:
		return "the invitation was closed after three wrong attempts: run `pinion invite` on the other device for a new one"
	case NotOpen:
		return "the other device knows no such invitation; it is void once that device's engine was restarted or has made eight newer ones: run `pinion invite` there for a new one"
	case BadMessage:
		return "the two devices do not understand each other: update Pinion on both and try again"
	case Failed:
		return "the other device could not complete the pairing: look at `pinion status` there, then invite again"
	}
	return "the other device refused the pairing for a reason that this version does not know: update Pinion on both and try again"
}
