//go:build !windows

package opener

import (
	"context"
	"fmt"
	"os/exec"
	"syscall"
	"time"
)

// patience is how long a program may take to say that it could not open
// something; some stay until what they opened is closed.
const patience = 3 * time.Second

// start runs a program in a session of its own and hears how it went, if it ends
// soon.
func start(ctx context.Context, program string, args ...string) error {
	c := exec.Command(program, args...)
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := c.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	wait := time.NewTimer(patience)
	defer wait.Stop()
	select {
	case err := <-ended:
		if err != nil {
			return fmt.Errorf("%s: %w", program, err)
		}
	case <-wait.C:
	case <-ctx.Done():
	}
	return nil
}
