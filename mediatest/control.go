package mediatest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go/internal/redact"
)

// ControlPrefix is where the [Control] option answers. No bucket can be called
// like that, since names of buckets have no underscore, and API calls go to "/".
const ControlPrefix = "/_mediatest/"

const maxControlBody = 1 << 20

// Control answers below [ControlPrefix] with a page that shows what the server
// holds and was asked, and with an HTTP API for tests in other languages, which
// README.md of the command mediatestd describes. Whoever reaches the server can
// use both. A browser lets only pages of the server itself use them: there is no
// CORS, a POST must be JSON, and the Host must be an address of this machine.
func Control() Option { return func(o *options) { o.control = true } }

// control is the control API and the page.
type control struct {
	*Server
	mux *http.ServeMux
}

// answered is what an operation of the control API returns, to be sent as JSON.
type answered func(*http.Request) (any, error)

func newControl(s *Server) http.Handler {
	c := &control{Server: s, mux: http.NewServeMux()}
	for pattern, op := range map[string]answered{
		"GET state": c.getState, "GET clock": c.getClock, "GET faults": c.getFaults, "GET events": c.getEvents,
		"POST clock": c.postClock, "POST faults": c.postFaults, "POST outcomes": c.postOutcomes, "POST users": c.postUsers,
		"POST accounts": c.postAccounts, "POST buckets": c.postBuckets, "POST credentials": c.postCredentials,
		"POST credentials/expire": c.expireCredentials, "POST events": c.postEvents, "POST reset": c.postReset,
		"DELETE faults": c.deleteFaults,
	} {
		method, path, _ := strings.Cut(pattern, " ")
		c.mux.HandleFunc(method+" "+ControlPrefix+path, c.json(op))
	}
	c.mux.HandleFunc("GET "+ControlPrefix+"{$}", c.getPage)
	c.mux.HandleFunc("GET "+ControlPrefix+"requests/{number}", c.getRequestPage)
	c.mux.HandleFunc(ControlPrefix, c.json(func(*http.Request) (any, error) {
		return nil, refusal{http.StatusNotFound, "mediatest has nothing here for this method; the page is " + ControlPrefix}
	}))
	return c
}

// isControl reports whether a request is for the control API, and not for an
// object of a bucket that is in the host name.
func isControl(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, ControlPrefix) && virtualHost(r.Host) == ""
}

// sandbox keeps documents that are stored as objects from acting in the name of
// the page when a browser shows them: they have the same origin.
func sandbox(w http.ResponseWriter) { w.Header().Set("Content-Security-Policy", "sandbox") }

// ServeHTTP implements http.Handler.
func (c *control) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	if err := guard(r); err != nil {
		sendControl(w, nil, err)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxControlBody)
	c.mux.ServeHTTP(w, r)
}

// refusal is an error of the control API.
type refusal struct {
	status  int
	message string
}

func (e refusal) Error() string { return e.message }

// wrong is a request that says something wrong.
func wrong(format string, args ...any) error {
	return refusal{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// guard refuses what a page of another site makes a browser send.
func guard(r *http.Request) error {
	if !ownHost(r) {
		return refusal{http.StatusForbidden, "the control API answers only at an address of this machine, such as 127.0.0.1 or localhost"}
	}
	if http.NewCrossOriginProtection().Check(r) != nil {
		return refusal{http.StatusForbidden, "the control API takes no requests from other sites"}
	}
	if r.Method == http.MethodPost {
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
			return refusal{http.StatusUnsupportedMediaType, "a POST needs the header Content-Type: application/json"}
		}
	}
	return nil
}

// ownHost reports whether the Host is an address of this machine: a name could be
// one that its owner has pointed here (DNS rebinding).
func ownHost(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = strings.Trim(r.Host, "[]")
	}
	ip := net.ParseIP(host)
	if host == "localhost" || ip != nil && ip.IsLoopback() {
		return true
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ip != nil && ok && local.IP.Equal(ip)
}

// json serves an operation.
func (c *control) json(op answered) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer, err := op(r)
		sendControl(w, answer, err)
	}
}

func sendControl(w http.ResponseWriter, answer any, err error) {
	status := http.StatusOK
	if err != nil {
		var e refusal
		if !errors.As(err, &e) {
			e = refusal{http.StatusInternalServerError, err.Error()}
		}
		status, answer = e.status, struct{ Error string }{redact.Bounded(e.message, 1<<10)}
	}
	text, err := json.MarshalIndent(answer, "", "  ")
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"Error": "the answer cannot be encoded"}`)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}

// decode reads the JSON object of a request, which has no other fields than v.
func decode(r *http.Request, v any) error {
	text, err := io.ReadAll(r.Body)
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		return refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body has more than %d bytes", maxControlBody)}
	}
	if err != nil {
		return wrong("the body did not arrive")
	}
	return decodeText(text, v)
}

func decodeText(text []byte, v any) error {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(v); errors.Is(err, io.EOF) {
		return wrong("the body is empty; write {} for nothing")
	} else if err != nil {
		return wrong("the body: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return wrong("the body has more than one JSON value")
	}
	return nil
}

// span is a duration in JSON: "1h30m", or "forever".
type span time.Duration

const forever = "forever"

// MarshalText implements encoding.TextMarshaler.
func (d span) MarshalText() ([]byte, error) {
	if time.Duration(d) == Forever {
		return []byte(forever), nil
	}
	return []byte(time.Duration(d).String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *span) UnmarshalText(text []byte) error {
	if string(text) == forever {
		*d = span(Forever)
		return nil
	}
	value, err := time.ParseDuration(string(text))
	if err != nil || value < 0 {
		return fmt.Errorf("%q is not a duration such as 1h30m, 250ms or forever", redact.Bounded(string(text), 40))
	}
	*d = span(value)
	return nil
}
