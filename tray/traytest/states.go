package traytest

import (
	"fmt"
	"time"

	"pinion/engine/status"
	"pinion/engine/tree"
)

// IDs of the devices in the states below.
func LaptopID() tree.DeviceID { return tree.DeviceID{1} }
func AtticID() tree.DeviceID  { return tree.DeviceID{2} }
func CabinID() tree.DeviceID  { return tree.DeviceID{3} }

// Alone is a laptop with neither folders nor other devices.
func Alone() status.State {
	s := status.State{Version: 1, Device: status.Self{ID: LaptopID(), Name: "Pat's laptop", Version: "1.0.0", Listen: ":22067"}, Paused: status.Pause{State: "running"}}
	s.Devices = []status.Device{{ID: LaptopID(), Name: "Pat's laptop", Connected: true}}
	return s
}

// Calm is a laptop with two Raspberry Pis, one of them away; everything is up to date.
func Calm() status.State {
	s := Alone()
	seen := Noon().Add(-22 * time.Hour)
	s.Devices = append(s.Devices,
		status.Device{ID: AtticID(), Name: "attic-pi", Connected: true, Address: "192.168.1.17:22067", RTT: 1.4, LastSeen: ago(0), Software: "pinion 1.0.0"},
		status.Device{ID: CabinID(), Name: "cabin-pi", Address: "", LastSeen: &seen, Software: "pinion 0.9.4"})
	s.Folders = []status.Folder{
		Folder(1, "Documents", 4123, 2_410_000_000),
		Folder(2, "Photos", 28_411, 164_200_000_000),
		Folder(3, "Projects", 96_020, 8_730_000_000),
	}
	return s
}

func ago(d time.Duration) *time.Time { t := Noon().Add(-d); return &t }

// Folder is one that is up to date, with attic-pi connected and cabin-pi away.
func Folder(n byte, name string, files, bytes int64) status.Folder {
	return status.Folder{
		ID: tree.FolderID{n}, Name: name, Path: "/home/pat/" + name, Mode: "two-way", State: status.Synced, Files: files, Bytes: bytes,
		Problems: []status.Problem{}, Disk: &status.Disk{Free: 212e9, Total: 512e9, Reserve: 5e9}, Progress: status.Progress{ETA: -1},
		Peers: []status.FolderPeer{{Device: "attic-pi", ID: AtticID(), Connected: true, UpToDate: true, Disk: &status.Disk{Free: 1_610e9, Total: 2_000e9}}},
		Away:  []tree.DeviceID{CabinID()},
	}
}

// Busy is Calm with all three devices connected, and much on its way.
func Busy() status.State {
	s := Calm()
	s.Devices[2].Connected, s.Devices[2].LastSeen, s.Devices[2].Address, s.Devices[2].RTT = true, ago(0), "[2001:db8::7]:22067", 38
	for i := range s.Folders {
		s.Folders[i].Away = nil
		s.Folders[i].Peers = append(s.Folders[i].Peers, status.FolderPeer{Device: "cabin-pi", ID: CabinID(), Connected: true, UpToDate: true, Disk: &status.Disk{Free: 38e9, Total: 500e9}})
	}
	f := &s.Folders[1]
	f.State, f.Need = status.Syncing, status.Need{Files: 312, Bytes: 2_900_000_000}
	f.Progress = status.Progress{BytesDone: 1_240_000_000, BytesTotal: 4_140_000_000, FilesDone: 140, FilesTotal: 452, Rate: 23_400_000, ETA: 124}
	f.Moving = []status.Moving{
		{Path: "2026/November/DSC_4411.NEF", Done: 12_000_000, Total: 31_000_000, From: []string{"attic-pi", "cabin-pi"}},
		{Path: "2026/November/DSC_4412.NEF", Total: 30_000_000, From: []string{"attic-pi"}},
	}
	f.Peers[0].UpToDate = false
	f.Peers[1].UpToDate, f.Peers[1].NeedFiles, f.Peers[1].NeedBytes = false, 1_240, 18_200_000_000
	p := &s.Folders[2]
	p.State = status.Syncing
	p.Peers[1].UpToDate, p.Peers[1].NeedFiles, p.Peers[1].NeedBytes = false, 86_000, 7_600_000_000
	return s
}

// Trouble is a state in which much waits for the person.
func Trouble() status.State {
	s := Calm()
	f := &s.Folders[0]
	f.Conflicts = 3
	f.Problems = []status.Problem{
		{Path: "Letters/Report?.odt", Error: "the name can't live on attic-pi's disk; rename it without \"?\""},
		{Path: "Letters/old/minutes.odt", Error: "may not be read: permission denied; give your user the right to read it"},
	}
	p := &s.Folders[1]
	p.State, p.Reason = status.Held, "1,204 of 28,411 files were deleted at once on Pat's laptop"
	p.Holds = []status.Hold{{Device: "Pat's laptop", Files: 1204, Deleted: true, Examples: []string{"2019/beach.jpg"}}}
	s.Folders[2].State, s.Folders[2].Reason = status.Missing, "the disk of /home/pat/Projects is not there; plug it in, and syncing goes on by itself"
	s.Folders[2].Peers, s.Folders[2].Disk = []status.FolderPeer{}, nil
	full := Folder(4, "Videos", 410, 1_900_000_000_000)
	full.State, full.Reason = status.Full, "Film.mkv needs 41 GB and Pat's laptop has 6.1 GB free besides the reserve of 5.0 GB: free 35 GB"
	full.Disk = &status.Disk{Free: 11e9, Total: 2_000e9, Reserve: 5e9}
	full.Need = status.Need{Files: 2, Bytes: 52e9}
	full.Peers[0].NoRoom, full.Peers[0].NeedFiles, full.Peers[0].NeedBytes, full.Peers[0].UpToDate = 12, 14, 31e9, false
	full.Peers[0].Disk = &status.Disk{Free: 9e9, Total: 2_000e9}
	s.Folders = append(s.Folders, full)
	s.Offers = []status.Offer{{ID: tree.FolderID{9}, Name: "Music", From: "attic-pi"}}
	return s
}

// Many is a state of many folders on many devices, all of them up to date.
func Many(folders, devices int) status.State {
	s := Alone()
	var peers []status.FolderPeer
	for d := range devices {
		id := tree.DeviceID{byte(d + 2), 7}
		name := fmt.Sprintf("device-%02d", d+1)
		s.Devices = append(s.Devices, status.Device{ID: id, Name: name, Connected: true, RTT: 2, LastSeen: ago(0)})
		peers = append(peers, status.FolderPeer{Device: name, ID: id, Connected: true, UpToDate: true, Disk: &status.Disk{Free: int64(d+1) * 40e9, Total: 1_000e9}})
	}
	for f := range folders {
		x := Folder(byte(f), fmt.Sprintf("Folder %03d", f+1), int64(f)*997, int64(f)*1e9)
		x.ID = tree.FolderID{byte(f), byte(f >> 8), 1}
		x.Away, x.Peers = nil, append([]status.FolderPeer(nil), peers...)
		s.Folders = append(s.Folders, x)
	}
	return s
}
