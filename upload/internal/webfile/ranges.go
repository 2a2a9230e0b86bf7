package webfile

import (
	"io"
	"slices"
	"sync"
)

// maxIdle is how many connections wait for the read that follows.
const maxIdle = 8

// ReaderAt returns the file as an io.ReaderAt that requests ranges. The file
// must be [Info.Resumable] and have a size. ReaderAt ends the stream: Read must
// not be called after it succeeded. It fails if the server does not send
// ranges.
func (f *File) ReaderAt() (io.ReaderAt, error) {
	r := &rangeReader{file: f}
	// The last byte shows whether the server sends a range alone.
	if _, err := r.ReadAt(make([]byte, 1), f.Size-1); err != nil {
		return nil, err
	}
	f.stream.cancel()
	return r, nil
}

// rangeReader reads a file at any offset. One connection serves the reads that
// follow each other. It is safe for concurrent use.
type rangeReader struct {
	file *File

	mu   sync.Mutex
	idle []*stream // the last used one last
}

// ReadAt implements io.ReaderAt.
func (r *rangeReader) ReadAt(p []byte, off int64) (int, error) {
	if off >= r.file.Size {
		return 0, io.EOF
	}
	s := r.at(off)
	want := min(int64(len(p)), r.file.Size-off)
	n, err := io.ReadFull(s, p[:want])
	if err != nil {
		s.cancel()
		s.hangUp(err)
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return n, err
	}
	r.keep(s)
	if int64(len(p)) > want {
		err = io.EOF
	}
	return n, err
}

// at returns the same file from off on.
func (r *rangeReader) at(off int64) *stream {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, s := range r.idle {
		if s.offset == off {
			r.idle = slices.Delete(r.idle, i, i+1)
			return s
		}
	}
	s := newStream(r.file.ctx, r.file.stream.from, r.file.stream.Options)
	s.opened, s.info, s.offset = true, r.file.Info, off
	return s
}

// keep holds a connection for the read that follows.
func (r *rangeReader) keep(s *stream) {
	r.mu.Lock()
	r.idle = append(r.idle, s)
	var oldest *stream
	if len(r.idle) > maxIdle {
		oldest = r.idle[0]
		r.idle = slices.Delete(r.idle, 0, 1)
	}
	r.mu.Unlock()
	if s.offset >= r.file.Size {
		s.cancel()
	}
	if oldest != nil {
		oldest.cancel()
	}
}
