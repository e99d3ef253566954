package show

import (
	"fmt"
	"io"
	"strings"
)

// Painter redraws a few lines in place on a terminal. It hides the cursor while
// it works; Close brings it back and leaves the last picture standing.
type Painter struct {
	W    io.Writer
	Size func() (width, lines int)

	drawn int // lines of the picture that stands
	begun bool
	last  string
}

// Paint replaces the picture. Lines beyond the terminal's height are left out.
func (p *Painter) Paint(text string) error {
	_, height := p.Size()
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if most := max(height-1, 1); len(lines) > most {
		hidden := len(lines) - most + 1
		lines = append(lines[:most-1], fmt.Sprintf("… %d more lines", hidden))
	}
	picture := strings.Join(lines, "\x1b[K\n") + "\x1b[K\n\x1b[J"
	if picture == p.last {
		return nil
	}
	var b strings.Builder
	if !p.begun {
		b.WriteString("\x1b[?25l")
		p.begun = true
	}
	if p.drawn > 0 {
		fmt.Fprintf(&b, "\r\x1b[%dA", p.drawn)
	}
	b.WriteString(picture)
	p.drawn, p.last = len(lines), picture
	_, err := io.WriteString(p.W, b.String())
	return err
}

// Wipe takes the picture away, so that other lines can be printed.
func (p *Painter) Wipe() {
	if p.drawn > 0 {
		fmt.Fprintf(p.W, "\r\x1b[%dA\x1b[J", p.drawn)
		p.drawn, p.last = 0, ""
	}
}

// Close brings the cursor back.
func (p *Painter) Close() {
	if p.begun {
		_, _ = io.WriteString(p.W, "\x1b[?25h")
		p.begun, p.drawn = false, 0
	}
}
