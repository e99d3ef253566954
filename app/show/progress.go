package show

import (
	"fmt"
	"strings"
	"time"

	"pinion/engine/status"
)

// Progress draws what moves in a folder, on one line of at most width cells: a
// bar, how much of how much, the rate and the time left. It is empty when
// nothing moves.
func Progress(f status.Folder, width int) string {
	p := f.Progress
	switch f.State {
	case status.Scanning:
		return cut(fmt.Sprintf("looking at the disk: %s so far", Count(p.Scanned, "file")), width)
	case status.Syncing, status.Paused:
	default:
		return ""
	}
	share, known := Share(f)
	if !known {
		return peersProgress(f, width)
	}
	tail := []string{fmt.Sprintf("%3.0f%%", share*100)}
	if p.BytesTotal > 0 {
		tail = append(tail, fmt.Sprintf("%s of %s", Size(p.BytesDone), Size(p.BytesTotal)))
	}
	if p.Rate > 0 {
		tail = append(tail, Size(p.Rate)+"/s")
	}
	if p.ETA >= 0 && p.Rate > 0 {
		tail = append(tail, Left(time.Duration(min(p.ETA, 1<<31))*time.Second)+" left")
	}
	return withBar(share, tail, width)
}

// Share is how much of the work at hand is done, between 0 and 1.
func Share(f status.Folder) (share float64, known bool) {
	p := f.Progress
	switch {
	case p.BytesTotal > 0:
		share = float64(p.BytesDone) / float64(p.BytesTotal)
	case p.FilesTotal > 0:
		share = float64(p.FilesDone) / float64(p.FilesTotal)
	default:
		return 0, false
	}
	share = min(max(share, 0), 1)
	if share > 0.99 && f.State != status.Synced {
		share = 0.99 // done is said when it is
	}
	return share, true
}

// peersProgress draws what the slowest connected peer still lacks.
func peersProgress(f status.Folder, width int) string {
	var worst *status.FolderPeer
	for i, p := range f.Peers {
		if p.Connected && !p.UpToDate && (worst == nil || p.NeedBytes > worst.NeedBytes) {
			worst = &f.Peers[i]
		}
	}
	if worst == nil || f.Bytes <= 0 || worst.NeedFiles == 0 {
		return ""
	}
	share := min(max(1-float64(worst.NeedBytes)/float64(f.Bytes), 0), 0.99)
	return withBar(share, []string{fmt.Sprintf("%3.0f%%", share*100), "to " + Clean(worst.Device)}, width)
}

// withBar puts a bar in front, of what width is left for it, and leaves words out
// from the end until there is room for one.
func withBar(share float64, tail []string, width int) string {
	const least, most = 8, 30
	text := strings.Join(tail, "  ")
	for len(tail) > 1 && width-cells(text)-1 < least {
		tail = tail[:len(tail)-1]
		text = strings.Join(tail, "  ")
	}
	bar := min(width-cells(text)-1, most)
	if bar < 3 {
		return cut(strings.TrimSpace(text), width)
	}
	return Bar(share, bar) + " " + text
}

// FolderLine is a folder on one line: its name, state and progress.
func FolderLine(f status.Folder, o Options) string {
	name := cut(Clean(f.Name), max(o.Width/3, 8))
	head := name + "  " + f.State
	rest := o.Width - cells(head) - 2
	if p := Progress(f, rest); p != "" && rest >= 8 {
		head += "  " + p
	} else if f.State == status.Synced {
		head += "  " + Count(f.Files, "file") + ", " + Size(f.Bytes)
	}
	return cut(head, o.Width)
}

// Lines draws one line for each folder.
func Lines(s status.State, o Options) string {
	var b strings.Builder
	for _, f := range s.Folders {
		b.WriteString(FolderLine(f, o) + "\n")
	}
	return b.String()
}
