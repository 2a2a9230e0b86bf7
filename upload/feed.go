package upload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/alimedia/alimedia-go/internal/crc64"
	"github.com/alimedia/alimedia-go/internal/retry"
)

// chunk is a run of bytes that one request carries.
type chunk struct {
	number int
	data   *io.SectionReader
	last   bool
	free   func() // gives the memory of data back
}

// feed hands out the chunks of a source in order, io.EOF after the last.
type feed struct {
	next func(context.Context) (chunk, error)
	stop func() // ends the reading
}

// feed begins to cut c. A file can be fed again, a stream cannot.
func (c *content) feed(p plan, buffers int) *feed {
	if c.at != nil {
		return feedFile(guardedAt{c.at}, p)
	}
	return feedStream(guarded{c.stream}, p, buffers)
}

func feedFile(at io.ReaderAt, p plan) *feed {
	number, offset := 0, int64(0)
	return &feed{
		next: func(context.Context) (chunk, error) {
			number++
			size := p.partSize(number)
			if size == 0 {
				return chunk{}, io.EOF
			}
			data := io.NewSectionReader(at, offset, size)
			offset += size
			return chunk{number: number, data: data, last: offset == p.size, free: func() {}}, nil
		},
		stop: func() {},
	}
}

// How long code of the user that still runs when an upload is over is waited
// for: a callback, and one after ctx has ended or a reader.
const (
	patience = time.Second
	hurry    = 200 * time.Millisecond
)

// guarded and guardedAt are readers of the user. A panic in them is an error.
type (
	guarded   struct{ r io.Reader }
	guardedAt struct{ r io.ReaderAt }
)

// Read implements io.Reader.
func (g guarded) Read(p []byte) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			n, err = 0, panicked("the reader", v)
		}
	}()
	n, err = g.r.Read(p)
	if n < 0 || n > len(p) {
		return 0, errImpossible
	}
	return n, err
}

// ReadAt implements io.ReaderAt.
func (g guardedAt) ReadAt(p []byte, off int64) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			n, err = 0, panicked("the reader", v)
		}
	}()
	n, err = g.r.ReadAt(p, off)
	if n < 0 || n > len(p) {
		return 0, errImpossible
	}
	return n, err
}

var (
	errImpossible = errors.New("the reader returned an impossible count")
	errLeft       = errors.New("the reader ended its goroutine")
)

// feedStream reads ahead in a goroutine of its own, so that a Read that blocks
// holds up neither the parts under way nor the end of the upload. No more than
// buffers parts are in memory.
func feedStream(r io.Reader, p plan, buffers int) *feed {
	type result struct {
		chunk
		err error
	}
	ctx, cancel := context.WithCancel(context.Background())
	results := make(chan result)
	done := make(chan struct{})
	pool := make(chan []byte, buffers)
	for range buffers {
		pool <- nil
	}
	read := func(number int, offset int64) (chunk, error) {
		size := p.partSize(number)
		if size == 0 {
			return chunk{}, io.EOF
		}
		if number > maxParts {
			var more [1]byte
			n, err := readFull(ctx, r, more[:])
			switch {
			case n > 0:
				err = fmt.Errorf("a stream of more than %d bytes: declare its size or raise Config.PartSize", offset)
			case err != io.EOF:
				err = fmt.Errorf("read the source: %w", err)
			}
			return chunk{}, err
		}
		var buf []byte
		select {
		case buf = <-pool:
		case <-ctx.Done():
			return chunk{}, retry.ContextError(ctx)
		}
		if int64(cap(buf)) < size {
			buf = make([]byte, size)
		}
		n, err := readFull(ctx, r, buf[:size])
		if err != nil && err != io.EOF {
			return chunk{}, fmt.Errorf("read the source: %w", err)
		}
		end := offset + int64(n)
		switch {
		case end == 0 && p.size == UnknownSize:
			return chunk{}, ErrEmpty
		case n == 0 && p.size == UnknownSize:
			return chunk{}, io.EOF
		case int64(n) < size && p.size != UnknownSize:
			return chunk{}, fmt.Errorf("%w: %d bytes declared, the reader ended after %d", ErrSize, p.size, end)
		case end == p.size && err == nil:
			var more [1]byte
			switch n, err := readFull(ctx, r, more[:]); {
			case n > 0:
				return chunk{}, fmt.Errorf("%w: %d bytes declared, the reader has more", ErrSize, p.size)
			case err != io.EOF:
				return chunk{}, fmt.Errorf("read the source: %w", err)
			}
		}
		return chunk{
			number: number,
			data:   io.NewSectionReader(bytes.NewReader(buf[:n]), 0, int64(n)),
			last:   err == io.EOF || end == p.size,
			free:   func() { pool <- buf },
		}, nil
	}
	end := errLeft // also where the reader calls runtime.Goexit
	go func() {
		defer close(done)
		var offset int64
		for number := 1; ; number++ {
			c, err := read(number, offset)
			select {
			case results <- result{c, err}:
			case <-ctx.Done():
				return
			}
			if err != nil || c.last {
				end = io.EOF
				return
			}
			offset += c.data.Size()
		}
	}()
	return &feed{
		next: func(ctx context.Context) (chunk, error) {
			select {
			case r := <-results:
				return r.chunk, r.err
			case <-done:
				return chunk{}, end
			case <-ctx.Done():
				return chunk{}, retry.ContextError(ctx)
			}
		},
		stop: func() {
			cancel()
			waitFor(done, hurry)
		},
	}
}

