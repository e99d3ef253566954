package link

import (
	"os"
	"os/exec"
	"syscall"
)

const detachedProcess = 0x8 // no console, not even the tray's

func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP | detachedProcess, HideWindow: true}
}

// interrupt: Windows has no signal that asks.
func interrupt(p *os.Process) { _ = p.Kill() }
