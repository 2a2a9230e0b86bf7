//go:build !long && !race

package upload

const (
	manyFiles = 10_000
	longFile  = 100 << 20 // bytes
	heapFile  = 100 << 20 // bytes
	stopEvery = 3         // of the requests of a batch
)
