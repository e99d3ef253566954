package policy

import "time"

// Do is what a rule asks for.
type Do string

const (
	Run   Do = "run"
	Small Do = "small" // small files only
	Pause Do = "pause"
	Limit Do = "limit" // of a schedule's window: other limits hold
)

// Limits are in bytes a second; 0: none. They hold for all peers together.
type Limits struct {
	Up   int64 `json:"up"`
	Down int64 `json:"down"`
	// FreeLAN: they don't hold in the local network.
	FreeLAN bool `json:"free_lan"`
}

// Rules say what is done by itself. "" is Run.
type Rules struct {
	OnBattery Do `json:"on_battery"`
	// BatteryBelow: only with less charge than this, in percent; 0: with any.
	BatteryBelow int `json:"battery_below"`
	OnMetered    Do  `json:"on_metered"`
	OnSlow       Do  `json:"on_slow"` // run or small
	// SlowBelow is what a slow link is, in bytes a second; 0: DefaultSlow.
	SlowBelow int64 `json:"slow_below"`
	// SmallFile is up to what size a file is small, in bytes; 0: DefaultSmall.
	SmallFile int64 `json:"small_file"`
}

const (
	// DefaultSmall holds letters, texts, tables; photographs and films wait.
	DefaultSmall = 1 << 20
	DefaultSlow  = 32 << 10
)

// Window is a part of the week in which something else is done. From and To are
// the local clock's; a window whose To is not after its From ends on the next
// day, and its Days are those on which it begins.
type Window struct {
	Days Days  `json:"days"` // as text: "mon-fri,sun"; "" is every day
	From Clock `json:"from"` // as text: "22:00"
	To   Clock `json:"to"`
	Do   Do    `json:"do"` // pause, small or limit
	// With limit, in bytes a second; 0 leaves it as it is otherwise, Unlimited lifts it.
	Up   int64 `json:"up,omitempty"`
	Down int64 `json:"down,omitempty"`
}

// Unlimited is the limit of a window that lifts one.
const Unlimited = -1

// Cause is why not everything may move.
type Cause string

const (
	ByHand     Cause = "hand"
	BySchedule Cause = "schedule"
	ByBattery  Cause = "battery"
	ByMetered  Cause = "metered"
	BySlow     Cause = "slow"
)

// Verdict is what may happen now.
type Verdict struct {
	Do     Do         `json:"do"`              // run, small or pause
	Cause  Cause      `json:"cause,omitempty"` // of small and pause
	Reason string     `json:"reason"`          // the cause in words; "" with run
	Until  *time.Time `json:"until"`           // null: until conditions change, or somebody says so
	Limits Limits     `json:"limits"`          // that hold now
	// SmallFile is up to what size files move, with small.
	SmallFile int64 `json:"small_file,omitempty"`
}
