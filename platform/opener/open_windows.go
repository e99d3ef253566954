package opener

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/windows"
)

func system() desktop { return shell{} }

type shell struct{}

func (shell) open(_ context.Context, path string) error    { return execute(path) }
func (shell) openURL(_ context.Context, link string) error { return execute(link) }

// reveal: explorer reads its command line itself, where a path in quotes follows
// /select with a comma; a path holds no quotes here.
func (shell) reveal(_ context.Context, path string) error {
	dir, err := windows.GetWindowsDirectory()
	if err != nil {
		return fmt.Errorf("find explorer: %w", err)
	}
	c := exec.Command(filepath.Join(dir, "explorer.exe"))
	c.SysProcAttr = &syscall.SysProcAttr{CmdLine: `explorer.exe /select,"` + path + `"`}
	if err := c.Start(); err != nil {
		return fmt.Errorf("show %s: %w", path, err)
	}
	return c.Process.Release() // its exit code says nothing
}

func execute(what string) error {
	verb, err := windows.UTF16PtrFromString("open")
	if err != nil {
		return err
	}
	file, err := windows.UTF16PtrFromString(what)
	if err != nil {
		return err
	}
	if err := windows.ShellExecute(0, verb, file, nil, nil, windows.SW_SHOWNORMAL); err != nil {
		return fmt.Errorf("open %s: %w", what, err)
	}
	return nil
}
