package engine_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"pinion/engine/control"
	"pinion/engine/enginetest"
	"pinion/engine/status"
	"pinion/engine/tree"
)

// kind is the kind of an error of the control API; "" if it is none.
func kind(err error) string {
	var e *control.Error
	if asError(err, &e) {
		return e.Kind
	}
	return ""
}

func TestWhatAPersonNamesWrongly(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", "a")
	shared(w, "laptop", "pi1")
	e, ctx := w.Engine("laptop"), context.Background()
	past := time.Now().Add(-time.Hour)
	soon := time.Second
	for what, x := range map[string]struct {
		err  error
		kind string
	}{
		"a folder":           {e.Scan(ctx, "nowhere"), control.KindNotFound},
		"a folder to remove": {e.RemoveFolder(ctx, "nowhere"), control.KindNotFound},
		"a device":           {e.RenameDevice(ctx, "nobody", "x"), control.KindNotFound},
		"itself":             {e.RemoveDevice(ctx, "laptop"), control.KindUsage},
		"no name":            {e.RenameDevice(ctx, "pi1", " "), control.KindUsage},
		"a past moment":      {e.Pause(ctx, control.PauseRequest{Until: &past}), control.KindUsage},
		"two things":         {e.Pause(ctx, control.PauseRequest{Folder: "docs", Device: "pi1"}), control.KindUsage},
		"no way to keep":     {e.Resolve(ctx, control.Resolve{Path: "a.txt", Keep: "all"}), control.KindUsage},
		"no conflict":        {e.Resolve(ctx, control.Resolve{Path: "a.txt", Keep: "this"}), control.KindNotFound},
		"a path elsewhere":   {e.Resolve(ctx, control.Resolve{Path: "/etc/passwd", Keep: "this"}), control.KindNotFound},
		"too often":          {e.SetFolder(ctx, "docs", control.FolderSettings{ScanEvery: &soon}), control.KindUsage},
	} {
		if kind(x.err) != x.kind {
			t.Errorf("%s: %v", what, x.err)
		}
	}
	_, err := e.Accept(ctx, control.Accept{Folder: "nowhere", Path: w.Path("laptop", "x")})
	if kind(err) != control.KindNotFound {
		t.Errorf("an offer that is none: %v", err)
	}
	_, err = e.Restore(ctx, control.Restore{Path: "docs/never.txt"})
	if kind(err) != control.KindNotFound {
		t.Errorf("a file that never was: %v", err)
	}
}

func TestRenamedDeviceIsKnownByItsNewNameEverywhere(t *testing.T) {
	w := shared(two(t), "laptop", "pi1")
	must(t, w.Engine("pi1").RenameDevice(context.Background(), "laptop", "desk"))
	w.Await("both to say so", func() bool {
		return w.Status("laptop").Device.Name == "desk" && w.Status("pi1").Devices[0].Name == "desk"
	})
	w.Stop("laptop")
	w.Start("laptop")
	if name := w.Status("laptop").Device.Name; name != "desk" {
		t.Errorf("after a restart it calls itself %s", name)
	}
}

func TestActivityTellsWhoDidWhat(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", "a")
	shared(w, "laptop", "pi1")
	e, ctx := w.Engine("pi1"), context.Background()
	page, err := e.Activity(ctx, control.ActivityRequest{})
	must(t, err)
	if len(page.Items) != 1 || page.Items[0].Path != "a.txt" || page.Items[0].Action != "added" || page.Items[0].Device != "laptop" {
		t.Fatalf("pi1 lists %+v", page.Items)
	}
	next := make(chan control.ActivityPage)
	go func() {
		page, err := e.Activity(ctx, control.ActivityRequest{After: page.Next, Wait: 30 * time.Second})
		if err != nil {
			t.Error(err)
		}
		next <- page
	}()
	w.Delete("laptop", "docs/a.txt")
	w.Write("laptop", "docs/b.txt", "so that the folder is not empty")
	if page := <-next; len(page.Items) == 0 || page.Items[0].Device != "laptop" {
		t.Errorf("who follows is told %+v", page.Items)
	}
	empty, err := e.Activity(ctx, control.ActivityRequest{After: 1 << 63, Wait: 10 * time.Millisecond})
	if err != nil || len(empty.Items) != 0 {
		t.Errorf("without news: %+v, %v", empty, err)
	}
}

func TestHistoryKeepsWhatWasReplaced(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", "one")
	shared(w, "laptop", "pi1")
	w.Write("laptop", "docs/a.txt", "two")
	w.Settle()
	kept := w.Archive("pi1", "docs/a.txt")
	if len(kept) != 1 || kept[0].Reason != "replaced" || kept[0].Device != "laptop" || kept[0].Size != 3 || kept[0].Folder != "docs" {
		t.Fatalf("the archive lists %+v", kept)
	}
	w.RestoreFrom("pi1", "docs/a.txt")
	w.Settle()
	w.Has("docs/a.txt", "one", "laptop", "pi1")
	w.Kept("docs", "two")
}

