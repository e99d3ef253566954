package ignore

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"pinion/engine/tree"
)

// File is the name of the rules' file, in a folder's root.
const File = ".pinionignore"

// Limits of the rules; they come from other devices, too.
const (
	maxText  = 1 << 20 // bytes
	maxRules = 10_000
	maxLine  = 4096 // bytes
)

// Problem is a line that is no rule, or one that has no effect.
type Problem struct {
	Line int // from 1
	Text string
	Why  string // a phrase for a person
}

func (p Problem) Error() string {
	return fmt.Sprintf("%s, line %d: %q %s", File, p.Line, p.Text, p.Why)
}

// rule is one pattern. Of the rules that match, the last decides.
type rule struct {
	parts   []part // from the root
	negated bool   // what matches is not ignored after all
	dirOnly bool
	base    bool // parts is one part, for the last component of a path at any depth
}

// Matcher answers what is ignored.
type Matcher struct {
	rules   []rule
	names   map[string][]int // rules for one name at any depth
	ends    map[string][]int // rules for *.ext at any depth, by ".ext"
	anyBase []int            // the other rules for a name at any depth
	paths   []int            // rules for a path
}

// Parse reads the text of a .pinionignore. Lines that are no rules are left out
// and told; the rest holds.
func Parse(text string) (*Matcher, []Problem) {
	m := &Matcher{names: map[string][]int{}, ends: map[string][]int{}}
	for line := range strings.Lines(defaults) {
		m.addLine(strings.TrimSuffix(line, "\n"))
	}
	own := len(m.rules)
	var problems []Problem
	if len(text) > maxText {
		return m, []Problem{{Line: 1, Why: "is longer than 1 MiB: none of it is used"}}
	}
	n := 0
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		n++
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if len(m.rules)-own == maxRules {
			return m, append(problems, Problem{n, line, "is beyond the first 10000 rules: it and what follows are not used"})
		}
		if why := m.addLine(line); why != "" && len(problems) < 100 {
			problems = append(problems, Problem{n, line, why})
		}
	}
	return m, problems
}

// addLine adds a line's rule, if it has one, and says what is wrong with it.
func (m *Matcher) addLine(line string) (why string) {
	if len(line) > maxLine {
		return "is longer than 4096 bytes"
	}
	if !utf8.ValidString(line) {
		return "is not UTF-8"
	}
	line = norm.NFC.String(trimSpaces(line))
	if line == "" || line[0] == '#' {
		return ""
	}
	var r rule
	line, r.negated = strings.CutPrefix(line, "!")
	line, r.dirOnly = strings.CutSuffix(line, "/")
	anchored := strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	if line == "" {
		return "names nothing"
	}
	for s := range strings.SplitSeq(line, "/") {
		p, ok := newPart(s)
		switch {
		case !ok:
			return "has a [ without its ], an unknown [:class:], or a \\ at an end"
		case s == "":
			return "has two slashes in a row"
		case s == "." || s == "..":
			return "has a component " + s + ", which no path here has"
		case p.shape == anyDirs && len(r.parts) > 0 && r.parts[len(r.parts)-1].shape == anyDirs:
			continue
		}
		r.parts = append(r.parts, p)
	}
	if len(r.parts) > tree.MaxDepth {
		return "has more than 256 levels"
	}
	if r.negated && len(r.parts) == 1 && r.parts[0] == (part{text: tree.Private}) {
		return "can't take back that Pinion's own directory is left out"
	}
	r.base = !anchored || (len(r.parts) == 2 && r.parts[0].shape == anyDirs)
	if r.base {
		r.parts = r.parts[len(r.parts)-1:]
		if r.parts[0].shape == anyDirs { // "**" alone is "*"
			r.parts[0] = part{shape: prefix}
		}
	}
	m.add(r)
	return ""
}

func (m *Matcher) add(r rule) {
	i := len(m.rules)
	m.rules = append(m.rules, r)
	p := r.parts[0]
	switch {
	case !r.base:
		m.paths = append(m.paths, i)
	case p.shape == literal:
		m.names[p.text] = append(m.names[p.text], i)
	case p.shape == suffix && strings.LastIndexByte(p.text, '.') == 0:
		m.ends[p.text] = append(m.ends[p.text], i)
	default:
		m.anyBase = append(m.anyBase, i)
	}
}

// trimSpaces drops spaces at the end, but for one that is escaped.
func trimSpaces(s string) string {
	for strings.HasSuffix(s, " ") {
		head := s[:len(s)-1]
		slashes := len(head) - len(strings.TrimRight(head, `\`))
		if slashes%2 == 1 {
			return s
		}
		s = head
	}
	return s
}

// Match says whether a path, slash-separated from the folder's root, is ignored:
// by a rule, or because a directory above it is. What is below an ignored
// directory can't be taken back, as in git.
func (m *Matcher) Match(path string, dir bool) bool {
	for i := range len(path) {
		if path[i] == '/' && m.Here(path[:i], true) {
			return true
		}
	}
	return m.Here(path, dir)
}

// Here is Match for who comes down from the root and knows already that no
// directory above the path is ignored.
func (m *Matcher) Here(path string, dir bool) bool {
	if path == "" {
		return false
	}
	if path == tree.Private || strings.HasPrefix(path, tree.Private+"/") {
		return true
	}
	name := path[strings.LastIndexByte(path, '/')+1:]
	best := m.last(m.names[name], dir, -1)
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		best = m.last(m.ends[name[i:]], dir, best)
	}
	for k := len(m.anyBase) - 1; k >= 0 && m.anyBase[k] > best; k-- {
		if r := &m.rules[m.anyBase[k]]; (dir || !r.dirOnly) && r.parts[0].match(name) {
			best = m.anyBase[k]
			break
		}
	}
	if k := len(m.paths) - 1; k >= 0 && m.paths[k] > best {
		best = m.lastPath(path, dir, best)
	}
	return best >= 0 && !m.rules[best].negated
}

func (m *Matcher) last(rules []int, dir bool, best int) int {
	for k := len(rules) - 1; k >= 0 && rules[k] > best; k-- {
		if dir || !m.rules[rules[k]].dirOnly {
			return rules[k]
		}
	}
	return best
}

func (m *Matcher) lastPath(path string, dir bool, best int) int {
	var room [16]string
	names := room[:0]
	for s := range strings.SplitSeq(path, "/") {
		names = append(names, s)
	}
	for k := len(m.paths) - 1; k >= 0 && m.paths[k] > best; k-- {
		r := &m.rules[m.paths[k]]
		if (dir || !r.dirOnly) && matchParts(r.parts, names) {
			return m.paths[k]
		}
	}
	return best
}
