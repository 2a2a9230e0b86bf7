package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/alimedia/alimedia-go/internal/retry"
)

// chunk is the bytes of one part.
type chunk struct {
	number int
	data   *io.SectionReader
	last   bool
	free   func() // gives the memory of data back
}

// splitter returns the chunks of a source in order, io.EOF after the last.
type splitter struct {
	next func(context.Context) (chunk, error)
	stop func() // ends the reading
}

// split begins to split s. At most buffers chunks of a Reader are in memory. A
// ReaderAt can be split again, a Reader cannot.
func (s *Source) split(p plan, buffers int) *splitter {
	if s.ReaderAt != nil {
		return splitReaderAt(guardedReaderAt{s.ReaderAt}, p)
	}
	return splitReader(guardedReader{s.Reader}, p, buffers)
}

func splitReaderAt(at io.ReaderAt, p plan) *splitter {
	number, offset := 0, int64(0)
	return &splitter{
		next: func(context.Context) (chunk, error) {
			number++
			size := p.sizeOf(number)
			if size == 0 {
				return chunk{}, io.EOF
			}
			data := io.NewSectionReader(at, offset, size)
			offset += size
			return chunk{number: number, data: data, last: offset == p.size, free: doNothing}, nil
		},
		stop: doNothing,
	}
}

func doNothing() {}

var errReaderExited = errors.New("the reader ended its goroutine")

// splitReader reads ahead in a goroutine of its own: a Read that blocks delays
// neither the parts that are being sent nor the end of the transfer.
func splitReader(r io.Reader, p plan, buffers int) *splitter {
	type result struct {
		chunk
		err error
	}
	ctx, cancel := context.WithCancel(context.Background())
	results := make(chan result)
	done := make(chan struct{})
	s := &streamSplitter{r: r, plan: p, ctx: ctx, buffers: make(chan []byte, buffers)}
	for range buffers {
		s.buffers <- nil
	}
	end := errReaderExited // the reader may call runtime.Goexit
	go func() {
		defer close(done)
		for number := 1; ; number++ {
			c, err := s.read(number)
			select {
			case results <- result{c, err}:
			case <-ctx.Done():
				return
			}
			if err != nil || c.last {
				end = io.EOF
				return
			}
		}
	}()
	return &splitter{
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
			WaitFor(done, LateGracePeriod)
		},
	}
}

// streamSplitter reads a stream part by part.
type streamSplitter struct {
	r       io.Reader
	plan    plan
	ctx     context.Context // ends the reading
	buffers chan []byte
	offset  int64
}

// read returns the next part.
func (s *streamSplitter) read(number int) (chunk, error) {
	size := s.plan.sizeOf(number)
	if size == 0 {
		return chunk{}, io.EOF
	}
	if number > MaxParts {
		return chunk{}, s.expectEnd(fmt.Errorf("a stream of more than %d bytes: declare its size or raise Config.PartSize", s.offset))
	}
	var buf []byte
	select {
	case buf = <-s.buffers:
	case <-s.ctx.Done():
		return chunk{}, retry.ContextError(s.ctx)
	}
	if int64(cap(buf)) < size {
		buf = make([]byte, size)
	}
	n, err := readFull(s.ctx, s.r, buf[:size])
	if err != nil && err != io.EOF {
		return chunk{}, fmt.Errorf("read the source: %w", err)
	}
	s.offset += int64(n)
	declared := s.plan.size != UnknownSize
	switch {
	case s.offset == 0 && !declared:
		return chunk{}, ErrEmpty
	case n == 0 && !declared:
		return chunk{}, io.EOF
	case int64(n) < size && declared:
		return chunk{}, fmt.Errorf("%w: %d bytes declared, the reader ended after %d", ErrSize, s.plan.size, s.offset)
	case s.offset == s.plan.size && err == nil:
		more := fmt.Errorf("%w: %d bytes declared, the reader has more", ErrSize, s.plan.size)
		if failed := s.expectEnd(more); failed != io.EOF {
			return chunk{}, failed
		}
	}
	return chunk{
		number: number,
		data:   io.NewSectionReader(bytes.NewReader(buf[:n]), 0, int64(n)),
		last:   err == io.EOF || s.offset == s.plan.size,
		free:   func() { s.buffers <- buf },
	}, nil
}

// expectEnd reads one byte more. It returns more if there is one, and io.EOF if
// there is none.
func (s *streamSplitter) expectEnd(more error) error {
	var one [1]byte
	n, err := readFull(s.ctx, s.r, one[:])
	switch {
	case n > 0:
		return more
	case err != io.EOF:
		return fmt.Errorf("read the source: %w", err)
	}
	return io.EOF
}

// readFull fills p as far as r goes. It returns io.EOF if r ended, and any
// other error of r, including one that comes with the last byte of p.
func readFull(ctx context.Context, r io.Reader, p []byte) (n int, err error) {
	for idle := 0; n < len(p) && err == nil; {
		if ctx.Err() != nil {
			return n, retry.ContextError(ctx)
		}
		var got int
		got, err = r.Read(p[n:])
		if got < 0 || got > len(p)-n {
			return n, errImpossibleCount
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
