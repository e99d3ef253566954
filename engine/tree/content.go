package tree

// Chunk is one piece of a file's content.
type Chunk struct {
	ID  ContentID
	Len uint32 // bytes, never 0
}

// Manifest is a file's chunks in order.
type Manifest []Chunk

// Size is the number of bytes of the whole content.
func (m Manifest) Size() (n int64) {
	for _, c := range m {
		n += int64(c.Len)
	}
	return n
}

// Want asks for a run of one content's chunks.
type Want struct {
	Content ContentID
	Path    Path // where the asker believes it to be; a hint
	// Whole: everything, for content of one chunk whose manifest the asker does
	// not need. Else chunks First..First+Count of the manifest, which are
	// Offset..Offset+Length of the bytes.
	Whole          bool
	First, Count   uint32
	Offset, Length int64
}
