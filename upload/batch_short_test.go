//go:build !long && !race

package upload

const (
	manyFiles = 20_000
	longFile  = 300 << 20 // bytes
	heapFile  = 100 << 20 // bytes
	stopEvery = 3         // of the requests of a batch
)
