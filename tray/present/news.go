package present

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"fyne.io/fyne/v2/lang"

	"pinion/engine/status"
)

// Topic is a kind of notice. Each can be switched off.
type Topic string

const (
	TopicFinished Topic = "finished"
	TopicConflict Topic = "conflict"
	TopicHeld     Topic = "held"
	TopicOffer    Topic = "offer"
	TopicUnseen   Topic = "unseen"
	TopicDisk     Topic = "disk"
	TopicTrouble  Topic = "trouble"
)

// TopicInfo is a topic as the settings show it.
type TopicInfo struct {
	Topic Topic
	Title string
	Pref  string // the boolean preference that switches it; on unless it says otherwise
}

// PrefUnseenDays is the preference that holds after how many days without a
// device a person is told.
const (
	PrefUnseenDays    = "notify.unseen.days"
	DefaultUnseenDays = 3
)

// Topics lists all topics in the order in which the settings show them.
func Topics() []TopicInfo {
	list := []TopicInfo{
		{Topic: TopicConflict, Title: lang.L("A file was changed on two devices at once")},
		{Topic: TopicHeld, Title: lang.L("Many files were deleted or overwritten, and your answer is awaited")},
		{Topic: TopicOffer, Title: lang.L("A device offers a folder")},
		{Topic: TopicTrouble, Title: lang.L("A folder is not there or can't be synced, or Pinion does not run")},
		{Topic: TopicDisk, Title: lang.L("A disk is full, or nearly")},
		{Topic: TopicUnseen, Title: lang.L("A device has not been seen for days")},
		{Topic: TopicFinished, Title: lang.L("A folder is complete for the first time")},
	}
	for i := range list {
		list[i].Pref = "notify." + string(list[i].Topic)
	}
	return list
}

// World is what news are drawn from.
type World struct {
	State   status.State
	Running bool // the engine answers, and State is new
	Now     time.Time
	Off     map[Topic]bool // switched off
	Days    int            // how long a device may be unseen; 0: the default
}

// Told is a fact that a person was told, or need not be.
type Told struct {
	Much int64     `json:"much"`
	At   time.Time `json:"at"`
	// Less: since when it has been less than what was told; zero when it is not.
	Less time.Time `json:"less,omitzero"`
}

// Memory is what was told. The exported part is kept over restarts.
type Memory struct {
	Told map[Topic]map[string]Told `json:"told"`
	Last map[Topic]time.Time       `json:"last"` // when something of a topic was told

	pending map[Topic]map[string]time.Time // since when a fact has been true and not told
	shown   map[Topic]bool                 // what may still stand on the screen
}

// News is what came out.
type News struct {
	Memory   Memory
	Tell     []Notice
	Withdraw []Topic   // what no longer holds and may be taken from the screen
	Again    time.Time // when to look again though nothing has changed; zero: need not
}

// fact is something that holds now and that a person should know of. Of one id
// more is told anew, less is not.
type fact struct {
	id   string
	much int64
	wait time.Duration // how long it must have held; 0: the topic's gather
	of   any           // what its sentence needs
}

// manner is how a topic is told.
type manner struct {
	gather time.Duration // how long is waited for more of the same
	apart  time.Duration // between two notices at least
	forget time.Duration // how long something must be gone before it is news again
	quiet  bool          // not told while the person has paused everything
}

const (
	mostFacts = 200 // of one topic that are looked at
	mostTold  = 400 // that are remembered
)

func mannerOf(t Topic) manner {
	switch t {
	case TopicFinished:
		return manner{gather: 3 * time.Second, apart: time.Minute, forget: 24 * time.Hour, quiet: true}
	case TopicConflict:
		return manner{gather: 3 * time.Second, apart: 10 * time.Minute}
	case TopicHeld:
		return manner{gather: 2 * time.Second, apart: time.Minute, forget: time.Minute}
	case TopicOffer: // an offer is seen only while who makes it is connected
		return manner{gather: 3 * time.Second, apart: 5 * time.Minute, forget: 7 * 24 * time.Hour, quiet: true}
	case TopicUnseen: // a quarter of an hour, in which devices may come back after this one was off
		return manner{gather: 15 * time.Minute, apart: 12 * time.Hour, quiet: true}
	case TopicDisk:
		return manner{gather: 20 * time.Second, apart: time.Hour, forget: 6 * time.Hour}
	}
	return manner{gather: 30 * time.Second, apart: 5 * time.Minute, forget: 10 * time.Minute}
}

