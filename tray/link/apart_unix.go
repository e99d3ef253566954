//go:build unix

package link

import (
	"os"
	"os/exec"
	"syscall"
)

// apart gives the engine a session of its own: no signal that is meant for the
// tray's terminal or group reaches it.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

func interrupt(p *os.Process) { _ = p.Signal(syscall.SIGTERM) }
