package control

import (
	"context"
	"net/http"

	"pinion/engine/policy"
)

// Choosing is what a person chooses for this device as a whole.
type Choosing interface {
	Settings(ctx context.Context) (Settings, error)
	// SetSettings changes what is given, or nothing if any of it is wrong, and gives the outcome.
	SetSettings(ctx context.Context, c SettingsChange) (Settings, error)
}

type (
	Limits  = policy.Limits
	Rules   = policy.Rules
	Window  = policy.Window
	Verdict = policy.Verdict

	// Settings is what was chosen, and what comes of it now.
	Settings struct {
		Name     string   `json:"name"`
		Listen   string   `json:"listen"` // HOST:PORT; "" is the default
		Store    string   `json:"store"`  // where offers are taken into by themselves; "" nowhere
		LAN      bool     `json:"lan"`    // devices are looked for on the local network
		Limits   Limits   `json:"limits"`
		Rules    Rules    `json:"rules"`
		Schedule []Window `json:"schedule"`

		Now   Verdict `json:"now"`
		Facts Facts   `json:"facts"`
		// Restart says that something was chosen that holds from the next start on.
		Restart bool `json:"restart"`
	}
	// Facts are what is known of the conditions. A word is "" where the system does
	// not tell.
	Facts struct {
		Power   policy.Power `json:"power"`    // battery, mains
		Charge  int          `json:"charge"`   // percent; -1: not known
		Metered policy.Known `json:"metered"`  // yes, no
		Rate    int64        `json:"rate_bps"` // what passed of late, both ways, bytes a second
	}

	// SettingsChange: nil fields stay as they are.
	SettingsChange struct {
		Name     *string   `json:"name,omitempty"`
		Listen   *string   `json:"listen,omitempty"` // from the next start on
		LAN      *bool     `json:"lan,omitempty"`    // from the next start on
		Up       *int64    `json:"up,omitempty"`     // bytes a second; 0: no limit
		Down     *int64    `json:"down,omitempty"`
		FreeLAN  *bool     `json:"free_lan,omitempty"` // limits don't hold in the local network
		Rules    *Rules    `json:"rules,omitempty"`    // all of them
		Schedule *[]Window `json:"schedule,omitempty"` // all of it
	}
)

func serveSettings(mux *http.ServeMux, e Engine) {
	serve(mux, "settings", func(ctx context.Context, _ nothing) (any, error) { return e.Settings(ctx) })
	serve(mux, "settings/set", func(ctx context.Context, c SettingsChange) (any, error) { return e.SetSettings(ctx, c) })
}

func (c *Client) Settings(ctx context.Context) (Settings, error) {
	return ask[Settings](ctx, c, "settings", nothing{})
}

func (c *Client) SetSettings(ctx context.Context, change SettingsChange) (Settings, error) {
	return ask[Settings](ctx, c, "settings/set", change)
}
