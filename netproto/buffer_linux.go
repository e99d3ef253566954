package netproto

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// receiveBuffer is the size in bytes of a socket's receive buffer, after the
// transport has asked for what it wants. Linux gives twice what may be used.
func receiveBuffer(conn syscall.Conn) (size int, known bool) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, false
	}
	err = raw.Control(func(fd uintptr) {
		var err error
		size, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF)
		known = err == nil
	})
	return size, known && err == nil
}
