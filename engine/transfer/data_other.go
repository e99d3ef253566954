//go:build !unix

package transfer

func noMoreData(error) bool { return false }
