package present

import (
	"slices"
	"time"

	"fyne.io/fyne/v2/lang"

	"pinion/engine/control"
	"pinion/engine/status"
)

// Notice is one notification. Title and Body are plain text, in which text from
// peers is clean; whoever hands them to something that reads markup escapes
// them. Plain says the same in words and numbers of ours alone, for systems on
// which notices pass through a shell.
type Notice struct {
	Topic       Topic
	Title, Body string
	Plain       string
	Urgent      bool
	Actions     []NoticeAction // the first is also what a click on the notice does
}

// NoticeAction is a button. A label that ends in an ellipsis opens a dialog: no
// notice decides anything.
type NoticeAction struct {
	Label string
	Do    Action
}

const nameWidth = 28 // runes of a name in a notice

func shortName(s string) string { return CleanName(s, nameWidth) }

// nameList is "Photos", "Photos and Letters", "Photos, Letters and 3 more".
func nameList(list []string) string {
	switch len(list) {
	case 0:
		return ""
	case 1:
		return shortName(list[0])
	case 2:
		return lang.L("{{.A}} and {{.B}}", data{"A": shortName(list[0]), "B": shortName(list[1])})
	}
	return lang.L("{{.A}}, {{.B}} and {{.N}} more", data{"A": shortName(list[0]), "B": shortName(list[1]), "N": len(list) - 2})
}

func folderNames(facts []fact) (list []string) {
	for _, f := range facts {
		if folder, ok := f.of.(status.Folder); ok {
			list = append(list, folder.Name)
		}
	}
	return list
}

// compose makes the notice of what is due; all is all that holds of the topic.
func compose(t Topic, due, all []fact, w World) Notice {
	n := Notice{Topic: t}
	switch t {
	case TopicFinished:
		n.finished(due)
	case TopicConflict:
		n.conflicts(all)
	case TopicHeld:
		n.held(all)
	case TopicOffer:
		n.offers(due)
	case TopicUnseen:
		n.unseen(due, w)
	case TopicDisk:
		n.disks(due)
	case TopicTrouble:
		n.trouble(due)
	}
	if n.Plain == "" {
		n.Plain = n.Title
	}
	return n
}

func look(v Verb) []NoticeAction { return []NoticeAction{{lang.L("Show"), Action{Verb: v}}} }

func openFolder(f status.Folder) NoticeAction {
	return NoticeAction{lang.L("Open folder"), Action{Verb: OpenFolder, Path: f.Path}}
}

func (n *Notice) finished(due []fact) {
	n.Plain = lang.L("A folder is in sync for the first time.")
	if len(due) > 1 {
		n.Title = lang.L("{{.Folders}} are in sync", data{"Folders": nameList(folderNames(due))})
		n.Body = lang.L("All their files are on each device that is connected.")
		n.Actions = look(ShowOverview)
		return
	}
	f := due[0].of.(status.Folder)
	var peers []string
	for _, p := range f.Peers {
		if p.Connected && p.UpToDate {
			peers = append(peers, p.Device)
		}
	}
	n.Title = lang.L("{{.Folder}} is in sync", data{"Folder": shortName(f.Name)})
	n.Body = lang.L("{{.Files}}, {{.Size}}: the same here and on {{.Devices}}.", data{"Files": Files(f.Files), "Size": Size(f.Bytes), "Devices": nameList(peers)})
	n.Actions = append([]NoticeAction{openFolder(f)}, look(ShowOverview)...)
}

func (n *Notice) conflicts(all []fact) {
	count := int64(0)
	for _, f := range all {
		count += f.much
	}
	in := data{"Folders": nameList(folderNames(all))}
	n.Actions = []NoticeAction{{lang.L("Settle…"), Action{Verb: ShowConflicts}}}
	if count == 1 {
		n.Title = lang.L("A conflict in {{.Folders}}", in)
		n.Body = lang.L("A file was changed on two devices at once. Both versions are kept until you choose.")
		n.Plain = lang.L("A file was changed on two devices at once.")
		return
	}
	n.Title = Conflicts(count)
	n.Body = lang.L("In {{.Folders}}. Of each file both versions are kept until you choose.", in)
	n.Plain = lang.L("{{.N}} files were changed on two devices at once.", data{"N": Number(count)})
}

