package tray

import (
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"

	"pinion/tray/activity"
	"pinion/tray/conflicts"
	"pinion/tray/devices"
	"pinion/tray/history"
	"pinion/tray/overview"
	"pinion/tray/page"
	"pinion/tray/settings"
	"pinion/tray/window"
)

// pages are the window's, in the rail's order.
func (t *tray) pages() []window.Maker {
	return []window.Maker{
		{Name: page.Overview, Title: lang.L("Overview"), Icon: theme.HomeIcon(), New: func(h page.Host) page.Page { return overview.New(h) }},
		{Name: page.Activity, Title: lang.L("Activity"), Icon: theme.ListIcon(), New: func(h page.Host) page.Page { return activity.New(h) }},
		{Name: page.Conflicts, Title: lang.L("Conflicts"), Icon: theme.WarningIcon(), New: func(h page.Host) page.Page { return conflicts.New(h) }},
		{Name: page.History, Title: lang.L("History"), Icon: theme.HistoryIcon(), New: func(h page.Host) page.Page { return history.New(h) }},
		{Name: page.Devices, Title: lang.L("Devices"), Icon: theme.ComputerIcon(), New: func(h page.Host) page.Page { return devices.New(h) }},
		{Name: page.Settings, Title: lang.L("Settings"), Icon: theme.SettingsIcon(), New: func(h page.Host) page.Page { return settings.New(h, login{t.o}) }},
	}
}
