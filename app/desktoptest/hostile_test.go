//go:build desktoptest

package desktoptest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pinion/tray/present"
)

// names are what a device may call its files, and how they have to be shown.
var names = []struct{ file, shown string }{
	{"<b>bold<i>&amp;.txt", "<b>bold<i>&amp;.txt"},
	{"_mnemonic__under_scores_.txt", "_mnemonic__under_scores_.txt"},
	{"two\nlines.txt", `two\nlines.txt`},
	{"bidi\u202etxt.exe", `bidi\u202etxt.exe`},
	{"$(touch owned) `touch owned` '; touch owned;'.txt", "$(touch owned) `touch owned` '; touch owned;'.txt"},
	{"-rf --help.txt", "-rf --help.txt"},
}

// Names of files are shown as they are and run nothing: in the menu, in a
// notification, in the window, and when they are opened.
func TestHostileNames(t *testing.T) {
	d := newPat(t, deskOptions{})
	tray := d.laptop.tray(hidden)
	i := d.icon(tray.pid())
	i.looks(present.IconInSync)
	for _, n := range names {
		write(t, filepath.Join(d.pi.folder("Documents"), n.file), "x")
	}
	d.level("Documents", d.laptop, d.pi)
	for _, n := range names {
		d.until("the menu shows "+n.shown, func() (string, bool) {
			es, err := i.menu()
			if err != nil {
				return err.Error(), false
			}
			for _, e := range es {
				for _, c := range e.children {
					if name, _, _ := strings.Cut(c.label, " – "); name == n.shown || short(name, n.shown) {
						return "", true
					}
				}
			}
			return "\n" + lines(es), false
		})
	}
	d.did("the menu shows all names as they are")
	d.openMenuByHand()
	for _, n := range names {
		i.choose("^Recent changes$", "^"+regexp.QuoteMeta(prefix(n.shown)))
	}
	d.until("the desktop was asked to show the files", func() (string, bool) {
		return d.opened(), strings.Count(d.opened(), "\n") >= 1
	})

	// Bodies are markup, by the notifications' protocol; titles are not.
	const folder = "R&D <i>"
	bad := names[0].file
	d.laptop.share(folder, map[string]string{"x": "x"})
	d.level(folder, d.laptop, d.pi)
	d.conflict(d.laptop, d.pi, folder, bad, "ours", "theirs")
	x := d.notice("bold")
	if !strings.Contains(x.body, "R&amp;D &lt;i&gt;") || strings.Contains(x.body, "<") || !strings.Contains(x.summary, bad) {
		t.Errorf("the notification does not show the names as they are: %s", x)
	}
	d.did("told: %s", x)
	d.answer(x, "(?i)compare|settle|choose|show")
	w := d.window()
	d.reads(w.rect, "<b>bold<i>&amp;.txt")
	d.did("the window shows the name as it is")
	for _, dir := range []string{d.dir, d.home, d.docs, d.laptop.home} {
		if _, err := os.Stat(filepath.Join(dir, "owned")); err == nil {
			t.Errorf("a name was run: %s/owned is there", dir)
		}
	}
	noPanic(t, tray)
}

// short: a long name may have lost its middle.
func short(got, want string) bool {
	head, tail, ok := strings.Cut(got, "…")
	return ok && strings.HasPrefix(want, head) && strings.HasSuffix(want, tail)
}

func prefix(s string) string { r := []rune(s); return string(r[:min(len(r), 8)]) }
