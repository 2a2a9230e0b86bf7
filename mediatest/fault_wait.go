package mediatest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// maxReadAhead is how much of a body is read while a fault delays. It is less
// than what the buffers of a connection hold, so the sender sees no difference.
const maxReadAhead = 64 << 10

// wait passes the time of a fault, unless the client leaves or the server closes.
func (x *exchange) wait(d time.Duration) error { return x.waitOr(d, nil) }

// waitReading is wait for a request whose body is not read yet. The server learns
// that a client on a socket has left only by reading, so a part of the body is
// read ahead. It returns the body from where it was.
func (x *exchange) waitReading(d time.Duration, body io.ReadCloser) (io.ReadCloser, error) {
	if d <= 0 || x.srv.opts.inMemory || x.r.Body == http.NoBody {
		return body, x.wait(d)
	}
	a := &aheadBody{ReadCloser: body, broken: make(chan struct{})}
	a.more.L = &a.mu
	go a.fill()
	return a, x.waitOr(d, a.broken)
}

func (x *exchange) waitOr(d time.Duration, broken <-chan struct{}) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	left, _ := x.r.Context().Value(leftKey{}).(chan struct{})
	select {
	case <-timer.C:
		return nil
	case <-x.r.Context().Done():
	case <-x.srv.done:
	case <-left:
	case <-broken:
	}
	return errGone
}

// aheadBody is a body whose beginning is read by fill.
type aheadBody struct {
	io.ReadCloser
	broken chan struct{} // closed when the body ends with an error

	mu   sync.Mutex
	more sync.Cond // of what follows
	head bytes.Buffer
	done bool  // fill has ended
	err  error // of fill
}

func (a *aheadBody) fill() {
	p := make([]byte, 4<<10)
	for read := 0; read < maxReadAhead; {
		n, err := a.ReadCloser.Read(p)
		read += n
		a.mu.Lock()
		a.head.Write(p[:n])
		a.err = err
		a.more.Broadcast()
		a.mu.Unlock()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				close(a.broken)
			}
			break
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.done = true
	a.more.Broadcast()
}

// Read implements io.Reader.
func (a *aheadBody) Read(p []byte) (int, error) {
	a.mu.Lock()
	for a.head.Len() == 0 && !a.done {
		a.more.Wait()
	}
	if a.head.Len() > 0 {
		defer a.mu.Unlock()
		return a.head.Read(p)
	}
	err := a.err
	a.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return a.ReadCloser.Read(p)
}

// leftKey is where the context of a request has the channel that is closed when
// the client closes its end of a pipe.
type leftKey struct{}

// pipeConn is an end of a pipe.
type pipeConn struct {
	net.Conn
	left chan struct{} // closed when the client closes its end
	once *sync.Once    // closes it; nil at the end of the server
}

// Close implements net.Conn.
func (c pipeConn) Close() error {
	if c.once != nil {
		c.once.Do(func() { close(c.left) })
	}
	return c.Conn.Close()
}

// connContext gives requests the channel of their connection.
func connContext(ctx context.Context, c net.Conn) context.Context {
	if p, ok := c.(pipeConn); ok {
		return context.WithValue(ctx, leftKey{}, p.left)
	}
	return ctx
}