// NameConflict makes a notice of a single conflict more telling, when list holds
// that conflict and no other.
func NameConflict(n Notice, list []control.Conflict) Notice {
	if n.Topic != TopicConflict || len(list) != 1 {
		return n
	}
	c := list[0]
	file := c.Path
	for i := len(file) - 1; i >= 0; i-- {
		if file[i] == '/' {
			file = file[i+1:]
			break
		}
	}
	in := data{"File": shortName(file), "Folder": shortName(c.Folder), "That": shortName(c.That.Device)}
	switch {
	case c.Kind == control.EditDelete && c.This != nil:
		in["This"] = shortName(c.This.Device)
		n.Body = lang.L("In {{.Folder}}: changed on {{.This}}, deleted on {{.That}}. It is kept until you choose.", in)
	case c.Kind == control.EditEdit && c.This != nil:
		in["This"] = shortName(c.This.Device)
		n.Body = lang.L("In {{.Folder}}: changed on {{.This}} and on {{.That}}. Both versions are kept until you choose.", in)
	default:
		return n
	}
	n.Title = lang.L("Conflict: {{.File}}", in)
	n.Actions = slices.Clone(n.Actions)
	for i := range n.Actions {
		n.Actions[i].Do.Folder, n.Actions[i].Do.Path = c.Folder, c.Copy
	}
	return n
}

func (n *Notice) held(all []fact) {
	n.Urgent = true
	n.Plain = lang.L("Many files were deleted or overwritten at once. Pinion waits for your answer.")
	if len(all) > 1 {
		n.Title = lang.L("Many files were deleted or overwritten")
		n.Body = lang.L("In {{.Folders}}. It is carried no further until you answer.", data{"Folders": nameList(folderNames(all))})
		n.Actions = look(ShowOverview)
		return
	}
	f := all[0].of.(status.Folder)
	n.Actions = []NoticeAction{
		{lang.L("Take it back…"), Action{Verb: ShowHeld, Folder: f.Name}},
		{lang.L("Let it happen…"), Action{Verb: ShowHeld, Folder: f.Name}},
	}
	n.Body = lang.L("It is carried no further until you answer.")
	var h status.Hold
	if len(f.Holds) > 0 {
		h = f.Holds[0]
	}
	in := data{"Files": Files(h.Files), "Folder": shortName(f.Name)}
	switch {
	case h.Deleted && !h.Overwritten:
		n.Title = lang.L("{{.Folder}}: {{.Files}} deleted at once", in)
	case h.Overwritten && !h.Deleted:
		n.Title = lang.L("{{.Folder}}: {{.Files}} overwritten", in)
	case h.Files > 0:
		n.Title = lang.L("{{.Folder}}: {{.Files}} deleted or overwritten", in)
	default:
		n.Title = lang.L("{{.Folder}} waits for your answer", in)
		n.Body = Clean(f.Reason, 200)
	}
	if h.Overwritten {
		n.Body = lang.L("The new content looks encrypted. It is carried no further until you answer.")
	}
	if h.OfOthers {
		n.Body = lang.L("It was done on another device. This one has not followed, and waits for your answer.")
	}
}

func (n *Notice) offers(due []fact) {
	if len(due) == 1 {
		o := due[0].of.(status.Offer)
		n.Title = lang.L("{{.Device}} offers the folder {{.Folder}}", data{"Device": shortName(o.From), "Folder": shortName(o.Name)})
		n.Body = lang.L("Accept it to keep it on this computer, too.")
		n.Plain = lang.L("One of your devices offers a folder.")
		n.Actions = []NoticeAction{{lang.L("Accept…"), Action{Verb: ShowOffers, Folder: o.Name}}}
		return
	}
	var list []string
	for _, f := range due {
		list = append(list, f.of.(status.Offer).Name)
	}
	n.Title = plural("{{.N}} folders are offered", int64(len(due)))
	n.Body = lang.L("Your other devices have {{.Folders}}.", data{"Folders": nameList(list)})
	n.Actions = look(ShowOverview)
}