func TestConflictsInTwoFoldersAreToldApart(t *testing.T) {
	w := two(t)
	for _, folder := range []string{"docs", "music"} {
		w.WriteAt("laptop", folder+"/a.txt", folder+" on the laptop", 2*time.Hour)
		w.WriteAt("pi1", folder+"/a.txt", folder+" on the Pi", time.Hour)
	}
	w.Share("docs", "laptop", "pi1")
	w.Share("music", "laptop", "pi1")
	w.Settle()
	list := w.Conflicts("laptop")
	if len(list) != 2 || list[0].Path != "docs/a.txt" || list[1].Path != "music/a.txt" {
		t.Fatalf("the laptop lists %+v", list)
	}
	w.Resolve("laptop", "music/a.txt", "that")
	w.Settle()
	w.Has("music/a.txt", "music on the laptop", "pi1")
	w.Has("docs/a.txt", "docs on the Pi", "pi1")
	w.Resolve("pi1", w.Path("pi1", "docs/a.txt"), "this")
	w.Settle()
	if n := len(w.Conflicts("laptop")); n != 0 {
		t.Errorf("%d conflicts are left", n)
	}
}

func TestPauseEndsByItself(t *testing.T) {
	w := shared(two(t), "laptop", "pi1")
	must(t, w.Engine("pi1").Pause(context.Background(), control.PauseRequest{For: 2 * time.Second}))
	w.AwaitState("pi1", "docs", status.Paused)
	if p := w.Status("pi1").Paused; p.State != "paused" || p.Until == nil {
		t.Errorf("the pause is shown as %+v", p)
	}
	w.Write("laptop", "docs/a.txt", "a")
	w.AwaitFile("pi1", "docs/a.txt", "a")
}

func TestPausedDeviceIsLeftAlone(t *testing.T) {
	w := shared(three(t), "laptop", "pi1", "pi2")
	ctx := context.Background()
	w.Write("pi1", "docs/first.txt", "tells the laptop that pi1 has the folder")
	w.Settle()
	w.Cut("pi1", "pi2")
	must(t, w.Engine("laptop").Pause(ctx, control.PauseRequest{Device: "pi1"}))
	w.Await("pi1 to be without the laptop", func() bool { return len(w.State("pi1", "docs").Peers) == 0 })
	w.Await("the laptop to say that pi1 is away", func() bool {
		away := w.State("laptop", "docs").Away
		return len(away) == 1 && away[0] == w.Status("pi1").Device.ID
	})
	for _, d := range w.Status("laptop").Devices {
		if (d.Paused != nil) != (d.Name == "pi1") {
			t.Errorf("the pause with %s is shown as %+v", d.Name, d.Paused)
		}
	}
	w.Write("laptop", "docs/a.txt", "a")
	w.AwaitFile("pi2", "docs/a.txt", "a")
	w.HasNot("docs/a.txt", "pi1")
	must(t, w.Engine("laptop").Resume(ctx, control.PauseRequest{Device: "pi1"}))
	w.AwaitFile("pi1", "docs/a.txt", "a")
}

func TestDoctorAndConfig(t *testing.T) {
	w := shared(two(t), "laptop", "pi1")
	findings, err := w.Engine("laptop").Doctor(context.Background(), control.DoctorRequest{Deep: true})
	must(t, err)
	for _, f := range findings {
		if f.Level == "problem" {
			t.Errorf("a healthy device has a problem: %+v", f)
		}
	}
	c, err := w.Engine("laptop").Config(context.Background())
	if err != nil || !strings.Contains(c.Text, w.Path("laptop", "docs")) || c.Home != w.Device("laptop").Home {
		t.Errorf("the configuration is shown as %+v (%v)", c, err)
	}
}

func TestStoreNamesFoldersApart(t *testing.T) {
	t.Parallel()
	w := enginetest.New(t, "laptop", "pi1", "pi2")
	w.Stop("pi2")
	w.MakeStore("pi2", "store")
	w.Start("pi2")
	w.Write("laptop", "docs/a.txt", "the laptop's")
	w.Write("pi1", "docs/a.txt", "the Pi's")
	w.Add("laptop", "docs", "")
	w.AwaitFile("pi2", "store/docs/a.txt", "the laptop's")
	if s, _ := w.Engine("pi2").Status(context.Background(), 0); len(s.Folders) != 1 || s.Folders[0].ID == (tree.FolderID{}) {
		t.Errorf("pi2 holds %+v", s.Folders)
	}
	must(t, w.Engine("pi2").RemoveFolder(context.Background(), "docs"))
	w.Write("laptop", "docs/b.txt", "b")
	w.AwaitOffer("pi2", "docs")
	time.Sleep(200 * time.Millisecond)
	w.HasNot("store/docs/b.txt", "pi2") // what a person removed is not taken again by itself
	w.Add("pi1", "docs", "")
	w.Await("pi2 to have the other", func() bool {
		texts := w.Texts("pi2", "store")
		for p, text := range texts {
			if strings.HasPrefix(p, "docs") && strings.HasSuffix(p, "/a.txt") && text == "the Pi's" {
				return true
			}
		}
		return false
	})
	w.Has("store/docs/a.txt", "the laptop's", "pi2")
}
