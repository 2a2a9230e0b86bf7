//go:build unix

package upload

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// openFlags keep a named pipe from being waited for and a link from being
// followed.
const openFlags = syscall.O_NONBLOCK | syscall.O_NOFOLLOW | syscall.O_CLOEXEC

// trusted refuses what somebody else may have written or can write.
func trusted(info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok:
		return fmt.Errorf("%w: its owner is not known", errForeign)
	case int(stat.Uid) != os.Geteuid():
		return fmt.Errorf("%w: it belongs to another user (uid %d)", errForeign, stat.Uid)
	case info.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("%w: others can write it (mode %04o)", errForeign, info.Mode().Perm())
	case !info.IsDir() && stat.Nlink > 1:
		return fmt.Errorf("%w: it has another name", errForeign)
	}
	return nil
}
