package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "pinion"

// arrow is one permission to import, and why it was given. A build that asks for
// another one is mended at the import, not here.
type arrow struct{ to, why string }

// room is one package: whom of ours it may import, and whether it is pure.
type room struct {
	pure   bool
	except []string // what a pure room may use all the same
	to     []arrow
}

const words = "its vocabulary"

var house = map[string]room{
	"engine/tree":      {pure: true},
	"engine/ignore":    {pure: true, to: []arrow{{"engine/tree", "the name of our own directory"}}},
	"engine/chunk":     {pure: true, to: []arrow{{"engine/tree", words}}},
	"engine/noise":     {pure: true},
	"engine/plan":      {pure: true, to: []arrow{{"engine/tree", words}}},
	"engine/reconcile": {pure: true, to: []arrow{{"engine/tree", words}, {"engine/plan", "a decision is made of plan's actions: values only"}}},
	"engine/merge":     {pure: true}, // texts are bytes: it needs no vocabulary
	"engine/status": {pure: true, except: []string{"sync"}, to: []arrow{ // sync: the Board is read and written by several goroutines
		{"engine/tree", words},
	}},
	"engine/policy": {pure: true}, // times, sizes and percents: it needs no vocabulary
	"engine/config": {to: []arrow{{"engine/tree", "ids of folders and devices"}, {"engine/policy", "the form of limits, rules and schedules"}, {"engine/crash", "the moments of writing a file"}}},
	"engine/crash":  {}, // named moments; nothing unless built for them

	"engine/history":  {pure: true, to: []arrow{{"engine/tree", words}}},
	"engine/index":    {to: []arrow{{"engine/tree", words}}},
	"engine/scan":     {to: []arrow{{"engine/tree", words}, {"platform/rootfs", "the disk"}}},
	"engine/exchange": {to: []arrow{{"engine/tree", words}}},
	"engine/transfer": {to: []arrow{
		{"engine/tree", words}, {"engine/chunk", "what came is verified, chunk by chunk"}, {"platform/rootfs", "staging, and content at hand"},
	}},
	"engine/apply": {to: []arrow{{"engine/tree", words}, {"engine/plan", "the actions it carries out: values only"}, {"platform/rootfs", "the disk"}}},

	"engine/folder": {to: []arrow{ // the only room that knows every stage
		{"engine/tree", words},
		{"engine/ignore", "the rules of .pinionignore"},
		{"engine/chunk", "hashing is handed to scan and to apply"},
		{"engine/index", "owns it"},
		{"engine/scan", "the cycle"},
		{"engine/exchange", "the cycle"},
		{"engine/reconcile", "the cycle"},
		{"engine/merge", "joins the two sides of a conflict"},
		{"engine/plan", "the cycle"},
		{"engine/noise", "what has come, or was noticed, may look encrypted"},
		{"engine/transfer", "the cycle"},
		{"engine/apply", "the cycle"},
		{"engine/status", "what it says of itself"},
		{"engine/control", "answers in the form in which a person is given them"},
		{"engine/config", "its atomic WriteFile, for the marker"},
		{"engine/crash", "the moments of the stages' disks and of commits"},
		{"engine/history", "which archived versions expire, and when"},
		{"platform/drive", "how much room the disk has"},
		{"platform/rootfs", "opens the root that the stages are given"},
		{"platform/watch", "hints"},
	}},
	"engine/control": {to: []arrow{{"engine/tree", words}, {"engine/status", "the state it serves"}, {"engine/policy", "the words of limits and rules"}}},
	"engine": {to: []arrow{
		{"engine/tree", words},
		{"engine/config", "keeps what a person has chosen"},
		{"engine/folder", "opens and runs folders"},
		{"engine/policy", "whether bytes may move now"},
		{"engine/history", "joins what devices keep, and chooses"},
		{"engine/transfer", "the type that serving writes to"},
		{"engine/status", "makes the state of all"},
		{"engine/control", "implements control.Engine"},
		{"platform/drive", "whether a store's disk is mounted"},
	}},
	"engine/enginetest": {to: []arrow{ // for tests; nobody else imports it
		{"engine", "runs it"},
		{"engine/config", "starts engines from what they saved"},
		{"engine/control", "asks as a person would"},
		{"engine/folder", "limits"},
		{"engine/status", "reads what engines say"},
		{"engine/tree", words},
	}},

	"engine/enginetest/memdisk": {to: []arrow{ // for tests
		{"engine/folder", "implements its Disk and its Watcher"}, {"engine/scan", "implements its FS"}, {"engine/apply", "implements its FS"},
		{"engine/transfer", "implements its FS"}, {"engine/tree", words},
		{"platform/rootfs", "the words and errors of the real disk"}, {"platform/watch", "hints"},
	}},
	"engine/enginetest/sim": {to: []arrow{ // for tests
		{"engine", "runs it"}, {"engine/config", "starts engines"}, {"engine/folder", "hands disks to it"}, {"engine/status", "reads what engines say"},
		{"engine/tree", words}, {"engine/enginetest/memdisk", "what engines live on"},
		{"platform/rootfs", "kinds of files"}, {"platform/watch", "the form of a watcher"}, {"platform/drive", "the form of a disk's room"},
	}},

	"netproto/wire":     {pure: true, to: []arrow{{"engine/tree", "what messages carry"}}},
	"netproto/circle":   {pure: true, to: []arrow{{"engine/tree", "device ids"}}},
	"netproto/pairing":  {pure: true, to: []arrow{{"engine/tree", "device ids"}, {"netproto/circle", "the form of addresses and statements"}}},
	"netproto/identity": {to: []arrow{{"engine/tree", "device ids"}}},
	"netproto/discover": {to: []arrow{{"engine/tree", "device ids"}, {"netproto/circle", "the form of addresses"}}},
	"netproto": {to: []arrow{
		{"engine/tree", "what messages carry"},
		{"netproto/wire", "messages to bytes"},
		{"netproto/identity", "keys and certificates"},
		{"netproto/pairing", "the join exchange runs over a connection"},
		{"platform/udp", "the socket"},
	}},
	"netproto/hostile": {to: []arrow{ // for tests: a member gone bad
		{"engine/tree", "what messages carry"}, {"netproto/wire", "frames and their types"}, {"netproto/identity", "it has a key that counts"},
	}},
	"netproto/membership": {to: []arrow{
		{"engine/tree", "device ids"},
		{"netproto", "keeps its peers in line with the roster"},
		{"netproto/circle", "the roster"},
		{"netproto/discover", "finds members"},
		{"netproto/identity", "signs the roster"},
		{"netproto/pairing", "invitations"},
	}},

	"platform/rootfs":            {},
	"platform/watch":             {},
	"platform/drive":             {},
	"platform/localsock":         {},
	"platform/dirs":              {},
	"platform/power":             {},
	"platform/netcost":           {},
	"platform/notify":            {},
	"platform/autostart":         {},
	"platform/opener":            {},
	"platform/udp":               {},
	"platform/rootfs/rootfstest": {to: []arrow{{"platform/rootfs", "the contract that it tries"}}},

	"tray/page": {to: []arrow{{"engine/control", "a page asks through it"}, {"engine/status", "a page shows it"}}},
	"tray/look": {to: []arrow{{"engine/status", "what states and disks look like"}, {"engine/tree", "whose disk it is"}, {"tray/present", "words, kinds of icons"}}},
	"tray/window": {to: []arrow{ // knows no page: it is handed what makes them
		{"tray/page", "hosts pages"}, {"tray/look", "colours and widgets"}, {"tray/present", "the state in a line, clean text"},
		{"engine/control", "hands it to pages"}, {"engine/status", "hands it to pages"},
	}},
	"tray/overview": {to: []arrow{
		{"tray/page", "is one"}, {"tray/look", "colours and widgets"}, {"tray/present", "words"}, {"tray/guide", "the dialogs that it leads to"},
		{"engine/control", "what it asks for"}, {"engine/status", "what it shows"}, {"engine/tree", words},
	}},
	"tray/activity": {to: []arrow{
		{"tray/page", "is one"}, {"tray/look", "colours and widgets"}, {"tray/present", "words"},
		{"engine/control", "what it shows and asks for"}, {"engine/status", "which folders and devices there are"},
	}},
	"tray/devices": {to: []arrow{
		{"tray/page", "is one"}, {"tray/look", "colours and widgets"}, {"tray/present", "words"}, {"tray/guide", "the dialog that it leads to"},
		{"engine/control", "what it asks for"}, {"engine/status", "what it shows"},
	}},
	"tray/traytest": {to: []arrow{
		{"tray/page", "a Host for tests"}, {"tray/look", "pictures are drawn in its theme"},
		{"engine/control", "an engine for tests"}, {"engine/status", "states for tests"}, {"engine/tree", words},
	}},
	"tray/settings": {to: []arrow{
		{"tray/page", "is one"}, {"tray/look", "colours and widgets"}, {"tray/present", "words, kinds of notices"},
		{"engine/control", "asks for settings and changes them"}, {"engine/policy", "the words of rules and times, and whether they can be"},
		{"engine/status", "which folders there are"}, {"engine/tree", words},
	}},
	"tray/guide": {to: []arrow{
		{"tray/page", "the Host it works over"}, {"tray/look", "dialogs and widgets"}, {"tray/present", "words"},
		{"engine/control", "asks"}, {"engine/status", "what is offered or held"},
	}},
	"tray/present": {pure: true, except: []string{"fyne.io/fyne/v2/lang"}, to: []arrow{ // lang: a catalogue of sentences, read once; a sentence in, a sentence out
		{"engine/status", "what it shows"}, {"engine/control", "what it shows"}, {"engine/merge", "how two or three texts hang together, line by line"},
	}},
	"tray/history": {to: []arrow{
		{"tray/page", "is one"}, {"tray/look", "colours and widgets"}, {"tray/present", "words"},
		{"engine/control", "what it shows and asks for"}, {"engine/status", "which folders there are"}, {"engine/tree", "content ids; whether a name can be one"},
	}},
	"tray/conflicts": {to: []arrow{
		{"tray/page", "is one"}, {"tray/look", "colours and widgets"}, {"tray/present", "words, comparisons, merges"},
		{"engine/control", "what it shows and asks for"}, {"engine/status", "is told when to look anew"}, {"engine/merge", "whose change a place is"}, {"engine/tree", "content ids"},
	}},

	"tray/link": {to: []arrow{{"engine/control", "the running engine"}, {"engine/status", "what it hands on"}}},
	"tray": {to: []arrow{ // puts the tray together: the only room that knows all pages
		{"tray/link", "the engine"}, {"tray/present", "what to show"}, {"tray/look", "the artwork"}, {"tray/window", "makes it"}, {"tray/page", "names of pages"},
		{"tray/overview", "a page"}, {"tray/activity", "a page"}, {"tray/conflicts", "a page"}, {"tray/history", "a page"}, {"tray/devices", "a page"}, {"tray/settings", "a page"},
		{"tray/guide", "dialogs that the menu leads to"}, {"engine/control", "pauses and resumes"},
		{"platform/localsock", "one tray for a home"}, {"platform/notify", "notices"}, {"platform/opener", "opens what is clicked"}, {"platform/autostart", "start at login"}, {"platform/dirs", "whether the home is the usual one"},
	}},
	"tray/look/draw": {to: []arrow{{"tray/look", "the artwork that it writes for installers"}}},
	"app/show":       {pure: true, to: []arrow{{"engine/status", "what it shows"}, {"engine/control", "what it shows"}}},
	"app/demo": {to: []arrow{
		{"app/show", "shows progress as the commands do"},
		{"engine/control", "drives its engines as a person would"},
		{"engine/status", "waits for what engines say"},
		{"engine/tree", "device and folder ids, our own directory"},
		{"engine/ignore", "what it leaves out when it compares two trees"},
		{"platform/localsock", "reaches its engines"},
	}},
	"app/torture": {to: []arrow{{"engine/crash", "the list of moments at which it kills"}}}, // real processes, judged from outside
	// real processes, looked at from outside
	"app/measure": {},
	"app/desktoptest": {to: []arrow{ // real processes in a real session, judged from outside
		{"tray/look", "draws words and icons as the program does, to find them on the screen"}, {"tray/present", "the names of the icons"},
		{"engine/control", "asks the engines whether it is so"}, {"engine/status", "what they answer"}, {"platform/localsock", "reaches its engines"},
	}},
	"app": {to: []arrow{ // builds the object graph: the only room that knows engine and netproto
		{"app/show", "words and tables"}, {"app/demo", "a subcommand"}, {"tray", "a plain pinion, in a desktop build"}, {"tray/look", "the program's icon"},
		{"engine", "runs it"}, {"engine/config", "loads it"}, {"engine/control", "server and client"}, {"engine/status", "shows it"},
		{"engine/tree", words}, {"engine/transfer", "translates netproto's word for content that is gone"},
		{"netproto", "runs it"}, {"netproto/membership", "runs it"}, {"netproto/identity", "opens it"},
		{"netproto/circle", "the form of names and addresses"}, {"netproto/discover", "switches it off"}, {"netproto/pairing", "reads why a join was refused"},
		{"engine/policy", "the words of limits and rules"}, {"platform/power", "tells the engine"}, {"platform/netcost", "tells the engine"},
		{"platform/localsock", "the control socket, the lock of the home"}, {"platform/dirs", "where the home is"},
	}},
}

