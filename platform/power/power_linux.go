package power

import (
	"context"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

func read(context.Context) (State, bool) { return readSupplies(os.DirFS("/sys/class/power_supply")) }

// readSupplies reads the kernel's power supplies
// (Documentation/ABI/testing/sysfs-class-power).
func readSupplies(supplies fs.FS) (s State, battery bool) {
	s.Charge = -1
	list, err := fs.ReadDir(supplies, ".")
	if err != nil {
		return s, false
	}
	word := func(name, file string) string {
		b, err := fs.ReadFile(supplies, name+"/"+file)
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(b))
	}
	var mains, plugged, shrinks bool
	sum, known := 0, 0
	for _, e := range list {
		switch name := e.Name(); word(name, "type") {
		case "Mains":
			mains = true
			plugged = plugged || word(name, "online") == "1"
		case "Battery", "UPS":
			if word(name, "scope") == "Device" || word(name, "present") == "0" {
				continue
			}
			battery = true
			shrinks = shrinks || word(name, "status") == "Discharging"
			if n, err := strconv.Atoi(word(name, "capacity")); err == nil && n >= 0 && n <= 100 {
				sum, known = sum+n, known+1
			}
		}
	}
	if known > 0 {
		s.Charge = sum / known
	}
	switch {
	case plugged || mains && !battery:
		s.Source = Mains
	case shrinks || battery && mains:
		s.Source = Battery
	case battery:
		s.Source = Mains // full, or charging by something that is not listed
	}
	return s, battery
}
