package config

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

// FuzzParse: what is understood, written down again, is understood the same, and
// an error names the file.
func FuzzParse(f *testing.F) {
	f.Add("name = \"pi\"\nlisten = \":27464\"\nlan = false\n")
	f.Add("[[folder]]\nid = \"00000000000000000000000000000001\"\nname = \"docs\"\npath = \"/home/pat/docs\"\nmode = \"send\"\nscan_every = \"1h30m\"\n[folder.paused]\nuntil = 2026-11-21T14:03:00Z\n")
	f.Add("[[device]]\naddresses = [\"pi:27464\"]\n[device.paused]\n")
	f.Add("schedule = [\"mon-fri 08:00-17:00 pause\", \"22:00-6:00 limit up 1MiB down unlimited\"]\n[limits]\nup = \"200KiB\"\nfree_lan = true\n[rules]\non_metered = \"small\"\nbattery_below = 30\n")
	f.Add("declined = [\"0a0b\"]\nstore = '/srv'\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parse("config.toml", text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "config.toml") {
				t.Errorf("%v", err)
			}
			return
		}
		for _, folder := range c.Folders {
			if !filepath.IsAbs(folder.Path) {
				t.Errorf("%q is not absolute", folder.Path)
			}
		}
		b, err := toml.Marshal(c)
		if err != nil {
			t.Fatalf("%v: %+v", err, c)
		}
		again, err := parse("config.toml", string(b))
		if err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		b2, err := toml.Marshal(again)
		if err != nil || string(b) != string(b2) {
			t.Errorf("%v\n%s\n%s", err, b, b2)
		}
		if !reflect.DeepEqual(c.Name, again.Name) || len(c.Folders) != len(again.Folders) || len(c.Devices) != len(again.Devices) {
			t.Errorf("%+v\n%+v", c, again)
		}
	})
}

// FuzzParseSize: a size is bounded, and reads the same once it was written.
func FuzzParseSize(f *testing.F) {
	for _, s := range []string{"20GB", "512MiB", "unlimited", "0", "1.5 TB", "-1", "1e30", "1EiB"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ParseSize(text)
		if err != nil {
			return
		}
		if n < -1 || n > 1<<60 {
			t.Errorf("%q is %d", text, n)
		}
		if again, err := ParseSize(n.String()); err != nil || again != n {
			t.Errorf("%q: %d was written as %s and read as %d, %v", text, n, n, again, err)
		}
	})
}
