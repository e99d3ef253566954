package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sync/errgroup"

	"pinion/engine"
	"pinion/engine/config"
	"pinion/engine/control"
	"pinion/engine/policy"
	"pinion/netproto"
	"pinion/netproto/circle"
	"pinion/netproto/discover"
	"pinion/netproto/identity"
	"pinion/netproto/membership"
	"pinion/platform/localsock"
)

// runDaemon is the engine, headless: it builds the graph of objects and runs it
// until ctx ends.
func runDaemon(ctx context.Context, o daemonOptions, _, stderr io.Writer) error {
	log, err := newLog(o.LogLevel, stderr)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.Home, 0o700); err != nil {
		return fmt.Errorf("make the home directory: %w", err)
	}
	lock, err := localsock.Lock(filepath.Join(o.Home, "lock"))
	if errors.Is(err, localsock.ErrInUse) {
		return fmt.Errorf("an engine is running for %s already (%w); stop it first, or give this one another --home", o.Home, err)
	} else if err != nil {
		return fmt.Errorf("lock the home directory: %w", err)
	}
	defer lock.Close()
	cfg, err := loadConfig(o)
	if err != nil {
		return err
	}
	id, notes, err := identity.Open(o.Home, rand.Reader)
	if err != nil {
		return err
	}
	tuneMemory()

	net := &network{}
	dirty := make(chan struct{}, 1)
	members, err := membership.Open(membership.Options{
		Home: o.Home, Identity: id, Name: cfg.Name, Listen: listenOf(o, cfg), LAN: lan(cfg, id, net), Now: time.Now, Log: log,
		Changed: func() {
			select {
			case dirty <- struct{}{}:
			default:
			}
		},
		WriteFile: config.WriteFile,
	})
	if err != nil {
		return err
	}
	node, err := netproto.New(netproto.Config{
		Identity: id, Handler: net, Roster: members.ForPairing(), Listen: listenOf(o, cfg), Name: cfg.Name, Software: "pinion " + version, Log: log,
	})
	if err != nil {
		return listenError(err, listenOf(o, cfg))
	}
	eng := engine.New(engine.Options{
		Home: o.Home, Config: cfg, Device: id.Device(), Version: version, Network: net, Now: time.Now, Rand: rand.Reader, Log: log, Notes: notes,
		Throttle: func(l policy.Limits) { node.SetLimits(netproto.Limits{Up: l.Up, Down: l.Down, FreeLAN: l.FreeLAN}) },
		Rested:   giveBack,
	})
	net.node, net.members, net.engine = node, members, eng
	members.Attach(node)

	sock, err := localsock.Listen(filepath.Join(o.Home, "control.sock"))
	if err != nil {
		return fmt.Errorf("listen for commands: %w", err)
	}
	defer sock.Close()

	ctx, end := context.WithCancel(ctx)
	defer end()
	group, ctx := errgroup.WithContext(ctx)
	eng.Start(ctx)
	group.Go(func() error { return eng.Run(ctx) })
	group.Go(func() error { return node.Run(ctx) })
	group.Go(func() error { return members.Run(ctx) })
	group.Go(func() error { return control.Serve(ctx, sock, stoppable{eng, end}) })
	group.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-dirty:
				eng.CircleChanged()
			}
		}
	})
	group.Go(func() error { return watchdog(ctx, eng) })
	group.Go(func() error { conditions(ctx, eng.Conditions); return nil })
	log.Info("engine is running", "name", cfg.Name, "device", id.Device().Short(), "listen", node.Addr())
	err = group.Wait()
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// loadConfig reads the configuration, or makes the first one, and takes in what
// the command line says.
func loadConfig(o daemonOptions) (config.Config, error) {
	cfg, err := config.Load(o.Home)
	fresh := errors.Is(err, fs.ErrNotExist)
	if err != nil && !fresh {
		return cfg, err
	}
	changed := fresh
	if o.Name != "" && o.Name != cfg.Name {
		cfg.Name, changed = o.Name, true
	}
	if cfg.Name == "" {
		cfg.Name = "pinion"
		if host, err := os.Hostname(); err == nil && circle.CheckName(host) == nil {
			cfg.Name, _, _ = strings.Cut(host, ".")
		}
		changed = true
	}
	if err := circle.CheckName(cfg.Name); err != nil {
		return cfg, fmt.Errorf("the name of this device: %w", err)
	}
	if o.Store != "" {
		dir, err := filepath.Abs(o.Store)
		if err != nil {
			return cfg, fmt.Errorf("find the store: %w", err)
		}
		if err := engine.OpenStore(dir, cfg.Store == dir); err != nil && cfg.Store != dir {
			return cfg, err
		}
		changed = changed || cfg.Store != dir
		cfg.Store = dir
	}
	if changed {
		return cfg, config.Save(o.Home, cfg)
	}
	return cfg, nil
}

func listenOf(o daemonOptions, cfg config.Config) string {
	switch {
	case o.Listen != "":
		return o.Listen
	case cfg.Listen != "":
		return cfg.Listen
	}
	return netproto.DefaultListen
}

func listenError(err error, addr string) error {
	if errors.Is(err, netproto.ErrInUse) {
		return fmt.Errorf("another program listens on UDP %s; stop it, or give another port with --listen HOST:PORT", addr)
	}
	return fmt.Errorf("listen on UDP %s: %w", addr, err)
}

// lan is the local network's discovery, unless it is switched off or the engine
// listens on loopback only.
func lan(cfg config.Config, id *identity.Identity, n *network) discover.Network {
	if cfg.LAN != nil && !*cfg.LAN {
		return discover.Off{}
	}
	m, err := discover.NewMDNS(id.Device(), rand.Reader, func() []string { return n.members.Addrs() })
	if err != nil {
		return discover.Off{}
	}
	return m
}

// watchdog tells systemd that the engine runs, as long as it answers.
func watchdog(ctx context.Context, e *engine.Engine) error {
	_, _ = daemon.SdNotify(false, daemon.SdNotifyReady)
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil || every == 0 {
		return nil
	}
	tick := time.NewTicker(every / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			_, _ = daemon.SdNotify(false, daemon.SdNotifyStopping)
			return nil
		case <-tick.C:
			ask, cancel := context.WithTimeout(ctx, every/3)
			_, err := e.Status(ask, 0)
			cancel()
			if err == nil {
				_, _ = daemon.SdNotify(false, daemon.SdNotifyWatchdog)
			}
		}
	}
}

func newLog(level string, w io.Writer) (*slog.Logger, error) {
	var l slog.Level
	if level != "" {
		if err := l.UnmarshalText([]byte(level)); err != nil {
			return nil, usageError{fmt.Errorf("--log-level takes debug, info, warn or error, not %q", level)}
		}
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l})), nil
}
