//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package upload

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// lockFile takes a lock that ends with the process at the latest. unlock
// removes the file or leaves it for the next.
func lockFile(path string) (unlock func(remove bool), err error) {
	for {
		f, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			f.Close()
			if errors.Is(err, syscall.EWOULDBLOCK) {
				return nil, ErrCheckpointLocked
			}
			return nil, &os.PathError{Op: "lock", Path: path, Err: err}
		}
		// Who held the lock before may have removed the file that is open here.
		mine, err := f.Stat()
		if err == nil {
			var there fs.FileInfo
			if there, err = os.Stat(path); err == nil && os.SameFile(mine, there) {
				return func(remove bool) {
					if remove {
						_ = os.Remove(path)
					}
					// A process that is just being started has the file as
					// well: closing alone would leave the lock to it.
					_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
					_ = f.Close()
				}, nil
			}
		}
		f.Close()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
}
