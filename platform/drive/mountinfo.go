package drive

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// entry is a line of /proc/self/mountinfo (proc_pid_mountinfo(5)).
type entry struct {
	id     uint64
	device string // "major:minor"
	point  string
	fsType string
	source string
}

// maxLine is longer than any line: four paths, each character escaped.
const maxLine = 64 << 10

// parseMounts reads the lines that it understands.
func parseMounts(r io.Reader) ([]entry, error) {
	var entries []entry
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLine)
	for s.Scan() {
		if e, ok := parseMount(s.Text()); ok {
			entries = append(entries, e)
		}
	}
	return entries, s.Err()
}

// parseMount: id parent device root point options [tags…] - type source options.
func parseMount(line string) (entry, bool) {
	before, after, ok := strings.Cut(line, " - ")
	a, b := strings.Fields(before), strings.Fields(after)
	if !ok || len(a) < 6 || len(b) < 2 {
		return entry{}, false
	}
	id, err := strconv.ParseUint(a[0], 10, 64)
	if err != nil {
		return entry{}, false
	}
	return entry{id: id, device: a[2], point: unescape(a[4]), fsType: unescape(b[0]), source: unescape(b[1])}, true
}

// unescape turns the "\040" of the kernel into a space, and so on.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// deepest is the mount with the longest point above path; of several at one
// point, the last, which covers the others.
func deepest(entries []entry, path string) (best entry, ok bool) {
	for _, e := range entries {
		above := e.point == path || e.point == "/" || strings.HasPrefix(path, e.point+"/")
		if above && len(e.point) >= len(best.point) {
			best, ok = e, true
		}
	}
	return best, ok
}
