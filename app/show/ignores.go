package show

import (
	"fmt"
	"strings"

	"pinion/engine/control"
)

// Tried shows what other rules would leave out and take back.
func Tried(t control.Tried, o Options) string {
	var b strings.Builder
	for _, p := range t.Problems {
		fmt.Fprintf(&b, "%s\n", cut(fmt.Sprintf("line %d, %q, %s: it would not be used", p.Line, Clean(p.Text), p.Why), o.Width))
	}
	if len(t.Out) == 0 {
		b.WriteString("nothing more would be left out\n")
	} else {
		fmt.Fprintf(&b, "left out would be %s (%s):\n", Count(t.Files, "file"), Size(t.Bytes))
		triedPaths(&b, t.Out, o)
		if t.Next != "" {
			b.WriteString("  and more\n")
		}
	}
	if len(t.Back) > 0 {
		least := ""
		if t.BackSum.More {
			least = "at least "
		}
		fmt.Fprintf(&b, "taken up again would be %s%s (%s):\n", least, Count(t.BackSum.Files, "file"), Size(t.BackSum.Bytes))
		triedPaths(&b, t.Back, o)
	}
	return b.String()
}

func triedPaths(b *strings.Builder, list []control.TriedPath, o Options) {
	rows := make([][]string, 0, len(list))
	for _, p := range list {
		name := string(p.Path)
		if p.Dir {
			name += "/"
		}
		rows = append(rows, []string{"", Size(p.Bytes), Count(p.Files, "file"), name})
	}
	b.WriteString(Table(o.Width, rows))
}

// Ignores shows the rules as they stand, as they could be given again.
func Ignores(i control.Ignores, o Options) string {
	var b strings.Builder
	if i.Text == "" {
		return "nothing but what is left out everywhere\n"
	}
	for line := range strings.Lines(i.Text) {
		b.WriteString(Clean(strings.TrimRight(line, "\r\n")))
		b.WriteByte('\n')
	}
	for _, p := range i.Problems {
		fmt.Fprintf(&b, "%s\n", cut(fmt.Sprintf("# line %d, %q, %s: it is not used", p.Line, Clean(p.Text), p.Why), o.Width))
	}
	return b.String()
}
