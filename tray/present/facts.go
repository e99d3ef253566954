package present

import (
	"time"

	"pinion/engine/status"
)

const (
	waiting = 0 // of TopicFinished: a folder that was seen incomplete
	done    = 1
)

// Measures of a disk's and a folder's trouble: more is told anew.
const (
	diskNear, diskFull           = 1, 2
	folderMissing, folderTrouble = 1, 2
)

const (
	engineID   = "engine"
	engineWait = time.Minute // an engine that is being replaced is back by then
)

// factsOf lists what holds now. Known is false when that can't be told: then
// nothing is told and nothing forgotten.
func factsOf(t Topic, m *Memory, w World) (facts []fact, known bool) {
	if !w.Running {
		if t == TopicTrouble {
			return []fact{{id: engineID, much: 1, wait: engineWait}}, true
		}
		return nil, false
	}
	switch t {
	case TopicFinished:
		return finished(m, w), true
	case TopicUnseen:
		return unseen(w), true
	case TopicDisk:
		return disks(w.State), true
	case TopicOffer:
		for _, o := range w.State.Offers {
			if !o.Declined {
				if !o.Declined {
					facts = append(facts, fact{id: o.ID.String(), much: 1, of: o})
				}
			}
		}
		return facts, true
	}
	for _, f := range w.State.Folders {
		much := int64(0)
		switch {
		case t == TopicConflict:
			much = f.Conflicts
		case t == TopicHeld && f.State == status.Held:
			much = 1
		case t == TopicTrouble && f.State == status.Missing:
			much = folderMissing
		case t == TopicTrouble && f.State == status.Error:
			much = folderTrouble
		}
		if much > 0 {
			facts = append(facts, fact{id: f.ID.String(), much: much, of: f})
		}
	}
	return facts, true
}

// finished finds the folders that are level with another device for the first
// time after they were seen not to be. A folder that nobody has seen incomplete is
// no news.
func finished(m *Memory, w World) (facts []fact) {
	told := m.Told[TopicFinished]
	fresh := m.Last[TopicFinished].IsZero() && len(told) == 0
	for _, f := range w.State.Folders {
		id := f.ID.String()
		level := f.State == status.Synced && f.Files > 0 && levelPeer(f)
		if _, known := told[id]; !known {
			t := Told{Much: waiting, At: w.Now}
			if level || fresh && established(f) {
				t.Much = done
			}
			if len(told) < mostTold {
				told[id] = t
			}
			continue
		}
		// What is done holds on, whatever the folder does now.
		if level || told[id].Much == done {
			facts = append(facts, fact{id: id, much: done, of: f})
		}
	}
	return facts
}

func levelPeer(f status.Folder) bool {
	for _, p := range f.Peers {
		if p.Connected && p.UpToDate {
			return true
		}
	}
	return false
}

// established tells a folder in its first sync from one in which a little has
// changed, for who sees it for the first time.
func established(f status.Folder) bool {
	if f.Files == 0 || f.Need.Files > f.Files {
		return false
	}
	for _, p := range f.Peers {
		if p.NeedFiles*2 > f.Files {
			return false
		}
	}
	return len(f.Peers) > 0
}

func (w World) patience() time.Duration {
	days := w.Days
	if days <= 0 {
		days = DefaultUnseenDays
	}
	return time.Duration(min(days, 3650)) * 24 * time.Hour
}

// missed: it is away, it was here, and no person keeps it away.
func missed(d status.Device) bool {
	return !d.Connected && d.LastSeen != nil && !d.LastSeen.IsZero() && d.Paused == nil
}

func unseen(w World) (facts []fact) {
	for _, d := range w.State.Devices {
		if missed(d) && w.Now.Sub(*d.LastSeen) >= w.patience() {
			facts = append(facts, fact{id: d.ID.String(), much: 1, of: d})
		}
	}
	return facts
}

// nextUnseen is when the next device will have been unseen for too long.
func nextUnseen(w World) (next time.Time) {
	if !w.Running {
		return next
	}
	for _, d := range w.State.Devices {
		if !missed(d) {
			continue
		}
		if at := d.LastSeen.Add(w.patience()); at.After(w.Now) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// noRoom is a device whose disk has no room for a folder, or soon won't have.
type noRoom struct {
	folder status.Folder
	peer   status.FolderPeer
}

func disks(s status.State) (facts []fact) {
	for _, f := range s.Folders {
		switch {
		case f.State == status.Full:
			facts = append(facts, fact{id: f.ID.String(), much: diskFull, of: f})
		case nearlyFull(f.Disk):
			facts = append(facts, fact{id: f.ID.String(), much: diskNear, of: f})
		}
		for _, p := range f.Peers {
			id := p.ID.String() + " " + f.ID.String()
			switch {
			case p.NoRoom > 0:
				facts = append(facts, fact{id: id, much: diskFull, of: noRoom{f, p}})
			case nearlyFull(p.Disk):
				facts = append(facts, fact{id: id, much: diskNear, of: noRoom{f, p}})
			}
		}
	}
	return facts
}

// nearlyFull: less than a fiftieth of the disk and less than 2 GB are left beyond
// what is left alone.
func nearlyFull(d *status.Disk) bool {
	if d == nil || d.Total <= 0 {
		return false
	}
	left := d.Free - d.Reserve
	return left < d.Total/50 && left < 2_000_000_000
}