func (n *Notice) unseen(due []fact, w World) {
	n.Actions = look(ShowDevices)
	n.Plain = lang.L("One of your devices has not been seen for days.")
	if len(due) > 1 {
		var list []string
		for _, f := range due {
			list = append(list, f.of.(status.Device).Name)
		}
		n.Title = plural("{{.N}} devices have not been seen for days", int64(len(due)))
		n.Body = lang.L("What has changed since is not on {{.Devices}}.", data{"Devices": nameList(list)})
		return
	}
	d := due[0].of.(status.Device)
	days := int64(w.Now.Sub(*d.LastSeen) / (24 * time.Hour))
	n.Title = lang.L("{{.Device}} has not been seen for {{.Time}}", data{"Device": shortName(d.Name), "Time": days2words(days)})
	n.Body = lang.L("Last seen {{.At}}. What has changed since is not on it.", data{"At": At(*d.LastSeen, w.Now)})
}

func days2words(n int64) string {
	if n == 1 {
		return lang.L("a day")
	}
	return plural("{{.N}} days", n)
}

func (n *Notice) disks(due []fact) {
	n.Actions = look(ShowOverview)
	n.Plain = lang.L("A disk is full, or nearly.")
	if len(due) > 1 {
		list := folderNames(due)
		for _, f := range due {
			if r, ok := f.of.(noRoom); ok {
				list = append(list, r.folder.Name)
			}
		}
		n.Title = lang.L("Disks are full, or nearly")
		n.Body = lang.L("It is about {{.Folders}}.", data{"Folders": nameList(unique(list))})
		return
	}
	if r, ok := due[0].of.(noRoom); ok {
		in := data{"Device": shortName(r.peer.Device)}
		if due[0].much == diskNear {
			n.Title = lang.L("The disk of {{.Device}} is nearly full", in)
			n.Body = lang.L("{{.Size}} are left for {{.Folder}}.", data{"Size": Size(r.peer.Disk.Free), "Folder": shortName(r.folder.Name)})
			return
		}
		n.Title = lang.L("{{.Device}} has no more room", in)
		n.Body = lang.L("{{.Files}} of {{.Folder}} wait for it.", data{"Files": Files(r.peer.NoRoom), "Folder": shortName(r.folder.Name)})
		return
	}
	f := due[0].of.(status.Folder)
	n.Actions = append([]NoticeAction{openFolder(f)}, n.Actions...)
	in := data{"Folder": shortName(f.Name)}
	if due[0].much == diskFull {
		n.Urgent = true
		n.Title = lang.L("The disk of {{.Folder}} is full", in)
		n.Body = lang.L("Syncing goes on by itself when there is room.")
		return
	}
	n.Title = lang.L("The disk of {{.Folder}} is nearly full", in)
	n.Body = lang.L("{{.Size}} are left.", data{"Size": Size(f.Disk.Free)})
}

func unique(list []string) (out []string) {
	seen := map[string]bool{}
	for _, s := range list {
		if !seen[s] {
			out = append(out, s)
		}
		seen[s] = true
	}
	return out
}

func (n *Notice) trouble(due []fact) {
	n.Actions = look(ShowOverview)
	for _, f := range due {
		if f.id == engineID {
			n.Title = lang.L("Pinion's engine does not run")
			n.Body = lang.L("Your folders are not being synced. Starting it is tried again and again.")
			return
		}
	}
	n.Plain = lang.L("A folder is not being synced.")
	if len(due) > 1 {
		n.Title = lang.L("{{.Folders}} are not being synced", data{"Folders": nameList(folderNames(due))})
		n.Body = lang.L("Nothing is deleted anywhere because of that.")
		return
	}
	f := due[0].of.(status.Folder)
	in := data{"Folder": shortName(f.Name)}
	if due[0].much == folderMissing {
		n.Title = lang.L("{{.Folder}} is not there", in)
		n.Body = lang.L("Its disk or its directory can't be found. Nothing is deleted anywhere; syncing goes on by itself when it is back.")
		return
	}
	n.Title = lang.L("{{.Folder}} is not being synced", in)
	n.Body = Clean(f.Reason, 200)
}
