//go:build !crashpoints

package folder

import (
	"pinion/engine/apply"
	"pinion/engine/exchange"
	"pinion/engine/transfer"
)

func crashApply(d apply.FS) apply.FS                { return d }
func crashTransfer(d transfer.FS) transfer.FS       { return d }
func crashExchange(x exchange.Index) exchange.Index { return x }
