package index

import (
	"bytes"
	"context"
	"slices"

	"pinion/engine/tree"
)

func (tx *txn) setHave(dev int64, p tree.Position) error {
	tx.have[dev] = p
	_, err := tx.c.exec("UPDATE device SET replica = ?, epoch = ?, seq = ? WHERE id = ?", uint64(p.Replica), p.Epoch, p.Seq, dev)
	return err
}

// Have is the position up to which a device has told us of its index.
func (ix *Index) Have(ctx context.Context, dev tree.DeviceID) (tree.Position, error) {
	ix.names.mu.RLock()
	defer ix.names.mu.RUnlock()
	i, ok := ix.names.numbers[dev]
	if !ok {
		return tree.Position{}, ctx.Err()
	}
	return ix.names.have[i-1], ctx.Err()
}

// Heard lists the devices that have told of their index, and so hold the folder or
// did.
func (ix *Index) Heard() (devices []tree.DeviceID) {
	ix.names.mu.RLock()
	defer ix.names.mu.RUnlock()
	for dev, i := range ix.names.numbers {
		if ix.names.have[i-1] != (tree.Position{}) {
			devices = append(devices, dev)
		}
	}
	slices.SortFunc(devices, func(a, b tree.DeviceID) int { return bytes.Compare(a[:], b[:]) })
	return devices
}

// ResetHave forgets how far a device has told, so that it tells everything
// again; the zero DeviceID means all devices.
func (ix *Index) ResetHave(ctx context.Context, dev tree.DeviceID) error {
	return ix.write(ctx, "ask a peer for everything again", func(tx *txn) error {
		if !dev.IsZero() {
			i, ok := ix.names.number(dev)
			if !ok {
				return nil
			}
			return tx.setHave(i, tree.Position{})
		}
		for i := range ix.names.devices {
			if err := tx.setHave(int64(i)+1, tree.Position{}); err != nil {
				return err
			}
		}
		return nil
	})
}

// ClearRemote drops all that a device has told and is pending.
func (ix *Index) ClearRemote(ctx context.Context, dev tree.DeviceID) error {
	number, ok := ix.names.number(dev)
	for after := int64(0); ok; {
		err := ix.write(ctx, "drop what a peer told", func(tx *txn) error {
			var keys [][]byte
			err := tx.c.query(func(r *row) error {
				after = r.int(0)
				keys = append(keys, r.blob(1))
				return nil
			}, "SELECT rank, path FROM remote WHERE dev = ? AND rank > ? ORDER BY rank LIMIT 1000", number, after)
			for _, key := range keys {
				if err == nil {
					err = tx.withdraw(key, func(r *remoteRow) bool { return r.device == number })
				}
			}
			ok = len(keys) > 0
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ForgetDevice drops all that is kept of a device that left.
func (ix *Index) ForgetDevice(ctx context.Context, dev tree.DeviceID) error {
	if dev.IsZero() {
		return ctx.Err()
	}
	if err := ix.ResetHave(ctx, dev); err != nil {
		return err
	}
	return ix.ClearRemote(ctx, dev)
}
