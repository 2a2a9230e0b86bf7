package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/alimedia/alimedia-go/internal/crc64"
	"github.com/alimedia/alimedia-go/internal/retry"
)

// Source is what is uploaded. Exactly one of ReaderAt and Reader is set.
type Source struct {
	Size     int64       // bytes, or UnknownSize for a Reader
	ReaderAt io.ReaderAt // read by several parts at once
	Reader   io.Reader   // read once, from the beginning
	// Changed returns ErrChanged when the source is no longer what it was when
	// it was opened.
	Changed func() error
	// Ranges returns a ReaderAt for the bytes of Reader, which ends then. Nil if
	// that is not possible.
	Ranges func() (io.ReaderAt, error)
	// Unchanged tells that an earlier run had the same bytes: the parts that it
	// has stored are not compared with the source.
	Unchanged bool
}

// changed calls Changed.
func (s *Source) changed() error { return Protect("the source", s.Changed) }

// guardedReader and guardedReaderAt are readers of the user. A panic in them is
// an error.
type (
	guardedReader   struct{ r io.Reader }
	guardedReaderAt struct{ r io.ReaderAt }
)

var errImpossibleCount = errors.New("the reader returned an impossible count")

// Read implements io.Reader.
func (g guardedReader) Read(p []byte) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			n, err = 0, panicked("the reader", v)
		}
	}()
	n, err = g.r.Read(p)
	if n < 0 || n > len(p) {
		return 0, errImpossibleCount
	}
	return n, err
}

// ReadAt implements io.ReaderAt.
func (g guardedReaderAt) ReadAt(p []byte, off int64) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			n, err = 0, panicked("the reader", v)
		}
	}()
	n, err = g.r.ReadAt(p, off)
	if n < 0 || n > len(p) {
		return 0, errImpossibleCount
	}
	return n, err
}

// Checksum reads r to its end, or to that of ctx, and returns its size and
// CRC-64.
func Checksum(ctx context.Context, r io.Reader) (size int64, crc uint64, err error) {
	hash := new(crc64.Hash)
	size, err = io.Copy(hash, &contextReader{ctx, r})
	if ctx.Err() != nil {
		err = retry.ContextError(ctx)
	}
	return size, hash.Sum64(), err
}

// checksum is the CRC-64 of data, which is of the source.
func (s *Source) checksum(ctx context.Context, data *io.SectionReader) (uint64, error) {
	n, crc, err := Checksum(ctx, io.NewSectionReader(data, 0, data.Size()))
	if err == nil && n == data.Size() {
		return crc, nil
	}
	if ctx.Err() != nil {
		return 0, err
	}
	if changed := s.changed(); changed != nil {
		return 0, retry.Permanent(changed)
	}
	return 0, retry.Permanent(readError(err, data.Size()-n))
}

// checksumAll is the CRC-64 of a ReaderAt as it is now.
func (s *Source) checksumAll(ctx context.Context) (uint64, error) {
	sum, err := s.checksum(ctx, io.NewSectionReader(guardedReaderAt{s.ReaderAt}, 0, s.Size))
	if err == nil {
		err = s.changed()
	}
	return sum, err
}

// readError is the error of a source that gave too little.
func readError(err error, missing int64) error {
	if err == nil || err == io.EOF {
		return fmt.Errorf("%w: %d bytes are missing", ErrSize, missing)
	}
	return fmt.Errorf("read the source: %w", err)
}

// contextReader is a reader that ends with ctx.
type contextReader struct {
	ctx context.Context
	io.Reader
}

// Read implements io.Reader.
func (r *contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
