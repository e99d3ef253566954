package transfer

import (
	"runtime"

	"pinion/engine/tree"
)

// Here says how many bytes of a content lie in the staging directory already,
// finished or from an earlier try. It does not say that they are sound.
func (f *Fetcher) Here(id tree.ContentID, size int64) int64 {
	if len(f.olderStages(id)) > 0 {
		return size
	}
	file, stat, err := f.o.FS.Open(partName(id))
	if err != nil {
		return 0
	}
	defer file.Close()
	return written(file, min(stat.Size, size))
}

// seekHole is SEEK_HOLE of lseek(2) on Linux.
const seekHole = 4

// maxRuns bounds how many pieces of a part file are counted.
const maxRuns = 1 << 16

// written adds up what a file holds apart from holes; 0 where that can't be told.
func written(f File, size int64) (n int64) {
	if runtime.GOOS != "linux" {
		return 0
	}
	at := int64(0)
	for range maxRuns {
		from := nextData(f, at)
		if from >= size {
			break
		}
		to, err := f.Seek(from, seekHole)
		if err != nil || to <= from {
			break
		}
		at = min(to, size)
		n += at - from
	}
	return n
}
