package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pinion/engine/policy"
)

func TestWindows(t *testing.T) {
	for text, want := range map[string]string{
		"mon-fri 8:00-17:00 pause": "mon-fri 08:00-17:00 pause", " 22:00-06:00  limit  down 1MiB  up 200KiB ": "22:00-06:00 limit up 200KiB down 1MiB",
		"daily 00:00-24:00 small": "00:00-24:00 small", "sun 1:00-2:00 limit up unlimited": "sun 01:00-02:00 limit up unlimited",
	} {
		w, err := ParseWindow(text)
		if err != nil || w.String() != want {
			t.Errorf("%q is %q (%v), not %q", text, w, err, want)
		}
	}
	for _, text := range []string{"", "pause", "8:00 pause", "mon pause", "8:00-9:00", "8:00-9:00 run", "8:00-9:00 limit", "8:00-9:00 limit up", "8:00-9:00 limit sideways 5MB", "8:00-9:00 limit up 5", "8:00-9:00 pause up 5MB", "9:00-9:00 pause", "mo 8:00-9:00 pause"} {
		if w, err := ParseWindow(text); err == nil {
			t.Errorf("%q is %q", text, w)
		}
	}
}

func TestPolicyIsKept(t *testing.T) {
	home := t.TempDir()
	w, err := ParseWindow("mon,tue 22:00-06:00 limit up 200KiB")
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Name: "pi", Limits: Limits{Up: 200 << 10, FreeLAN: true}, Schedule: []Window{w, {To: 60, Do: policy.Pause}},
		Rules: Rules{OnBattery: "pause", BatteryBelow: 30, OnMetered: "small", SmallFile: 5e6}, Folders: []Folder{}, Devices: []Device{},
	}
	if err := Save(home, want); err != nil {
		t.Fatal(err)
	}
	got, err := Load(home)
	if err != nil || !reflect.DeepEqual(got.Limits, want.Limits) || !reflect.DeepEqual(got.Rules, want.Rules) || !reflect.DeepEqual(got.Schedule, want.Schedule) {
		text, _ := os.ReadFile(filepath.Join(home, File))
		t.Errorf("%v\n%+v\n%s", err, got, text)
	}
	if back := RulesOf(got.Rules.Policy()); back != got.Rules {
		t.Errorf("%+v", back)
	}
}

func TestPolicyErrorsNameTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"name = \"a\"\n[rules]\non_battery = \"stop\"\n":                    "config.toml:2: on battery",
		"name = \"a\"\n\nschedule = [\"8:00 pause\"]\n":                     "config.toml:3: ",
		"[limits]\nup = \"much\"\n":                                         "config.toml:2: ",
		"[limits]\nup = \"5B\"\n":                                           "config.toml:1: a limit",
		"[rules]\nsmall_file = \"unlimited\"\n":                             "config.toml:1: ",
		"schedule = [" + strings.Repeat("\"1:00-2:00 pause\",", 51) + "]\n": "config.toml:1: a schedule",
	} {
		if _, err := parse("config.toml", text); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
