//go:build unix

package checkpoint

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// openFlags do not wait for a named pipe and do not follow a link.
const openFlags = syscall.O_NONBLOCK | syscall.O_NOFOLLOW | syscall.O_CLOEXEC

// trusted returns an error if another user can write the file, or may have
// written it.
func trusted(info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok:
		return fmt.Errorf("%w: its owner is not known", ErrUntrusted)
	case int(stat.Uid) != os.Geteuid():
		return fmt.Errorf("%w: it belongs to another user (uid %d)", ErrUntrusted, stat.Uid)
	case info.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("%w: other users can write to it (mode %04o)", ErrUntrusted, info.Mode().Perm())
	case !info.IsDir() && stat.Nlink > 1:
		return fmt.Errorf("%w: it has more than one name", ErrUntrusted)
	}
	return nil
}
