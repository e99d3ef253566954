package index

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"pinion/engine/tree"
)

// names holds the small ids by which rows name replicas and devices. Ids count
// from 1. They are added inside a transaction before it is committed, so that a
// reader never meets a row whose names are not here yet.
type names struct {
	mu       sync.RWMutex
	replicas []tree.Replica
	locals   map[tree.ReplicaID]uint64
	devices  []tree.DeviceID
	numbers  map[tree.DeviceID]int64
	have     []tree.Position // of each device's index; owned by the writer
}

func newNames() *names {
	return &names{locals: map[tree.ReplicaID]uint64{}, numbers: map[tree.DeviceID]int64{}}
}

func (n *names) local(id tree.ReplicaID) (uint64, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if l, ok := n.locals[id]; ok {
		return l, nil
	}
	return 0, fmt.Errorf("replica %016x: %w", uint64(id), ErrUnknownReplica)
}

// ErrUnknownReplica is returned for an entry that names a replica of which
// nobody has said whose it is.
var ErrUnknownReplica = errors.New("nobody has said whose replica it is")

func (n *names) replica(local uint64) (tree.ReplicaID, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if local == 0 || local > uint64(len(n.replicas)) {
		return 0, false
	}
	return n.replicas[local-1].ID, true
}

func (n *names) device(number int64) (tree.DeviceID, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if number < 1 || number > int64(len(n.devices)) {
		return tree.DeviceID{}, fmt.Errorf("%w: device %d", ErrDamaged, number)
	}
	return n.devices[number-1], nil
}

func (n *names) number(d tree.DeviceID) (int64, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	i, ok := n.numbers[d]
	return i, ok
}

func (n *names) addReplica(r tree.Replica) uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.replicas = append(n.replicas, r)
	n.locals[r.ID] = uint64(len(n.replicas))
	return uint64(len(n.replicas))
}

func (n *names) addDevice(d tree.DeviceID) int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.devices = append(n.devices, d)
	n.have = append(n.have, tree.Position{})
	n.numbers[d] = int64(len(n.devices))
	return int64(len(n.devices))
}

// cut takes back what a transaction added that was not committed.
func (n *names) cut(replicas, devices int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, r := range n.replicas[replicas:] {
		delete(n.locals, r.ID)
	}
	for _, d := range n.devices[devices:] {
		delete(n.numbers, d)
	}
	n.replicas, n.devices, n.have = n.replicas[:replicas], n.devices[:devices], n.have[:devices]
}

func (n *names) load(c *conn) error {
	err := c.query(func(r *row) error {
		rep := tree.Replica{ID: tree.ReplicaID(r.int(1)), Name: r.text(3)}
		if copy(rep.Device[:], r.blob(2)) != len(rep.Device) || r.int(0) != int64(len(n.replicas))+1 || rep.ID == 0 {
			return fmt.Errorf("%w: the list of replicas", ErrDamaged)
		}
		n.addReplica(rep)
		return nil
	}, "SELECT id, replica, device, name FROM replica ORDER BY id")
	if err != nil {
		return err
	}
	return c.query(func(r *row) error {
		var d tree.DeviceID
		if copy(d[:], r.blob(1)) != len(d) || r.int(0) != int64(len(n.devices))+1 {
			return fmt.Errorf("%w: the list of devices", ErrDamaged)
		}
		n.have[n.addDevice(d)-1] = tree.Position{Replica: tree.ReplicaID(r.int(2)), Epoch: uint64(r.int(3)), Seq: uint64(r.int(4))}
		return nil
	}, "SELECT id, device, replica, epoch, seq FROM device ORDER BY id")
}

// toldReplica records whose a replica is by a peer's word. What was said first
// stands, whatever is said later, and beyond the bound nothing is recorded:
// entries that name such a replica are left out.
func (tx *txn) toldReplica(r tree.Replica) error {
	if _, err := tx.ix.names.local(r.ID); err == nil || len(tx.ix.names.replicas) >= maxTold {
		return nil
	}
	_, err := tx.addReplica(r)
	return err
}

// addReplica records whose a replica is. Said once, it never changes.
func (tx *txn) addReplica(r tree.Replica) (uint64, error) {
	n := tx.ix.names
	if l, err := n.local(r.ID); err == nil {
		n.mu.RLock()
		defer n.mu.RUnlock()
		if n.replicas[l-1] != r {
			return 0, fmt.Errorf("replica %016x is %q of %s: it can't become %q of %s", uint64(r.ID),
				n.replicas[l-1].Name, n.replicas[l-1].Device.Short(), r.Name, r.Device.Short())
		}
		return l, nil
	}
	switch {
	case r.ID == 0 || r.Device.IsZero():
		return 0, fmt.Errorf("replica %016x of %s names nobody", uint64(r.ID), r.Device.Short())
	case len(r.Name) > tree.MaxName:
		return 0, fmt.Errorf("replica %016x has a name of %d bytes", uint64(r.ID), len(r.Name))
	case len(n.replicas) >= maxLocal:
		return 0, fmt.Errorf("replica %016x: %d are known, no more will be", uint64(r.ID), maxLocal)
	}
	l := n.addReplica(r)
	_, err := tx.c.exec("INSERT INTO replica VALUES (?, ?, ?, ?)", l, uint64(r.ID), r.Device[:], r.Name)
	return l, err
}

// device gives a device's number, a new one if need be.
func (tx *txn) device(d tree.DeviceID) (int64, error) {
	n := tx.ix.names
	if i, ok := n.number(d); ok {
		return i, nil
	}
	if len(n.devices) >= maxLocal {
		return 0, fmt.Errorf("device %s: %d are known, no more will be", d.Short(), maxLocal)
	}
	i := n.addDevice(d)
	_, err := tx.c.exec("INSERT INTO device VALUES (?, ?, 0, 0, 0)", i, d[:])
	return i, err
}

// Replicas gives all replicas that entries here may name.
func (ix *Index) Replicas(ctx context.Context) ([]tree.Replica, error) {
	ix.names.mu.RLock()
	defer ix.names.mu.RUnlock()
	return slices.Clone(ix.names.replicas), ctx.Err()
}

// Replica says whose a replica is.
func (ix *Index) Replica(id tree.ReplicaID) (tree.Replica, bool) {
	ix.names.mu.RLock()
	defer ix.names.mu.RUnlock()
	l, ok := ix.names.locals[id]
	if !ok {
		return tree.Replica{}, false
	}
	return ix.names.replicas[l-1], true
}
