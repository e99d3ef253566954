package rootfs

import (
	"os"

	"golang.org/x/sys/unix"
)

// StartWriting has what was written to f so far begin its way to the disk, and
// does not wait for it. It promises nothing: whoever needs it there flushes, which
// then takes less long. Where the system can't, nothing happens.
func StartWriting(f *os.File) {
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { _ = unix.SyncFileRange(int(fd), 0, 0, unix.SYNC_FILE_RANGE_WRITE) })
}
