package engine

import (
	"context"
	"strings"

	"pinion/engine/config"
	"pinion/engine/control"
	"pinion/engine/tree"
)

// Invite opens the circle to one more device.
func (e *Engine) Invite(ctx context.Context) (control.Invitation, error) {
	link, expires, err := e.o.Network.Invite(ctx)
	return control.Invitation{Link: link, Expires: expires}, err
}

// Join brings this device, and the circle it is in, together with the inviter's.
func (e *Engine) Join(ctx context.Context, r control.JoinRequest) (control.Joined, error) {
	dev, name, err := e.o.Network.Join(ctx, r.Link, r.Address)
	if err != nil {
		return control.Joined{}, err
	}
	if r.Address != "" {
		e.mu.Lock()
		d := e.deviceLocked(dev)
		if len(d.Addresses) == 0 {
			d.Addresses = []string{r.Address}
		}
		err = e.saveLocked()
		e.applyAddressesLocked()
		e.mu.Unlock()
	}
	e.changed()
	return control.Joined{Device: dev, Name: name}, err
}

// findDevice finds a member by name, id, or the beginning of its id.
func (e *Engine) findDevice(who string) (tree.DeviceID, error) {
	var found []Member
	key := strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(who))
	for _, m := range e.o.Network.Members() {
		id := strings.ReplaceAll(m.ID.String(), "-", "")
		if m.Name == who || len(key) >= 4 && strings.HasPrefix(id, key) {
			found = append(found, m)
		}
	}
	switch len(found) {
	case 0:
		return tree.DeviceID{}, notFound("there is no device %q in the circle; pinion device list shows those that there are", who)
	case 1:
		return found[0].ID, nil
	}
	return tree.DeviceID{}, usage("%q could be any of %d devices; give the beginning of the id instead", who, len(found))
}

// RemoveDevice takes a device out of the circle, on every member.
func (e *Engine) RemoveDevice(ctx context.Context, who string) error {
	if who == *e.name.Load() || strings.EqualFold(strings.ReplaceAll(who, "-", ""), strings.ReplaceAll(e.o.Device.String(), "-", "")) {
		return usage("that is this device; remove it from another one")
	}
	dev, err := e.findDevice(who)
	if err != nil {
		return err
	}
	if err := e.o.Network.Remove(ctx, dev); err != nil {
		return err
	}
	e.changed()
	return nil
}

// RenameDevice gives a device, this one or another, another name.
func (e *Engine) RenameDevice(ctx context.Context, who, name string) error {
	name = strings.TrimSpace(name)
	if err := checkDeviceName(name); err != nil {
		return err
	}
	own := *e.name.Load()
	if who == own || who == e.o.Device.String() {
		if err := e.o.Network.Rename(ctx, e.o.Device, name); err != nil {
			return err
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		e.cfg.Name = name
		e.name.Store(&name)
		e.changed()
		return e.saveLocked()
	}
	dev, err := e.findDevice(who)
	if err != nil {
		return err
	}
	defer e.changed()
	return e.o.Network.Rename(ctx, dev, name)
}

func checkDeviceName(name string) error {
	if name == "" || len(name) > 64 || strings.ContainsAny(name, "\n\r\t\x00") {
		return usage("%q is no name for a device: up to 64 characters on one line", name)
	}
	return nil
}

// SetDevice changes what this device knows by hand of another.
func (e *Engine) SetDevice(_ context.Context, who string, s control.DeviceSettings) error {
	dev, err := e.findDevice(who)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if s.Addresses != nil {
		e.deviceLocked(dev).Addresses = *s.Addresses
	}
	e.applyAddressesLocked()
	return e.saveLocked()
}

// deviceLocked is the configuration's entry of a device, made if need be.
func (e *Engine) deviceLocked(dev tree.DeviceID) *config.Device {
	for i := range e.cfg.Devices {
		if e.cfg.Devices[i].ID == dev {
			return &e.cfg.Devices[i]
		}
	}
	e.cfg.Devices = append(e.cfg.Devices, config.Device{ID: dev})
	return &e.cfg.Devices[len(e.cfg.Devices)-1]
}

func (e *Engine) applyAddressesLocked() {
	typed := map[tree.DeviceID][]string{}
	for _, d := range e.cfg.Devices {
		if len(d.Addresses) > 0 {
			typed[d.ID] = d.Addresses
		}
	}
	e.o.Network.SetAddresses(typed)
}
