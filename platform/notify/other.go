//go:build !unix || darwin

package notify

import "context"

// Open finds no way of its own here: use Plain.
func Open(context.Context, Options) (Notifier, error) { return nil, ErrNone }
