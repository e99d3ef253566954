package present

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/engine/tree"
)

// told is a world that is looked at again and again, and the titles of what was told.
type told struct {
	t *testing.T
	World
	memory Memory
	last   News
}

func watch(t *testing.T, folders ...status.Folder) *told {
	return &told{t: t, World: World{Now: now(), Running: true, State: status.State{Folders: folders}}}
}

// after lets time go by, looks, and checks the titles of what is told.
func (w *told) after(d time.Duration, want ...string) {
	w.t.Helper()
	w.Now = w.Now.Add(d)
	before := fmt.Sprintf("%v", w.memory)
	w.last = Next(w.memory, w.World)
	if fmt.Sprintf("%v", w.memory) != before {
		w.t.Error("Next changed the memory that it was given")
	}
	w.memory = w.last.Memory
	var got []string
	for _, n := range w.last.Tell {
		got = append(got, n.Title)
		if n.Body == "" || n.Plain == "" || len(n.Actions) == 0 {
			w.t.Errorf("%+v is not complete", n)
		}
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("after %v: %q, want %q", d, got, want)
	}
}

func (w *told) restart() {
	w.t.Helper()
	b, err := json.Marshal(w.memory)
	if err != nil {
		w.t.Fatal(err)
	}
	w.memory = Memory{}
	if err := json.Unmarshal(b, &w.memory); err != nil {
		w.t.Fatal(err)
	}
}

func folder(name string) status.Folder {
	f := status.Folder{Name: name, State: status.Synced, Files: 10, Bytes: 1_200_000, Path: "/home/pat/" + name}
	copy(f.ID[:], name)
	f.Peers = []status.FolderPeer{{Device: "pi", Connected: true, UpToDate: true}}
	return f
}

func with(f status.Folder, change func(*status.Folder)) status.Folder {
	change(&f)
	return f
}

func device(name string, seen time.Duration) status.Device {
	d := status.Device{Name: name}
	copy(d.ID[:], name)
	at := now().Add(-seen)
	d.LastSeen = &at
	return d
}

func TestConflictsAreOneNotice(t *testing.T) {
	w := watch(t, folder("docs"), folder("photos"))
	w.after(0)
	w.State.Folders[0].Conflicts = 1
	w.after(time.Second)
	w.State.Folders[0].Conflicts = 11
	w.State.Folders[1].Conflicts = 1
	w.after(2 * time.Second)
	w.after(time.Second, "12 conflicts")
	if n := w.last.Tell[0]; n.Body != "In docs and photos. Of each file both versions are kept until you choose." || n.Actions[0].Do.Verb != ShowConflicts {
		t.Errorf("%+v", n)
	}
	w.after(time.Hour)
	w.State.Folders[0].Conflicts = 13
	w.after(time.Hour)
	w.after(3*time.Second, "14 conflicts")

	w.State.Folders[0].Conflicts = 14 // within ten minutes: later
	w.after(time.Minute)
	w.after(time.Minute)
	if want := w.memory.Last[TopicConflict].Add(10 * time.Minute); !w.last.Again.Equal(want) {
		t.Errorf("again at %v, want %v", w.last.Again, want)
	}
	w.after(8*time.Minute, "15 conflicts")

	w.restart()
	w.after(time.Hour)
	w.after(time.Hour)
	w.State.Folders[0].Conflicts, w.State.Folders[1].Conflicts = 0, 1 // some are settled
	w.after(time.Minute)
	w.State.Folders[0].Conflicts = 1 // a new one counts, though there were more
	w.after(time.Minute)
	w.after(time.Minute, "2 conflicts")
	w.State.Folders[0].Conflicts, w.State.Folders[1].Conflicts = 0, 0
	w.after(time.Minute)
	if !slices.Equal(w.last.Withdraw, []Topic{TopicConflict}) {
		t.Errorf("withdrawn: %v", w.last.Withdraw)
	}
}

