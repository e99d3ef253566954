package power

import (
	"strings"
	"testing"
	"testing/fstest"
)

// supplies makes a sysfs of lines such as "BAT0 type=Battery status=Full".
func supplies(lines ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for _, line := range lines {
		words := strings.Fields(line)
		for _, w := range words[1:] {
			file, value, _ := strings.Cut(w, "=")
			m[words[0]+"/"+file] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(value, "_", " ") + "\n")}
		}
	}
	return m
}

func TestReadSupplies(t *testing.T) {
	for name, c := range map[string]struct {
		lines   []string
		want    State
		battery bool
	}{
		"a Pi":             {nil, State{Unknown, -1}, false},
		"a desktop":        {[]string{"AC type=Mains online=1"}, State{Mains, -1}, false},
		"on battery":       {[]string{"AC type=Mains online=0", "BAT0 type=Battery status=Discharging capacity=63"}, State{Battery, 63}, true},
		"plugged in":       {[]string{"AC type=Mains online=1", "BAT0 type=Battery status=Charging capacity=63"}, State{Mains, 63}, true},
		"a weak charger":   {[]string{"AC type=Mains online=1", "BAT0 type=Battery status=Discharging capacity=20"}, State{Mains, 20}, true},
		"two batteries":    {[]string{"AC type=Mains online=0", "BAT0 type=Battery status=Discharging capacity=80", "BAT1 type=Battery status=Not_charging capacity=20"}, State{Battery, 50}, true},
		"USB-C only":       {[]string{"USB type=USB online=1", "BAT0 type=Battery status=Charging capacity=7"}, State{Mains, 7}, true},
		"USB-C, unplugged": {[]string{"USB type=USB online=0", "BAT0 type=Battery status=Discharging capacity=7"}, State{Battery, 7}, true},
		"a mouse":          {[]string{"AC type=Mains online=1", "hid type=Battery scope=Device status=Discharging capacity=4"}, State{Mains, -1}, false},
		"an empty bay":     {[]string{"AC type=Mains online=1", "BAT1 type=Battery present=0"}, State{Mains, -1}, false},
		"nonsense":         {[]string{"BAT0 type=Battery status=Discharging capacity=9999", "x type=", "y"}, State{Battery, -1}, true},
	} {
		if got, battery := readSupplies(supplies(c.lines...)); got != c.want || battery != c.battery {
			t.Errorf("%s: %+v %v, not %+v %v", name, got, battery, c.want, c.battery)
		}
	}
}
