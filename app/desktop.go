//go:build desktop

package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"

	"fyne.io/fyne/v2"
	fyneapp "fyne.io/fyne/v2/app"
	"github.com/go-gl/glfw/v3.4/glfw"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pinion/tray"
	"pinion/tray/look"
)

// windowFlags are for the tray alone.
type windowFlags struct{ hidden, rested, quit bool }

func (w *windowFlags) add(f *pflag.FlagSet) {
	f.BoolVar(&w.hidden, "hidden", false, "start in the tray, with no window: for start at login")
	f.BoolVar(&w.rested, "rested", false, "")
	_ = f.MarkHidden("rested") // it is there
	f.BoolVar(&w.quit, "quit", false, "quit the Pinion that is open on this desktop")
}

const trayLog = "tray.log"

// window is the tray: a plain "pinion", or one with an invitation.
func (a *app) window(cmd *cobra.Command, w windowFlags, link string) error {
	home, err := a.home()
	if err != nil {
		return err
	}
	exe, err := a.env.exe()
	if err != nil {
		return fmt.Errorf("find this program's file, which is the engine, too: %w", err)
	}
	if err := os.MkdirAll(home, 0o700); err != nil {
		return fmt.Errorf("make the home directory: %w", err)
	}
	file, err := openLogFile(filepath.Join(home, trayLog), mostTrayLog)
	if err != nil {
		return fmt.Errorf("open the tray's log: %w", err)
	}
	defer file.Close()
	logger, err := newLog(a.logLevel, file)
	if err != nil {
		return err
	}
	log.SetOutput(file) // what libraries say is of no use in a terminal
	socket := filepath.Join(home, controlSocket)
	err = tray.Run(cmd.Context(), tray.Options{
		Home: home, Exe: exe, LogLevel: a.logLevel, Link: link, Hidden: w.hidden || w.rested, Rested: w.rested, Quit: w.quit,
		Dial:   func(ctx context.Context) (net.Conn, error) { return dialEngine(ctx, socket) },
		NewApp: newFyneApp, Probe: func() error { return probe(logger) }, Env: a.env.get, Say: a.stdio.err, Log: logger,
	})
	if errors.Is(err, tray.ErrRest) {
		return again(exe, "--rested", "--home", home, "--log-level", a.logLevel)
	}
	return err
}

// appID names the program to the desktop: its .desktop file is called so.
const appID = "pinion"

func newFyneApp() fyne.App {
	icon := fyne.NewStaticResource("pinion.svg", look.AppIcon())
	fyneapp.SetMetadata(fyne.AppMetadata{ID: appID, Name: "Pinion", Version: version, Icon: icon})
	a := fyneapp.NewWithID(appID)
	a.SetIcon(icon)
	return a
}

// probe looks whether a window can be had, in Fyne's own way, but without its end:
// Fyne leaves the program where it gets none.
func probe(log *slog.Logger) (err error) {
	if err := glfw.Init(); err != nil {
		log.Warn("no display", "err", err)
		return fmt.Errorf("no window can be shown: the display can't be opened (%w)", err)
	}
	defer glfw.Terminate() // Fyne begins anew, with its own choice of Wayland or X11
	glfw.WindowHint(glfw.Visible, glfw.False)
	if runtime.GOOS != "darwin" && (runtime.GOARCH == "arm" || runtime.GOARCH == "arm64") {
		glfw.WindowHint(glfw.ClientAPI, glfw.OpenGLESAPI)
		glfw.WindowHint(glfw.ContextVersionMajor, 2)
		glfw.WindowHint(glfw.ContextVersionMinor, 0)
	} else {
		glfw.WindowHint(glfw.ContextVersionMajor, 2)
		glfw.WindowHint(glfw.ContextVersionMinor, 1)
	}
	w, err := glfw.CreateWindow(16, 16, "Pinion", nil, nil)
	if err != nil {
		log.Warn("no OpenGL", "err", err)
		return fmt.Errorf("no window can be shown: this display has no OpenGL (%w)", err)
	}
	w.Destroy()
	return nil
}
