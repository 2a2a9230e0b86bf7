//go:build !long && !race

package upload

const (
	manyFiles = 20_000
	longFile  = 300 << 20 // bytes
	heapFile  = 100 << 20 // bytes
)
