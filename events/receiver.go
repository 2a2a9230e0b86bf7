package events

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/redact"
)

// Config configures a [Receiver].
type Config struct {
	// Keys are the AuthKeys of SetMessageCallback or SetEventCallback. All of them
	// are valid, so that a key can be rotated.
	Keys []alimedia.Secret

	// URLs are the callback URLs, byte for byte as configured at the service, even
	// if a proxy rewrites them.
	URLs []string

	// Window is the maximum difference between the time of a signature and the
	// local time, in both directions. Zero means 5 minutes.
	Window time.Duration

	// Replays is the number of handled callbacks that are remembered, so that none
	// is handled twice. It should be at least the number of callbacks within 2 ×
	// Window. It is also the maximum number of callbacks that are handled
	// concurrently. Zero means 10,000, which takes about 2 MB. A negative number
	// disables the replay protection and both limits.
	Replays int

	// AllowUnsigned accepts callbacks without signature headers. While AuthSwitch
	// is off, no callback has them. Anyone who knows the URL can send such
	// callbacks. With AllowUnsigned, Keys and URLs are optional. If there are Keys,
	// the signatures of signed callbacks are verified.
	AllowUnsigned bool

	// Logger receives a Warn record with the reason for each callback that was not
	// accepted or not handled. The record contains nothing of the message. Keys
	// and signatures are masked, and the text is one line of at most 1 KiB. Nil
	// means no logging, except of panics, which are logged to slog.Default().
	Logger *slog.Logger
}

// Format hides the Keys even if fmt does not call the methods of fields.
func (c Config) Format(f fmt.State, verb rune) {
	type plain Config
	fmt.Fprintf(f, fmt.FormatString(f, verb), plain(c))
}

const (
	defaultWindow  = 5 * time.Minute
	defaultReplays = 10_000

	// responseTime is how long the services wait for a response.
	responseTime = 5 * time.Second
)

// ErrTooSlow means that the body of a callback did not arrive within the 5 seconds
// that the services wait for a response.
var ErrTooSlow = errors.New("events: the body did not arrive in time")

// Receiver is the [http.Handler] of a callback URL. It is safe for concurrent
// use.
type Receiver struct {
	handle   func(context.Context, Event) error
	matches  matcher // nil without keys
	unsigned bool
	window   time.Duration
	replays  replays
	hide     hider
	log      *slog.Logger
	panics   *slog.Logger
}

// New returns a receiver that calls handle with each event, even one of an unknown
// type.
//
// The context of handle ends when the service stops waiting: 5 seconds after the
// callback began to arrive, or when the connection is closed. If handle returns an
// error or panics, the response is 500 and the service repeats the callback, see
// the package comment. Otherwise handle is not called with the same callback again.
// It may be called with the same event under a new signature.
func New(cfg Config, handle func(ctx context.Context, event Event) error) (*Receiver, error) {
	switch {
	case handle == nil:
		return nil, errors.New("events: New: handle is nil")
	case len(cfg.Keys) == 0 && !cfg.AllowUnsigned:
		return nil, errors.New("events: Config.Keys: at least one AuthKey is required without AllowUnsigned")
	case slices.Contains(cfg.Keys, ""):
		return nil, errors.New("events: Config.Keys: an AuthKey is empty")
	case len(cfg.Keys) > 0 && len(cfg.URLs) == 0:
		return nil, errors.New("events: Config.URLs: at least one callback URL is required to verify signatures")
	case slices.Contains(cfg.URLs, ""):
		return nil, errors.New("events: Config.URLs: a URL is empty")
	case cfg.Window < 0:
		return nil, errors.New("events: Config.Window: must not be negative")
	}
	var matches matcher
	if len(cfg.Keys) > 0 {
		matches = newMatcher(slices.Clone(cfg.Keys), slices.Clone(cfg.URLs), subtle.ConstantTimeCompare)
	}
	return &Receiver{
		handle:   handle,
		matches:  matches,
		unsigned: cfg.AllowUnsigned,
		window:   cmp.Or(cfg.Window, defaultWindow),
		replays:  replays{limit: cmp.Or(cfg.Replays, defaultReplays)},
		hide:     newHider(cfg.Keys),
		log:      cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler)),
		panics:   cmp.Or(cfg.Logger, slog.Default()),
	}, nil
}

// hider redacts text for a log. It is a function so that fmt cannot print the keys
// that it holds.
type hider func(text string, header http.Header) string

