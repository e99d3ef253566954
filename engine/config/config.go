// Package config is config.toml in the home directory: what a person has chosen.
// It can be edited by hand while no engine runs; unknown keys and bad values are
// refused with the number of their line. It is written atomically.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"pinion/engine/crash"
	"pinion/engine/tree"
)

// File is the config's name in the home directory.
const File = "config.toml"

// Config is the whole file.
type Config struct {
	Name   string `toml:"name" comment:"what other devices call this one"`
	Listen string `toml:"listen,omitempty" comment:"HOST:PORT for UDP; :27464 unless given"`
	Store  string `toml:"store,omitempty" comment:"every folder that is offered is taken into a directory below this one"`
	LAN    *bool  `toml:"lan,omitempty" comment:"find devices on the local network; true unless given"`
	Paused *Pause `toml:"paused,omitempty"`
	Limits Limits `toml:"limits,omitempty" comment:"for all devices together"`
	Rules  Rules  `toml:"rules,omitempty" comment:"what is done by itself: run, small (small files only) or pause"`
	// Schedule is of windows such as "mon-fri 08:00-17:00 pause".
	Schedule []Window `toml:"schedule,omitempty" comment:"such as \"mon-fri 08:00-17:00 pause\", \"22:00-06:00 limit up 1MiB down 4MiB\", \"sat,sun 09:00-12:00 small\""`
	// Declined folders were removed here by hand: a store does not take them again.
	Declined []tree.FolderID `toml:"declined,omitempty"`
	Folders  []Folder        `toml:"folder"`
	Devices  []Device        `toml:"device"`
}

// Folder is one folder on this device.
type Folder struct {
	ID    tree.FolderID `toml:"id"`
	Name  string        `toml:"name"`
	Path  string        `toml:"path"`
	Mode  string        `toml:"mode,omitempty" comment:"two-way, send or receive"`
	State string        `toml:"state,omitempty" comment:"disk, or home: where the index lives"`
	// Attributes nil: they are carried.
	Attributes *bool    `toml:"attributes,omitempty" comment:"carry extended attributes and access control lists; true unless given"`
	Owner      bool     `toml:"owner,omitempty" comment:"carry owners and groups by name, too; only an engine that is root can"`
	ScanEvery  Duration `toml:"scan_every,omitempty" comment:"how often everything is looked at, besides being watched; 1h unless given"`
	KeepDays   int      `toml:"keep_days,omitempty" comment:"how long replaced and deleted files are kept; 30 unless given, -1: for ever"`
	KeepBytes  Size     `toml:"keep_bytes,omitempty" comment:"how much of them is kept, such as 20GB or unlimited; a quarter of the disk unless given"`
	Reserve    Size     `toml:"reserve,omitempty" comment:"how much of the disk is left free; 1 % of it, at least 256MiB and at most 5GiB, unless given"`
	Merge      string   `toml:"merge,omitempty" comment:"auto or ask: whether conflicts of text that merge cleanly are merged without asking; ask unless given"`
	Paused     *Pause   `toml:"paused,omitempty"`
}

// MaxKeepDays is a hundred years.
const MaxKeepDays = 36_500

// Device is what this device knows by hand of another.
type Device struct {
	ID        tree.DeviceID `toml:"id"`
	Addresses []string      `toml:"addresses,omitempty" comment:"HOST:PORT, tried first"`
	Paused    *Pause        `toml:"paused,omitempty"`
}

// Pause is a pause that survives a restart. Until nil: until it is resumed.
type Pause struct {
	Until *time.Time `toml:"until,omitempty"`
}

// Over says whether the pause has ended by itself.
func (p *Pause) Over(now time.Time) bool { return p == nil || p.Until != nil && !now.Before(*p.Until) }

// Duration is a time.Duration written as 1h30m.
type Duration time.Duration

func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("%q is not a duration such as 30m or 2h", b)
	}
	*d = Duration(v)
	return nil
}

// Load reads the config of a home directory. Without one it gives the zero
// Config and an error that is fs.ErrNotExist.
func Load(home string) (Config, error) {
	file := filepath.Join(home, File)
	text, err := os.ReadFile(file)
	if err != nil {
		return Config{}, fmt.Errorf("read the configuration: %w", err)
	}
	return parse(file, string(text))
}

