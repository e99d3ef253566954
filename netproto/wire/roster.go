package wire

const (
	// MaxStatements is how many statements one message may have.
	MaxStatements = 1024
	// MaxStatement is how long each may be, in bytes.
	MaxStatement = 4 << 10
)

type roster struct {
	Statements [][]byte `cbor:"1,keyasint"`
}

func (r roster) check() error {
	if len(r.Statements) > MaxStatements {
		return bad("%d statements", len(r.Statements))
	}
	for _, s := range r.Statements {
		if len(s) == 0 || len(s) > MaxStatement {
			return bad("a statement of %d bytes", len(s))
		}
	}
	return nil
}

// RosterRoom is how many of the statements, from the first, fit into one message;
// at least one.
func RosterRoom(statements [][]byte) (n int) {
	room := TypeRoster.Max() - 64
	for n < min(len(statements), MaxStatements) {
		if room -= len(statements[n]) + 4; room < 0 {
			break
		}
		n++
	}
	return max(n, min(1, len(statements)))
}

// AppendRoster appends a Roster frame: statements whose meaning and signatures
// are netproto/circle's.
func AppendRoster(dst []byte, statements [][]byte) ([]byte, error) {
	r := roster{statements}
	if err := r.check(); err != nil {
		return dst, err
	}
	return appendCBOR(dst, TypeRoster, r)
}

// ParseRoster reads a Roster.
func ParseRoster(payload []byte) ([][]byte, error) {
	var r roster
	if err := parseCBOR(payload, &r); err != nil {
		return nil, err
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return r.Statements, nil
}
