package mediatest

import (
	"errors"
	"io"
	"math"
	"net/http"
	"time"
)

// Always is the Times of a fault that never stops.
const Always = math.MaxInt

// Fault is a failure to come. Combine at will: a delay may precede any ending;
// AfterEffect may precede an error, a Body or a Reset.
//
// Without Status, Code, Body, Reset, AfterEffect, ExpiredToken and Throttling
// a fault is a Delay only, and the call is then served as usual.
type Fault struct {
	// Operation is an API action ("CreateUploadVideo") or an OSS operation
	// (PutObject, GetObject, HeadObject, DeleteObject,
	// InitiateMultipartUpload, UploadPart, ListParts,
	// CompleteMultipartUpload, AbortMultipartUpload, ListMultipartUploads).
	// Empty means all of them.
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

	// Body is sent instead of an error document, such as a gateway's HTML
	// page. Status 0 then means 502.
	Body string

	// RetryAfter is sent with the error: x-acs-retry-after in milliseconds
	// by the API, Retry-After in seconds by OSS.
	RetryAfter time.Duration

	// Delay passes before anything else happens. It ends early when the
	// client gives up or the server is closed.
	Delay time.Duration

	// AfterBytes lets so many bytes of the request body through before the
	// fault happens.
	AfterBytes int64

	// Reset cuts the connection instead of answering. Note that net/http
	// repeats a GET or HEAD by itself when that happens to a connection that
	// was used before.
	Reset bool

	// AfterEffect carries the operation out and then loses its answer, or
	// replaces it where Status, Code or Body say by what.
	AfterEffect bool

	// ExpiredToken refuses the request's security token: code
	// SecurityTokenExpired from OSS, InvalidSecurityToken.Expired from the API.
	ExpiredToken bool

	// Throttling refuses the request for its rate: status 400 and code
	// Throttling.User from the API, 503 and QpsLimitExceeded from OSS.
	Throttling bool
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
			s.misuse("Fault: no answer has status %d", f.Status)
			f.Status = http.StatusInternalServerError
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
	return f.Status != 0 || f.Code != "" || f.Body != "" || f.ExpiredToken || f.Throttling
}

// onlyDelays reports whether the call is served after all.
func (f *Fault) onlyDelays() bool { return !f.replaces() && !f.Reset && !f.AfterEffect }

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
	trip func() error
}

func (b *tripBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		if trip := b.trip; trip != nil {
			b.trip = nil
			if err := trip(); err != nil {
				return 0, err
			}
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
