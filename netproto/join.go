package netproto

import (
	"context"

	"github.com/quic-go/quic-go"
)

// Joiner is asked while an invitation is open.
type Joiner interface{}

func (n *Node) serveJoin(ctx context.Context, conn *quic.Conn) {}
