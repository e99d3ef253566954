package apply

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"pinion/engine/plan"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// MaxGroup is how many actions one group may have.
const MaxGroup = 4096

// item is one action under way.
type item struct {
	act      *plan.Action
	status   Status
	err      error
	ready    bool // looked at, dressed: its turn comes in carryOut
	changes  []Change
	archived []Archived
	lacks    error // attributes that the disk did not take

	src  string    // what is to get the name: Action.Staged, or its place in Private
	held string    // where what is displaced comes to lie in Private; "" if nothing can be displaced
	want tree.Stat // lstat of what is to get the name
	gone bool      // Delete: nothing stands there already

	staged  bool // something was brought to src by stage
	dressed bool // what is staged was changed by us
}

func (it *item) path() string { return string(it.act.Entry.Path) }

func (it *item) end(s Status, err error) {
	it.status, it.err = s, err
	if s != Done && err == nil {
		it.err = errors.New(s.String())
	}
}

// fail ends the item by an error of the system.
func (it *item) fail(err error) {
	s := Failed
	if errors.Is(err, errChanged) || errors.Is(err, rootfs.ErrNotDirectory) {
		s = Changed
	}
	it.end(s, problem(it.path(), err))
}

// group is one run of Group.
type group struct {
	a      *Applier
	id     string
	items  []*item
	undone map[tree.Path]bool // paths whose action did not come about
	late   []lateEntry
	notes  []string // written since content was flushed
	intent string   // path of the note; "" if none was needed
	dead   error    // set: nothing more is tried
}

// Group carries out the actions in their order as one durable group. There is an
// Outcome for each action, also with an error: that says that the folder's disk
// is gone or that what was done could not be made durable, and then nothing
// claims to be Done.
func (a *Applier) Group(ctx context.Context, actions []*plan.Action) ([]Outcome, error) {
	if len(actions) > MaxGroup {
		return nil, fmt.Errorf("apply: a group of %d actions; %d are allowed", len(actions), MaxGroup)
	}
	a.turn <- struct{}{}
	defer func() { <-a.turn }()
	a.serial++
	g := &group{a: a, items: make([]*item, len(actions)), id: strconv.FormatInt(a.o.Now().UnixNano(), 36) + "-" + strconv.FormatUint(a.serial, 36), undone: map[tree.Path]bool{}}
	items := make([]item, len(actions))
	for i := range actions {
		items[i].act = actions[i]
		g.items[i] = &items[i]
	}
	err := g.run(ctx)
	return g.outcomes(), err
}

func (g *group) run(ctx context.Context) error {
	if err := g.enter(); err != nil {
		return err
	}
	g.before(ctx)
	if err := g.flushContent(); err != nil {
		g.unstage()
		return err
	}
	g.change(ctx)
	if err := g.flushNames(); err != nil {
		return err
	}
	g.after()
	if g.dead != nil {
		return g.unsure(g.dead)
	}
	g.forget()
	return ctx.Err()
}

// before, change and after are what lies between the flushes. A directory is kept
// open for the length of one of them at most.
func (g *group) before(ctx context.Context) {
	defer g.a.batch()()
	g.prepare(ctx)
	g.intend()
	g.stage()
}

func (g *group) change(ctx context.Context) {
	defer g.a.batch()()
	g.carryOut(ctx)
	g.unstage()
	g.noteLate()
}

func (g *group) after() {
	defer g.a.batch()()
	g.confirm()
}

// enter sees that the root is there and that there is a place to work in.
func (g *group) enter() error {
	err := g.a.fs.Same()
	if err == nil {
		err = g.a.mkdirAt(Private)
	}
	if err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	return nil
}

// carryOut changes the names, in the order of the actions.
func (g *group) carryOut(ctx context.Context) {
	for _, it := range g.items {
		if g.dead != nil || ctx.Err() != nil {
			return
		}
		if it.ready {
			g.turn(it)
		}
		if it.status != Done {
			g.undone[it.act.Entry.Path] = true
		}
		if it.err != nil && dead(it.err) {
			g.dead = it.err
		}
	}
}

func (g *group) turn(it *item) {
	if slices.ContainsFunc(it.act.Needs, func(p tree.Path) bool { return g.undone[p] }) {
		it.end(Changed, errors.New("what belongs to it could not be done"))
		return
	}
	switch op := it.act.Op; {
	case op == plan.Adopt, it.gone:
		it.end(Done, nil)
	case op == plan.Meta:
		g.meta(it)
	case op == plan.Move:
		g.move(it)
	case op == plan.Delete:
		g.remove(it)
	case it.act.Was.Exists():
		g.replace(it)
	default:
		g.create(it)
	}
}

// flushContent makes staged content and the intent durable, as far as the flush of
// an earlier group has not done so.
func (g *group) flushContent() error {
	var files []string
	for _, it := range g.items {
		if it.ready && it.act.Op == plan.Put && (it.dressed || !g.a.Flushed(it.act.Flush)) {
			files = append(files, it.src)
		}
	}
	if len(files) == 0 && g.intent == "" {
		return nil
	}
	if g.intent != "" {
		files = append(files, g.intent)
	}
	return g.a.flush(files)
}

// flushNames makes the renames durable. Without that nothing is done.
func (g *group) flushNames() error {
	if len(g.a.touched) == 0 {
		return nil
	}
	err := g.a.flush(g.notes)
	if err == nil {
		// The root may have been unplugged while we wrote into the handle of it.
		if err = g.a.fs.Same(); err != nil {
			err = fmt.Errorf("apply: %w", err)
		}
	}
	if err != nil {
		return g.unsure(err)
	}
	return nil
}

// unsure takes back every claim of the group: it is not known what is durable.
func (g *group) unsure(err error) error {
	for _, it := range g.items {
		if it.status == Done {
			it.changes = nil
			it.end(Failed, &Problem{it.path(), "was written, but it is not sure that the disk keeps it.", err})
		}
	}
	return err
}

// flush is one SyncFS, or a sync of each file and of each directory touched
// since the last one.
func (a *Applier) flush(files []string) error {
	defer clear(a.touched)
	number := a.begun.Add(1)
	err := a.fs.SyncFS()
	if err == nil {
		a.ended.Store(number)
	}
	if !errors.Is(err, errors.ErrUnsupported) {
		return flushed(err)
	}
	for _, f := range files {
		if err := a.fs.SyncFile(f); err != nil {
			return flushed(err)
		}
		a.touch(f)
	}
	for _, dir := range slices.Sorted(maps.Keys(a.touched)) {
		if err := a.fs.SyncDir(dir); err != nil {
			return flushed(err)
		}
	}
	return nil
}

func flushed(err error) error {
	if err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	return nil
}

func (g *group) outcomes() []Outcome {
	out := make([]Outcome, len(g.items))
	for i, it := range g.items {
		if it.status == Skipped && it.err == nil {
			it.err = errors.New("not tried")
		}
		out[i] = Outcome{Action: it.act, Status: it.status, Err: it.err, Archived: it.archived}
		if it.status == Done {
			out[i].Changes, out[i].Lacks = it.changes, it.lacks
		}
	}
	return out
}
