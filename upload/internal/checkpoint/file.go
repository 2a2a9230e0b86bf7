package checkpoint

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options say how a checkpoint is opened. Source and CheckAddress are required.
type Options struct {
	Source   Identity
	Aliases  []Key  // other keys that an earlier run may have used
	Required bool   // a checkpoint that cannot be written is an error
	Index    *Index // of the directory
	Logger   *slog.Logger

	// CheckAddress checks an address that was read and returns its standard
	// form.
	CheckAddress func(Address) (Address, error)
}

// File is the checkpoint of a running upload. It is locked until it is closed.
type File struct {
	dir     *Dir
	name    string // of its files, without their extensions
	options Options
	entries []entry           // of the completed index, by key
	release func(remove bool) // releases the lock, and may remove its file; closes dir

	mu       sync.Mutex
	state    State
	parts    map[int]Part
	earlier  bool     // state is that of an earlier run
	file     *os.File // for parts to be added; nil after a failed write
	warned   bool
	unlisted bool // the completed index could not be written
}

var _ Checkpoint = (*File)(nil)

// Extensions of the files of an upload.
const (
	fileEnd = ".upload" // its checkpoint
	tempEnd = ".upload.tmp"
	lockEnd = ".lock"
)

// Open locks the checkpoint of an upload and reads it. On success the checkpoint
// closes the directory when it is closed. The error matches [ErrLocked] if
// another run has it open.
func Open(dir *Dir, key Key, o Options) (_ *File, err error) {
	f := &File{dir: dir, name: key.Name(), options: o}
	for _, k := range append([]Key{key}, o.Aliases...) {
		f.entries = append(f.entries, newEntry(k, o.Source))
	}
	unlock, err := dir.lock(f.name + lockEnd)
	if err != nil {
		return nil, err
	}
	for _, k := range o.Aliases {
		if err == nil {
			err = f.rename(k.Name())
		}
	}
	if err == nil {
		err = f.read()
	}
	if err != nil {
		unlock(!f.exists())
		return nil, err
	}
	f.release = func(remove bool) {
		unlock(remove)
		dir.Close()
	}
	if !f.earlier {
		f.Reset(o.Source)
	}
	return f, nil
}

// exists reports whether there is a checkpoint on disk.
func (f *File) exists() bool { return f.dir.hasUpload(f.name) }

func (d *Dir) hasUpload(name string) bool { return d.has(name+fileEnd) || d.has(name+tempEnd) }

// path returns the path of the checkpoint for logs.
func (f *File) path() string { return f.dir.file(f.name + fileEnd) }

// rename renames the files of an upload, unless there are files of the new name
// already.
func (f *File) rename(old string) error {
	if !f.dir.hasUpload(old) || f.exists() {
		return nil
	}
	unlock, err := f.dir.lock(old + lockEnd)
	if err != nil {
		return err
	}
	defer unlock(true)
	for _, name := range f.dir.segmentFiles(old) {
		if err := f.dir.root.Rename(name, f.name+strings.TrimPrefix(name, old)); err != nil {
			return err
		}
	}
	for _, end := range []string{segmentsEnd, tempEnd, fileEnd} {
		if err := f.dir.root.Rename(old+end, f.name+end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	f.dir.sync()
	return nil
}

// read reads what an earlier run has written. A temporary file that was not
// renamed is the newer one.
func (f *File) read() error {
	newer, parts, err := f.load(tempEnd)
	state, old, olderErr := f.load(fileEnd)
	switch {
	case err == nil:
		if olderErr == nil && state.UploadID == newer.UploadID && len(parts) < newer.PartCount {
			maps.Copy(old, parts) // it was not written to its end
			parts = old
		}
		f.state, f.parts, f.earlier = newer, parts, true
		if err := f.dir.root.Rename(f.name+tempEnd, f.name+fileEnd); err != nil {
			return err
		}
		f.dir.sync()
		return nil
	case errors.Is(err, ErrUntrusted):
		return err
	case errors.Is(olderErr, ErrUntrusted):
		return olderErr
	}
	if !errors.Is(err, fs.ErrNotExist) {
		_ = f.dir.root.Remove(f.name + tempEnd) // of a process that ended while it wrote
	}
	if olderErr == nil {
		f.state, f.parts, f.earlier = state, old, true
	} else if !errors.Is(olderErr, fs.ErrNotExist) {
		f.options.Logger.Warn("upload: checkpoint ignored, restarting the upload", "file", f.path(), "error", olderErr)
	}
	return nil
}

func (f *File) load(end string) (State, map[int]Part, error) {
	data, err := f.dir.read(f.name+end, maxSize)
	if err != nil {
		return State{}, nil, err
	}
	state, parts, err := Parse(data, f.options.CheckAddress)
	state.clamp(time.Now().UTC())
	return state, parts, err
}

// write replaces the file atomically and leaves it open for parts.
func (f *File) write() (err error) {
	f.closeFile()
	text, err := Format(f.state, f.sortedParts())
	if err != nil {
		return err
	}
	err = f.dir.write(f.name+tempEnd, text)
	if errors.Is(err, fs.ErrExist) { // it could not be renamed before
		_ = f.dir.root.Remove(f.name + tempEnd)
		err = f.dir.write(f.name+tempEnd, text)
	}
	if err == nil {
		err = f.dir.root.Rename(f.name+tempEnd, f.name+fileEnd)
	}
	if err != nil {
		return err
	}
	f.dir.sync()
	f.file, err = f.dir.open(f.name+fileEnd, os.O_WRONLY|os.O_APPEND)
	return err
}

// failed returns the error of the upload after a failed write. f.mu is held.
func (f *File) failed(err error) error {
	f.closeFile()
	if f.options.Required {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if !f.warned {
		f.warned = true
		f.options.Logger.Warn("upload: checkpoint not written, the upload continues and cannot be resumed", "file", f.path(), "error", err)
	}
	return nil
}

func (f *File) sortedParts() []Part {
	return slices.SortedFunc(maps.Values(f.parts), func(a, b Part) int { return cmp.Compare(a.Number, b.Number) })
}

func (f *File) closeFile() {
	if f.file != nil {
		_ = f.file.Close()
		f.file = nil
	}
}

// update changes the state and writes all of it.
func (f *File) update(change func(*State)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.state)
	f.state.FileURL, f.state.MediaURL = Unsigned(f.state.FileURL), Unsigned(f.state.MediaURL)
	if err := f.write(); err != nil {
		return f.failed(err)
	}
	return nil
}

// State implements [Checkpoint].
func (f *File) State() (s State, earlier bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state, f.earlier
}

// Reset implements [Checkpoint].
func (f *File) Reset(source Identity) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var token [16]byte
	_, _ = rand.Read(token[:])
	f.state = State{
		Version: version, Step: Creating, Source: source,
		Created: time.Now().UTC(), Token: hex.EncodeToString(token[:]),
	}
	f.parts, f.earlier = make(map[int]Part), false
}

// Close implements [Checkpoint].
func (f *File) Close(remove bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closeFile()
	if remove && !f.unlisted {
		for _, end := range []string{tempEnd, fileEnd} {
			if err := f.dir.root.Remove(f.name + end); err != nil && !errors.Is(err, fs.ErrNotExist) {
				f.options.Logger.Warn("upload: checkpoint not removed", "file", f.path(), "error", err)
			}
		}
	}
	f.release(!f.exists())
}
