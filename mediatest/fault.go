package mediatest

import (
	"errors"
	"io"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Always is the Times of a fault that never stops.
const Always = math.MaxInt

// Forever is a delay without an end: a response that never comes. It ends when
// the client gives up or the server is closed.
const Forever = time.Duration(math.MaxInt64)

// Response is an HTTP response as it is sent to the client.
type Response struct {
	Status int // 200 to 599; 0 means 200

	// Header is sent as it is. Without a Date the server's is sent, without a
	// Content-Type one that fits Body; a name with a nil value keeps net/http
	// from adding that field. A Content-Length greater than the length of Body
	// makes a body that is cut off.
	Header http.Header

	Body string

	// Endless repeats Body until the client leaves.
	Endless bool
}

// Fault is a failure to come. Combine at will: a delay may precede any ending;
// AfterEffect may precede an error, a Foreign response or a Reset.
//
// Without Status, Code, Foreign, Reset, AfterEffect, ExpiredToken and
// Throttling the call is served as usual, after a Delay, with its response
// changed by Edit or slowed down.
type Fault struct {
	// Operation is an API action ("CreateUploadVideo") or an OSS operation
	// (PutObject, PostObject, AppendObject, CopyObject, GetObject, HeadObject,
	// GetObjectMeta, DeleteObject, DeleteMultipleObjects, ListObjects,
	// InitiateMultipartUpload, UploadPart, UploadPartCopy, ListParts,
	// CompleteMultipartUpload, AbortMultipartUpload, ListMultipartUploads,
	// and those of buckets, tags and ACLs). Empty means all of them.
	Operation string

	// Match narrows the fault to the requests it accepts; nil accepts all.
	// It sees the request before its body: parameters of a form are not
	// there yet. It must not call the server.
	Match func(Request) bool

	Nth   int // the first call to fail, from 1, counted from when the fault is set; 0 means 1
	Times int // how many calls in a row fail; 0 means 1; see [Always]

	Status  int    // HTTP status, 200 to 599; 0 means 500, or what the kind below asks for
	Code    string // error code
	Message string // error message

	// Foreign is sent instead of a response of the service: the page of a
	// gateway, another document, nothing at all. The operation is carried out
	// only with AfterEffect.
	Foreign *Response

	// Edit changes the response before it is sent, such as its Date, its ETag or
	// a member of its body. Unless the fault says otherwise that is the
	// operation's own response, and the operation was carried out. Content-Length
	// is adapted when Edit leaves it alone. Edit must not call the server.
	Edit func(Request, *Response)

	// ResponseDelay passes after the operation, before its response begins.
	ResponseDelay time.Duration

	// Drip passes before each byte of the response's body.
	Drip time.Duration

	// RetryAfter is sent with the error: x-acs-retry-after in milliseconds
	// by the API, Retry-After in seconds by OSS.
	RetryAfter time.Duration

	// Delay passes before anything else happens. It ends early when the
	// client gives up or the server is closed. Over sockets the server cannot
	// see a client give up while more than 64 KiB of its body wait to be read.
	Delay time.Duration

	// AfterBytes lets so many bytes of the request body through before the
	// fault happens.
	AfterBytes int64

	// Reset cuts the connection instead of answering. Note that net/http
	// repeats a GET or HEAD by itself when that happens to a connection that
	// was used before.
	Reset bool

	// AfterEffect carries the operation out and then loses its response, or
	// replaces it where Status, Code or Foreign say by what.
	AfterEffect bool

	// ExpiredToken refuses the request's security token: code
	// SecurityTokenExpired from OSS, InvalidSecurityToken.Expired from the API.
	ExpiredToken bool

	// Throttling refuses the request for its rate: status 400 and code
	// Throttling.User from the API, 503 and QpsLimitExceeded from OSS.
	Throttling bool

	document *faultDocument // that the control API got
}

// armed is a fault and how often it has been met.
type armed struct {
	Fault
	seen int
}

// Fault sets failures to come. Several faults count independently; when two
// meet the same call, the one set first happens.
func (s *Server) Fault(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
			s.misuse("Fault: no response has status %d", f.Status)
			f.Status = http.StatusInternalServerError
		}
		if f.Foreign != nil {
			f.Foreign = f.Foreign.clone()
		}
		f.Nth = max(f.Nth, 1)
		f.Times = max(f.Times, 1)
		s.faults = append(s.faults, &armed{Fault: f})
	}
}

// ClearFaults forgets all faults.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// nextFault counts the request for every fault it matches. The caller holds mu.
func (s *Server) nextFault(r Request) *Fault {
	var hit *Fault
	for _, f := range s.faults {
		if f.Operation != "" && f.Operation != r.Operation || f.Match != nil && !f.Match(r) {
			continue
		}
		f.seen++
		if hit == nil && f.seen >= f.Nth && f.seen-f.Nth < f.Times {
			hit = &f.Fault
		}
	}
	return hit
}

// replaces reports whether the fault says what the client sees.
func (f *Fault) replaces() bool {
	return f.Status != 0 || f.Code != "" || f.Foreign != nil || f.ExpiredToken || f.Throttling
}

// serves reports whether the operation is carried out.
func (f *Fault) serves() bool { return f.AfterEffect || !f.replaces() && !f.Reset }

// loses reports whether the client gets no response.
func (f *Fault) loses() bool {
	return f.Reset || f.AfterEffect && !f.replaces() && f.Edit == nil && f.ResponseDelay == 0 && f.Drip == 0
}

// bends reports whether the operation's own response goes out otherwise than as
// the operation writes it.
func (f *Fault) bends() bool { return f.Edit != nil || f.ResponseDelay > 0 || f.Drip > 0 }

func (a *Response) clone() *Response {
	c := *a
	c.Header = a.Header.Clone()
	return &c
}

// EndlessList is a [Fault].Edit that makes a page of ListParts or
// ListMultipartUploads say that there is one more, for ever.
func EndlessList(r Request, a *Response) {
	a.Body = strings.Replace(a.Body, "<IsTruncated>false", "<IsTruncated>true", 1)
	if r.Operation == "ListParts" {
		marker, _ := strconv.Atoi(r.Params.Get("part-number-marker"))
		a.Body = emptyMarker.ReplaceAllString(a.Body, "<NextPartNumberMarker>"+strconv.Itoa(marker+1)+"<")
	}
}

var emptyMarker = regexp.MustCompile(`<NextPartNumberMarker>0<`)

// failure is the error document the fault asks for.
func (f *Fault) failure(expired, throttled failure) failure {
	e := failure{status: 500, code: "InternalError", message: "The request processing has failed due to some unknown error."}
	switch {
	case f.ExpiredToken:
		e = expired
	case f.Throttling:
		e = throttled
	}
	if f.Status != 0 {
		e.status = f.Status
	}
	if f.Code != "" {
		e.code = f.Code
	}
	if f.Message != "" {
		e.message = f.Message
	}
	return e
}

var errGone = errors.New("the client or the server is gone")

// tripBody calls trip once, after so many bytes.
type tripBody struct {
	io.ReadCloser
	left int64
	trip func(rest io.ReadCloser) (io.ReadCloser, error)
}

func (b *tripBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		if trip := b.trip; trip != nil {
			b.trip = nil
			rest, err := trip(b.ReadCloser)
			if err != nil {
				return 0, err
			}
			b.ReadCloser = rest
		}
		return b.ReadCloser.Read(p)
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	return n, err
}
