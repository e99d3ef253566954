package engine_test

import (
	"context"
	"testing"

	"pinion/engine/control"
	"pinion/engine/enginetest"
	"pinion/engine/status"
)

func TestReceiveOnlyTellsNothingOfItsOwn(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", "a")
	w.Write("laptop", "docs/b.txt", "b")
	w.Add("laptop", "docs", "")
	w.Accept("pi1", "docs", "receive")
	w.Settle()
	w.Write("pi1", "docs/own.txt", "pi1's own")
	w.Delete("pi1", "docs/b.txt")
	w.Rest()
	w.HasNot("docs/own.txt", "laptop")
	w.Has("docs/b.txt", "b", "laptop")
	w.Write("laptop", "docs/a.txt", "a, edited")
	w.AwaitFile("pi1", "docs/a.txt", "a, edited")
	w.Rest()
	w.Has("docs/own.txt", "pi1's own", "pi1")
}

func TestSendOnlyTakesNothing(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", "a")
	w.Add("laptop", "docs", "send")
	w.Accept("pi1", "docs", "")
	w.Settle()
	w.Write("pi1", "docs/own.txt", "pi1's own")
	w.Write("laptop", "docs/more.txt", "more")
	w.AwaitFile("pi1", "docs/more.txt", "more")
	w.Rest()
	w.HasNot("docs/own.txt", "laptop")
}

func TestReceiveOnlyPassesOnWhatOthersWrote(t *testing.T) {
	w := three(t)
	w.Write("laptop", "docs/a.txt", "a")
	w.Add("laptop", "docs", "")
	w.Accept("pi1", "docs", "receive")
	w.Accept("pi2", "docs", "")
	w.Settle()
	w.Cut("laptop", "pi2")
	w.Write("laptop", "docs/b.txt", "b")
	w.AwaitFile("pi2", "docs/b.txt", "b")
}

func set(t *testing.T, w *enginetest.World, dev string, s control.FolderSettings) {
	t.Helper()
	must(t, w.Engine(dev).SetFolder(context.Background(), "docs", s))
}

func TestFolderGoesOnAfterItsSettingsWereChanged(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", "a")
	shared(w, "laptop", "pi1")
	mode := "receive"
	set(t, w, "pi1", control.FolderSettings{Mode: &mode})
	w.Write("laptop", "docs/b.txt", "b")
	w.AwaitFile("pi1", "docs/b.txt", "b")
	w.Write("pi1", "docs/own.txt", "own")
	w.Rest()
	w.HasNot("docs/own.txt", "laptop")
	mode = "two-way"
	set(t, w, "pi1", control.FolderSettings{Mode: &mode})
	w.Settle()
	w.Has("docs/own.txt", "own", "laptop")
	w.Write("laptop", "docs/c.txt", "c")
	w.Settle()
	w.Has("docs/c.txt", "c", "pi1")
}

func TestFolderIsRemovedAndAcceptedAgain(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", "a")
	shared(w, "laptop", "pi1")
	ctx := context.Background()
	must(t, w.Engine("pi1").RemoveFolder(ctx, "docs"))
	w.Has("docs/a.txt", "a", "pi1")
	w.Write("laptop", "docs/b.txt", "b")
	w.Write("pi1", "docs/c.txt", "c")
	w.AwaitOffer("pi1", "docs")
	w.HasNot("docs/b.txt", "pi1")
	w.Accept("pi1", "docs", "")
	w.Settle()
	w.Has("docs/b.txt", "b", "pi1")
	w.Has("docs/c.txt", "c", "laptop")
}

func TestTwoFoldersDoNotMix(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", "in docs")
	w.Write("pi1", "music/a.txt", "in music")
	w.Share("docs", "laptop", "pi1")
	w.Share("music", "pi1", "laptop")
	w.Settle()
	w.Has("docs/a.txt", "in docs", "laptop", "pi1")
	w.Has("music/a.txt", "in music", "laptop", "pi1")
	w.Pause("laptop", "music")
	w.AwaitState("laptop", "music", status.Paused)
	w.Write("laptop", "docs/b.txt", "docs go on")
	w.AwaitFile("pi1", "docs/b.txt", "docs go on")
}

func TestIndexInTheHomeDirectory(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", "a")
	_, err := w.Engine("laptop").AddFolder(context.Background(), control.AddFolder{Path: w.Path("laptop", "docs"), Name: "docs", State: "home"})
	must(t, err)
	w.Accept("pi1", "docs", "")
	w.Settle()
	w.HasNot(indexFile, "laptop")
	w.Stop("laptop")
	w.Write("laptop", "docs/a.txt", "a, edited")
	w.Start("laptop")
	w.Settle()
	w.Has("docs/a.txt", "a, edited", "pi1")
}

func TestFoldersThatAreRefused(t *testing.T) {
	w := two(t)
	w.Add("laptop", "docs", "")
	w.Write("laptop", "file", "not a directory")
	w.Mkdir("laptop", "docs/below")
	w.Mkdir("laptop", "other")
	for why, r := range map[string]control.AddFolder{
		"relative path": {Path: "docs"},
		"no directory":  {Path: w.Path("laptop", "nowhere")},
		"a file":        {Path: w.Path("laptop", "file")},
		"twice":         {Path: w.Path("laptop", "docs")},
		"inside":        {Path: w.Path("laptop", "docs/below")},
		"outside":       {Path: w.Path("laptop", "")},
		"same name":     {Path: w.Path("laptop", "other"), Name: "docs"},
		"bad name":      {Path: w.Path("laptop", "other"), Name: "a/b"},
		"bad mode":      {Path: w.Path("laptop", "other"), Mode: "sideways"},
		"bad state":     {Path: w.Path("laptop", "other"), State: "cloud"},
	} {
		_, err := w.Engine("laptop").AddFolder(context.Background(), r)
		var e *control.Error
		if !asError(err, &e) || e.Kind != control.KindUsage {
			t.Errorf("%s: %v", why, err)
		}
	}
	w.HasNot("other/.pinion", "laptop")
	w.HasNot("docs/below/.pinion", "laptop")
}
