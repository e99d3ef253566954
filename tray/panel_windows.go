package tray

import (
	"golang.org/x/sys/windows/registry"

	"pinion/tray/look"
)

const iconSize = 32

// panel is the taskbar, which has a theme of its own.
func panel(func(string) string) look.Panel {
	k, err := registry.OpenKey(registry.CURRENT_USER, `Software\Microsoft\Windows\CurrentVersion\Themes\Personalize`, registry.QUERY_VALUE)
	if err != nil {
		return look.AnyPanel
	}
	defer k.Close()
	switch light, _, err := k.GetIntegerValue("SystemUsesLightTheme"); {
	case err != nil:
		return look.AnyPanel
	case light == 0:
		return look.DarkPanel
	}
	return look.LightPanel
}
