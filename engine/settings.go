package engine

import (
	"context"
	"net"
	"strings"

	"pinion/engine/config"
	"pinion/engine/control"
	"pinion/engine/policy"
)

// Settings gives what was chosen for this device, and what comes of it now.
func (e *Engine) Settings(context.Context) (control.Settings, error) {
	e.govern()
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.settingsLocked(), nil
}

func (e *Engine) settingsLocked() control.Settings {
	c, g := e.cfg, &e.ruling
	s := control.Settings{
		Name: c.Name, Listen: c.Listen, Store: c.Store, LAN: c.LAN == nil || *c.LAN,
		Limits: c.Limits.Policy(), Rules: c.Rules.Policy(), Schedule: []control.Window{}, Now: g.verdict,
		Facts: control.Facts{Power: g.facts.Power, Charge: g.facts.Charge, Metered: g.facts.Metered, Rate: g.facts.Rate},
	}
	for _, rule := range []*policy.Do{&s.Rules.OnBattery, &s.Rules.OnMetered, &s.Rules.OnSlow} {
		if *rule == "" {
			*rule = policy.Run
		}
	}
	for _, w := range c.Schedule {
		s.Schedule = append(s.Schedule, policy.Window(w))
	}
	started := e.o.Config
	s.Restart = c.Listen != started.Listen || (c.LAN == nil || *c.LAN) != (started.LAN == nil || *started.LAN)
	return s
}

// SetSettings changes what is given, all of it or nothing.
func (e *Engine) SetSettings(ctx context.Context, change control.SettingsChange) (control.Settings, error) {
	if err := e.choose(change); err != nil {
		return control.Settings{}, err
	}
	if change.Name != nil && *change.Name != *e.name.Load() {
		if err := e.RenameDevice(ctx, *e.name.Load(), *change.Name); err != nil {
			return control.Settings{}, err
		}
	}
	e.govern()
	e.applyPauses()
	return e.Settings(ctx)
}

// choose checks and records a change but for the name, which the circle keeps.
func (e *Engine) choose(change control.SettingsChange) error {
	if change.Name != nil {
		if err := checkDeviceName(strings.TrimSpace(*change.Name)); err != nil {
			return err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	old := e.cfg
	c := &e.cfg
	if err := chooseLimits(c, change); err != nil {
		e.cfg = old
		return err
	}
	if change.Listen != nil {
		if *change.Listen != "" {
			if _, _, err := net.SplitHostPort(*change.Listen); err != nil {
				e.cfg = old
				return usage("%q is no address to listen on: give HOST:PORT or :PORT", *change.Listen)
			}
		}
		c.Listen = *change.Listen
	}
	if change.LAN != nil {
		c.LAN = change.LAN
	}
	if err := e.saveLocked(); err != nil {
		e.cfg = old
		return err
	}
	return nil
}

func chooseLimits(c *config.Config, change control.SettingsChange) error {
	if change.Up != nil {
		c.Limits.Up = config.Size(*change.Up)
	}
	if change.Down != nil {
		c.Limits.Down = config.Size(*change.Down)
	}
	if change.FreeLAN != nil {
		c.Limits.FreeLAN = *change.FreeLAN
	}
	if change.Rules != nil {
		c.Rules = config.RulesOf(*change.Rules)
	}
	if change.Schedule != nil {
		if len(*change.Schedule) > policy.MaxSchedule {
			return usage("a schedule has at most %d entries", policy.MaxSchedule)
		}
		c.Schedule = nil
		for _, w := range *change.Schedule {
			if err := w.Check(); err != nil {
				return usage("the entry %q of the schedule: %v", config.Window(w), err)
			}
			c.Schedule = append(c.Schedule, config.Window(w))
		}
	}
	limits := policy.Limits{Up: int64(c.Limits.Up), Down: int64(c.Limits.Down)}
	if err := limits.Check(); err != nil {
		return usage("%v", err)
	}
	if err := c.Rules.Policy().Check(); err != nil {
		return usage("%v", err)
	}
	return nil
}
