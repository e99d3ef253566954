package wire

import "pinion/engine/tree"

type indexHeader struct {
	Folder []byte `cbor:"1,keyasint"`
}

// AppendIndexHeader appends the first frame of an index stream.
func AppendIndexHeader(dst []byte, folder tree.FolderID) ([]byte, error) {
	return appendCBOR(dst, TypeIndexHeader, indexHeader{folder[:]})
}

// ParseIndexHeader reads an IndexHeader.
func ParseIndexHeader(payload []byte) (folder tree.FolderID, err error) {
	var m indexHeader
	if err := parseCBOR(payload, &m); err != nil {
		return folder, err
	}
	return folder, fixed(folder[:], m.Folder, "a folder id")
}
