//go:build desktoptest

package desktoptest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"pinion/engine/status"
)

// TestMeasure prints what the desktop program costs, with as many files behind it
// as PINION_MEASURE says: "100 100000 1000000". It decides nothing.
func TestMeasure(t *testing.T) {
	sizes := strings.Fields(os.Getenv("PINION_MEASURE"))
	if len(sizes) == 0 {
		t.Skip("only when it is asked for: .ci/measure-desktop")
	}
	rest := time.Minute
	if s := os.Getenv("PINION_MEASURE_REST"); s != "" {
		rest, _ = time.ParseDuration(s)
	}
	var rows []figures
	for _, size := range sizes {
		n, err := strconv.Atoi(size)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(size, func(t *testing.T) { rows = append(rows, measure(t, n, rest)) })
	}
	fmt.Print(table(rows, rest))
}

// figures are what one row of the table holds.
type figures struct {
	files             int
	icon, menu        time.Duration // from the start, without a window
	window            time.Duration // from the start, until the folder's name can be read in it
	opened, again     time.Duration // from the menu's click: the first time, and once it had been closed
	before, with, now int64         // resident: no window yet, open, closed again
	engine            int64
	cpuBefore         time.Duration // at rest, without a window so far
	cpuOpen, cpuNow   time.Duration
}

func measure(t *testing.T, n int, rest time.Duration) figures {
	d := newDesk(t, deskOptions{})
	laptop := d.device("laptop", false)
	laptop.start()
	dir := laptop.folder("Documents")
	fill(t, dir, n)
	laptop.pinion("folder", "add", dir, "--name", "Documents")
	d.within(20*time.Minute, "the engine knows all files", func() (string, bool) {
		s, err := laptop.state()
		if err != nil || len(s.Folders) == 0 {
			return errText(err), false
		}
		return fmt.Sprintf("%+v", s.Folders[0]), s.Folders[0].Files >= int64(n) && s.Folders[0].State == status.Synced
	})
	f := figures{files: n}
	tray := laptop.tray(hidden)
	begun := time.Now()
	i := d.icon(tray.pid())
	f.icon = time.Since(begun)
	i.shows("^Documents – ")
	f.menu = time.Since(begun)
	f.before = resident(t, tray.pid())
	f.cpuBefore = atRest(t, tray.pid(), rest)
	f.opened = d.timeToRead(func() { i.choose("^Open Pinion…$") })
	f.cpuOpen = atRest(t, tray.pid(), rest)
	f.with = resident(t, tray.pid())
	d.Shot(fmt.Sprintf("%d files", n))
	d.closeWindow()
	f.cpuNow = atRest(t, tray.pid(), rest)
	f.now = resident(t, tray.pid())
	f.again = d.timeToRead(func() { i.choose("^Open Pinion…$") })
	_, f.engine, _ = stat(laptop.pid())
	i.choose("^Quit")
	tray.wait(patience)
	f.window = d.timeToRead(func() { laptop.tray() })
	return f
}

// timeToRead is how long it takes until the overview can be read.
func (d *Desk) timeToRead(do func()) time.Duration {
	d.t.Helper()
	theFont().shapes("Documents") // drawing them is not counted
	begun := time.Now()
	do()
	for time.Since(begun) < patience {
		all := d.windows()
		if len(all) > 0 {
			at := time.Since(begun) // the picture is of this moment; looking for words in it takes longer
			if _, v := d.sees("Documents", all[0].rect); v >= alike {
				return at
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	d.t.Error("the overview can't be read")
	return 0
}

func atRest(t *testing.T, pid int, rest time.Duration) time.Duration {
	t.Helper()
	time.Sleep(3 * time.Second)
	before, _, err := stat(pid)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(rest)
	after, _, err := stat(pid)
	if err != nil {
		t.Fatal(err)
	}
	return after - before
}

func resident(t *testing.T, pid int) int64 {
	t.Helper()
	_, rss, err := stat(pid)
	if err != nil {
		t.Fatal(err)
	}
	return rss
}

// fill makes n small files, a hundred to a directory.
func fill(t *testing.T, dir string, n int) {
	t.Helper()
	for k := 0; k < n; k++ {
		at := filepath.Join(dir, fmt.Sprintf("%03d", k/10_000), fmt.Sprintf("%02d", k/100%100))
		if k%100 == 0 {
			mkdir(t, at)
		}
		if err := os.WriteFile(filepath.Join(at, fmt.Sprintf("file %07d.txt", k)), []byte(strconv.Itoa(k)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func table(rows []figures, rest time.Duration) string {
	var b strings.Builder
	line := func(name string, f func(figures) string) {
		fmt.Fprintf(&b, "| %s |", name)
		for _, r := range rows {
			fmt.Fprintf(&b, " %s |", f(r))
		}
		b.WriteByte('\n')
	}
	ms := func(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }
	mb := func(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }
	cpu := func(d time.Duration) string {
		return fmt.Sprintf("%.2f s (%.2f %%)", d.Seconds(), 100*d.Seconds()/rest.Seconds())
	}
	line("files", func(f figures) string { return fmt.Sprint(f.files) })
	b.WriteString("|---|" + strings.Repeat("---|", len(rows)) + "\n")
	line("start to icon", func(f figures) string { return ms(f.icon) })
	line("start to menu with folders", func(f figures) string { return ms(f.menu) })
	line("start to overview in the window", func(f figures) string { return ms(f.window) })
	line("click to overview, first time", func(f figures) string { return ms(f.opened) })
	line("click to overview, later", func(f figures) string { return ms(f.again) })
	line("resident, no window yet", func(f figures) string { return mb(f.before) })
	line("resident, window open", func(f figures) string { return mb(f.with) })
	line("resident, window closed again", func(f figures) string { return mb(f.now) })
	line("resident, the engine beside it", func(f figures) string { return mb(f.engine) })
	line(fmt.Sprintf("CPU in %s, no window yet", rest), func(f figures) string { return cpu(f.cpuBefore) })
	line(fmt.Sprintf("CPU in %s, window open", rest), func(f figures) string { return cpu(f.cpuOpen) })
	line(fmt.Sprintf("CPU in %s, window closed again", rest), func(f figures) string { return cpu(f.cpuNow) })
	return b.String()
}
