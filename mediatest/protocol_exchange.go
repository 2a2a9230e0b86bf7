package mediatest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// failure is a refusal in the words of either service.
type failure struct {
	status  int
	code    string
	message string
	ec      string      // OSS's detailed error number
	detail  fields      // AccessDeniedDetail of an API error
	extra   [][2]string // further elements of the OSS error document
}

func (f failure) Error() string { return f.code + ": " + f.message }

func refused(status int, code, format string, args ...any) failure {
	return failure{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

// exchange is one request and its answer.
type exchange struct {
	srv       *Server
	r         *http.Request
	w         *answerWriter
	body      *countingBody
	query     url.Values
	operation string
	bucket    string  // OSS only
	key       string  // OSS only
	by        *key    // who signed; OSS only, set by admit
	home      *bucket // that was there then
	id        string  // of the request
	code      string  // of the error that is answered
	record    *Request
	api       bool // an API call
	metadata  bool // of the instance metadata
	queue     bool // of a message queue
	cdn       bool // of the play domain; none of these means OSS
	gone      bool // the connection is cut
}

// answer serves the request.
func (x *exchange) answer() {
	switch {
	case x.api:
		x.srv.serveAPI(x)
	case x.metadata:
		x.srv.serveMetadata(x)
	case x.queue:
		x.srv.serveQueue(x)
	case x.cdn:
		x.srv.serveCDN(x)
	default:
		x.srv.serveOSS(x)
	}
	x.drain()
}

// refuse writes an error document.
func (x *exchange) refuse(f failure) {
	if f.status < 200 || f.status > 599 {
		x.srv.misuse("%s: no answer has status %d", x.operation, f.status)
		f.status = http.StatusInternalServerError
	}
	x.identify()
	x.code = f.code
	switch {
	case x.api:
		writeAPIError(x, f)
	case x.metadata:
		writeMetadataError(x, f)
	case x.queue:
		writeQueueError(x, f)
	case x.cdn:
		x.refuseCDN(f.status, f.code)
	default:
		writeOSSError(x, f)
	}
}

// begin records the request before anything can go wrong with it.
func (x *exchange) begin(w http.ResponseWriter) {
	x.w = &answerWriter{ResponseWriter: w, x: x}
	x.id = x.srv.requestID()
	if !x.api {
		x.id = x.srv.ossRequestID()
	}
	x.body = &countingBody{ReadCloser: x.r.Body}
	x.r.Body = x.body
	s := x.srv
	s.mu.Lock()
	defer s.mu.Unlock()
	x.record = newRequest(x, s.now())
	s.calls[x.operation]++
	s.requests = append(s.requests, x.record)
	if len(s.requests) > maxRequests {
		s.gone += len(s.requests) - maxRequests/2
		s.requests = append([]*Request(nil), s.requests[len(s.requests)-maxRequests/2:]...)
	}
}

func (x *exchange) end() {
	if x.srv.opts.log == nil {
		return
	}
	x.srv.mu.Lock()
	status, code := x.record.Status, x.record.Code
	x.srv.mu.Unlock()
	outcome := "connection cut"
	if status != 0 {
		outcome = strings.TrimSpace(strconv.Itoa(status) + " " + code)
	}
	x.srv.logMu.Lock()
	defer x.srv.logMu.Unlock()
	fmt.Fprintf(x.srv.opts.log, "%s %s\n", x.operation, outcome)
}

// identify gives the answer its request id.
func (x *exchange) identify() {
	switch {
	case x.api:
		x.w.Header().Set("x-acs-request-id", x.id)
		return
	case x.metadata, x.cdn:
		return
	case x.queue:
		x.w.Header().Set("x-mns-request-id", x.id)
		x.w.Header().Set("x-mns-version", queueVersion)
		return
	}
	x.w.Header().Set("x-oss-request-id", x.id)
	x.w.Header().Set("Server", "AliyunOSS")
}

// run serves the request, or lets the fault have it.
func (x *exchange) run() {
	s := x.srv
	s.mu.Lock()
	f := s.nextFault(x.record.clone())
	x.w.Header().Set("Date", s.wall().Format(http.TimeFormat))
	s.mu.Unlock()
	if f == nil {
		x.answer()
		return
	}
	if !x.delay(f) {
		x.cut()
		return
	}
	if f.serves() && !f.AfterEffect && !f.bends() {
		x.answer()
		return
	}
	a := &Response{}
	if f.serves() {
		a = x.capture(x.answer)
	}
	if f.loses() || a == nil {
		x.cut()
		return
	}
	switch {
	case f.Foreign != nil:
		a = f.Foreign.clone()
		x.code = ""
	case f.replaces():
		a = x.capture(func() { x.fail(f) })
	}
	x.send(f, a)
	x.drain()
}

// delay lets the bytes and the time of the fault pass, in the middle of the body
// where the operation is carried out; false when the client is gone.
func (x *exchange) delay(f *Fault) bool {
	if f.serves() && f.AfterBytes > 0 {
		x.r.Body = &tripBody{ReadCloser: x.r.Body, left: f.AfterBytes, trip: func(rest io.ReadCloser) (io.ReadCloser, error) {
			return x.waitReading(f.Delay, rest)
		}}
		return true
	}
	if x.discard(f.AfterBytes) != nil {
		return false
	}
	body, err := x.waitReading(f.Delay, x.r.Body)
	x.r.Body = body
	return err == nil
}

// discard reads that much of the body.
func (x *exchange) discard(n int64) error {
	if _, err := io.CopyN(io.Discard, x.r.Body, n); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// capture takes the answer that write makes; nil when it makes none.
func (x *exchange) capture(write func()) *Response {
	client := x.w
	taken := &captured{header: http.Header{}}
	x.w = &answerWriter{ResponseWriter: taken, x: x}
	write()
	x.w = client
	if taken.status == 0 {
		return nil
	}
	return &Response{Status: taken.status, Header: taken.header, Body: taken.body.String()}
}

// send sends the answer of a fault.
func (x *exchange) send(f *Fault, a *Response) {
	length, size := a.Header.Get("Content-Length"), len(a.Body)
	if f.Edit != nil {
		x.srv.mu.Lock()
		r := x.record.clone()
		x.srv.mu.Unlock()
		if a.Header == nil {
			a.Header = http.Header{}
		}
		f.Edit(r, a)
		if length != "" && a.Header.Get("Content-Length") == length && len(a.Body) != size {
			a.Header.Set("Content-Length", strconv.Itoa(len(a.Body)))
		}
	}
	if a.Status = cmp.Or(a.Status, http.StatusOK); a.Status < 200 || a.Status > 599 {
		x.srv.misuse("Fault: no answer has status %d", a.Status)
		a.Status = http.StatusInternalServerError
	}
	if x.wait(f.ResponseDelay) != nil {
		x.cut()
		return
	}
	maps.Copy(x.w.Header(), a.Header)
	x.w.WriteHeader(a.Status)
	if x.r.Method == http.MethodHead {
		return
	}
	for rest := a.Body; rest != ""; {
		n := len(rest)
		if f.Drip > 0 {
			n = 1
			_ = http.NewResponseController(x.w.ResponseWriter).Flush()
			if x.wait(f.Drip) != nil {
				x.cut()
				return
			}
		}
		if _, err := io.WriteString(x.w, rest[:n]); err != nil || x.r.Context().Err() != nil {
			return // longer than it said, or the client has left
		}
		if rest = rest[n:]; rest == "" && a.Endless {
			rest = a.Body
		}
	}
}

func (x *exchange) fail(f *Fault) {
	if f.RetryAfter > 0 {
		if x.api {
			x.w.Header().Set("x-acs-retry-after", strconv.FormatInt(f.RetryAfter.Milliseconds(), 10))
		} else {
			x.w.Header().Set("Retry-After", strconv.FormatInt(int64((f.RetryAfter+time.Second-1)/time.Second), 10))
		}
	}
	switch {
	case x.api:
		x.refuse(f.failure(errAPITokenExpired, errAPIThrottled))
	case x.queue:
		x.refuse(f.failure(errQueueTokenExpired, errQueueThrottled))
	default:
		x.refuse(f.failure(ossTokenExpired(x.r.Header.Get("x-oss-security-token")), errOSSThrottled))
	}
}

const maxDrain = 256 << 20

// drain reads what is left of the body, so that the client sees the answer
// and not a connection that closes under its writing.
func (x *exchange) drain() {
	if !x.gone {
		_, _ = io.CopyN(io.Discard, x.r.Body, maxDrain)
	}
}

// cut ends the connection without an answer.
func (x *exchange) cut() {
	if _, ok := x.w.ResponseWriter.(*captured); ok {
		return // there is no answer to capture
	}
	conn, _, err := http.NewResponseController(x.w.ResponseWriter).Hijack()
	if err != nil {
		return // the answer goes nowhere anyway
	}
	x.gone = true
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a reset instead of an orderly end
	}
	_ = conn.Close()
}

// answerWriter notes the status in the record before the client can see it.
type answerWriter struct {
	http.ResponseWriter
	x    *exchange
	done bool
}

func (w *answerWriter) WriteHeader(status int) {
	if !w.done {
		w.done = true
		if _, ok := w.ResponseWriter.(*captured); !ok {
			s := w.x.srv
			s.mu.Lock()
			w.x.record.Status, w.x.record.Code, w.x.record.Size = status, w.x.code, w.x.body.n.Load()
			s.mu.Unlock()
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *answerWriter) Write(p []byte) (int, error) {
	if !w.done {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// captured takes an answer that the client does not see, or not yet.
type captured struct {
	header http.Header
	status int // 0: no answer
	body   bytes.Buffer
}

func (c *captured) Header() http.Header         { return c.header }
func (c *captured) Write(p []byte) (int, error) { return c.body.Write(p) }
func (c *captured) WriteHeader(status int)      { c.status = cmp.Or(c.status, status) }

type countingBody struct {
	io.ReadCloser
	n atomic.Int64
}

func (b *countingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n.Add(int64(n))
	return n, err
}
