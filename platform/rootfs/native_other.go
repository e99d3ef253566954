//go:build !linux

package rootfs

func openBackend(name string) (backend, error) { return openPortable(name) }