// Modules that have one home each.
var homes = map[string]string{
	"github.com/quic-go/quic-go":       "netproto",
	"modernc.org/sqlite":               "engine/index",
	"modernc.org/libc":                 "engine/index",
	"github.com/spf13/cobra":           "app",
	"github.com/aymanbagabas/go-udiff": "engine/merge",
	"github.com/hashicorp/mdns":        "netproto/discover",
	"github.com/fsnotify/fsnotify":     "platform/watch",
}

// Who uses such a module beside its home.
var guests = []string{"netproto/hostile github.com/quic-go/quic-go"} // a kit for tests, which opens streams as it likes

// What a pure room may not import, and what it may not name of others: values in,
// values out.
var (
	impure = []string{"os", "net", "syscall", "sync", "math/rand", "crypto/rand", "runtime", "unsafe", "log", "testing", "io/ioutil", "database/sql", "golang.org/x/sys", "fyne.io/fyne/v2"}

	clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}
)

// TestArrows keeps the house as it was drawn: DESIGN's arrows, a line each.
func TestArrows(t *testing.T) {
	rooms := readRooms(t, "..")
	for name, found := range rooms {
		rules, known := house[name]
		if !known {
			t.Errorf("%s is a new room: give it a line in this table and in ARCHITECTURE.md", name)
			continue
		}
		may := map[string]bool{}
		for _, a := range rules.to {
			if may[a.to] = true; a.why == "" {
				t.Errorf("%s -> %s has no reason", name, a.to)
			}
			if !found.imports[module+"/"+a.to] {
				t.Errorf("%s -> %s is permitted and not used: take the line away", name, a.to)
			}
		}
		for to := range found.imports {
			if ours, ok := strings.CutPrefix(to, module+"/"); ok && !may[ours] {
				t.Errorf("%s imports %s: a new arrow", name, ours)
			}
			for m, home := range homes {
				if (to == m || strings.HasPrefix(to, m+"/")) && home != name && !slices.Contains(guests, name+" "+m) {
					t.Errorf("%s imports %s, whose home is %s", name, to, home)
				}
			}
		}
		if rules.pure {
			checkPure(t, name, rules, found)
		}
	}
	for name := range house {
		if rooms[name] == nil {
			t.Errorf("there is no room %s any more: take its line away", name)
		}
	}
}