func TestWhatIsSettledWithinTheGatheringIsNotTold(t *testing.T) {
	w := watch(t, with(folder("docs"), func(f *status.Folder) { f.Conflicts = 1 }))
	w.after(0)
	w.State.Folders[0].Conflicts = 0
	w.after(2 * time.Second)
	w.after(2 * time.Second)
	w.State.Folders[0].Conflicts = 1
	w.after(time.Second)
	w.after(3*time.Second, "A conflict in docs")
}

func TestOneConflictIsNamed(t *testing.T) {
	n := Notice{Topic: TopicConflict, Title: "t", Body: "b"}
	side := &control.Side{Device: "laptop"}
	one := control.Conflict{Folder: "docs", Path: "work/<b>\nx.txt", Kind: control.EditEdit, This: side, That: control.Side{Device: "pi"}}
	got := NameConflict(n, []control.Conflict{one})
	if got.Title != `Conflict: <b>\nx.txt` || got.Body != "In docs: changed on laptop and on pi. Both versions are kept until you choose." {
		t.Errorf("%+v", got)
	}
	one.Kind = control.EditDelete
	if got := NameConflict(n, []control.Conflict{one}); got.Body != "In docs: changed on laptop, deleted on pi. It is kept until you choose." {
		t.Errorf("%+v", got)
	}
	one.This = nil
	for _, list := range [][]control.Conflict{nil, {one}, {one, one}} {
		if got := NameConflict(n, list); got.Title != "t" {
			t.Errorf("%+v", got)
		}
	}
}

func TestFirstSync(t *testing.T) {
	syncing := func(f *status.Folder) {
		f.State, f.Need.Files, f.Files, f.Peers = status.Syncing, 10, 0, nil
	}
	w := watch(t, folder("old"), with(folder("photos"), syncing),
		with(folder("busy"), func(f *status.Folder) { f.State, f.Need.Files = status.Syncing, 1 }))
	w.after(0)
	w.restart()
	w.State.Folders[2] = folder("busy") // a little had changed in a folder that was there long ago
	w.after(time.Minute)
	w.State.Folders[1] = folder("photos")
	w.after(time.Minute)
	w.after(3*time.Second, "photos is in sync")
	if n := w.last.Tell[0]; n.Body != "10 files, 1.2 MB: the same here and on pi." || n.Actions[0] != (NoticeAction{"Open folder", Action{Verb: OpenFolder, Path: "/home/pat/photos"}}) {
		t.Errorf("%+v", n)
	}
	w.restart()
	w.State.Folders[1] = with(folder("photos"), syncing)
	w.after(time.Hour)
	w.State.Folders[1] = folder("photos")
	w.after(time.Hour)
	w.after(time.Hour)

	// A folder that was added here is news when another device has all of it.
	alone := with(folder("music"), func(f *status.Folder) { f.Peers = nil })
	w.State.Folders = append(w.State.Folders, alone)
	w.after(time.Hour)
	w.State.Folders[3].Peers = []status.FolderPeer{{Device: "pi", Connected: true, NeedFiles: 5}}
	w.State.Folders[3].State = status.Syncing
	w.after(time.Minute)
	w.State.Folders[3] = folder("music")
	w.after(time.Minute)
	w.after(time.Minute, "music is in sync")

	w.State.Folders = append(w.State.Folders, folder("quick")) // complete when first seen: no news
	w.after(time.Minute)
	w.after(time.Minute)
}

