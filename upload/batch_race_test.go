//go:build !long && race

package upload

// The race detector makes everything ten times slower.
const (
	manyFiles = 2_000
	longFile  = 50 << 20 // bytes
	heapFile  = 50 << 20 // bytes
	stopEvery = 7        // of the requests of a batch
)
