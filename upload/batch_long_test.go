//go:build long

package upload

const (
	manyFiles = 1_000_000
	longFile  = 50 << 30 // bytes
	heapFile  = 20 << 30 // bytes
	stopEvery = 1        // of the requests of a batch
)
