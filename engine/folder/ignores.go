package folder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
	"unicode/utf8"

	"pinion/engine/chunk"
	"pinion/engine/control"
	"pinion/engine/ignore"
	"pinion/engine/index"
	"pinion/engine/plan"
	"pinion/engine/scan"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// ErrRules: the rules that a person gave can't be used; the text says why.
var ErrRules = errors.New("")

func badRules(format string, args ...any) error {
	return fmt.Errorf("%w"+format, append([]any{ErrRules}, args...)...)
}

// Ignores reads the rules of what is left out.
func (f *Folder) Ignores(ctx context.Context) (control.Ignores, error) {
	c, err := f.opened()
	if err != nil {
		return control.Ignores{}, err
	}
	text, err := c.rules()
	if err != nil || text == nil {
		return control.Ignores{Problems: []control.IgnoreLine{}}, err
	}
	_, bad := ignore.Parse(string(text))
	_, seen, _, err := chunk.Of(bytes.NewReader(text), int64(len(text)))
	return control.Ignores{Text: string(text), Seen: seen, Problems: lines(bad)}, err
}

// rules reads the text of the ignore file; nil where there is none.
func (c *cycle) rules() ([]byte, error) {
	info, err := c.root.Lstat(ignoreFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("look at %s: %w", ignoreFile, err)
	case info.Kind != rootfs.Regular:
		return nil, badRules("%s is not a file; move it away, so that a file can hold the rules", ignoreFile)
	}
	text, err := c.root.ReadFile(ignoreFile, control.MaxIgnores+1)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", ignoreFile, err)
	case len(text) > control.MaxIgnores:
		return nil, badRules("%s is longer than %d KiB; shorten it with an editor", ignoreFile, control.MaxIgnores>>10)
	case !utf8.Valid(text):
		return nil, badRules("%s is not UTF-8; mend it with an editor", ignoreFile)
	}
	if text == nil {
		text = []byte{}
	}
	return text, nil
}

func lines(bad []ignore.Problem) []control.IgnoreLine {
	out := make([]control.IgnoreLine, 0, len(bad))
	for _, b := range bad {
		out = append(out, control.IgnoreLine{Line: b.Line, Text: b.Text, Why: b.Why})
	}
	return out
}

// checkRules refuses rules of which a line is none.
func checkRules(text string) error {
	if len(text) > control.MaxIgnores {
		return badRules("the rules are longer than %d KiB", control.MaxIgnores>>10)
	}
	if !utf8.ValidString(text) {
		return badRules("the rules are not UTF-8")
	}
	_, bad := ignore.Parse(text)
	if len(bad) == 0 {
		return nil
	}
	more := ""
	if len(bad) > 1 {
		more = fmt.Sprintf("; %d more lines are wrong", len(bad)-1)
	}
	return badRules("line %d, %q, %s%s; nothing was changed", bad[0].Line, bad[0].Text, bad[0].Why, more)
}

// SetIgnores has other rules hold, if those that hold now are the ones that were
// seen. The file is written as any change is: whole, flushed, the old one in the
// archive.
func (f *Folder) SetIgnores(ctx context.Context, text string, seen tree.ContentID) (control.Ignores, error) {
	if err := checkRules(text); err != nil {
		return control.Ignores{}, err
	}
	c, err := f.opened()
	if err != nil {
		return control.Ignores{}, err
	}
	for try := 1; ; try++ {
		now, err := f.Ignores(ctx)
		if err != nil {
			return now, err
		}
		if now.Seen != seen {
			return now, badRules("%s was changed meanwhile, here or on another device; look at it anew, nothing was changed", ignoreFile)
		}
		if now.Text == text {
			return now, nil
		}
		if err = c.writeRules(ctx, text, seen); err == nil {
			c.ask(c.notice.ignoreChanged)
			return f.Ignores(ctx)
		}
		if try == bringTries || ctx.Err() != nil || errors.Is(err, ErrClosed) {
			return now, err
		}
		select {
		case <-time.After(bringAgain):
		case <-ctx.Done():
			return now, ctx.Err()
		}
	}
}

// writeRules carries the change out.
func (c *cycle) writeRules(ctx context.Context, text string, seen tree.ContentID) error {
	was, _, err := c.index.Get(ctx, ignoreFile)
	if err != nil {
		return err
	}
	if was.Exists() != !seen.IsZero() || was.Exists() && was.Content != seen {
		c.ask(func() { c.notice.look(ignoreFile) })
		return fmt.Errorf("%s was changed just now and is being looked at; try again in a moment", ignoreFile)
	}
	m, id, size, err := chunk.Of(strings.NewReader(text), int64(len(text)))
	if err != nil {
		return fmt.Errorf("name the rules: %w", err)
	}
	staged, err := c.fetcher.Stage(id, []byte(text))
	if err != nil {
		return fmt.Errorf("write the rules: %w", err)
	}
	e := tree.Entry{Path: ignoreFile, Kind: tree.File, Size: size, Content: id, Mode: 0o644, MTime: c.f.cfg.Now().UnixNano()}
	if was.Exists() {
		e.Mode = was.Mode
	}
	u := c.bringUnit(plan.Put, e, was)
	u.actions[0].Staged, u.manifests = staged, map[tree.ContentID]tree.Manifest{id: m}
	if err := c.carryOut(ctx, []*unit{u}); err != nil {
		_ = c.root.Transfer().Remove(staged) // it is gone where it was used
		return err
	}
	return nil
}

