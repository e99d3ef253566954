package autostart

import (
	"bytes"
	"encoding/xml"
	"strings"
)

// desktopEntry is the .desktop file, of the Desktop Entry Specification 1.5.
func desktopEntry(exe string, args []string) string {
	command := make([]string, 0, len(args)+1)
	for _, a := range append([]string{exe}, args...) {
		command = append(command, execQuote(a))
	}
	return `[Desktop Entry]
Type=Application
Name=` + name + `
Comment=Keeps your folders the same on your devices
Exec=` + entryString(strings.Join(command, " ")) + `
TryExec=` + entryString(exe) + `
Icon=` + id + `
Terminal=false
X-GNOME-Autostart-enabled=true
`
}

// execQuote quotes an argument of Exec: in double quotes, in which four
// characters have a backslash in front; a percent sign is doubled.
func execQuote(s string) string {
	s = strings.ReplaceAll(s, "%", "%%")
	if s != "" && !strings.ContainsAny(s, " \t\n\"'\\><~|&;$*?#()`=") {
		return s
	}
	return `"` + strings.NewReplacer(`"`, `\"`, "`", "\\`", `$`, `\$`, `\`, `\\`).Replace(s) + `"`
}

// entryString escapes a value of the type string, over whatever it holds.
func entryString(s string) string { return strings.ReplaceAll(s, `\`, `\\`) }

// entryIsOn reads a .desktop file in an autostart directory.
func entryIsOn(text string) bool {
	group := ""
	values := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			group = line
		}
		if k, v, ok := strings.Cut(line, "="); ok && group == "[Desktop Entry]" {
			values[strings.TrimSpace(k)] = strings.TrimSpace(v)
		}
	}
	return values["Exec"] != "" && values["Hidden"] != "true" && values["X-GNOME-Autostart-enabled"] != "false"
}

// launchAgent is the property list of launchd.plist(5).
func launchAgent(exe string, args []string) string {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>Label</key>
	<string>` + label + `</string>
	<key>ProgramArguments</key>
	<array>
`)
	for _, a := range append([]string{exe}, args...) {
		b.WriteString("\t\t<string>")
		_ = xml.EscapeText(&b, []byte(a)) // a bytes.Buffer takes all
		b.WriteString("</string>\n")
	}
	b.WriteString(`	</array>
	<key>RunAtLoad</key>
	<true/>
	<key>ProcessType</key>
	<string>Interactive</string>
</dict>
</plist>
`)
	return b.String()
}

// commandLine joins arguments as CommandLineToArgvW takes them apart.
func commandLine(exe string, args []string) string {
	parts := []string{`"` + exe + `"`} // the first has no escapes; a path holds no quotes
	for _, a := range args {
		parts = append(parts, windowsQuote(a))
	}
	return strings.Join(parts, " ")
}

// windowsQuote: backslashes count only before a quote, and are doubled there.
func windowsQuote(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\"") {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	slashes := 0
	for i := range len(s) {
		switch s[i] {
		case '\\':
			slashes++
		case '"':
			b.WriteString(strings.Repeat(`\`, slashes+1))
			slashes = 0
		default:
			slashes = 0
		}
		b.WriteByte(s[i])
	}
	b.WriteString(strings.Repeat(`\`, slashes))
	b.WriteByte('"')
	return b.String()
}
