package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrUntrusted means that another user may have written a file or a directory.
var ErrUntrusted = errors.New("not trusted")

// Dir is an open checkpoint directory. Its files are opened relative to the
// open directory, so that nobody can replace it with another one.
type Dir struct {
	root *os.Root
	path string
}

// OpenDir opens the directory, and creates it if it does not exist. It must
// belong to this user, and nobody else may be able to write to it.
func OpenDir(path string) (*Dir, error) {
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
	return &Dir{root, path}, nil
}

// Close releases the directory.
func (d *Dir) Close() { _ = d.root.Close() }

// file returns the path of a file for errors and logs.
func (d *Dir) file(name string) string { return filepath.Join(d.path, name) }

// open opens a file of this user that nobody else can write. A link, a named
// pipe or a file of another user is an error. The check follows the opening, so
// that the checked file is the open one. open does not wait for a named pipe.
func (d *Dir) open(name string, flag int) (*os.File, error) {
	f, err := d.openUnchecked(name, flag)
	if err != nil {
		return nil, err
	}
	if err := d.check(name, f); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// openUnchecked opens whatever has that name. The error matches ErrUntrusted if
// it is not a regular file and cannot be opened for that reason.
func (d *Dir) openUnchecked(name string, flag int) (*os.File, error) {
	f, err := d.root.OpenFile(name, flag|openFlags, 0o600)
	if err == nil {
		return f, nil
	}
	if info, unknown := d.root.Lstat(name); unknown == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: %w: not a regular file: %w", d.file(name), ErrUntrusted, err)
	}
	return nil, err
}

// check reports whether the open file is the one with that name, and whether it
// can be trusted.
func (d *Dir) check(name string, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: %w: not a regular file", d.file(name), ErrUntrusted)
	}
	named, err := d.root.Lstat(name)
	switch {
	case err != nil:
		return err
	case named.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("%s: %w: a link", d.file(name), ErrUntrusted)
	case !os.SameFile(info, named):
		return fmt.Errorf("%s: another file has replaced it: %w", d.file(name), fs.ErrNotExist)
	}
	if err := trusted(info); err != nil {
		return fmt.Errorf("%s: %w", d.file(name), err)
	}
	return nil
}

// read returns the content of a file. More than limit bytes are an error.
func (d *Dir) read(name string, limit int) ([]byte, error) {
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

// write creates a file with this content and flushes it to disk. The file must
// not exist.
func (d *Dir) write(name string, data []byte) error {
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

// sync flushes created, renamed and removed names to disk. Not all systems can.
func (d *Dir) sync() {
	if f, err := d.root.Open("."); err == nil {
		_ = f.Sync()
		_ = f.Close()
	}
}

func (d *Dir) has(name string) bool {
	_, err := d.root.Lstat(name)
	return err == nil
}
