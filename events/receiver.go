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
	"runtime/debug"
	"slices"
	"time"

	"github.com/alimedia/alimedia-go"
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

	// Replays is how many callbacks are remembered, so that none is handled
	// twice; those of 2 × Window should fit. Zero means 10,000, which takes
	// about 2 MB; a negative number switches the memory off.
	Replays int

	// AllowUnsigned accepts callbacks without signature headers, which is all
	// of them while AuthSwitch is off. Anybody who knows the URL can send
	// those. It makes Keys and URLs optional; signatures that come are checked
	// when there are Keys.
	AllowUnsigned bool

	// Logger receives a Warn record for each callback that was not accepted or
	// not handled, with the reason and nothing of the message. Nil means no
	// logging, except of panics, which go to slog.Default().
	Logger *slog.Logger
}

const (
	defaultWindow  = 5 * time.Minute
	defaultReplays = 10_000
)

// Receiver is the [http.Handler] of a callback URL. It is safe for concurrent
// use.
type Receiver struct {
	handle   func(context.Context, Event) error
	matches  matcher // nil without keys
	unsigned bool
	window   time.Duration
	replays  replays
	log      *slog.Logger
	panics   *slog.Logger
}

// New returns a receiver that calls handle with each event, of known type or
// not.
//
// The context that handle gets ends when the service stops waiting, after 5
// seconds. When handle returns an error or panics, the answer is 500 and the
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
		log:      cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler)),
		panics:   cmp.Or(cfg.Logger, slog.Default()),
	}, nil
}

// ServeHTTP answers 200 when the event was handled, now or before. It answers
// 400 to what is no event, 403 to a wrong or expired signature, 405 to other
// methods than POST, 409 while the same callback is being handled, 413 to more
// than [MaxBytes], and 500 when handling failed.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	status, err := r.serve(w, req)
	if err != nil {
		r.log.WarnContext(req.Context(), "events: callback not handled", "status", status, "remote", req.RemoteAddr, "error", err)
	}
	w.WriteHeader(status)
}

// serve looks at the headers first: from a stranger no body is read.
func (r *Receiver) serve(w http.ResponseWriter, req *http.Request) (status int, err error) {
	if req.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return http.StatusMethodNotAllowed, errors.New("events: not a POST")
	}
	p, err := r.verify(req.Header)
	if err != nil {
		return http.StatusForbidden, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, MaxBytes))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return http.StatusRequestEntityTooLarge, ErrTooLarge
	}
	if err != nil {
		return http.StatusBadRequest, fmt.Errorf("events: read the body: %w", err)
	}
	return r.receive(req.Context(), p, body)
}

// Receive is ServeHTTP for programs that get their requests by another way
// than net/http; the header has canonical keys, as Header.Set makes. The error
// is one of this package, or what handling the event returned.
func (r *Receiver) Receive(ctx context.Context, header http.Header, body []byte) error {
	p, err := r.verify(header)
	if err != nil {
		return err
	}
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
			r.panics.ErrorContext(ctx, "events: panic", "event_type", event.EventType, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("events: handling %s panicked", event.EventType)
		}
	}()
	return r.handle(ctx, event)
}