func TestHeld(t *testing.T) {
	held := with(folder("docs"), func(f *status.Folder) {
		f.State, f.Reason = status.Held, "3,000 files are missing"
		f.Holds = []status.Hold{{Files: 3000, Deleted: true}}
	})
	w := watch(t, held)
	w.State.Paused = status.Pause{State: "paused", Reason: byHand} // is told all the same
	w.after(0)
	w.after(2*time.Second, "docs: 3,000 files deleted at once")
	n := w.last.Tell[0]
	if !n.Urgent || len(n.Actions) != 2 || n.Actions[0].Do != (Action{Verb: ShowHeld, Folder: "docs"}) {
		t.Errorf("%+v", n)
	}
	w.State.Folders[0].State = status.Synced
	w.after(time.Second)
	if !slices.Equal(w.last.Withdraw, []Topic{TopicHeld}) {
		t.Errorf("withdrawn: %v", w.last.Withdraw)
	}
	for want, hold := range map[string]status.Hold{
		"docs: 1 file overwritten":              {Files: 1, Overwritten: true},
		"docs: 30 files deleted or overwritten": {Files: 30, Overwritten: true, Deleted: true},
		"docs waits for your answer":            {},
	} {
		held.Holds = []status.Hold{hold}
		w := watch(t, held)
		w.after(0)
		w.after(time.Minute, want)
	}
}

func TestUnseen(t *testing.T) {
	w := watch(t)
	w.State.Devices = []status.Device{device("pi", 71*time.Hour), device("nas", 5*24*time.Hour), {Name: "never"}}
	w.after(0)
	w.after(15*time.Minute, "nas has not been seen for 5 days")
	if want := now().Add(time.Hour); !w.last.Again.Equal(want) {
		t.Errorf("again at %v, want %v", w.last.Again, want)
	}
	w.after(time.Hour)
	w.after(15 * time.Minute) // not twice in half a day
	w.after(12*time.Hour, "pi has not been seen for 3 days")
	w.restart()
	w.after(24 * time.Hour)
	w.after(24 * time.Hour)
	w.State.Devices[1].Connected = true
	w.after(time.Minute)
	w.State.Devices[1] = device("nas", -6*24*time.Hour)
	w.after(8 * 24 * time.Hour)
	w.after(time.Hour, "nas has not been seen for 4 days")

	// A device that a person has paused is not missed.
	w = watch(t)
	w.State.Devices = []status.Device{device("pi", 7*24*time.Hour)}
	w.State.Devices[0].Paused = &status.Pause{State: "paused"}
	w.after(0)
	w.after(24 * time.Hour)

	// This computer was off for a week: nobody is missed before they could come back.
	w = watch(t)
	w.State.Devices = []status.Device{device("pi", 7*24*time.Hour)}
	w.after(0)
	w.State.Devices[0].Connected = true
	w.after(10 * time.Minute)
	w.after(10 * time.Minute)
}

func TestOffers(t *testing.T) {
	offer := func(name string) status.Offer {
		o := status.Offer{Name: name, From: "pi"}
		copy(o.ID[:], name)
		return o
	}
	w := watch(t)
	w.State.Offers = []status.Offer{offer("photos")}
	w.after(0)
	w.after(3*time.Second, "pi offers the folder photos")
	if n := w.last.Tell[0]; n.Actions[0].Do != (Action{Verb: ShowOffers, Folder: "photos"}) {
		t.Errorf("%+v", n)
	}
	declined := offer("unwanted")
	declined.Declined = true
	w.State.Offers = append(w.State.Offers, declined)
	w.after(0)
	w.after(time.Hour)
	for range 5 { // the device comes and goes
		w.State.Offers = nil
		w.after(time.Hour)
		w.State.Offers = []status.Offer{offer("photos")}
		w.after(time.Hour)
		w.after(time.Hour)
	}
	w.State.Offers = append(w.State.Offers, offer("a"), offer("b"), offer("c"))
	w.after(0)
	w.after(time.Hour, "3 folders are offered")
	if got := w.last.Tell[0].Body; got != "Your other devices have a, b and 1 more." {
		t.Error(got)
	}
}

