package folder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strings"
	"time"

	"pinion/engine/apply"
	"pinion/engine/index"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// adoption gives files of the archive that no row names one, with the path and
// the time that their names tell. What tells none counts from now: it is kept as
// long as what is archived today, and not for ever.
type adoption struct {
	c    *cycle
	now  time.Time
	disk apply.FS
	rows []index.Archived
	seen int
}

const (
	maxShelf  = 2048      // directories, one in the other, that are looked into
	justNow   = time.Hour // what was archived so lately may be about to get its row
	adoptPage = 64
)

// walk looks at all that is below a directory of the archive, and removes
// directories in which nothing is. It says whether this one is empty now.
func (a *adoption) walk(ctx context.Context, dir string, depth int) (empty bool, err error) {
	names, err := a.disk.Names(dir)
	if err != nil || depth > maxShelf {
		return false, nil // it is not there, or can't be read: another time
	}
	left := len(names)
	for _, name := range names {
		file := dir + "/" + name
		info, err := a.disk.Lstat(file)
		if err != nil {
			continue
		}
		if info.Kind != rootfs.Directory {
			if err := a.look(ctx, file, info); err != nil {
				return false, err
			}
			continue
		}
		gone, err := a.walk(ctx, file, depth+1)
		if err != nil {
			return false, err
		}
		if gone {
			a.c.keeper.prune(map[string]bool{file: true})
			left--
		}
	}
	return left == 0, ctx.Err()
}

func (a *adoption) look(ctx context.Context, file string, info rootfs.Info) error {
	if a.seen++; a.seen%expirePage == 0 {
		if err := pause(ctx, expireRest); err != nil {
			return err
		}
	}
	p, when, ok := apply.ArchivedAs(file)
	if !ok {
		p, when = pathFor(file), a.now
	} else if age := a.now.Sub(when); age > -justNow && age < justNow {
		return nil
	}
	has, err := a.c.index.HasArchived(ctx, p, file, 0)
	if !has && err == nil && renamedShelf(file) {
		has, err = a.c.index.HasArchived(ctx, "", file, 0) // its row may bear another path
	}
	if has || err != nil {
		return err
	}
	row := index.Archived{Path: p, File: file, Size: info.Size, When: min(when.UnixNano(), a.now.UnixNano()), Reason: index.Replaced}
	if was, _, err := a.c.index.Get(ctx, p); err == nil && !was.Exists() {
		row.Reason = index.Deleted
	}
	if info.Kind == rootfs.Regular {
		f, err := a.disk.Open(file)
		if err != nil {
			return nil // another time
		}
		row.Content, err = contentOf(contextReader{ctx, f}, info.Size)
		f.Close()
		if err != nil {
			return ctx.Err()
		}
	}
	if a.rows = append(a.rows, row); len(a.rows) < adoptPage {
		return nil
	}
	return a.flush(ctx)
}

// flush gives what was found its rows.
func (a *adoption) flush(ctx context.Context) (err error) {
	if len(a.rows) == 0 {
		return nil
	}
	a.c.log.Info("files in the archive that no line told of are listed again", "files", len(a.rows))
	rows := a.rows
	a.rows = nil
	if !a.c.ask(func() { err = a.c.commit(ctx, index.Update{Archived: rows}) }) {
		return ErrClosed
	}
	return err
}

// renamedShelf says whether a directory on the way to a file may not bear the
// name of the one whose files it holds.
func renamedShelf(file string) bool {
	for part := range strings.SplitSeq(path.Dir(file), "/") {
		if strings.Contains(part, "~") {
			return true
		}
	}
	return false
}

// pathFor is the path under which a file is listed that somebody else put into
// the archive: the one that it has there, if that can be one.
func pathFor(file string) tree.Path {
	p, err := tree.ParsePath(strings.TrimPrefix(file, apply.Archive+"/"))
	if err != nil {
		sum := sha256.Sum256([]byte(file))
		p = tree.Path(fmt.Sprintf("unnamed %s", hex.EncodeToString(sum[:8])))
	}
	return p
}
