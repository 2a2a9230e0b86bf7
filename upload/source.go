package upload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// UnknownSize is the size of a [Reader] or [ReaderFunc] whose size is not known.
const UnknownSize = -1

// Source provides the bytes of an upload. The sources are [File], [FS], [HLS],
// [HLSFS], [URL], [Reader], [ReaderFunc] and [ReaderAt]. Each has a method String
// that returns its name for people: the path, the URL without its query, or the
// name of the reader.
type Source interface {
	open(ctx context.Context, u *Uploader) (*content, error)
}

// content is an opened source: a file that can be read at any offset (at), or a
// stream that can be read once.
type content struct {
	name   string // without directories
	size   int64  // UnknownSize for a stream of undeclared size
	at     io.ReaderAt
	stream io.Reader
	// changed returns ErrChanged when the source is no longer what it was
	// when it was opened.
	changed func() error
	close   func() error
	// identity is the source as a checkpoint knows it. Its Source is empty
	// where only a key can name the upload.
	identity checkpoint.Identity
	segments segments // stored before the content; set by openFor

	// ranges reads a stream anywhere, as at does, where that is possible. The
	// stream ends. Nil where it is not.
	ranges func() (io.ReaderAt, error)
	// versioned says that equal identities mean equal bytes: what an earlier
	// run has sent is not compared.
	versioned bool
}

// source is the content as the engine reads it.
func (c *content) source() transfer.Source {
	return transfer.Source{Size: c.size, ReaderAt: c.at, Reader: c.stream, Changed: c.changed, Ranges: c.ranges}
}

// Named returns src under another name, from which the title, the extension and
// the key are taken. Use it if the name of the source is not UTF-8 ([ErrName])
// or has no extension.
func Named(src Source, name string) Source {
	if src == nil {
		return nil
	}
	return namedSource{src, name}
}

type namedSource struct {
	Source
	name string
}

// ErrName means that the name of the source is not UTF-8. Nothing was created.
// [Named] gives the source another name.
var ErrName = errors.New("the name of the source is not UTF-8")

// checkName returns an error for names that the services do not accept.
func checkName(name string) error {
	if !utf8.ValidString(name) {
		return fmt.Errorf("%w: %.200q", ErrName, name)
	}
	return nil
}

// File is a file on disk. Several parts are read from it at the same time. It
// must not change during the upload, see [ErrChanged]. The segments of a playlist
// ("x.m3u8") are uploaded too, see [HLS].
func File(name string) Source {
	return fileSource{name, os.Stat, func(name string) (fs.File, error) { return os.Open(name) }, checkpoint.FileIdentity, nil}
}

// FS is a file of fsys. A file that implements io.ReaderAt is read like a [File],
// others are read as a stream. The segments of a playlist are uploaded too, see
// [HLSFS].
func FS(fsys fs.FS, name string) Source {
	stat := func(name string) (fs.FileInfo, error) {
		if fsys == nil {
			return nil, errors.New("the file system is nil")
		}
		return fs.Stat(fsys, name)
	}
	return fileSource{name, stat, func(name string) (fs.File, error) { return fsys.Open(name) }, contentIdentity, fsys}
}

// Reader is a stream of size bytes, or of [UnknownSize]. It is read once, a few
// parts ahead, see [Config]. Do not use r until Upload returns. The extension
// and the default title are taken from name. A playlist is [ErrPlaylist] if the
// target creates an asset from it, because its segments are not available.
func Reader(name string, r io.Reader, size int64) Source {
	return &streamSource{name: name, r: r, size: size}
}

// ReaderFunc is a stream of size bytes, or of [UnknownSize], that open returns
// for each upload. The extension and the default title are taken from name. With
// [WithKey] a later run can resume the upload: it reads the stream from its
// beginning and does not send the stored parts that have not changed.
func ReaderFunc(name string, size int64, open func(ctx context.Context) (io.ReadCloser, error)) Source {
	return readerFuncSource{name, size, open}
}

// ReaderAt is the first size bytes of r. Several goroutines call ReadAt at the
// same time.
func ReaderAt(name string, r io.ReaderAt, size int64) Source {
	return readerAtSource{name, r, size}
}

