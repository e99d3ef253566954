package netproto

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"pinion/netproto/identity"
	"pinion/netproto/wire"

	"github.com/quic-go/quic-go"
)

// Error says why a session or an attempt to connect ended.
type Error struct {
	Code   wire.Code
	Remote bool   // the peer ended it
	Text   string // detail for a log; a remote one is the peer's word
	Err    error  // what it came from; may be nil
}

func (e *Error) Error() string {
	s := "the session ended because " + e.Code.String()
	if e.Remote {
		s = "the peer ended the session: " + e.Code.String()
	}
	if e.Remote && e.Text != "" {
		return fmt.Sprintf("%s (it says %q)", s, e.Text)
	}
	if e.Text != "" {
		return s + ": " + e.Text
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// Is makes every end of a session an ErrClosed.
func (e *Error) Is(target error) bool { return target == ErrClosed }

func failure(code wire.Code, err error) *Error {
	e := &Error{Code: code, Err: err}
	if err != nil {
		e.Text = err.Error()
	}
	return e
}

// Broken ends a session whose peer said what no honest one would.
func Broken(err error) *Error { return failure(wire.BadMessage, err) }

// sessionError makes an *Error of whatever ended a session.
func sessionError(err error) *Error {
	if own, ok := errors.AsType[*Error](err); ok {
		return own
	}
	if app, ok := errors.AsType[*quic.ApplicationError](err); ok {
		return &Error{Code: wire.Code(min(app.ErrorCode, 1<<31)), Remote: app.Remote, Text: clean(app.ErrorMessage), Err: err}
	}
	if _, idle := errors.AsType[*quic.IdleTimeoutError](err); idle {
		return &Error{Code: wire.Slow, Text: "nothing comes from it any more", Err: err}
	}
	if _, reset := errors.AsType[*quic.StatelessResetError](err); reset {
		return &Error{Code: wire.Stopping, Remote: true, Text: "it was started anew", Err: err}
	}
	switch {
	case errors.Is(err, wire.ErrBad), errors.Is(err, io.ErrUnexpectedEOF):
		return failure(wire.BadMessage, err)
	case errors.Is(err, context.Canceled):
		return failure(wire.Closed, nil)
	case errors.Is(err, io.EOF):
		return &Error{Code: wire.Closed, Remote: true, Err: err}
	}
	return failure(wire.Internal, err)
}

// orderly says whether an end is no fault that a person should see.
func orderly(e *Error) bool {
	return e.Code == wire.Closed || e.Code == wire.Stopping || e.Code == wire.Duplicate
}

// clean makes a peer's text fit to be shown.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	for len(s) > 200 {
		s = s[:len(s)-1]
		s = strings.ToValidUTF8(s, "")
	}
	return s
}

// closing is the text that a peer is told with an error. What failed here is
// our own affair.
func closing(e *Error) string {
	if e.Code == wire.Internal {
		return ""
	}
	return clean(e.Text)
}

// TLS alerts, as QUIC carries them.
const (
	cryptoError            = 0x100
	alertBadCertificate    = cryptoError + 42
	alertNoApplicationALPN = cryptoError + 120
)

// dialError turns what quic says of a failed connection into a sentence.
func dialError(addr string, err error) error {
	if errors.Is(err, identity.ErrOtherDevice) {
		return fmt.Errorf("%s: %w", addr, identity.ErrOtherDevice)
	}
	if _, ok := errors.AsType[*quic.ApplicationError](err); ok {
		return fmt.Errorf("%s: %w", addr, sessionError(err))
	}
	if te, ok := errors.AsType[*quic.TransportError](err); ok {
		switch {
		case te.ErrorCode == alertBadCertificate && te.Remote:
			return fmt.Errorf("%s: %w", addr, &Error{Code: wire.Removed, Remote: true, Err: err})
		case te.ErrorCode == alertNoApplicationALPN:
			return fmt.Errorf("%s: %w", addr, &Error{Code: wire.BadVersion, Remote: te.Remote, Err: err})
		}
	}
	if _, ok := errors.AsType[*quic.HandshakeTimeoutError](err); ok || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: nobody answers", addr)
	}
	if _, ok := errors.AsType[*quic.IdleTimeoutError](err); ok {
		return fmt.Errorf("%s: nobody answers", addr)
	}
	return fmt.Errorf("%s: %w", addr, err)
}

// tooSlow names the error of a read whose deadline passed or that ended early,
// where something was due.
func tooSlow(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return failure(wire.Slow, errors.New("a message that was due did not come"))
	case errors.Is(err, io.EOF):
		return failure(wire.OutOfOrder, errors.New("a stream ended before its first message"))
	}
	return err
}
