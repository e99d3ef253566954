package present

import (
	"bytes"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"fyne.io/fyne/v2/lang"
)

// Encoding is how a text is written in bytes.
type Encoding uint8

const (
	UTF8 Encoding = iota
	UTF8Mark
	UTF16LE
	UTF16BE
	Latin1
)

func (e Encoding) String() string {
	return [...]string{"UTF-8", "UTF-8 with a mark", "UTF-16", "UTF-16 (big-endian)", "Latin-1"}[min(e, Latin1)]
}

// Bounds of a Document.
const (
	MaxDocument = 8 << 20 // bytes
	MaxLines    = 200_000
)

// Document is a content read as text.
type Document struct {
	Lines    []string // without their ends
	ends     []lineEnd
	Encoding Encoding
}

type lineEnd uint8

const (
	noEnd lineEnd = iota
	lf
	crlf
)

func (e lineEnd) String() string { return [...]string{"", "\n", "\r\n"}[e] }

// ReadDocument reads bytes as text. why is a sentence if they are none, or too
// large.
func ReadDocument(data []byte) (d Document, why string) {
	if len(data) > MaxDocument {
		return d, lang.L("This text is larger than {{.Size}}, so it is not compared here.", map[string]any{"Size": Size(MaxDocument)})
	}
	text, enc, ok := decode(data)
	if !ok {
		return d, lang.L("This is not text.")
	}
	if strings.Count(text, "\n") >= MaxLines {
		return d, lang.L("This text has more than {{.Count}} lines, so it is not compared here.", map[string]any{"Count": Number(MaxLines)})
	}
	d.Encoding = enc
	d.Lines = make([]string, 0, strings.Count(text, "\n")+1)
	for text != "" {
		line, rest, ended := strings.Cut(text, "\n")
		end := noEnd
		if ended {
			end = lf
			if strings.HasSuffix(line, "\r") {
				line, end = line[:len(line)-1], crlf
			}
		}
		d.Lines, d.ends = append(d.Lines, line), append(d.ends, end)
		text = rest
	}
	return d, ""
}

func decode(data []byte) (string, Encoding, bool) {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) && utf8.Valid(data[3:]):
		return string(data[3:]), UTF8Mark, plain(data)
	case bytes.HasPrefix(data, []byte("\xff\xfe")) && len(data)%2 == 0:
		return wide(data[2:], func(b []byte) uint16 { return uint16(b[0]) | uint16(b[1])<<8 }, UTF16LE)
	case bytes.HasPrefix(data, []byte("\xfe\xff")) && len(data)%2 == 0:
		return wide(data[2:], func(b []byte) uint16 { return uint16(b[1]) | uint16(b[0])<<8 }, UTF16BE)
	case utf8.Valid(data):
		return string(data), UTF8, plain(data)
	}
	var b strings.Builder
	for _, c := range data {
		b.WriteRune(rune(c))
	}
	return b.String(), Latin1, plain(data)
}

// wide decodes UTF-16; half of a pair, which can't be written back, is no text.
func wide(data []byte, unit func([]byte) uint16, enc Encoding) (string, Encoding, bool) {
	units := make([]uint16, 0, len(data)/2)
	for i := 0; i+1 < len(data); i += 2 {
		units = append(units, unit(data[i:]))
	}
	text := string(utf16.Decode(units))
	return text, enc, !strings.ContainsAny(text, "\x00\ufffd")
}

// plain says whether bytes look like text: none is zero, few are controls.
func plain(data []byte) bool {
	controls := 0
	for _, c := range data {
		switch {
		case c == 0:
			return false
		case c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b:
			controls++
		}
	}
	return controls*20 <= len(data)
}

// end is the line end that most lines have.
func (d Document) end() lineEnd {
	var n [3]int
	for _, e := range d.ends {
		n[e]++
	}
	if n[crlf] > n[lf] {
		return crlf
	}
	return lf
}

// Endless says whether the last line has no end.
func (d Document) Endless() bool { return len(d.ends) > 0 && d.ends[len(d.ends)-1] == noEnd }

// encode writes text as it was read; what can't be written so is written as UTF-8.
func (e Encoding) encode(text string) ([]byte, Encoding) {
	switch e {
	case UTF8Mark:
		return append([]byte("\xef\xbb\xbf"), text...), e
	case UTF16LE, UTF16BE:
		out := []byte("\xff\xfe")
		if e == UTF16BE {
			out = []byte("\xfe\xff")
		}
		for _, u := range utf16.Encode([]rune(text)) {
			if e == UTF16BE {
				out = append(out, byte(u>>8), byte(u))
			} else {
				out = append(out, byte(u), byte(u>>8))
			}
		}
		return out, e
	case Latin1:
		out := make([]byte, 0, len(text))
		for _, r := range text {
			if r > 0xff {
				return []byte(text), UTF8
			}
			out = append(out, byte(r))
		}
		return out, e
	}
	return []byte(text), UTF8
}

// DocumentNotes are sentences about what is not seen in the lines of two texts:
// how they are encoded, and how their lines end.
func DocumentNotes(this, that Document, thisName, thatName string) (out []string) {
	names := map[string]any{"This": thisName, "That": thatName}
	switch {
	case this.Encoding != that.Encoding:
		names["ThisCode"], names["ThatCode"] = this.Encoding.String(), that.Encoding.String()
		out = append(out, lang.L("{{.This}}'s is written as {{.ThisCode}}, {{.That}}'s as {{.ThatCode}}.", names))
	case this.Encoding == Latin1:
		out = append(out, lang.L("These texts are not UTF-8; they are shown as Latin-1."))
	case this.Encoding != UTF8:
		out = append(out, lang.L("These texts are written as {{.Code}}.", map[string]any{"Code": this.Encoding.String()}))
	}
	if len(this.Lines) > 0 && len(that.Lines) > 0 {
		if this.end() != that.end() {
			windows, other := thisName, thatName
			if that.end() == crlf {
				windows, other = thatName, thisName
			}
			out = append(out, lang.L("The lines of {{.Windows}}'s end as on Windows, those of {{.Other}}'s do not. That is not marked below.", map[string]any{"Windows": windows, "Other": other}))
		} else if this.Endless() != that.Endless() {
			one := thisName
			if that.Endless() {
				one = thatName
			}
			out = append(out, lang.L("{{.One}}'s last line has no line end.", map[string]any{"One": one}))
		}
	}
	return out
}
