//go:build !windows

package rootfs

func checkNative(string) error { return nil }
