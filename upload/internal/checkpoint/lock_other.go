//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd || windows)

package checkpoint

import (
	"os"
	"sync"
)

var locked sync.Map // paths of the locks that this process holds

// lock takes a lock. It excludes other goroutines, and other processes where
// the system has files for exclusive use. unlock releases the lock and may
// remove the file.
func (d *Dir) lock(name string) (unlock func(remove bool), err error) {
	path := d.file(name)
	if _, taken := locked.LoadOrStore(path, true); taken {
		return nil, ErrLocked
	}
	f, err := d.root.OpenFile(name, os.O_RDWR|os.O_CREATE, os.ModeExclusive|0o600)
	if err != nil {
		locked.Delete(path)
		return nil, err
	}
	return func(remove bool) {
		_ = f.Close()
		if remove {
			_ = d.root.Remove(name)
		}
		locked.Delete(path)
	}, nil
}
