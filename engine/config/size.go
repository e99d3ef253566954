package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
)

// Size is a number of bytes written as 20GB or 512MiB; less than zero is written
// as "unlimited".
type Size int64

// ParseSize reads a size as a person writes it.
func ParseSize(text string) (Size, error) {
	if strings.EqualFold(strings.TrimSpace(text), "unlimited") {
		return -1, nil
	}
	n, err := humanize.ParseBytes(text)
	if err != nil || n > 1<<60 {
		return 0, fmt.Errorf("%q is not a size such as 500MB or 20GB", text)
	}
	return Size(n), nil
}

func (s Size) String() string {
	if s < 0 {
		return "unlimited"
	}
	units := []struct {
		name string
		size Size
	}{{"TB", 1e12}, {"TiB", 1 << 40}, {"GB", 1e9}, {"GiB", 1 << 30}, {"MB", 1e6}, {"MiB", 1 << 20}, {"kB", 1e3}, {"KiB", 1 << 10}}
	for _, u := range units {
		if s > 0 && s%u.size == 0 {
			return strconv.FormatInt(int64(s/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func (s *Size) UnmarshalText(b []byte) (err error) {
	*s, err = ParseSize(string(b))
	return err
}