// TestArrowsAmongStages states the rules that the table follows, so that a line
// that breaks one can't be added in passing.
func TestArrowsAmongStages(t *testing.T) {
	stages := []string{"scan", "index", "exchange", "reconcile", "transfer", "apply"}
	for name, r := range house {
		for _, a := range r.to {
			from, isEngine := strings.CutPrefix(name, "engine/")
			to := strings.TrimPrefix(a.to, "engine/")
			switch {
			case slices.Contains(stages, from) && slices.Contains(stages, to):
				t.Errorf("%s -> %s: a stage never imports another", name, a.to)
			case (isEngine || name == "engine") && strings.HasPrefix(a.to, "netproto"):
				t.Errorf("%s -> %s: the engine knows no network", name, a.to)
			case strings.HasPrefix(name, "netproto") && strings.HasPrefix(a.to, "engine") && a.to != "engine/tree":
				t.Errorf("%s -> %s: netproto knows engine/tree only", name, a.to)
			case strings.HasPrefix(name, "platform/") && !strings.HasPrefix(a.to, "platform/rootfs"):
				t.Errorf("%s -> %s: platform knows nobody", name, a.to)
			case a.to == "engine/enginetest" || a.to == "netproto/hostile":
				t.Errorf("%s -> %s: that is for tests", name, a.to)
			case r.pure && !house[a.to].pure && a.to != "engine/control":
				t.Errorf("%s -> %s: a pure room that rests on one that is not", name, a.to)
			}
		}
	}
}

