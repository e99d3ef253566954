package opener

import (
	"context"
	"fmt"
)

const opens = "/usr/bin/open"

func system() desktop { return mac{} }

type mac struct{}

func (mac) open(ctx context.Context, path string) error    { return run(ctx, path) }
func (mac) openURL(ctx context.Context, link string) error { return run(ctx, link) }
func (mac) reveal(ctx context.Context, path string) error  { return run(ctx, "-R", path) }

func run(ctx context.Context, args ...string) error {
	if err := start(ctx, opens, args...); err != nil {
		return fmt.Errorf("open %s: %w", args[len(args)-1], err)
	}
	return nil
}
