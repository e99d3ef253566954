package wire

import (
	"strings"

	"pinion/engine/tree"
)

// MaxFolders is how many folders two devices may share.
const MaxFolders = 256

type offers struct {
	List []offer `cbor:"1,keyasint"`
}

type offer struct {
	Folder []byte `cbor:"1,keyasint"`
	Name   string `cbor:"2,keyasint"`
}

// CheckOffer says why an offer may not be sent.
func CheckOffer(o tree.Offer) error {
	if o.Folder == (tree.FolderID{}) {
		return bad("an offer without a folder id")
	}
	if err := checkText("a folder's name", o.Name); err != nil {
		return err
	}
	if _, err := tree.ParsePath(o.Name); err != nil {
		return bad("a folder's name: %v", err)
	}
	if strings.ContainsAny(o.Name, `/\`) {
		return bad("a folder's name has a slash")
	}
	return nil
}

func checkOffers(list []tree.Offer) error {
	if len(list) > MaxFolders {
		return bad("%d offers", len(list))
	}
	seen := make(map[tree.FolderID]bool, len(list))
	for _, o := range list {
		if err := CheckOffer(o); err != nil {
			return err
		}
		if seen[o.Folder] {
			return bad("a folder is offered twice")
		}
		seen[o.Folder] = true
	}
	return nil
}

// AppendOffers appends an Offers frame: the full list of the folders held.
func AppendOffers(dst []byte, list []tree.Offer) ([]byte, error) {
	if err := checkOffers(list); err != nil {
		return dst, err
	}
	m := offers{List: make([]offer, len(list))}
	for i, o := range list {
		m.List[i] = offer{o.Folder[:], o.Name}
	}
	return appendCBOR(dst, TypeOffers, m)
}

// ParseOffers reads Offers.
func ParseOffers(payload []byte) ([]tree.Offer, error) {
	var m offers
	if err := parseCBOR(payload, &m); err != nil {
		return nil, err
	}
	if len(m.List) > MaxFolders {
		return nil, bad("%d offers", len(m.List))
	}
	list := make([]tree.Offer, len(m.List))
	for i, o := range m.List {
		list[i].Name = o.Name
		if err := fixed(list[i].Folder[:], o.Folder, "a folder id"); err != nil {
			return nil, err
		}
	}
	return list, checkOffers(list)
}
