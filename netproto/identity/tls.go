package identity

import (
	"crypto/tls"
	"errors"
	"fmt"

	"pinion/engine/tree"
)

// ErrOtherDevice is returned when somebody else answers than who was dialled.
var ErrOtherDevice = errors.New("another device answered at that address")

// ServerTLS are the settings of a listener that speaks the given protocols
// (ALPN names). A handshake ends well only if allow, called inside it with the
// id that the client proved and the protocol it chose, returns nil. It may be
// called from several goroutines at once and should not block.
func (i *Identity) ServerTLS(allow func(device tree.DeviceID, alpn string) error, protocols ...string) *tls.Config {
	c := i.base(protocols)
	c.ClientAuth = tls.RequireAnyClientCert // who it is, is decided below
	c.VerifyConnection = func(state tls.ConnectionState) error {
		device, err := PeerOf(state)
		if err != nil {
			return err
		}
		return allow(device, state.NegotiatedProtocol)
	}
	return c
}

// ClientTLS are the settings for dialling one device with one protocol. A
// handshake with anybody else fails with ErrOtherDevice.
func (i *Identity) ClientTLS(expect tree.DeviceID, alpn string) *tls.Config {
	c := i.base([]string{alpn})
	c.ServerName = "pinion" // the same for all, so that it tells an eavesdropper nothing
	// There is no authority to ask: VerifyConnection takes the place of the
	// chain, and runs whether or not this is set.
	c.InsecureSkipVerify = true
	c.VerifyConnection = func(state tls.ConnectionState) error {
		device, err := PeerOf(state)
		if err != nil {
			return err
		}
		if device != expect {
			return fmt.Errorf("%w: %s instead of %s", ErrOtherDevice, device.Short(), expect.Short())
		}
		if state.NegotiatedProtocol != alpn {
			return fmt.Errorf("the device does not speak %s", alpn)
		}
		return nil
	}
	return c
}

func (i *Identity) base(protocols []string) *tls.Config {
	return &tls.Config{
		Certificates:           []tls.Certificate{i.cert},
		NextProtos:             append([]string(nil), protocols...),
		MinVersion:             tls.VersionTLS13,
		MaxVersion:             tls.VersionTLS13,
		SessionTicketsDisabled: true, // and with them resumption and early data
	}
}

// PeerOf is the id of the device at the other end of a connection, as proved in its
// handshake.
func PeerOf(state tls.ConnectionState) (tree.DeviceID, error) {
	if state.Version != tls.VersionTLS13 || state.DidResume || len(state.PeerCertificates) != 1 {
		return tree.DeviceID{}, ErrNotDevice
	}
	return DeviceOf(state.PeerCertificates[0])
}