// Next compares the world with what was told and says what to tell now. Facts
// are levels, not events: what was missed while nobody looked is told when
// somebody does, and what was told is not told again after a restart.
func Next(m Memory, w World) News {
	m = m.clone()
	n := News{}
	paused := w.Running && w.State.Paused.State == "paused" && w.State.Paused.Reason == byHand
	for _, info := range Topics() {
		t := info.Topic
		facts, known := factsOf(t, &m, w)
		if !known {
			continue
		}
		facts = facts[:min(len(facts), mostFacts)]
		m.settle(t, facts, w.Now)
		due := m.due(t, facts, w.Now, &n)
		switch {
		case w.Off[t]:
			m.told(t, facts, w.Now)
			if m.shown[t] {
				n.Withdraw = append(n.Withdraw, t)
			}
			delete(m.shown, t)
		case len(facts) == 0:
			if m.shown[t] && t != TopicFinished {
				n.Withdraw = append(n.Withdraw, t)
			}
			delete(m.shown, t)
		case len(due) > 0 && !(paused && mannerOf(t).quiet):
			n.Tell = append(n.Tell, compose(t, due, facts, w))
			m.told(t, due, w.Now)
			m.Last[t], m.shown[t] = w.Now, true
		}
	}
	n.soonest(nextUnseen(w))
	n.Memory = m
	return n
}

func (n *News) soonest(t time.Time) {
	if !t.IsZero() && (n.Again.IsZero() || t.Before(n.Again)) {
		n.Again = t
	}
}

func (m Memory) clone() Memory {
	c := Memory{
		Told: map[Topic]map[string]Told{}, Last: map[Topic]time.Time{},
		pending: map[Topic]map[string]time.Time{}, shown: map[Topic]bool{},
	}
	maps.Copy(c.Last, m.Last)
	maps.Copy(c.shown, m.shown)
	for t, told := range m.Told {
		c.Told[t] = maps.Clone(told)
	}
	for t, p := range m.pending {
		c.pending[t] = maps.Clone(p)
	}
	for _, info := range Topics() {
		if c.Told[info.Topic] == nil {
			c.Told[info.Topic] = map[string]Told{}
		}
		if c.pending[info.Topic] == nil {
			c.pending[info.Topic] = map[string]time.Time{}
		}
	}
	return c
}

// settle brings what was told and what is pending in line with what holds now.
func (m Memory) settle(t Topic, facts []fact, now time.Time) {
	holds := map[string]int64{}
	for _, f := range facts {
		holds[f.id] = f.much
	}
	for id, told := range m.Told[t] {
		much := holds[id]
		switch {
		case much >= told.Much:
			told.Less = time.Time{}
		case told.Less.IsZero() || told.Less.After(now):
			told.Less = now
		}
		if !told.Less.IsZero() && now.Sub(told.Less) >= mannerOf(t).forget {
			if much == 0 {
				delete(m.Told[t], id)
				continue
			}
			told.Much, told.Less = much, time.Time{}
		}
		m.Told[t][id] = told
	}
	for id := range m.pending[t] {
		if holds[id] <= m.Told[t][id].Much {
			delete(m.pending[t], id)
		}
	}
}

// due is what is to be told now; when something will be, n.Again hears of it.
func (m Memory) due(t Topic, facts []fact, now time.Time, n *News) []fact {
	how := mannerOf(t)
	var ready, with []fact
	for _, f := range facts {
		if f.much <= m.Told[t][f.id].Much {
			continue
		}
		since, ok := m.pending[t][f.id]
		if !ok || since.After(now) {
			since = now
			m.pending[t][f.id] = now
		}
		wait := f.wait
		if wait == 0 {
			wait = how.gather
		}
		if now.Sub(since) < wait {
			n.soonest(since.Add(wait))
			if wait <= how.gather {
				with = append(with, f)
			}
			continue
		}
		ready = append(ready, f)
	}
	if len(ready) == 0 {
		return nil
	}
	if last := m.Last[t]; !last.After(now) && now.Sub(last) < how.apart {
		n.soonest(last.Add(how.apart))
		return nil
	}
	return append(ready, with...)
}

func (m Memory) told(t Topic, facts []fact, now time.Time) {
	for _, f := range facts {
		m.Told[t][f.id] = Told{Much: max(f.much, m.Told[t][f.id].Much), At: now}
		delete(m.pending[t], f.id)
	}
	if over := len(m.Told[t]) - mostTold; over > 0 {
		oldest := slices.SortedFunc(maps.Keys(m.Told[t]), func(a, b string) int {
			return cmp.Or(m.Told[t][a].At.Compare(m.Told[t][b].At), cmp.Compare(a, b))
		})
		for _, id := range oldest[:over] {
			delete(m.Told[t], id)
		}
	}
}
