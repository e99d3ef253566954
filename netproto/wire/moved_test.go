package wire

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"pinion/engine/tree"
)

// movedBatch is what is told of a directory of n files that was renamed.
func movedBatch(n int) tree.Batch {
	rep := tree.ReplicaID(77)
	b := tree.Batch{Replicas: []tree.Replica{{ID: rep, Device: tree.DeviceID{1}, Name: "lap"}, {ID: 8, Device: tree.DeviceID{2}, Name: "pi"}}, After: 4, Upto: tree.Position{Replica: rep, Epoch: 3, Seq: 9}}
	b.Entries = []tree.Entry{{Path: "gamma", Kind: tree.Dir, Mode: 0o755, Version: tree.Version{{Replica: rep, N: 1_795_333_400}}, Author: rep}}
	for i := range n {
		from := tree.Path(fmt.Sprintf("alpha/d%04d/f%02d.txt", i/50, i%50))
		b.Moved = append(b.Moved, tree.Moved{
			From: from, To: "gamma" + from[5:], Sum: uint64(i) * 0x9e3779b97f4a7c15 >> 16, ComeBy: rep, GoneBy: rep,
			Come: tree.Version{{Replica: rep, N: 1_795_333_400 + uint64(i)}}, Gone: tree.Version{{Replica: 8, N: 5}, {Replica: rep, N: 1_795_333_400}},
		})
	}
	return b
}

func TestMovedGoesAndComes(t *testing.T) {
	b := movedBatch(250)
	b.Moved = append(b.Moved,
		tree.Moved{From: "a", To: "b/a", Come: tree.Version{{Replica: 8, N: 1}}, ComeBy: 8, Gone: tree.Version{{Replica: 8, N: 1}}, GoneBy: 8},
		tree.Moved{From: "x/x", To: "x", Come: tree.Version{{Replica: 8, N: 1 << 63}}, ComeBy: 8, Gone: tree.Version{{Replica: 8, N: 2}}, GoneBy: 8, Sum: 1<<48 - 1})
	frame, err := NewBatchEncoder(packer(t)).Append(nil, b)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(frame); n > 16*len(b.Moved) {
		t.Errorf("%d bytes for %d moved files", n, len(b.Moved))
	}
	got, err := NewBatchDecoder(packer(t)).Parse(frame[5:])
	if err != nil || !reflect.DeepEqual(got, b) {
		t.Fatalf("%v\n%+v", err, got)
	}
}

// A batch with moves that is cut anywhere, or has one wrong byte, is refused or is
// another that is sound.
func TestMovedCutAndBent(t *testing.T) {
	b := movedBatch(3)
	frame, err := NewBatchEncoder(packer(t)).Append(nil, b)
	if err != nil {
		t.Fatal(err)
	}
	payload := frame[5:]
	if payload[0] != codingMoved {
		body, err := packer(t).unpack(nil, payload[1:], MaxBatchBytes)
		if err != nil {
			t.Fatal(err)
		}
		payload = append([]byte{codingMoved}, body...)
	}
	for i := range payload {
		if _, err := NewBatchDecoder(packer(t)).Parse(payload[:i]); err == nil {
			t.Errorf("cut at %d it passes", i)
		}
		bent := append([]byte(nil), payload...)
		for _, x := range []byte{1, 0x80, 0xff} {
			bent[i] = payload[i] ^ x
			got, err := NewBatchDecoder(packer(t)).Parse(bent)
			if err != nil {
				continue
			}
			for _, m := range got.Moved {
				if err := checkMoved(m); err != nil {
					t.Errorf("byte %d: %v", i, err)
				}
				if _, err := tree.ParsePath(string(m.To)); err != nil {
					t.Errorf("byte %d: %v", i, err)
				}
			}
		}
	}
}

func TestMovedLimits(t *testing.T) {
	if _, err := NewBatchEncoder(packer(t)).Append(nil, movedBatch(MaxBatch/2)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("%v", err)
	}
	for name, change := range map[string]func(*tree.Moved){
		"nowhere":    func(m *tree.Moved) { m.To = m.From },
		"no version": func(m *tree.Moved) { m.Come = nil },
		"no author":  func(m *tree.Moved) { m.GoneBy = 99 },
		"a long sum": func(m *tree.Moved) { m.Sum = 1 << 48 },
	} {
		b := movedBatch(1)
		change(&b.Moved[0])
		if _, err := NewBatchEncoder(packer(t)).Append(nil, b); err == nil {
			t.Errorf("%s passes", name)
		}
	}
}
