package engine_test

import (
	"context"
	"strings"
	"testing"

	"pinion/engine"
	"pinion/engine/config"
	"pinion/engine/control"
	"pinion/engine/enginetest"
	"pinion/engine/policy"
	"pinion/engine/status"
)

// choose changes settings of a device.
func choose(t *testing.T, w *enginetest.World, dev string, c control.SettingsChange) control.Settings {
	t.Helper()
	s, err := w.Engine(dev).SetSettings(context.Background(), c)
	must(t, err)
	return s
}

// conditions tells a device what its machine knows.
func conditions(w *enginetest.World, dev string, c engine.Conditions) {
	w.Engine(dev).(*engine.Engine).Conditions(c)
}

func TestPausesOnAMeteredConnection(t *testing.T) {
	w := shared(two(t), "laptop", "pi1")
	choose(t, w, "laptop", control.SettingsChange{Rules: &control.Rules{OnMetered: policy.Pause}})
	conditions(w, "laptop", engine.Conditions{Metered: policy.Yes})
	w.AwaitState("laptop", "docs", status.Paused)
	if p := w.Status("laptop").Paused; p.State != "paused" || p.Reason != "paused: metered connection" || p.Until != nil {
		t.Errorf("the pause is shown as %+v", p)
	}
	w.Write("laptop", "docs/a.txt", "a")
	w.Await("the laptop to have noticed it", func() bool { return w.State("laptop", "docs").Files == 1 })
	w.HasNot("docs/a.txt", "pi1")

	must(t, w.Engine("laptop").Resume(context.Background(), control.PauseRequest{}))
	w.AwaitFile("pi1", "docs/a.txt", "a")
	if p := w.Status("laptop").Paused; p.State != "running" || p.Reason != "" {
		t.Errorf("resumed, it is shown as %+v", p)
	}

	conditions(w, "laptop", engine.Conditions{Metered: policy.Yes, Power: policy.Battery, Charge: 40})
	choose(t, w, "laptop", control.SettingsChange{Rules: &control.Rules{OnMetered: policy.Pause, OnBattery: policy.Pause, BatteryBelow: 50}})
	w.AwaitState("laptop", "docs", status.Paused)
	s := choose(t, w, "laptop", control.SettingsChange{Rules: &control.Rules{OnMetered: policy.Pause}})
	if s.Now.Do != policy.Run || s.Facts.Charge != 40 {
		t.Errorf("without that rule it is %+v, %+v", s.Now, s.Facts)
	}
	w.Write("laptop", "docs/b.txt", "b")
	w.AwaitFile("pi1", "docs/b.txt", "b")
}

// TestSmallFilesOnly: letters go either way while videos wait, whichever side's
// link it is, and moves and deletions of videos go as well; then the videos come.
func TestSmallFilesOnly(t *testing.T) {
	for _, whose := range []string{"laptop", "pi1"} {
		t.Run("of "+whose, func(t *testing.T) {
			w := two(t)
			old := strings.Repeat("an old film ", 20_000)
			w.Write("laptop", "docs/old.mov", old)
			shared(w, "laptop", "pi1")
			w.AwaitFile("pi1", "docs/old.mov", old)
			choose(t, w, whose, control.SettingsChange{Rules: &control.Rules{OnMetered: policy.Small, SmallFile: 100_000}})
			conditions(w, whose, engine.Conditions{Metered: policy.Yes})
			w.Await("it to be said", func() bool { return w.Status(whose).Paused.Reason == "small files only: metered connection" })

			film := strings.Repeat("a long film ", 20_000)
			w.Write("laptop", "docs/film.mov", film)
			w.Write("pi1", "docs/other.mov", film+film)
			w.Write("laptop", "docs/letter.txt", "dear Pi")
			w.Write("pi1", "docs/answer.txt", "dear Pat")
			w.Move("laptop", "docs/old.mov", "docs/older.mov")
			w.AwaitFile("pi1", "docs/letter.txt", "dear Pi")
			w.AwaitFile("laptop", "docs/answer.txt", "dear Pat")
			w.AwaitFile("pi1", "docs/older.mov", old)
			w.AwaitGone("pi1", "docs/old.mov")
			w.Await("the film to be told of", func() bool { return w.State("pi1", "docs").Need.Files == 1 })
			w.Write("laptop", "docs/again.txt", "goes past both")
			w.AwaitFile("pi1", "docs/again.txt", "goes past both")
			w.HasNot("docs/film.mov", "pi1")
			w.HasNot("docs/other.mov", "laptop")
			w.Await("the folder to say why it is not in sync", func() bool {
				s := w.State(whose, "docs")
				return s.State == status.Syncing && s.Reason == "small files only: metered connection"
			})

			must(t, w.Engine(whose).Resume(context.Background(), control.PauseRequest{}))
			w.AwaitFile("pi1", "docs/film.mov", film)
			w.AwaitFile("laptop", "docs/other.mov", film+film)
			w.Settle()
		})
	}
}

