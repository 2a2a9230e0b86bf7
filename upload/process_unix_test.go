//go:build linux || darwin

package upload

import (
	"os"
	"os/signal"
	"syscall"
)

func init() {
	limitFileSize = func(n int64) (restore func()) {
		signal.Ignore(syscall.SIGXFSZ) // the write is to fail, not the process
		var was syscall.Rlimit
		_ = syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was)
		limit := was
		limit.Cur = uint64(n)
		_ = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
		return func() { _ = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was) }
	}
	obeyModes = func() {
		if os.Geteuid() == 0 {
			_ = syscall.Setuid(65534)
		}
	}
}
