//go:build linux || darwin

package ossobject

import (
	"runtime"
	"syscall"
)

// unsentLimit is how many bytes the system accepts of a slow connection before
// they are sent.
const unsentLimit = 128 << 10

// setUnsentLimit sets TCP_NOTSENT_LOWAT. A system without the option ignores it.
func setUnsentLimit(fd uintptr) {
	_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, unsentOption(), unsentLimit)
}

func unsentOption() int {
	if runtime.GOOS == "darwin" {
		return 0x201
	}
	return 25
}
