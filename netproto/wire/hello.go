package wire

// Version is the newest version of the protocol that is spoken here.
const Version = 1

// Hello is each side's first message.
type Hello struct {
	Version  uint32 `cbor:"1,keyasint"`
	Name     string `cbor:"2,keyasint"`
	Software string `cbor:"3,keyasint"`
	Caps     uint64 `cbor:"4,keyasint,omitempty"`
}

func (h Hello) check() error {
	if h.Version == 0 {
		return bad("version 0")
	}
	if err := checkText("the device's name", h.Name); err != nil {
		return err
	}
	return checkText("the software's name", h.Software)
}

// AppendHello appends a Hello frame.
func AppendHello(dst []byte, h Hello) ([]byte, error) {
	if err := h.check(); err != nil {
		return dst, err
	}
	return appendCBOR(dst, TypeHello, h)
}

// ParseHello reads a Hello.
func ParseHello(payload []byte) (Hello, error) {
	var h Hello
	if err := parseCBOR(payload, &h); err != nil {
		return Hello{}, err
	}
	return h, h.check()
}
