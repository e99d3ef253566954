package power

import (
	"context"
	"os/exec"
	"strings"
	"time"
)

func read(ctx context.Context) (State, bool) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "/usr/bin/pmset", "-g", "batt").Output()
	if err != nil {
		return State{Charge: -1}, true // perhaps next time
	}
	return parsePmset(string(out)), strings.Contains(string(out), "%")
}