type fileSource struct {
	name     string
	stat     func(string) (fs.FileInfo, error)
	file     func(string) (fs.File, error)
	identity func(string, fs.FileInfo) checkpoint.Identity
	fsys     fs.FS // nil for a file of the operating system
}

func (s fileSource) open(context.Context, *Uploader) (*content, error) {
	// A look before opening: opening a named pipe would wait for its writer.
	info, err := s.stat(s.name)
	if err == nil {
		err = checkFile(info)
	}
	if err != nil {
		return nil, err
	}
	f, err := s.file(s.name)
	if err != nil {
		return nil, err
	}
	c, err := openFile(f)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil {
		c.identity = s.identity(s.name, info)
	}
	return c, nil
}

func openFile(f fs.File) (*content, error) {
	info, err := f.Stat()
	if err == nil {
		err = checkFile(info)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	c := &content{
		name: info.Name(),
		size: info.Size(),
		changed: func() error {
			now, err := f.Stat()
			if err != nil {
				return err
			}
			if now.Size() != info.Size() || !now.ModTime().Equal(info.ModTime()) {
				return ErrChanged
			}
			return nil
		},
		close: f.Close,
	}
	if at, ok := f.(io.ReaderAt); ok {
		c.at = at
	} else {
		c.stream = f
	}
	return c, nil
}

func checkFile(info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return fmt.Errorf("%q is a directory: upload its files one by one", info.Name())
	case !info.Mode().IsRegular():
		return fmt.Errorf("%q is not a regular file: open it and use Reader", info.Name())
	}
	return nil
}

type streamSource struct {
	name string
	r    io.Reader
	size int64
	used atomic.Bool
}

func (s *streamSource) open(context.Context, *Uploader) (*content, error) {
	switch {
	case s.r == nil:
		return nil, errors.New("the reader is nil")
	case s.size < UnknownSize:
		return nil, fmt.Errorf("a size of %d bytes: use UnknownSize where it is not known", s.size)
	case s.used.Swap(true):
		return nil, errors.New("a Reader can be uploaded once: make a new one")
	}
	return &content{
		name: baseName(s.name), size: s.size, stream: s.r, changed: never, close: func() error { return nil },
		identity: checkpoint.Identity{Size: s.size},
	}, nil
}

type readerFuncSource struct {
	name string
	size int64
	make func(context.Context) (io.ReadCloser, error)
}

func (s readerFuncSource) open(ctx context.Context, _ *Uploader) (*content, error) {
	switch {
	case s.make == nil:
		return nil, errors.New("the function of ReaderFunc is nil")
	case s.size < UnknownSize:
		return nil, fmt.Errorf("a size of %d bytes: use UnknownSize where it is not known", s.size)
	}
	r, err := s.make(ctx)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, errors.New("the function of ReaderFunc returned no reader")
	}
	return &content{name: baseName(s.name), size: s.size, stream: r, changed: never, close: r.Close, identity: checkpoint.Identity{Size: s.size}}, nil
}

type readerAtSource struct {
	name string
	r    io.ReaderAt
	size int64
}

func (s readerAtSource) open(context.Context, *Uploader) (*content, error) {
	switch {
	case s.r == nil:
		return nil, errors.New("the reader is nil")
	case s.size < 0:
		return nil, fmt.Errorf("a size of %d bytes: a ReaderAt needs its size", s.size)
	}
	if n, _ := s.r.ReadAt(make([]byte, 1), s.size); n > 0 {
		return nil, fmt.Errorf("%w: more than %d bytes; use io.NewSectionReader for a part of it", ErrSize, s.size)
	}
	return &content{
		name: baseName(s.name), size: s.size, at: s.r, changed: never, close: func() error { return nil },
		identity: checkpoint.Identity{Size: s.size},
	}, nil
}

func never() error { return nil }

// baseName is the last element of a path of either kind of slash.
func baseName(name string) string {
	return name[strings.LastIndexAny(name, `/\`)+1:]
}

// contentIdentity identifies a file whose path says nothing.
func contentIdentity(_ string, info fs.FileInfo) checkpoint.Identity {
	return checkpoint.ContentIdentity(info)
}
