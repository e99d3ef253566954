package watch

import (
	"bufio"
	"bytes"
	"os"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// mountNews says that the mount table has changed.
type mountNews struct {
	below bool  // something was mounted or unmounted below the root
	err   error // the table can't be watched
}

// watchMounts sends news to out whenever the mount table changes at, above or
// below root. inotify does not tell of a folder that is unmounted lazily, or
// that something was mounted over; the table does, and costs nothing until it
// changes. The returned function ends it.
func watchMounts(root string, out chan<- mountNews, wg *sync.WaitGroup) (stop func()) {
	var ends [2]int
	table, err := openMounts()
	if err == nil {
		if err = unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
			_ = table.Close()
		}
	}
	if err != nil {
		out <- mountNews{err: err} // has room for one
		return func() {}
	}
	stopped := make(chan struct{})
	wg.Add(1)
	go func() {
		defer wg.Done()
		defer unix.Close(ends[0])
		defer table.Close()
		pollMounts(table, ends[0], root, out, stopped)
	}()
	return func() {
		close(stopped)
		_ = unix.Close(ends[1])
	}
}

// openMounts keeps the table away from Go's own poller, which would otherwise
// take the news: each open file is told of a change only once.
func openMounts() (*os.File, error) {
	const name = "/proc/self/mountinfo"
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), name), nil
}

func pollMounts(table *os.File, end int, root string, out chan<- mountNews, stopped <-chan struct{}) {
	before := mountsNear(table, root)
	for {
		polled := []unix.PollFd{
			{Fd: int32(table.Fd()), Events: unix.POLLPRI},
			{Fd: int32(end), Events: unix.POLLIN},
		}
		if _, err := unix.Poll(polled, -1); err == unix.EINTR {
			continue
		} else if err != nil || polled[1].Revents != 0 {
			return
		}
		now := mountsNear(table, root)
		if slices.Equal(now, before) {
			continue
		}
		below := !slices.Equal(beneath(now, root), beneath(before, root))
		before = now
		select {
		case out <- mountNews{below: below}:
		case <-stopped:
			return
		}
	}
}

// mountsNear lists the mounts that matter to root, as "id point".
func mountsNear(table *os.File, root string) (near []string) {
	if _, err := table.Seek(0, 0); err != nil {
		return nil
	}
	lines := bufio.NewScanner(table)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		// see proc(5): id, parent, major:minor, root, mount point, ...
		fields := bytes.Fields(lines.Bytes())
		if len(fields) < 5 {
			continue
		}
		point := unescapeMount(string(fields[4]))
		if under(point, root) || under(root, point) {
			near = append(near, string(fields[0])+" "+point)
		}
	}
	slices.Sort(near)
	return near
}

func beneath(mounts []string, root string) (below []string) {
	for _, m := range mounts {
		if _, point, _ := strings.Cut(m, " "); point != root && under(point, root) {
			below = append(below, m)
		}
	}
	return below
}

// under says whether path is dir or lies in it; both are absolute.
func under(path, dir string) bool {
	return dir == "/" || path == dir || strings.HasPrefix(path, dir+"/")
}

// unescapeMount undoes the octal escapes of white space and backslashes.
func unescapeMount(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}
