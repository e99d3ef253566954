package power

import (
	"context"
	"unsafe"

	"golang.org/x/sys/windows"
)

// systemPowerStatus is SYSTEM_POWER_STATUS of winbase.h.
type systemPowerStatus struct {
	acLine, batteryFlag, lifePercent, systemFlag byte
	life, fullLife                               uint32
}

const (
	noBattery     = 128 // of batteryFlag
	unknownStatus = 255
)

func read(context.Context) (State, bool) {
	s := State{Charge: -1}
	get := windows.NewLazySystemDLL("kernel32.dll").NewProc("GetSystemPowerStatus")
	var p systemPowerStatus
	if get.Find() != nil {
		return s, false
	}
	if ok, _, _ := get.Call(uintptr(unsafe.Pointer(&p))); ok == 0 {
		return s, true // perhaps next time
	}
	switch p.acLine {
	case 0:
		s.Source = Battery
	case 1:
		s.Source = Mains
	}
	battery := p.batteryFlag == unknownStatus || p.batteryFlag&noBattery == 0
	if battery && p.lifePercent <= 100 {
		s.Charge = int(p.lifePercent)
	}
	return s, battery
}
