//go:build unix

package demo

import (
	"os/exec"
	"syscall"
)

// apart puts a child into a process group of its own, so that a Ctrl-C reaches
// us first and all of the child's group can be ended.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func ask(cmd *exec.Cmd)   { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) } // fails when it has ended
func force(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
