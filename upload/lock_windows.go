package upload

import (
	"os"
	"syscall"
)

// lock opens a file that nobody else can open meanwhile. The system closes it
// with the process at the latest.
func (d *stateDir) lock(file string) (unlock func(remove bool), err error) {
	const (
		sharingViolation = syscall.Errno(32)
		openReparsePoint = 0x00200000 // of a link, the link itself
	)
	path := d.file(file)
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL|openReparsePoint, 0)
	switch {
	case err == sharingViolation:
		return nil, ErrCheckpointLocked
	case err != nil:
		return nil, &os.PathError{Op: "lock", Path: path, Err: err}
	}
	return func(remove bool) {
		_ = syscall.CloseHandle(h)
		if remove {
			_ = d.root.Remove(file) // fails when somebody else has it by now
		}
	}, nil
}
