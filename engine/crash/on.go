//go:build crashpoints

package crash

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// On says whether this build can be killed on purpose.
const On = true

// passed is the one piece of state: a build with this tag is a test's tool.
var passed struct {
	sync.Mutex
	times map[string]int
	log   *os.File
	fatal map[string]int // point -> passing
}

// At is a named moment: the process may end here.
func At(point string) {
	if !slices.Contains(Points, point) {
		panic("crash: the point " + point + " is not in the list")
	}
	passed.Lock()
	defer passed.Unlock()
	if passed.times == nil {
		begin()
	}
	passed.times[point]++
	n := passed.times[point]
	if passed.log != nil && n&(n-1) == 0 {
		fmt.Fprintln(passed.log, point, n)
	}
	if n == passed.fatal[point] {
		if passed.log != nil {
			fmt.Fprintln(passed.log, "killed", point, n)
		}
		p, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = p.Kill()
		}
		if err != nil {
			panic(err)
		}
		select {} // nothing is done any more
	}
}

func begin() {
	passed.times = map[string]int{}
	if file := os.Getenv("PINION_CRASH_LOG"); file != "" {
		passed.log, _ = os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	}
	passed.fatal = map[string]int{}
	for _, one := range strings.Split(os.Getenv("PINION_CRASH"), ",") {
		point, nth, _ := strings.Cut(one, ":")
		passed.fatal[point], _ = strconv.Atoi(nth)
	}
}
