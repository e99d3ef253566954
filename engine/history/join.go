package history

import (
	"bytes"
	"cmp"
	"iter"
	"slices"

	"pinion/engine/tree"
)

// MaxVersions is how many versions of one path are taken from one device: the
// newest.
const MaxVersions = 4096

// Edition is one version of a path, by all who keep it.
type Edition struct {
	tree.Kept                 // as the device tells it that put it away first
	Keepers   []tree.DeviceID // sorted
}

// Told is what one device keeps of a path.
type Told struct {
	Device tree.DeviceID
	Rows   []tree.Kept
}

// Usable says whether a version says enough to be brought back.
func (v Edition) Usable() bool {
	return v.Kind == tree.File && !v.Content.IsZero() || v.Kind == tree.Symlink && v.Target != ""
}

// same says whether two devices speak of the same bytes.
func same(a, b tree.Kept) bool {
	if a.Kind != b.Kind {
		return false
	}
	if a.Kind == tree.Symlink {
		return a.Target == b.Target
	}
	return !a.Content.IsZero() && a.Content == b.Content && a.Size == b.Size
}

// row is a version by one who keeps it.
type row struct {
	tree.Kept
	by tree.DeviceID
}

// Merge makes one list of what devices keep of one path, oldest first. A content
// that a device put away twice is two versions.
func Merge(told []Told) []Edition {
	var rows []row
	for _, t := range told {
		for _, k := range t.Rows {
			rows = append(rows, row{k, t.Device})
		}
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.When, b.When), bytes.Compare(a.by[:], b.by[:]), cmp.Compare(a.Seq, b.Seq))
	})
	var out []Edition
	for _, r := range rows {
		// The last one that this device is not a keeper of: it put away later what
		// others had put away before.
		i := len(out) - 1
		for i >= 0 && (!same(out[i].Kept, r.Kept) || slices.Contains(out[i].Keepers, r.by)) {
			i--
		}
		if i < 0 {
			out = append(out, Edition{Kept: r.Kept, Keepers: []tree.DeviceID{r.by}})
			continue
		}
		v := &out[i]
		v.Keepers = append(v.Keepers, r.by)
		v.Expires = later(v.Expires, r.Expires)
	}
	for i := range out {
		slices.SortFunc(out[i].Keepers, func(a, b tree.DeviceID) int { return bytes.Compare(a[:], b[:]) })
	}
	return out
}

// later is the later of two ends; 0 is one that is not known.
func later(a, b int64) int64 {
	if a == 0 || b == 0 {
		return 0
	}
	return max(a, b)
}

// Source gives what one device keeps, row by row, in the order of tree.KeptPage.
type Source struct {
	Device tree.DeviceID
	Next   func() (tree.Kept, bool)
}

// Join goes through the paths of which somebody keeps something, in the order of
// tree.Path.Compare, and gives the versions of each, oldest first.
func Join(sources []Source) iter.Seq2[tree.Path, []Edition] {
	return func(yield func(tree.Path, []Edition) bool) {
		heads := make([]*head, 0, len(sources))
		for _, s := range sources {
			if h := (&head{Source: s}); h.step() {
				heads = append(heads, h)
			}
		}
		for len(heads) > 0 {
			p := slices.MinFunc(heads, func(a, b *head) int { return a.at.Path.Compare(b.at.Path) }).at.Path
			var told []Told
			for _, h := range heads {
				if rows := h.take(p); len(rows) > 0 {
					told = append(told, Told{h.Device, rows})
				}
			}
			heads = slices.DeleteFunc(heads, func(h *head) bool { return h.over })
			if !yield(p, Merge(told)) {
				return
			}
		}
	}
}

// head is where a source stands.
type head struct {
	Source
	at   tree.Kept
	over bool
}

func (h *head) step() bool {
	before := h.at
	k, ok := h.Next()
	if ok && before.Path != "" && k.Precedes(before.Path, before.Seq) {
		ok = false // out of order: what it says is worth nothing any more
	}
	h.at, h.over = k, !ok
	return ok
}

// take takes the rows of a path off the source: the newest of them.
func (h *head) take(p tree.Path) (rows []tree.Kept) {
	for !h.over && h.at.Path == p {
		if len(rows) >= 2*MaxVersions {
			rows = append(rows[:0], rows[len(rows)-MaxVersions:]...)
		}
		rows = append(rows, h.at)
		h.step()
	}
	return rows[max(0, len(rows)-MaxVersions):]
}
