package transfer

import (
	"errors"
	"io"
	"sync"

	"github.com/alimedia/alimedia-go/internal/crc64"
)

// body is the bytes of one chunk for one request. After the request is over it
// gives nothing more to the connection: the memory may hold another chunk by
// then.
type body struct {
	data     *io.SectionReader
	source   *Source
	observer Observer
	attempt  *attempt // is told of bytes that move
	// admit waits until some of want bytes may be sent, and says how many. Nil
	// means all of them.
	admit func(want int) (int, error)

	mu   sync.Mutex
	pos  int64
	crc  uint64
	err  error // of the source
	over bool
}

var errOver = errors.New("upload: the request is over")

// Read implements io.Reader. The source is asked whether it has changed before
// the last bytes are sent.
func (b *body) Read(p []byte) (int, error) {
	if left := b.left(); b.admit != nil && left > 0 {
		n, err := b.admit(int(min(int64(len(p)), left)))
		if err != nil {
			return 0, err
		}
		p = p[:n]
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return 0, errOver
	}
	if b.err != nil {
		return 0, b.err
	}
	left := b.data.Size() - b.pos
	if left == 0 {
		return 0, io.EOF
	}
	n, err := b.data.ReadAt(p[:min(int64(len(p)), left)], b.pos)
	failed := err != nil && err != io.EOF
	if n == 0 && len(p) > 0 || int64(n) == left || failed {
		if b.err = b.source.changed(); b.err == nil && (n == 0 || failed) {
			b.err = readError(err, left)
		}
		if b.err != nil {
			return 0, b.err
		}
	}
	b.crc = crc64.Update(b.crc, p[:n])
	b.pos += int64(n)
	b.attempt.alive()
	b.observer.Moved(int64(n))
	if int64(n) == left {
		b.attempt.markSent()
	}
	return n, nil
}

// left is the number of bytes that are not read yet.
func (b *body) left() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.data.Size() - b.pos
}

// end stops the reading and returns how much was read, its CRC-64 and the
// source's error.
func (b *body) end() (n int64, crc uint64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	return b.pos, b.crc, b.err
}
