package autostart

import (
	"encoding/xml"
	"io"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestDesktopEntry(t *testing.T) {
	for want, command := range map[string][]string{
		`Exec=/usr/bin/pinion --hidden`: {"/usr/bin/pinion", "--hidden"},
		`Exec="/home/p q/pinion"`:       {"/home/p q/pinion"},
		`Exec=/opt/100%%/pinion`:        {"/opt/100%/pinion"},
		// A dollar sign: \$ within the quotes, and the backslash once more for the string.
		`Exec="/a\\$b/pinion" ""`: {"/a$b/pinion", ""},
		`Exec="/a\\\\b/pinion"`:   {`/a\b/pinion`},
		"Exec=\"/a\\\\\"\\\\`b\"": {"/a\"`b"},
	} {
		got := desktopEntry(command[0], command[1:])
		if !strings.Contains(got, "\n"+want+"\n") {
			t.Errorf("%q is not in\n%s", want, got)
		}
		if !entryIsOn(got) {
			t.Errorf("%s is off", got)
		}
	}
	if got := desktopEntry(`/a\b`, nil); !strings.Contains(got, "\nTryExec=/a\\\\b\n") {
		t.Error(got)
	}
}

// argument is one that Enable lets through.
var argument = rapid.StringOf(rapid.RuneFrom([]rune("ab -%$`\"'\\=;&|<>~*?#()é日")))

// readExec reads an Exec line back by the letter of the specification.
func readExec(line string) (args []string) {
	line = strings.ReplaceAll(line, `\\`, "\x00")
	line = strings.ReplaceAll(line, "\x00", `\`)
	for line = strings.TrimLeft(line, " "); line != ""; line = strings.TrimLeft(line, " ") {
		var a strings.Builder
		if line[0] == '"' {
			i := 1
			for ; line[i] != '"'; i++ {
				if line[i] == '\\' {
					i++
				}
				a.WriteByte(line[i])
			}
			line = line[i+1:]
		} else {
			word, rest, _ := strings.Cut(line, " ")
			a.WriteString(word)
			line = rest
		}
		args = append(args, strings.ReplaceAll(a.String(), "%%", "%"))
	}
	return args
}

func TestExecIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := append([]string{"/" + argument.Draw(t, "exe")}, rapid.SliceOfN(argument, 0, 4).Draw(t, "args")...)
		text := desktopEntry(want[0], want[1:])
		_, line, _ := strings.Cut(text, "\nExec=")
		line, _, _ = strings.Cut(line, "\n")
		if got := readExec(line); !slices.Equal(got, want) {
			t.Fatalf("%q was read as %q, want %q", line, got, want)
		}
	})
}

func TestEntryIsOn(t *testing.T) {
	for text, want := range map[string]bool{
		"":                                       false,
		"[Desktop Entry]\nExec=x\n":              true,
		"[Desktop Entry]\nExec = x":              true,
		"[Desktop Entry]\nExec=\n":               false,
		"[Other]\nExec=x\n":                      false,
		"[Desktop Entry]\nExec=x\nHidden=true\n": false,
		"[Desktop Entry]\nExec=x\nX-GNOME-Autostart-enabled=false\n": false,
		"[Desktop Entry]\nExec=x\n[Desktop Action a]\nHidden=true\n": true,
	} {
		if got := entryIsOn(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestLaunchAgent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := append([]string{"/" + argument.Draw(t, "exe")}, rapid.SliceOfN(argument, 0, 4).Draw(t, "args")...)
		d := xml.NewDecoder(strings.NewReader(launchAgent(want[0], want[1:])))
		var got []string
		inArray, text := false, ""
		for {
			tok, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			switch tok := tok.(type) {
			case xml.StartElement:
				inArray, text = inArray || tok.Name.Local == "array", ""
			case xml.CharData:
				text += string(tok)
			case xml.EndElement:
				if tok.Name.Local == "array" {
					inArray = false
				} else if inArray {
					got = append(got, text)
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q, want %q", got, want)
		}
	})
}

func TestCommandLine(t *testing.T) {
	for want, args := range map[string][]string{
		`"C:\Program Files\Pinion\pinion.exe" --hidden`: {`C:\Program Files\Pinion\pinion.exe`, "--hidden"},
		`"C:\p.exe" "a b" "" "q\"q" "end\ \\"`:          {`C:\p.exe`, "a b", "", `q"q`, `end\ \`},
		`"C:\p.exe" C:\dir\ "a\\\"b"`:                   {`C:\p.exe`, `C:\dir\`, `a\"b`},
	} {
		if got := commandLine(args[0], args[1:]); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
