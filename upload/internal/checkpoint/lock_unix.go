//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// lock takes a lock. The system releases it when the process ends. unlock
// releases it and may remove the file. The file is opened for writing because
// network file systems give no exclusive lock otherwise.
func (d *Dir) lock(name string) (unlock func(remove bool), err error) {
	for {
		f, err := d.openUnchecked(name, os.O_RDWR|os.O_CREATE)
		if err != nil {
			return nil, err
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			f.Close()
			if errors.Is(err, syscall.EWOULDBLOCK) {
				return nil, ErrLocked
			}
			return nil, &os.PathError{Op: "lock", Path: d.file(name), Err: err}
		}
		// The previous holder may have removed the file that is open here.
		err = d.check(name, f)
		if err == nil {
			return func(remove bool) {
				if remove {
					_ = d.root.Remove(name)
				}
				// A process that is being started has a copy of the open
				// file: closing it here would leave the lock there.
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
