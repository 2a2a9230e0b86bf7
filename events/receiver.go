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

// Config says which callbacks a [Receiver] accepts.
type Config struct {
	// Keys are the AuthKeys of SetMessageCallback or SetEventCallback. Several
	// are valid side by side, for the time in which one replaces another.
	Keys []alimedia.Secret

	// URLs are the callback URLs, byte for byte as they are configured at the
	// service, whatever a proxy makes of them on the way.
	URLs []string

	// Window is how far the time of a signature may be from this machine's, in
	// both directions. Zero means 5 minutes.
	Window time.Duration

	// Replays is how many handled callbacks are remembered, so that none is
	// handled twice; those of 2 × Window should fit. It is also how many can be
	// handled at the same time. Zero means 10,000, which takes about 2 MB; a
	// negative number switches the memory off, and with it both limits.
	Replays int

	// AllowUnsigned accepts callbacks without signature headers, which is all
	// of them while AuthSwitch is off. Anybody who knows the URL can send
	// those. It makes Keys and URLs optional; signatures that come are checked
	// when there are Keys.
	AllowUnsigned bool

	// Logger receives a Warn record for each callback that was not accepted or
	// not handled, with the reason and nothing of the message. Keys and
	// signatures are masked in it, and its text is one line of at most 1 KiB.
	// Nil means no logging, except of panics, which go to slog.Default().
	Logger *slog.Logger
}

// Format hides the Keys also where fmt calls no methods of fields.
func (c Config) Format(f fmt.State, verb rune) {
	type plain Config
	fmt.Fprintf(f, fmt.FormatString(f, verb), plain(c))
}

const (
	defaultWindow  = 5 * time.Minute
	defaultReplays = 10_000

	// answerTime is how long the services wait for an answer.
	answerTime = 5 * time.Second
)

// ErrTooSlow is a callback whose body did not arrive in the 5 seconds that the
// services wait for an answer.
var ErrTooSlow = errors.New("events: the body takes too long")

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

// New returns a receiver that calls handle with each event, of known type or
// not.
//
// The context that handle gets ends when the service stops waiting: 5 seconds
// after the callback began to arrive, or when the connection is closed. When
// handle returns an error or panics, the answer is 500 and the
// service repeats the callback, see the package comment; otherwise the same
// callback will not reach handle again. The same event may, under a new
// signature.
func New(cfg Config, handle func(ctx context.Context, event Event) error) (*Receiver, error) {
	switch {
	case handle == nil:
		return nil, errors.New("events: no function to handle events")
	case len(cfg.Keys) == 0 && !cfg.AllowUnsigned:
		return nil, errors.New("events: Config.Keys: an AuthKey is needed, or AllowUnsigned")
	case slices.Contains(cfg.Keys, ""):
		return nil, errors.New("events: Config.Keys: an AuthKey is empty")
	case len(cfg.Keys) > 0 && len(cfg.URLs) == 0:
		return nil, errors.New("events: Config.URLs: the signature needs the callback URL")
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

// hider prepares text for a log. It is a function so that the keys it holds
// are out of the reach of fmt.
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

// ServeHTTP answers 200 when the event was handled, now or before. It answers
// 400 to what is no event, 403 to a wrong or expired signature, 405 to other
// methods than POST, 408 to a body that does not arrive within 5 seconds, 409
// while the same callback is being handled, 413 to more than [MaxBytes], 500
// when handling failed, and 503 when [Config].Replays callbacks are being
// handled.
//
// The connection is closed after every other answer than 200, 409 and 500, so
// that a sender that is refused cannot hold it.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	ctx, cancel := context.WithTimeout(req.Context(), answerTime)
	defer cancel()
	status, err := r.serve(ctx, w, req)
	if err != nil {
		r.log.WarnContext(ctx, "events: callback not handled", "status", status, "remote", req.RemoteAddr, "error", r.hide(err.Error(), req.Header))
	}
	switch status {
	case http.StatusOK, http.StatusConflict, http.StatusInternalServerError:
	default:
		w.Header().Set("Connection", "close")
		// What is left of the body is not waited for.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now())
	}
	w.WriteHeader(status)
}

// serve looks at the headers first: from a stranger no body is read.
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

// read reads up to a byte more than MaxBytes, for as long as ctx lasts. A Read
// that does not return ends with the connection, which is closed then.
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

// Receive is ServeHTTP for programs that get their requests by another way
// than net/http; the header has canonical keys, as Header.Set makes. The error
// is one of this package, or what handling the event returned. The context that
// handling gets ends 5 seconds after the call, or with ctx.
func (r *Receiver) Receive(ctx context.Context, header http.Header, body []byte) error {
	p, err := r.verify(header)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
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

// call makes an error of a panic.
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
