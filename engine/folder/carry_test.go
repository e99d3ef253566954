package folder

import (
	"errors"
	"testing"
	"time"

	"pinion/engine/apply"
	"pinion/engine/plan"
	"pinion/engine/transfer"
	"pinion/engine/tree"
)

// What comes late, for what was wanted at a path before, is not taken for what is
// wanted there now.
func TestContentThatComesLateIsNotTakenForAnother(t *testing.T) {
	was, now := tree.Entry{Path: "p", Kind: tree.File, Content: tree.ContentID{1}}, tree.Entry{Path: "p", Kind: tree.File, Content: tree.ContentID{2}}
	u := &unit{path: "p", needs: 1, actions: []plan.Action{{Op: plan.Put, Entry: now}}}
	c := &cycle{work: work{units: map[tree.Path]*unit{"p": u}}}
	c.bind()
	if u.awaits(was) || !u.awaits(now) {
		t.Error("the unit awaits another content")
	}
	c.carry.fetched(transfer.Result{Job: transfer.Job{Entry: was}, Err: errors.New("gone")})
	if c.work.units["p"] != u || u.failed != nil || u.needs != 1 {
		t.Error("the unit ended for what it does not need")
	}
	u.actions[0].Staged = ".pinion/tmp/x"
	if u.awaits(now) {
		t.Error("the unit awaits what it has")
	}
}

// A deep path brings all its directories along: a group is bounded by its actions,
// too.
func TestAGroupIsNoLargerThanApplyTakes(t *testing.T) {
	k := carry{c: &cycle{lim: Limits{}.withDefaults()}}
	for range 40 {
		k.ready = append(k.ready, &unit{actions: make([]plan.Action, 256)})
	}
	k.ready = append(k.ready, &unit{actions: make([]plan.Action, apply.MaxGroup+1)}) // can't be helped
	for left := len(k.ready); left > 0; {
		units, actions := k.takeReady(), 0
		for _, u := range units {
			actions += len(u.actions)
		}
		if len(units) == 0 || actions > apply.MaxGroup && len(units) > 1 {
			t.Fatalf("%d units with %d actions", len(units), actions)
		}
		left -= len(units)
	}
}

// A content that can't be had ends what moved; that is said, and listed with its
// path, though nothing else comes to happen.
func TestWhatCanNotBeHadIsSaid(t *testing.T) {
	e := tree.Entry{Path: "p", Kind: tree.File, Content: tree.ContentID{1}}
	u := &unit{path: "p", needs: 1, actions: []plan.Action{{Op: plan.Put, Entry: e}}}
	c := &cycle{f: &Folder{cfg: Config{Now: time.Now}}, work: work{units: map[tree.Path]*unit{"p": u}, later: map[tree.Path]wait{}}}
	c.bind()
	c.problems.init(8)
	c.carry.fetched(transfer.Result{Job: transfer.Job{Entry: e}, Err: transfer.ErrLied})
	if c.saying.moving() || !c.saying.changed {
		t.Error("the state is not said")
	}
	if got := c.problems.list(); len(got) != 1 || got[0].Path != "p" {
		t.Errorf("listed: %v", got)
	}
}
