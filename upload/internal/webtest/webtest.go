// Package webtest is a web server for tests, on a network of pipes in memory:
// with package testing/synctest its time is fake. It is imported by tests only.
package webtest

import (
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// Server is a web server that is reached by Dial, whatever the address.
type Server struct {
	conns  chan net.Conn
	server *http.Server

	mu       sync.Mutex
	requests []*http.Request
}

// New starts a server. It stops at the end of the test.
func New(t *testing.T, handler http.HandlerFunc) *Server {
	t.Helper()
	s := &Server{conns: make(chan net.Conn)}
	done := make(chan struct{})
	var open sync.WaitGroup
	s.server = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			s.requests = append(s.requests, r)
			s.mu.Unlock()
			handler(w, r)
		}),
		ErrorLog: log.New(io.Discard, "", 0),
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				open.Add(1)
			case http.StateClosed, http.StateHijacked:
				open.Done()
			}
		},
	}
	go func() {
		defer close(done)
		_ = s.server.Serve(s)
	}()
	t.Cleanup(func() {
		_ = s.server.Close()
		<-done
		open.Wait()
	})
	return s
}

// Accept implements net.Listener.
func (s *Server) Accept() (net.Conn, error) {
	c, ok := <-s.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

// Close implements net.Listener.
func (s *Server) Close() error { close(s.conns); return nil }

// Addr implements net.Listener.
func (s *Server) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80} }

// Dial connects to the server.
func (s *Server) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case s.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Requests returns the requests so far.
func (s *Server) Requests() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// File serves data as a careful server does: with a strong ETag, its length and
// ranges.
func File(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"one"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
}

// Dated serves data with a Last-Modified and no ETag.
func Dated(data []byte, modified time.Time) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", modified, bytes.NewReader(data))
	}
}

// CutOff returns a writer that breaks the connection after n bytes of the body.
func CutOff(w http.ResponseWriter, n int) http.ResponseWriter { return &shortWriter{w, n} }

type shortWriter struct {
	http.ResponseWriter
	left int
}

func (w *shortWriter) Write(p []byte) (int, error) {
	n, _ := w.ResponseWriter.Write(p[:min(len(p), w.left)])
	if w.left -= n; w.left == 0 {
		_ = http.NewResponseController(w.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, nil
}

// Raw writes text to the connection in place of a response.
func Raw(w http.ResponseWriter, text string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_, _ = io.WriteString(conn, text)
		conn.Close()
	}
}