func TestDisks(t *testing.T) {
	disk := func(free int64) *status.Disk {
		return &status.Disk{Free: free, Total: 100_000_000_000, Reserve: 500_000_000}
	}
	w := watch(t, with(folder("docs"), func(f *status.Folder) { f.Disk = disk(3e9) }))
	w.after(0)
	w.after(time.Hour)
	w.State.Folders[0].Disk = disk(1.2e9)
	w.after(time.Minute)
	w.after(time.Minute, "The disk of docs is nearly full")
	w.State.Folders[0].State = status.Full
	w.after(30 * time.Minute)
	w.after(45*time.Minute, "The disk of docs is full")
	for range 10 { // at the brink
		w.State.Folders[0].State = status.Synced
		w.after(10 * time.Minute)
		w.State.Folders[0].State = status.Full
		w.after(10 * time.Minute)
		w.after(time.Minute)
	}
	w.State.Folders[0] = folder("docs")
	w.after(time.Minute)
	w.after(7 * time.Hour)
	w.State.Folders[0].State = status.Full
	w.after(time.Minute)
	w.after(time.Minute, "The disk of docs is full")

	w = watch(t, folder("docs"))
	w.State.Folders[0].Peers[0].Disk = disk(1e9)
	w.after(0)
	w.after(time.Minute, "The disk of pi is nearly full")
	w.State.Folders[0].Peers[0].NoRoom = 12
	w.after(time.Hour)
	w.after(time.Minute, "pi has no more room")
}

func TestTrouble(t *testing.T) {
	w := watch(t, folder("docs"))
	w.after(0)
	w.Running = false
	w.after(0)
	w.after(59 * time.Second)
	w.Running = true // an upgrade
	w.after(0)
	w.Running = false
	w.after(10 * time.Second)
	w.after(59 * time.Second)
	w.after(time.Second, "Pinion's engine does not run")
	w.after(time.Hour)
	w.Running = true
	w.after(time.Second)
	if !slices.Equal(w.last.Withdraw, []Topic{TopicTrouble}) {
		t.Errorf("withdrawn: %v", w.last.Withdraw)
	}
	w.State.Folders[0].State = status.Missing
	w.after(time.Hour)
	w.after(20 * time.Second)
	w.after(10*time.Second, "docs is not there")
	w.State.Folders[0].State, w.State.Folders[0].Reason = status.Error, "the index can't be opened:\nbad <b>file</b>"
	w.after(time.Hour)
	w.after(time.Hour, "docs is not being synced")
	if got := w.last.Tell[0].Body; got != `the index can't be opened:\nbad <b>file</b>` {
		t.Error(got)
	}
}

func TestAnEngineThatIsAwayIsNoNewsOfFolders(t *testing.T) {
	w := watch(t, with(folder("docs"), func(f *status.Folder) { f.Conflicts = 2 }))
	w.after(0)
	w.after(time.Minute, "2 conflicts")
	w.Running, w.State = false, status.State{}
	w.after(time.Second)
	if w.last.Withdraw != nil {
		t.Errorf("withdrawn: %v", w.last.Withdraw)
	}
	w.Running, w.State.Folders = true, []status.Folder{with(folder("docs"), func(f *status.Folder) { f.Conflicts = 2 })}
	w.after(time.Second)
	w.after(time.Hour)
}

func TestSwitchedOffIsNotMadeUpFor(t *testing.T) {
	w := watch(t, with(folder("docs"), func(f *status.Folder) { f.Conflicts = 2 }))
	w.Off = map[Topic]bool{TopicConflict: true}
	w.after(0)
	w.after(time.Hour)
	w.Off = nil
	w.after(time.Hour)
	w.after(time.Hour)
	w.State.Folders[0].Conflicts = 3
	w.after(time.Hour)
	w.after(time.Hour, "3 conflicts")
	w.Off = map[Topic]bool{TopicConflict: true}
	w.after(time.Second)
	if !slices.Equal(w.last.Withdraw, []Topic{TopicConflict}) {
		t.Errorf("withdrawn: %v", w.last.Withdraw)
	}
}

