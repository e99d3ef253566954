package rootfs_test

import (
	"testing"

	"pinion/platform/rootfs"
)

func TestWalking(t *testing.T) { run(t, rootfs.OpenWalking) }
