//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd || windows)

package upload

import (
	"os"
	"sync"
)

var locked sync.Map

// lock keeps goroutines apart, and processes where the system knows files for
// exclusive use.
func (d *stateDir) lock(name string) (unlock func(remove bool), err error) {
	path := d.file(name)
	if _, taken := locked.LoadOrStore(path, true); taken {
		return nil, ErrCheckpointLocked
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