func TestPausedByHandIsQuiet(t *testing.T) {
	w := watch(t)
	w.State.Devices = []status.Device{device("pi", 100*time.Hour)}
	w.State.Paused = status.Pause{State: "paused", Reason: byHand}
	w.after(0)
	w.after(time.Hour)
	w.State.Paused = status.Pause{State: "running"}
	w.after(time.Hour, "pi has not been seen for 4 days")
}

func TestAClockSetBackSilencesNothing(t *testing.T) {
	w := watch(t, with(folder("docs"), func(f *status.Folder) { f.Conflicts = 2 }))
	w.after(0)
	w.after(time.Minute, "2 conflicts")
	w.Now = w.Now.Add(-1000 * time.Hour)
	w.State.Folders[0].Conflicts = 3
	w.after(0)
	w.after(3*time.Second, "3 conflicts")
}

func TestMemoryIsBounded(t *testing.T) {
	w := watch(t)
	for i := range 30 {
		w.State.Offers = nil
		for j := range 300 {
			o := status.Offer{ID: tree.FolderID{byte(i), byte(j), byte(j >> 8), 1}, Name: "x"}
			w.State.Offers = append(w.State.Offers, o)
		}
		w.memory = Next(w.memory, w.World).Memory
		w.Now = w.Now.Add(time.Hour)
		w.memory = Next(w.memory, w.World).Memory
		w.Now = w.Now.Add(time.Hour)
	}
	if n := len(w.memory.Told[TopicOffer]); n > mostTold || n == 0 {
		t.Errorf("%d offers are remembered", n)
	}
	if n := len(w.memory.pending[TopicOffer]); n > mostFacts {
		t.Errorf("%d offers are pending", n)
	}
}

// TestNoPeersTextUnclean gives everything a hostile name and looks at all that
// can be told.
func TestNoPeersTextUnclean(t *testing.T) {
	const evil = "<b>\n\u202e$(id)`x`\x00\x1b[31m"
	f := folder("x")
	f.Name, f.Peers[0].Device, f.Reason = evil, evil, evil
	d := device("x", 100*time.Hour)
	d.Name = evil
	seen := map[Topic]bool{}
	for _, change := range []func(*status.Folder){
		func(f *status.Folder) { f.Conflicts = 1 }, func(f *status.Folder) { f.State = status.Held }, func(f *status.Folder) { f.State = status.Full },
		func(f *status.Folder) { f.State = status.Missing }, func(f *status.Folder) { f.State = status.Error }, func(f *status.Folder) { f.Peers[0].NoRoom = 1 },
	} {
		for _, copies := range []int{1, 3} {
			w := watch(t)
			for i := range copies {
				g := f
				g.Peers = slices.Clone(f.Peers)
				g.ID[0] = byte(i)
				change(&g)
				w.State.Folders = append(w.State.Folders, g)
			}
			w.State.Devices, w.State.Offers = []status.Device{d}, []status.Offer{{Name: evil, From: evil}}
			w.memory = Memory{Told: map[Topic]map[string]Told{TopicFinished: {f.ID.String(): {}, w.State.Folders[0].ID.String(): {}}}}
			w.memory = Next(w.memory, w.World).Memory
			w.Now = w.Now.Add(time.Hour)
			for _, n := range Next(w.memory, w.World).Tell {
				seen[n.Topic] = true
				if strings.ContainsAny(n.Title+n.Body, "\n\x00\x1b\u202e") {
					t.Errorf("%q %q", n.Title, n.Body)
				}
				if strings.ContainsAny(n.Plain, "<>$`\\\"") || strings.Contains(n.Plain, "id)") {
					t.Errorf("plain: %q", n.Plain)
				}
			}
		}
	}
	if len(seen) != len(Topics()) {
		t.Errorf("looked at %v", slices.Sorted(maps.Keys(seen)))
	}
}
