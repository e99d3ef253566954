//go:build !linux

package udp

import "net"

// Offload gives conn as it is: there is nothing to be had here.
func Offload(conn *net.UDPConn) net.PacketConn { return conn }
