package netcost

import (
	"context"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// every is how often is looked.
const every = time.Minute

// Watch calls told with what is known, and again whenever that changes, until ctx
// ends. Where the network list manager can't be had it returns after that.
func Watch(ctx context.Context, told func(State)) {
	runtime.LockOSThread() // COM belongs to a thread
	defer runtime.UnlockOSThread()
	if windows.CoInitializeEx(0, windows.COINIT_MULTITHREADED) == nil {
		defer windows.CoUninitialize()
	}
	m := newCostManager()
	if m == nil {
		told(Unknown)
		return
	}
	defer m.call(release)
	last := State(-1)
	for {
		if now := m.state(); now != last {
			told(now)
			last = now
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
	}
}

// costManager is an INetworkCostManager of netlistmgr.h.
type costManager struct{ methods *[4]uintptr }

// Places of methods.
const (
	release = 2
	getCost = 3
)

// NLM_CONNECTION_COST of netlistmgr.h.
const (
	costUnrestricted = 0x1
	costFixed        = 0x2
	costVariable     = 0x4
	costOverLimit    = 0x10000
	costRoaming      = 0x40000
	meteredCosts     = costFixed | costVariable | costOverLimit | costRoaming
)

func newCostManager() *costManager {
	create := windows.NewLazySystemDLL("ole32.dll").NewProc("CoCreateInstance")
	if create.Find() != nil {
		return nil
	}
	id := func(last uint32) *windows.GUID {
		return &windows.GUID{Data1: last, Data2: 0x570F, Data3: 0x4A9B, Data4: [8]byte{0x8D, 0x69, 0x19, 0x9F, 0xDB, 0xA5, 0x72, 0x3B}}
	}
	networkListManager, networkCostManager := id(0xDCB00C01), id(0xDCB00008)
	const anyContext = 0x17 // CLSCTX_ALL
	var m *costManager
	hr, _, _ := create.Call(uintptr(unsafe.Pointer(networkListManager)), 0, anyContext,
		uintptr(unsafe.Pointer(networkCostManager)), uintptr(unsafe.Pointer(&m)))
	if hr != 0 {
		return nil
	}
	return m
}

func (m *costManager) call(method int, args ...uintptr) uintptr {
	hr, _, _ := syscall.SyscallN(m.methods[method], append([]uintptr{uintptr(unsafe.Pointer(m))}, args...)...)
	return hr
}

func (m *costManager) state() State {
	var cost uint32
	if m.call(getCost, uintptr(unsafe.Pointer(&cost)), 0) != 0 {
		return Unknown
	}
	switch {
	case cost&meteredCosts != 0:
		return Metered
	case cost&costUnrestricted != 0:
		return Free
	}
	return Unknown
}
