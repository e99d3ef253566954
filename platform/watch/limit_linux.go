package watch

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

const (
	limitWatches   = "fs.inotify.max_user_watches"
	limitInstances = "fs.inotify.max_user_instances"
)

// limitError words the error for a limit that was hit with dirs directories in
// the folder. Watches of other programs count against the same limit, hence the
// generous rounding.
func limitError(limit string, dirs int) *LimitError {
	have := readSetting(limit)
	need := 256
	if limit == limitWatches {
		for need = 65536; need < 2*dirs || need <= have; need *= 2 {
		}
	} else {
		for need <= have {
			need *= 2
		}
	}
	return &LimitError{
		Limit:  limit,
		Have:   have,
		Need:   need,
		Remedy: fmt.Sprintf("echo %s=%d | sudo tee /etc/sysctl.d/90-pinion.conf && sudo sysctl --system", limit, need),
	}
}

func readSetting(name string) int {
	text, err := os.ReadFile("/proc/sys/" + strings.ReplaceAll(name, ".", "/"))
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return n
}
