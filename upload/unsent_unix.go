//go:build linux || darwin

package upload

import (
	"runtime"
	"syscall"
)

// unsentBytes is how much the system takes of a connection's bytes before they
// are on their way. 128 KiB would do, but costs a fast link a third more CPU.
const unsentBytes = 1 << 20

// limitUnsent sets TCP_NOTSENT_LOWAT. Without it a buffer of megabytes takes
// no bytes until a third of it is empty: on a slow link that is a silence of
// minutes, and would count as a stall. What is on its way is not limited, so
// that a fast link stays fast. Where the option is not known all is as without.
func limitUnsent(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, unsentOption(), unsentBytes)
	})
}

func unsentOption() int {
	if runtime.GOOS == "darwin" {
		return 0x201
	}
	return 25
}