// readFull fills p as far as r goes. It returns io.EOF where r ended, and any
// other error of r, also one that comes with the last byte of p.
func readFull(ctx context.Context, r io.Reader, p []byte) (n int, err error) {
	for idle := 0; n < len(p) && err == nil; {
		if ctx.Err() != nil {
			return n, retry.ContextError(ctx)
		}
		var got int
		got, err = r.Read(p[n:])
		if got < 0 || got > len(p)-n {
			return n, errImpossible
		}
		n += got
		if idle++; got > 0 {
			idle = 0
		} else if idle == 100 && err == nil {
			return n, io.ErrNoProgress
		}
	}
	return n, err
}

// body is the bytes of one chunk for one request. What the request's
// connection still reads after the request is over, it does not get: by then
// the memory may hold another chunk.
type body struct {
	data *io.SectionReader
	// admit waits until some of want bytes may go out, and says how many.
	// Nil means all of them.
	admit func(want int) (int, error)
	// moved is called for bytes handed out, sent after the last of them.
	moved func(n int)
	sent  func()
	// intact is asked before the last bytes go out.
	intact func() error

	mu   sync.Mutex
	pos  int64
	crc  uint64
	err  error // of the source
	over bool
}

var errOver = errors.New("upload: the request is over")

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.admit != nil {
		n, err := b.admit(len(p))
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
		if b.err = b.intact(); b.err == nil && (n == 0 || failed) {
			b.err = sourceError(err, left)
		}
		if b.err != nil {
			return 0, b.err
		}
	}
	b.crc = crc64.Update(b.crc, p[:n])
	b.pos += int64(n)
	b.moved(n)
	if int64(n) == left && b.sent != nil {
		b.sent()
	}
	return n, nil
}

func sourceError(err error, left int64) error {
	if err == nil || err == io.EOF {
		return fmt.Errorf("%w: %d bytes are missing", ErrSize, left)
	}
	return fmt.Errorf("read the source: %w", err)
}

// end stops the reading and returns how much was read, its CRC and the
// source's error.
func (b *body) end() (n int64, crc uint64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	return b.pos, b.crc, b.err
}

// isLate marks a context that outlives that of the upload: what is done with
// it gets no more time after its end.
type isLate struct{}

// linger returns a context that outlives ctx by d.
func linger(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithValue(context.WithoutCancel(ctx), isLate{}, true))
	stop := context.AfterFunc(ctx, func() {
		_ = retry.Sleep(late, d)
		cancel()
	})
	return late, func() { stop(); cancel() }
}

// waitFor waits for done, but not for ever.
func waitFor(done <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}
