package checkpoint

import (
	"os"
	"syscall"
)

// lock takes a lock: it opens a file so that nobody else can open it. The
// system closes the file when the process ends. unlock releases the lock and
// may remove the file.
func (d *Dir) lock(file string) (unlock func(remove bool), err error) {
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
		return nil, ErrLocked
	case err != nil:
		return nil, &os.PathError{Op: "lock", Path: path, Err: err}
	}
	return func(remove bool) {
		_ = syscall.CloseHandle(h)
		if remove {
			_ = d.root.Remove(file) // fails if somebody else has opened it
		}
	}, nil
}