// found is what a package's sources, tests apart, hold for any system.
type found struct {
	imports map[string]bool
	spawns  []string // places of go statements
	clock   []string // places that ask for the time
}

func readRooms(t *testing.T, root string) map[string]*found {
	t.Helper()
	rooms := map[string]*found{}
	fset := token.NewFileSet()
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if file != root && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "vendor") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		at := filepath.ToSlash(rel)
		if rooms[at] == nil {
			rooms[at] = &found{imports: map[string]bool{}}
		}
		rooms[at].read(fset, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rooms
}

func (r *found) read(fset *token.FileSet, f *ast.File) {
	timeName := ""
	for _, i := range f.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			continue
		}
		r.imports[p] = true
		if p == "time" {
			if timeName = "time"; i.Name != nil {
				timeName = i.Name.Name
			}
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			r.spawns = append(r.spawns, fset.Position(n.Pos()).String())
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && timeName != "" && x.Name == timeName && slices.Contains(clock, n.Sel.Name) {
				r.clock = append(r.clock, fset.Position(n.Pos()).String())
			}
		}
		return true
	})
}

func checkPure(t *testing.T, name string, rules room, f *found) {
	t.Helper()
	for to := range f.imports {
		for _, bad := range impure {
			below := strings.HasPrefix(to, bad+"/") && to != "net/netip" // values only
			if (to == bad || below) && !slices.Contains(rules.except, to) {
				t.Errorf("%s is pure and imports %s", name, to)
			}
		}
	}
	for _, at := range f.spawns {
		t.Errorf("%s is pure and starts a goroutine: %s", name, path.Clean(at))
	}
	for _, at := range f.clock {
		t.Errorf("%s is pure and reads the clock: %s", name, path.Clean(at))
	}
}