// TryIgnores says what other rules would leave out and take back.
func (f *Folder) TryIgnores(ctx context.Context, r control.TryIgnores) (control.Tried, error) {
	c, err := f.opened()
	if err != nil {
		return control.Tried{}, err
	}
	if len(r.Text) > control.MaxIgnores {
		return control.Tried{}, badRules("the rules are longer than %d KiB", control.MaxIgnores>>10)
	}
	would, bad := ignore.Parse(r.Text)
	t := trial{c: c, now: c.ignored.Load(), would: would, limit: r.Limit, first: r.After == ""}
	t.out = control.Tried{Out: []control.TriedPath{}, Back: []control.TriedPath{}, Problems: lines(bad)}
	either := func(p tree.Path) bool { return would.Here(string(p), false) || would.Here(string(p), true) }
	if err := c.index.Outline(ctx, r.After, either, func(o index.Outlined) (index.Step, error) { return t.leaves(ctx, o) }); err != nil {
		return t.out, err
	}
	if t.first {
		err = t.lookBack(ctx, r.Text)
	}
	return t.out, err
}

// trial is a run of TryIgnores.
type trial struct {
	c          *cycle
	now, would *ignore.Matcher
	limit      int
	first      bool // the first page, which has the totals
	out        control.Tried
	left       int // names that lookBack may still look at
}

// leaves takes in a path that the new rules may name.
func (t *trial) leaves(ctx context.Context, o index.Outlined) (index.Step, error) {
	dir := o.Kind == tree.Dir
	if !t.would.Here(string(o.Path), dir) {
		return index.Into, nil
	}
	if t.now.Match(string(o.Path), dir) {
		return index.Past, nil // it is on its way out already
	}
	if len(t.out.Out) == t.limit {
		if t.out.Next == "" {
			t.out.Next = t.out.Out[t.limit-1].Path
		}
		if !t.first {
			return index.Stop, nil
		}
	}
	p := control.TriedPath{Path: o.Path, Dir: dir, Files: 1, Bytes: o.Size}
	if dir {
		var err error
		if p.Files, p.Bytes, err = t.c.index.Weigh(ctx, o.Path); err != nil {
			return index.Stop, err
		}
	}
	if t.first {
		t.out.Files, t.out.Bytes = t.out.Files+p.Files, t.out.Bytes+p.Bytes
	}
	if len(t.out.Out) < t.limit {
		t.out.Out = append(t.out.Out, p)
	}
	return index.Past, nil
}

// maxBack bounds how many names of the disk are looked at for what would come
// back: the index does not hold what is left out.
const maxBack = 50_000

// lookBack looks on the disk for what is left out now and would not be.
func (t *trial) lookBack(ctx context.Context, text string) error {
	old, err := t.c.rules()
	if err != nil || !mayBringBack(string(old), text) {
		return nil
	}
	t.left = maxBack
	d, err := t.c.root.Scan().OpenDir("")
	if err != nil {
		return fmt.Errorf("look at the folder: %w", err)
	}
	info, err := d.Info()
	if err != nil {
		d.Close()
		return fmt.Errorf("look at the folder: %w", err)
	}
	return t.backIn(ctx, d, "", info.Dev, nil)
}

// mayBringBack says whether new rules may take back what old ones leave out.
func mayBringBack(old, text string) bool {
	have := map[string]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "!") {
			return true
		}
		have[line] = true
	}
	for line := range strings.Lines(old) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "!") && !have[line] {
			return true
		}
	}
	return false
}

// backIn looks at a directory, and closes it. in, if not nil, is the directory
// above that would come back, to which all counts that is here.
func (t *trial) backIn(ctx context.Context, d scan.Dir, dir tree.Path, dev uint64, in *control.TriedPath) error {
	defer d.Close()
	names, err := d.Names()
	if err != nil {
		return nil // a person is shown what can be read
	}
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		if t.left--; t.left < 0 {
			t.out.BackSum.More = true
			return nil
		}
		p, err := dir.Join(name)
		if err != nil || p == tree.Private {
			continue
		}
		info, err := d.Lstat(name)
		isDir := info.Kind == rootfs.Directory
		if err != nil || !isDir && info.Kind != rootfs.Regular && info.Kind != rootfs.Symlink || t.would.Here(string(p), isDir) {
			continue
		}
		back := in
		if in == nil && t.now.Here(string(p), isDir) {
			back = &control.TriedPath{Path: p, Dir: isDir}
		}
		switch {
		case isDir && info.Dev == dev:
			below, err := d.OpenDir(name)
			if err == nil {
				err = t.backIn(ctx, below, p, dev, back)
			}
			if ctx.Err() != nil {
				return err
			}
		case !isDir && back != nil:
			back.Files, back.Bytes = back.Files+1, back.Bytes+info.Size
		}
		if in == nil && back != nil {
			t.comesBack(*back)
		}
	}
	return nil
}

func (t *trial) comesBack(p control.TriedPath) {
	t.out.BackSum.Files += p.Files
	t.out.BackSum.Bytes += p.Bytes
	if len(t.out.Back) < t.limit {
		t.out.Back = append(t.out.Back, p)
	}
}
