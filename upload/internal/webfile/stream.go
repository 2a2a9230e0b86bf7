package webfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/alimedia/alimedia-go/internal/retry"
)

// stream reads a file from an offset to its end, over several connections if
// they break.
type stream struct {
	*Options
	from   *url.URL
	ctx    context.Context
	cancel context.CancelFunc

	opened bool // info is known
	info   Info

	offset   int64 // of the next byte
	failures int   // since the last byte
	err      error // final

	connection
}

// connection is one request and its response. It is unused if body is nil.
type connection struct {
	body  io.ReadCloser
	ctx   context.Context
	end   context.CancelCauseFunc
	stall *time.Timer
}

func newStream(ctx context.Context, u *url.URL, o *Options) *stream {
	s := &stream{Options: o, from: u, info: Info{Size: UnknownSize}}
	s.ctx, s.cancel = context.WithCancel(ctx)
	return s
}

// Read implements io.Reader.
func (s *stream) Read(p []byte) (int, error) {
	for {
		if s.err == nil && s.body == nil {
			s.err = s.connect()
		}
		if s.err != nil {
			return 0, s.err
		}
		s.stall.Reset(s.StallTimeout)
		n, err := s.body.Read(p)
		s.stall.Stop()
		s.offset += int64(n)
		if n > 0 {
			s.failures = 0
		}
		switch {
		case s.offset > s.MaxSize:
			s.err = s.named(s.tooLarge())
		case s.info.Size != UnknownSize && s.offset > s.info.Size:
			s.err = s.named(fmt.Errorf("%w: more than %d bytes arrived", ErrSize, s.info.Size))
		case err == io.EOF && (s.info.Size == UnknownSize || s.offset == s.info.Size):
			s.err = io.EOF
		case err != nil:
			s.err = s.disconnected(s.cause(err))
		}
		if s.err != nil && s.err != io.EOF {
			return 0, s.err
		}
		if n > 0 || s.err != nil {
			return n, s.err
		}
	}
}

// disconnected handles the end of a connection within the file. It returns an
// error if another connection would not help.
func (s *stream) disconnected(cause error) error {
	s.hangUp(cause)
	switch {
	case s.ctx.Err() != nil:
		return retry.ContextError(s.ctx)
	case s.offset > 0 && !s.info.Resumable():
		if s.info.Size != UnknownSize {
			cause = fmt.Errorf("%w: %w", ErrSize, cause)
		}
		return s.named(fmt.Errorf("the connection ended after %d of %s, and the server sent no strong ETag or Last-Modified to resume by: %w",
			s.offset, amount(s.info.Size), cause))
	}
	s.Logger.InfoContext(s.ctx, "upload: connection to the source lost", "source", Redacted(s.from), "offset", s.offset, "error", cause)
	return s.backOff(cause, 0)
}

// backOff waits before the next connection. After the last attempt it returns
// cause.
func (s *stream) backOff(cause error, retryAfter time.Duration) error {
	s.failures++
	if s.failures >= s.Retry.MaxAttempts {
		return s.named(cause)
	}
	return retry.Sleep(s.ctx, s.Retry.Delay(s.failures, retryAfter))
}

// connect requests the file from offset on until there is a response.
func (s *stream) connect() error {
	for {
		response, err := s.get()
		if err == nil {
			if err = s.accept(response); err == nil {
				s.body = response.Body
				return nil
			}
		}
		err = s.cause(err)
		s.hangUp(err)
		if err == errComplete {
			return io.EOF
		}
		if s.ctx.Err() != nil {
			return retry.ContextError(s.ctx)
		}
		var status *statusError
		var name *net.DNSError
		var retryAfter time.Duration
		switch {
		case errors.As(err, &status) && status.transient():
			retryAfter = status.retryAfter
		case status != nil, errors.As(err, &name) && name.IsNotFound, !retry.Transient(err):
			return s.named(err)
		}
		if err := s.backOff(err, retryAfter); err != nil {
			return err
		}
	}
}

// get requests the file and follows redirects. The response has status 200 or
// 206.
func (s *stream) get() (*http.Response, error) {
	ctx, end := context.WithCancelCause(s.ctx)
	s.connection = connection{ctx: ctx, end: end}
	s.stall = time.AfterFunc(s.StallTimeout, func() { end(fmt.Errorf("%w: no byte arrived for %v", ErrStalled, s.StallTimeout)) })
	defer s.stall.Stop()
	at := s.from
	for redirects := 0; ; redirects++ {
		response, err := s.roundTrip(at)
		if err != nil {
			return nil, err
		}
		switch response.StatusCode {
		case http.StatusOK, http.StatusPartialContent:
			return response, nil
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
			response.Body.Close()
		case http.StatusRequestedRangeNotSatisfiable:
			response.Body.Close()
			return nil, s.beyondEnd(response.Header)
		default:
			response.Body.Close()
			return nil, newStatusError(response)
		}
		if redirects == s.MaxRedirects {
			return nil, retry.Permanent(fmt.Errorf("more than %d redirects", s.MaxRedirects))
		}
		if at, err = redirect(at, response.Header.Get("Location")); err != nil {
			return nil, err
		}
		s.stall.Reset(s.StallTimeout)
	}
}

// hangUp ends the connection.
func (s *stream) hangUp(cause error) {
	if s.body != nil {
		s.body.Close()
		s.body = nil
	}
	if s.end != nil {
		s.stall.Stop()
		s.end(cause)
		s.end = nil
	}
}

// cause is what really ended a connection.
func (s *stream) cause(err error) error {
	if err != nil && s.connection.ctx != nil {
		if cause := context.Cause(s.connection.ctx); errors.Is(cause, ErrStalled) {
			return cause
		}
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return s.redacted(err)
}

// named adds the URL to an error.
func (s *stream) named(err error) error { return fmt.Errorf("%s: %w", Redacted(s.from), err) }

func (s *stream) tooLarge() error {
	return fmt.Errorf("%w: more than the %d bytes of MaxSize", ErrTooLarge, s.MaxSize)
}

func amount(size int64) string {
	if size == UnknownSize {
		return "an unknown number of bytes"
	}
	return strconv.FormatInt(size, 10) + " bytes"
}

// statusError is a response without a file.
type statusError struct {
	code       int
	retryAfter time.Duration
}

func newStatusError(response *http.Response) *statusError {
	return &statusError{code: response.StatusCode, retryAfter: retry.After(response.Header, time.Now())}
}

// Error implements error.
func (e *statusError) Error() string {
	text := "the server returns " + strconv.Itoa(e.code)
	if name := http.StatusText(e.code); name != "" {
		text += " " + name
	}
	return text
}

func (e *statusError) transient() bool {
	switch e.code {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return retry.ServerFailure(e.code)
}
