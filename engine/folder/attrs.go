package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"pinion/engine/apply"
	"pinion/engine/plan"
	"pinion/engine/scan"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// dressing sees to extended attributes.
type dressing struct {
	c *cycle
}

// attributes says which attributes are carried between this disk and the index,
// and which the disk keeps for itself. Those of other kinds stay in the index and
// go on to other devices.
func (d *dressing) attributes() apply.Attributes {
	c := d.c
	af, ok := c.root.(apply.AttrFS)
	if !ok {
		return apply.Attributes{}
	}
	var can, want rootfs.AttrKinds
	if c.caps.Xattrs {
		can |= rootfs.Notes
	}
	if c.caps.ACLs {
		can |= rootfs.ACLs
	}
	if os.Geteuid() == 0 && c.caps.ExecBit {
		can |= rootfs.Owner
	}
	if !c.f.cfg.NoAttributes {
		want |= rootfs.Notes | rootfs.ACLs
	}
	if c.f.cfg.Owner {
		want |= rootfs.Owner
	}
	return apply.Attributes{FS: af, Kinds: can & want, Own: can &^ want}
}

const keyAttributes = "attributes"

// tellAttributes has peers tell everything again, once, where this index was made
// before attributes were carried: what they told of them was not recorded, and a
// change made here would seem to take them away.
func (d *dressing) tellAttributes(ctx context.Context) error {
	c := d.c
	_, done, err := c.index.Meta(ctx, keyAttributes)
	if err != nil || done {
		return err
	}
	if c.index.Position().Seq != 0 {
		if err := c.index.ResetHave(ctx, tree.DeviceID{}); err != nil {
			return fmt.Errorf("have peers tell of attributes: %w", err)
		}
	}
	return c.index.SetMeta(ctx, keyAttributes, []byte{1})
}

// movedAttrs finds the attributes of a file that is new at its path: on a disk that
// has none a rename would lose them. The file is taken for moved when its content
// is recorded at a path where nothing stands any more.
func (d *dressing) movedAttrs(ctx context.Context, e tree.Entry) (tree.Attrs, error) {
	c := d.c
	if e.Kind != tree.File || e.Attrs.Known() || e.Size == 0 || c.attrs.Kinds&(rootfs.Notes|rootfs.ACLs) != 0 {
		return e.Attrs, nil
	}
	twins, err := c.index.ByContent(ctx, e.Content, 8)
	if err != nil {
		return "", fmt.Errorf("look for the content here: %w", err)
	}
	for _, t := range twins {
		if !t.Attrs.Known() || t.Path == e.Path {
			continue
		}
		if _, err := c.root.Lstat(string(t.Path)); errors.Is(err, fs.ErrNotExist) || t.Path.Dir() == e.Path.Dir() && tree.SameName(t.Path.Base(), e.Path.Base()) {
			return t.Attrs, nil
		}
	}
	return "", nil
}

// dressAgain puts attributes on the disk that came while they were not wanted
// there.
func (d *dressing) dressAgain(ctx context.Context, s scan.Summary) error {
	c := d.c
	for _, p := range s.Undressed {
		if c.work.units[p] != nil || len(c.work.units) >= c.lim.Units {
			continue
		}
		row, ok, err := c.index.Get(ctx, p)
		if err != nil {
			return fmt.Errorf("read the index: %w", err)
		}
		if !ok || !row.Exists() {
			continue
		}
		u := &unit{path: p, actions: []plan.Action{{Op: plan.Meta, Entry: row.Entry, Was: row}}, manifests: map[tree.ContentID]tree.Manifest{}}
		c.work.units[p] = u
		c.carry.makeReady(u)
	}
	return nil
}
