package demo

import (
	"os/exec"
	"syscall"
)

func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// Windows has no signal that asks.
func ask(cmd *exec.Cmd)   { _ = cmd.Process.Kill() }
func force(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
