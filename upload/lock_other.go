//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd || windows)

package upload

import (
	"os"
	"sync"
)

var locked sync.Map

// lockFile keeps goroutines apart, and processes where the system knows files
// for exclusive use.
func lockFile(path string) (unlock func(remove bool), err error) {
	if _, taken := locked.LoadOrStore(path, true); taken {
		return nil, ErrCheckpointLocked
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, os.ModeExclusive|0o600)
	if err != nil {
		locked.Delete(path)
		return nil, err
	}
	return func(remove bool) {
		_ = f.Close()
		if remove {
			_ = os.Remove(path)
		}
		locked.Delete(path)
	}, nil
}
