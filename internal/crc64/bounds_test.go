//go:build linux

package crc64

import (
	"hash/crc64"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A byte read on either side of the slice is a fault here: the pages there
// may not be touched.
func TestUpdate_Bounds(t *testing.T) {
	page := os.Getpagesize()
	mapped, err := syscall.Mmap(-1, 0, 3*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, syscall.Munmap(mapped)) })
	data := mapped[page : 2*page]
	copy(data, random(page))
	require.NoError(t, syscall.Mprotect(mapped[:page], syscall.PROT_NONE))
	require.NoError(t, syscall.Mprotect(mapped[2*page:], syscall.PROT_NONE))
	eachKernel(t, func(t *testing.T) {
		for n := range min(page, 1024) + 1 {
			first, last := data[:n], data[page-n:]
			require.Equal(t, crc64.Checksum(first, table), Checksum(first), n)
			require.Equal(t, crc64.Checksum(last, table), Checksum(last), n)
		}
	})
}
