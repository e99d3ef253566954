package opener

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// runnable are the endings that some desktop runs at a double click.
var runnable = []string{
	// Linux
	".desktop", ".appimage", ".run", ".flatpakref", ".flatpak", ".snap", ".deb", ".rpm", ".kdelnk", ".service",
	// Windows, and wine
	".exe", ".com", ".bat", ".cmd", ".ps1", ".psm1", ".vbs", ".vbe", ".js", ".jse", ".wsf", ".wsh", ".hta", ".scr", ".pif", ".cpl",
	".msi", ".msp", ".msc", ".reg", ".lnk", ".url", ".website", ".scf", ".inf", ".application", ".appref-ms", ".appx", ".msix",
	".gadget", ".chm", ".hlp", ".settingcontent-ms", ".library-ms", ".search-ms", ".iso", ".img", ".vhd", ".vhdx", ".xll", ".diagcab",
	// macOS
	".app", ".command", ".tool", ".terminal", ".workflow", ".action", ".scpt", ".scptd", ".applescript", ".osax", ".pkg", ".mpkg", ".dmg",
	".prefpane", ".webloc", ".inetloc", ".fileloc", ".mobileconfig", ".kext", ".plugin", ".saver", ".qlgenerator",
	// anywhere
	".jar", ".jnlp", ".class", ".pyw", ".pyz", ".ipa", ".apk", ".xpi",
}

// wouldRun says whether opening a file may run it.
func wouldRun(path string, info fs.FileInfo) bool {
	names := []string{path}
	if to, err := filepath.EvalSymlinks(path); err == nil {
		names = append(names, to)
	}
	for _, n := range names {
		// Windows drops dots and spaces at the end; a stream's name follows a colon.
		n = strings.ToLower(strings.TrimRight(filepath.Base(n), ". "))
		if i := strings.IndexByte(n, ':'); i >= 0 && runtime.GOOS == "windows" {
			n = n[:i]
		}
		if slices.Contains(runnable, filepath.Ext(n)) {
			return !info.IsDir() || runtime.GOOS == "darwin" // bundles are directories
		}
	}
	return info.Mode().IsRegular() && info.Mode()&0o111 != 0 && runtime.GOOS != "windows" && startsAsProgram(path)
}

// startsAsProgram: on some file systems every file may be run, so its beginning
// must say so, too.
func startsAsProgram(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return true
	}
	defer f.Close()
	head := make([]byte, 4)
	n, err := io.ReadFull(f, head)
	if err != nil && n == 0 {
		return false
	}
	head = head[:n]
	for _, magic := range []string{"#!", "\x7fELF", "MZ", "\xcf\xfa\xed\xfe", "\xce\xfa\xed\xfe", "\xca\xfe\xba\xbe"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	return false
}
