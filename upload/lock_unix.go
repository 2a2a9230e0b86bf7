//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package upload

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// lock takes a lock that ends with the process at the latest. unlock removes
// the file or leaves it for the next. It is opened for writing because network
// file systems give no exclusive lock otherwise.
func (d *stateDir) lock(name string) (unlock func(remove bool), err error) {
	for {
		f, err := d.unchecked(name, os.O_RDWR|os.O_CREATE)
		if err != nil {
			return nil, err
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			f.Close()
			if errors.Is(err, syscall.EWOULDBLOCK) {
				return nil, ErrCheckpointLocked
			}
			return nil, &os.PathError{Op: "lock", Path: d.file(name), Err: err}
		}
		// Who held the lock before may have removed the file that is open here.
		err = d.check(name, f)
		if err == nil {
			return func(remove bool) {
				if remove {
					_ = d.root.Remove(name)
				}
				// A process that is just being started has the file as
				// well: closing alone would leave the lock to it.
				_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
				_ = f.Close()
			}, nil
		}
		f.Close()
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
}