func parse(file, text string) (Config, error) {
	var c Config
	dec := toml.NewDecoder(strings.NewReader(text)).DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return Config{}, located(file, err)
	}
	if err := c.Limits.Policy().Check(); err != nil {
		return Config{}, fmt.Errorf("%s:%d: %w", file, lineOf(text, "[limits]"), err)
	}
	if err := c.Rules.check(); err != nil {
		return Config{}, fmt.Errorf("%s:%d: %w", file, lineOf(text, "[rules]"), err)
	}
	if len(c.Schedule) > MaxSchedule {
		return Config{}, fmt.Errorf("%s:%d: a schedule has at most %d entries", file, lineOf(text, "schedule"), MaxSchedule)
	}
	for _, f := range c.Folders {
		line := lineOf(text, f.Path)
		switch {
		case f.Path == "" || !filepath.IsAbs(f.Path):
			return Config{}, fmt.Errorf("%s:%d: the path of folder %q has to be absolute", file, lineOf(text, f.Name), f.Name)
		case f.ID == tree.FolderID{}:
			return Config{}, fmt.Errorf("%s:%d: folder %q has no id", file, line, f.Name)
		case f.Mode != "" && f.Mode != "two-way" && f.Mode != "send" && f.Mode != "receive":
			return Config{}, fmt.Errorf("%s:%d: mode %q is none of two-way, send, receive", file, lineOf(text, f.Mode), f.Mode)
		case f.KeepDays < -1 || f.KeepDays > MaxKeepDays:
			return Config{}, fmt.Errorf("%s:%d: keep_days = %d of folder %q is out of bounds", file, line, f.KeepDays, f.Name)
		case f.Reserve < 0:
			return Config{}, fmt.Errorf("%s:%d: the reserve of folder %q can't be unlimited", file, line, f.Name)
		case f.Merge != "" && f.Merge != "auto" && f.Merge != "ask":
			return Config{}, fmt.Errorf("%s:%d: merge %q is neither auto nor ask", file, lineOf(text, f.Merge), f.Merge)
		case f.State != "" && f.State != "disk" && f.State != "home":
			return Config{}, fmt.Errorf("%s:%d: state %q is neither disk nor home", file, lineOf(text, f.State), f.State)
		}
	}
	return c, nil
}

// located puts the file and the line into a decoder's error.
func located(file string, err error) error {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) && len(strict.Errors) > 0 {
		row, _ := strict.Errors[0].Position()
		return fmt.Errorf("%s:%d: unknown key %q; remove it or mend its spelling", file, row, strings.Join(strict.Errors[0].Key(), "."))
	}
	var dec *toml.DecodeError
	if errors.As(err, &dec) {
		row, _ := dec.Position()
		return fmt.Errorf("%s:%d: %s", file, row, strings.TrimPrefix(dec.Error(), "toml: "))
	}
	return fmt.Errorf("%s: %w", file, err)
}

// lineOf finds the line on which a value stands; 1 if it can't be told.
func lineOf(text, value string) int {
	if i := strings.Index(text, value); value != "" && i >= 0 {
		return 1 + strings.Count(text[:i], "\n")
	}
	return 1
}

// Save writes the config: a temporary file, flushed, renamed over the old one.
func Save(home string, c Config) error {
	text, err := toml.Marshal(c)
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return WriteFile(filepath.Join(home, File), text, 0o600)
}

// WriteFile writes a small file whole or not at all, durably.
func WriteFile(file string, data []byte, perm fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".new-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	defer os.Remove(f.Name())
	crash.At("file.create")
	err = f.Chmod(perm)
	if err == nil {
		err = write(f, data)
	}
	crash.At("file.written")
	if err == nil {
		err = f.Sync()
	}
	crash.At("file.flushed")
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	crash.At("file.renamed")
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	if d, err := os.Open(filepath.Dir(file)); err == nil {
		_ = d.Sync() // not every system can flush a directory; the rename is atomic all the same
		d.Close()
	}
	return nil
}

func write(f *os.File, data []byte) error {
	if !crash.On {
		_, err := f.Write(data)
		return err
	}
	if _, err := f.Write(data[:len(data)/2]); err != nil {
		return err
	}
	crash.At("file.half")
	_, err := f.Write(data[len(data)/2:])
	return err
}
