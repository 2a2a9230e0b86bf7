package upload

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// errForeign: somebody else may have written what is in a file or directory.
var errForeign = errors.New("not believed")

// stateDir is a checkpoint directory, held open: what is in it is reached
// through the handle, so that nobody can put another directory in its place.
type stateDir struct {
	root *os.Root
	path string
}

// openStateDir makes the directory where it is missing. It must belong to this
// user and be writable by nobody else.
func openStateDir(path string) (*stateDir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	info, err := root.Stat(".")
	if err == nil {
		err = trusted(info)
	}
	if err != nil {
		_ = root.Close()
		return nil, fmt.Errorf("the directory %s: %w", path, err)
	}
	return &stateDir{root, path}, nil
}

func (d *stateDir) close() { _ = d.root.Close() }

// file is the path of a file as errors and logs show it.
func (d *stateDir) file(name string) string { return filepath.Join(d.path, name) }

// open opens a file of this user that nobody else can write. It is looked at
// after it was opened: a link, a named pipe or a file of somebody else is an
// error, and none of them is waited for.
func (d *stateDir) open(name string, flag int) (*os.File, error) {
	f, err := d.unchecked(name, flag)
	if err != nil {
		return nil, err
	}
	if err := d.check(name, f); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// unchecked opens whatever has that name. What cannot be opened because of what
// it is, such as a link, is errForeign.
func (d *stateDir) unchecked(name string, flag int) (*os.File, error) {
	f, err := d.root.OpenFile(name, flag|openFlags, 0o600)
	if err == nil {
		return f, nil
	}
	if info, unknown := d.root.Lstat(name); unknown == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: %w: not a regular file: %w", d.file(name), errForeign, err)
	}
	return nil, err
}

func (d *stateDir) check(name string, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: %w: not a regular file", d.file(name), errForeign)
	}
	there, err := d.root.Lstat(name)
	switch {
	case err != nil:
		return err
	case there.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("%s: %w: a link", d.file(name), errForeign)
	case !os.SameFile(info, there):
		return fmt.Errorf("%s: another file has taken its place: %w", d.file(name), fs.ErrNotExist)
	}
	if err := trusted(info); err != nil {
		return fmt.Errorf("%s: %w", d.file(name), err)
	}
	return nil
}

// read returns the content of a file, of which more than limit bytes are an
// error.
func (d *stateDir) read(name string, limit int) ([]byte, error) {
	f, err := d.open(name, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err == nil && len(data) > limit {
		err = fmt.Errorf("%s: more than %d bytes", d.file(name), limit)
	}
	return data, err
}

// write makes a file of data that lasts. A file of that name must not exist.
func (d *stateDir) write(name string, data []byte) error {
	f, err := d.open(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		_ = d.root.Remove(name)
	}
	return err
}

// sync makes names last that were given or taken. Not all systems can.
func (d *stateDir) sync() {
	if f, err := d.root.Open("."); err == nil {
		_ = f.Sync()
		_ = f.Close()
	}
}

func (d *stateDir) has(name string) bool {
	_, err := d.root.Lstat(name)
	return err == nil
}
