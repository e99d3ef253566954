package show

import "strings"

// Table aligns rows of cells; the first row is the heading. The last column is
// cut to what remains of the width. Cells are cleaned.
func Table(width int, rows [][]string) string {
	var widths []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], cells(Clean(c)))
		}
	}
	const gap = "  "
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, c := range row {
			c = Clean(c)
			if i < len(row)-1 {
				c = pad(c, widths[i]) + gap
			}
			line.WriteString(c)
		}
		b.WriteString(strings.TrimRight(cut(line.String(), max(width, 20)), " "))
		b.WriteByte('\n')
	}
	return b.String()
}