// TestSmallFilesOnlyFromOneOfTwo: what one device does not give now comes from
// another that does.
func TestSmallFilesOnlyFromOneOfTwo(t *testing.T) {
	w := shared(three(t), "laptop", "pi1", "pi2")
	w.Alone("laptop")
	choose(t, w, "pi1", control.SettingsChange{Rules: &control.Rules{OnMetered: policy.Small, SmallFile: 1000}})
	film := strings.Repeat("a long film ", 20_000)
	w.Write("pi1", "docs/film.mov", film)
	w.AwaitFile("pi2", "docs/film.mov", film)
	conditions(w, "pi1", engine.Conditions{Metered: policy.Yes})
	w.Await("it to be said", func() bool { return w.Status("pi1").Paused.Reason != "" })
	w.Restore("pi1", "laptop")
	w.Await("the film to be told of", func() bool { return w.State("laptop", "docs").Need.Files == 1 })
	w.Write("pi1", "docs/letter.txt", "goes past it")
	w.AwaitFile("laptop", "docs/letter.txt", "goes past it")
	w.HasNot("docs/film.mov", "laptop")
	w.Restore("pi2", "laptop")
	w.AwaitFile("laptop", "docs/film.mov", film)
}

func TestSettingsAreKeptAndChecked(t *testing.T) {
	w := two(t)
	up, down, few, free, off := int64(200<<10), int64(0), int64(10), true, false
	name, listen, bad := " desk ", "127.0.0.1:9", "nowhere"
	window := control.Window{Days: 1, From: 60, To: 120, Do: policy.Limit, Down: policy.Unlimited}
	s := choose(t, w, "laptop", control.SettingsChange{
		Name: &name, Listen: &listen, LAN: &off, Up: &up, Down: &down, FreeLAN: &free,
		Rules: &control.Rules{OnBattery: policy.Small}, Schedule: &[]control.Window{window},
	})
	if s.Name != "desk" || s.Limits != (control.Limits{Up: up, FreeLAN: true}) || s.LAN || !s.Restart || s.Rules.OnMetered != policy.Run || len(s.Schedule) != 1 || s.Schedule[0] != window {
		t.Errorf("it came back as %+v", s)
	}
	ctx := context.Background()
	for what, c := range map[string]control.SettingsChange{
		"a limit that stops all":    {Up: &few},
		"an address that is none":   {Listen: &bad, Up: &up},
		"a name that is none":       {Name: new(string), Down: &up},
		"a rule that is none":       {Rules: &control.Rules{OnSlow: policy.Pause}},
		"a window that is none":     {Schedule: &[]control.Window{{Do: policy.Pause}}},
		"a schedule without an end": {Schedule: new(make([]control.Window, policy.MaxSchedule+1))},
	} {
		if _, err := w.Engine("laptop").SetSettings(ctx, c); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
	w.Stop("laptop")
	c, err := config.Load(w.Device("laptop").Home)
	if err != nil || c.Limits.Up != config.Size(up) || c.Rules.OnBattery != "small" || len(c.Schedule) != 1 || c.Listen != listen || *c.LAN {
		t.Errorf("the configuration is %+v (%v)", c, err)
	}
	w.Start("laptop")
	again, err := w.Engine("laptop").Settings(ctx)
	must(t, err)
	if again.Limits != s.Limits || again.Rules != s.Rules || len(again.Schedule) != 1 || again.Restart {
		t.Errorf("after a restart they are %+v", again)
	}
}
