//go:build !windows

package tray

import (
	"runtime"
	"strings"

	"pinion/tray/look"
)

// iconSize is a whole multiple of what most panels draw: 16 and 24.
const iconSize = 48

// panel is what the icon stands on. GNOME's bar is black whatever the theme;
// elsewhere a panel's colour can't be known, since it need not follow the windows'.
func panel(env func(string) string) look.Panel {
	if runtime.GOOS == "darwin" {
		return look.Template
	}
	desktop := ":" + strings.ToUpper(env("XDG_CURRENT_DESKTOP")) + ":"
	if strings.Contains(desktop, ":GNOME:") || strings.Contains(desktop, ":UNITY:") {
		return look.DarkPanel
	}
	return look.AnyPanel
}
