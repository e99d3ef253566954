package rootfs

import (
	"io/fs"
	"strings"
)

// check gives path in the form that the back ends take: "." for the root.
func check(path string) (string, error) {
	if path == "" || path == "." {
		return ".", nil
	}
	if path[0] == '/' {
		return "", ErrEscapes
	}
	if strings.IndexByte(path, 0) >= 0 {
		return "", fs.ErrInvalid
	}
	for name := range strings.SplitSeq(path, "/") {
		switch name {
		case "..":
			return "", ErrEscapes
		case "", ".":
			return "", fs.ErrInvalid
		}
	}
	return path, checkNative(path)
}

// checkName is check for a single component.
func checkName(name string) error {
	if strings.IndexByte(name, '/') >= 0 || name == "" || name == "." {
		return fs.ErrInvalid
	}
	_, err := check(name)
	return err
}

// split cuts a checked path into its directory and its last component.
func split(path string) (dir, base string) {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i], path[i+1:]
	}
	return ".", path
}

// private is Pinion's own directory in a root. Names in it are nobody else's.
const private = ".pinion"

func isPrivate(path string) bool { return strings.HasPrefix(path, private+"/") }