func newHider(keys []alimedia.Secret) hider {
	known := make([]string, len(keys))
	for i, key := range keys {
		known[i] = string(key)
	}
	return func(text string, header http.Header) string {
		return redact.Text(text, append(signaturesOf(header), known...)...)
	}
}

// ServeHTTP responds with one of these statuses:
//
//   - 200: the event was handled, now or before
//   - 400: the body is not an event
//   - 403: the signature is missing, wrong or expired
//   - 405: the method is not POST
//   - 408: the body did not arrive within 5 seconds
//   - 409: the same callback is being handled
//   - 413: the body is larger than [MaxBytes]
//   - 500: handle returned an error or panicked
//   - 503: [Config].Replays callbacks are being handled
//
// It closes the connection unless the status is 200, 409 or 500, so that rejected
// senders cannot hold it.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	ctx, cancel := context.WithTimeout(req.Context(), responseTime)
	defer cancel()
	status, err := r.serve(ctx, w, req)
	if err != nil {
		r.log.WarnContext(ctx, "events: callback not handled", "status", status, "remote", req.RemoteAddr, "error", r.hide(err.Error(), req.Header))
	}
	switch status {
	case http.StatusOK, http.StatusConflict, http.StatusInternalServerError:
	default:
		w.Header().Set("Connection", "close")
		// The rest of the body is not read.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now())
	}
	w.WriteHeader(status)
}

// serve verifies the headers before it reads the body.
func (r *Receiver) serve(ctx context.Context, w http.ResponseWriter, req *http.Request) (status int, err error) {
	if req.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return http.StatusMethodNotAllowed, errors.New("events: not a POST")
	}
	p, err := r.verify(req.Header)
	if err != nil {
		return http.StatusForbidden, err
	}
	if req.ContentLength > MaxBytes {
		return http.StatusRequestEntityTooLarge, ErrTooLarge
	}
	body, err := read(ctx, req.Body)
	switch {
	case errors.Is(err, ErrTooSlow):
		return http.StatusRequestTimeout, err
	case err != nil:
		return http.StatusBadRequest, fmt.Errorf("events: read the body: %w", err)
	case len(body) > MaxBytes:
		return http.StatusRequestEntityTooLarge, ErrTooLarge
	}
	return r.receive(ctx, p, body)
}

// read reads at most MaxBytes+1 bytes until ctx ends. A Read that does not return
// by then ends with the connection, which is closed.
func read(ctx context.Context, body io.Reader) ([]byte, error) {
	type result struct {
		text []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			if p := recover(); p != nil {
				r = result{err: fmt.Errorf("reading panicked: %v", p)}
			}
			done <- r
		}()
		if body != nil {
			r.text, r.err = io.ReadAll(io.LimitReader(body, MaxBytes+1))
		}
	}()
	select {
	case r := <-done:
		if errors.Is(r.err, os.ErrDeadlineExceeded) { // of the http.Server
			return nil, ErrTooSlow
		}
		return r.text, r.err
	case <-ctx.Done():
		return nil, ErrTooSlow
	}
}

// Receive is ServeHTTP for programs that do not use net/http to receive requests.
// The keys of header must be canonical, as Header.Set makes them. The error is one
// of this package, or the one that handle returned. The context of handle ends
// after 5 seconds, or with ctx.
func (r *Receiver) Receive(ctx context.Context, header http.Header, body []byte) error {
	p, err := r.verify(header)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, responseTime)
	defer cancel()
	_, err = r.receive(ctx, p, body)
	return err
}

func (r *Receiver) receive(ctx context.Context, p proof, body []byte) (status int, err error) {
	event, err := Parse(body)
	if err != nil {
		return http.StatusBadRequest, err
	}
	settle, err := r.replays.claim(p, body)
	switch {
	case errors.Is(err, ErrReplayed):
		return http.StatusOK, err
	case errors.Is(err, ErrBusy):
		return http.StatusServiceUnavailable, err
	case err != nil:
		return http.StatusConflict, err
	}
	handled := false
	defer func() { settle(handled) }()
	if err := r.call(ctx, event); err != nil {
		return http.StatusInternalServerError, err
	}
	handled = true
	return http.StatusOK, nil
}

// call returns a panic of handle as an error.
func (r *Receiver) call(ctx context.Context, event Event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			kind := redact.Line(event.EventType)
			r.panics.ErrorContext(ctx, "events: panic", "event_type", kind, "panic", r.hide(fmt.Sprint(p), nil), "stack", string(debug.Stack()))
			err = fmt.Errorf("events: handling %s panicked", kind)
		}
	}()
	return r.handle(ctx, event)
}
