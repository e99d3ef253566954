//go:build darwin && !cgo

package tray

import (
	"context"

	"pinion/tray/present"
)

const lazyLoop = false

// noFace: the icon on macOS needs cgo. Such a build only has to compile.
type noFace struct{}

func newFace(chan<- present.Action) face { return noFace{} }

func (noFace) begin()                              {}
func (noFace) loop(ctx context.Context)            { <-ctx.Done() }
func (noFace) show([]byte, string, []present.Item) {}
func (noFace) stop()                               {}
