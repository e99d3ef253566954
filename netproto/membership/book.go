package membership

import (
	"encoding/json"
	"os"
	"path/filepath"

	"pinion/netproto/discover"
)

// maxBook bounds the file of addresses, in bytes.
const maxBook = 4 << 20

// loadBook reads the addresses at which members have answered. They are hints:
// what can't be read is left out.
func (m *Membership) loadBook() {
	b, err := os.ReadFile(filepath.Join(m.o.Home, bookFile))
	if err != nil || len(b) > maxBook {
		return
	}
	var known []discover.Known
	if err := json.Unmarshal(b, &known); err != nil {
		m.o.Log.Info("known addresses can't be read; they are learnt anew", "err", err)
		return
	}
	for _, k := range known {
		m.book.Add(k)
	}
}

func (m *Membership) saveBookLocked() {
	b, err := json.Marshal(m.book.Remember())
	if err == nil {
		err = m.o.WriteFile(filepath.Join(m.o.Home, bookFile), b, 0o600)
	}
	if err != nil {
		m.o.Log.Info("known addresses can't be kept", "err", err)
	}
}
