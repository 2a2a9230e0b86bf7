// Package rpc is the one road to the wire for the service clients: it encodes
// a request once, then signs, sends, reads and decodes it for each attempt.
package rpc

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/internal/endpoint"
	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/internal/retry"
)

// Service is what tells one product from another.
type Service struct {
	Product  string            // also the prefix of RAM actions: "ice"
	Version  string            // "2020-11-09"
	Hosts    map[string]string // region id to public host
	VPCHosts map[string]string // region id to the host inside a VPC of the region
}

// regions lists where the service has a host of its own. Other regions that are
// known share a central host; few of them are meant for the public.
func (svc Service) regions() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(svc.Hosts)), func(region string) bool {
		return !strings.Contains(svc.Hosts[region], region)
	})
}

// Client sends the operations of one service. It is safe for concurrent use.
type Client struct {
	svc       Service
	cfg       alimedia.Config
	base      url.URL
	transport *http.Client
	userAgent []string
	clocks    *clocks // shared by derived clients
	clock     *clock  // of the host
	err       error   // what is wrong with a derived configuration
}

// New checks cfg and returns a client for svc.
func New(svc Service, cfg alimedia.Config) (*Client, error) {
	c := newClient(svc, cfg, new(clocks))
	if c.err != nil {
		return nil, c.err
	}
	return c, nil
}

// With returns a client whose configuration was changed by change. It shares
// connections with c unless change replaces them. A setting that does not work
// is the error of every call.
func (c *Client) With(change func(*alimedia.Config)) *Client {
	cfg := c.cfg
	change(&cfg)
	return newClient(c.svc, cfg, c.clocks)
}

// Region is the region id in use; empty when only an endpoint was given.
func (c *Client) Region() string { return c.cfg.Region }

func newClient(svc Service, cfg alimedia.Config, shared *clocks) *Client {
	c := &Client{svc: svc, clocks: shared}
	c.base, c.err = svc.settle(&cfg)
	c.clock = shared.of(c.base.Scheme + "://" + c.base.Host)
	if cfg.Credentials == nil {
		cfg.Credentials = credentials.Default()
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.MaxResponseBytes <= 0 {
		cfg.MaxResponseBytes = 32 << 20
	}
	if cfg.AttemptTimeout == 0 {
		cfg.AttemptTimeout = time.Minute
	}
	if cfg.HTTPClient == nil {
		cfg.HTTPClient = ownHTTPClient()
	}
	cfg.Retry = alimedia.Retry(retry.Policy(cfg.Retry).WithDefaults(retryDefaults))
	c.cfg = cfg

	// A signed request is meant for one host: redirects are responses.
	transport := *cfg.HTTPClient
	transport.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.transport = &transport

	c.userAgent = []string{strings.TrimSpace(fmt.Sprintf("alimedia-go/%s (%s; %s) %s %s",
		alimedia.Version, runtime.GOOS, runtime.GOARCH, runtime.Version(), cfg.UserAgent))}
	return c
}

// ownHTTPClient is shared, so that many clients use one pool of connections.
// It is not a copy of http.DefaultTransport, which programs replace.
var ownHTTPClient = sync.OnceValue(func() *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        8 * time.Second, // the gateway drops idle connections after ten
		MaxResponseHeaderBytes: 1 << 20,
	}}
})

// settle checks where requests go, and completes cfg.Region. The host is the
// endpoint given, else that of the region in the tables of the service.
func (svc Service) settle(cfg *alimedia.Config) (url.URL, error) {
	fail := func(format string, args ...any) (url.URL, error) {
		return url.URL{}, fmt.Errorf("alimedia: "+svc.Product+": "+format, args...)
	}
	region, err := endpoint.Region(cmp.Or(strings.TrimSpace(cfg.Region), os.Getenv("ALIBABA_CLOUD_REGION_ID")))
	if err != nil {
		return fail("Config.Region, or ALIBABA_CLOUD_REGION_ID: %w", err)
	}
	cfg.Region = region
	if cfg.Network != "" && cfg.Network != alimedia.NetworkVPC {
		return fail("Config.Network is %.20q: leave it empty or use alimedia.NetworkVPC", cfg.Network)
	}
	host := strings.TrimSpace(cfg.Endpoint)
	if host == "" {
		switch {
		case region == "":
			return fail("no region: set Config.Region, such as \"cn-shanghai\", or ALIBABA_CLOUD_REGION_ID")
		case svc.Hosts[region] == "":
			return fail("it is not known to be offered in region %q (it is in %s): check the spelling, or set Config.Endpoint",
				region, strings.Join(svc.regions(), ", "))
		case cfg.Network == alimedia.NetworkVPC && svc.VPCHosts[region] == "":
			return fail("no endpoint inside a VPC is known in region %q (they are in %s): leave Config.Network empty, or set Config.Endpoint",
				region, strings.Join(slices.Sorted(maps.Keys(svc.VPCHosts)), ", "))
		case cfg.Network == alimedia.NetworkVPC:
			host = svc.VPCHosts[region]
		default:
			host = svc.Hosts[region]
		}
	}
	base, err := endpoint.Parse(host)
	if err != nil {
		return fail("Config.Endpoint: %w", err)
	}
	return base, nil
}

// Call runs op and returns out, or nil with an error. All results being
// pointers, the compiler makes one Call for all operations.
func Call[P any](ctx context.Context, c *Client, op Op, in any, out P) (P, error) {
	if err := c.Do(ctx, op, in, out); err != nil {
		var none P
		return none, err
	}
	return out, nil
}

// Do runs op with the parameters in (a struct, a map or nil) and decodes the
// response into out (a pointer, or nil).
func (c *Client) Do(ctx context.Context, op Op, in, out any) error {
	if c.cfg.Observer == nil {
		return c.do(ctx, op, in, out, nil)
	}
	return c.doObserved(ctx, op, in, out)
}

// do is Do. w is nil if nobody observes.
func (c *Client) do(ctx context.Context, op Op, in, out any, w *watch) error {
	if c.err != nil {
		return c.err
	}
	if err := checkResult(out); err != nil {
		return inOneLine("alimedia: %s: %w", op.Action, err)
	}
	params, err := c.prepare(op, in)
	if err != nil {
		return err
	}
	schedule := newSchedule(c.cfg.Retry, params.class)
	for {
		a := attempt{Client: c, op: op, params: params, number: schedule.attempts + 1}
		err := a.run(ctx, schedule.keys, out)
		w.tried(&a)
		if err == nil {
			schedule.tell(ctx, &a)
			return nil
		}
		again := schedule.next(ctx, &a, err)
		schedule.tell(ctx, &a)
		err = a.describe(ctx, err)
		if !again {
			return schedule.outcome(err)
		}
		w.retry(ctx, schedule, err)
		if waitErr := schedule.wait(ctx); waitErr != nil {
			return schedule.outcome(inOneLine("alimedia: %s: %w; the attempt before the wait: %w", op.Action, waitErr, err))
		}
	}
}

// prepare does what is the same for all attempts.
func (c *Client) prepare(op Op, in any) (*Params, error) {
	if !c.cfg.SkipValidation {
		if err := validate(op, c.cfg.Region, in); err != nil {
			return nil, err
		}
	}
	p, err := Encode(in)
	if err != nil {
		return nil, fmt.Errorf("alimedia: %s: %w", op.Action, err)
	}
	p.class = op.Class
	if op.UnsafeIf != "" && isTrue(in, op.UnsafeIf) {
		p.class = Unsafe
	}
	return p, nil
}

// attempt is one request and what became of it.
type attempt struct {
	*Client
	op     Op
	params *Params
	number int

	keys     credentials.Credentials
	signed   signedRequest
	signedAt time.Time     // by the clock of the service
	ahead    time.Duration // how far that is ahead of ours
	traced   atomic.Bool   // the transport reports what it does
	sent     atomic.Bool   // headers have left for the service
	header   http.Header   // of the response
	status   int
}

func (a *attempt) run(ctx context.Context, keys *credentials.Credentials, out any) error {
	start := time.Now()
	err := a.runLimited(ctx, keys, out)
	a.log(ctx, start, err)
	return err
}

// runLimited gives the credentials and the exchange AttemptTimeout each.
func (a *attempt) runLimited(ctx context.Context, keys *credentials.Credentials, out any) error {
	if err := a.cfg.RateLimit.Wait(ctx, a.op.Action); err != nil {
		return &localError{err}
	}
	ctx, limit := a.limited(ctx)
	defer limit.stop()
	if err := a.obtain(ctx, keys); err != nil {
		return err
	}
	limit.restart()
	return a.exchange(ctx, out)
}

// obtain asks for the credentials of this attempt, unless they are known.
func (a *attempt) obtain(ctx context.Context, known *credentials.Credentials) error {
	switch {
	case a.op.Anonymous:
	case known != nil:
		a.keys = *known
	default:
		var err error
		if a.keys, err = credentials.Ask(ctx, a.cfg.Credentials); err != nil {
			return &localError{a.foreign(err)}
		}
	}
	return nil
}

// timeLimit bounds a context. The zero value bounds nothing.
type timeLimit struct {
	limit  time.Duration
	timer  *time.Timer
	cancel context.CancelCauseFunc
}

// limited bounds ctx by the time of one attempt.
func (a *attempt) limited(ctx context.Context) (context.Context, timeLimit) {
	limit := a.cfg.AttemptTimeout
	// The end of the caller's own time is the caller's error.
	if deadline, ok := ctx.Deadline(); limit < 0 || ok && time.Until(deadline) <= limit {
		return ctx, timeLimit{}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	return ctx, timeLimit{limit, time.AfterFunc(limit, func() { cancel(retry.TimeLimit(&lateError{limit})) }), cancel}
}

func (l timeLimit) restart() {
	if l.timer != nil {
		l.timer.Reset(l.limit)
	}
}

func (l timeLimit) stop() {
	if l.timer != nil {
		l.timer.Stop()
		l.cancel(nil)
	}
}

// lateError ends an attempt. It is no error of the caller's context.
type lateError struct{ limit time.Duration }

func (e *lateError) Error() string {
	return fmt.Sprintf("no complete response within %v (Config.AttemptTimeout)", e.limit)
}
func (e *lateError) Unwrap() error   { return os.ErrDeadlineExceeded }
func (e *lateError) Timeout() bool   { return true }
func (e *lateError) Temporary() bool { return true }

func (a *attempt) exchange(ctx context.Context, out any) (err error) {
	defer func() {
		var late *lateError
		if err != nil && errors.As(context.Cause(ctx), &late) && !errors.As(err, new(*alimedia.Error)) && !errors.As(err, new(*localError)) {
			err = late // net/http reports the end of the context
		}
	}()
	a.ahead = a.clock.ahead()
	a.signedAt = time.Now().Add(a.ahead)
	a.signed = a.sign(a.signedAt)

	trace := &httptrace.ClientTrace{
		GetConn:      func(string) { a.traced.Store(true) },
		WroteHeaders: func() { a.sent.Store(true) },
	}
	resp, err := a.transport.Do(a.signed.request(httptrace.WithClientTrace(ctx, trace)))
	if err != nil {
		return a.transportError(err)
	}
	defer resp.Body.Close()
	a.header, a.status = resp.Header, resp.StatusCode

	buf := buffers.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= 1<<20 { // one huge response must not stay in the pool
			buffers.Put(buf)
		}
	}()
	buf.Reset()
	if _, err := buf.ReadFrom(io.LimitReader(resp.Body, a.cfg.MaxResponseBytes+1)); err != nil {
		if a.status < 200 || a.status > 299 { // what there is may say why
			return a.apiError(buf.Bytes(), true)
		}
		return fmt.Errorf("read response: %w", a.transportError(err))
	}
	body, cut := buf.Bytes(), int64(buf.Len()) > a.cfg.MaxResponseBytes
	if cut {
		body = body[:a.cfg.MaxResponseBytes]
	}
	return a.read(ctx, body, cut, out)
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func (a *attempt) log(ctx context.Context, start time.Time, err error) {
	if !a.cfg.Logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := make([]slog.Attr, 0, 8)
	attrs = append(attrs,
		slog.String("action", a.op.Action),
		slog.String("region", a.cfg.Region),
		slog.Int("status", a.status),
		slog.Int("attempt", a.number),
		slog.Duration("duration", time.Since(start)),
		slog.String("request_id", redact.Bounded(a.redact(a.header.Get("x-acs-request-id")), maxCode)))
	var e *alimedia.Error
	switch {
	case errors.As(err, &e):
		attrs = append(attrs, slog.String("code", e.Code))
	case err != nil:
		attrs = append(attrs, slog.String("error", a.redact(err.Error())))
	}
	a.cfg.Logger.LogAttrs(ctx, slog.LevelDebug, "alimedia", attrs...)
}

// describe puts the action in front of what is not an API error.
func (a *attempt) describe(ctx context.Context, err error) error {
	var e *alimedia.Error
	if errors.As(err, &e) {
		if server, bad := http.ParseTime(a.header.Get("Date")); bad == nil && alimedia.HasCode(e, "InvalidTimeStamp") {
			e.Message = strings.TrimSpace(fmt.Sprintf("%s (signed for %s, the service's clock says %s: is this machine's clock right?)",
				e.Message, a.signedAt.UTC().Format(dateLayout), server.UTC().Format(dateLayout)))
		}
		return err
	}
	var local *localError
	if errors.As(err, &local) {
		return inOneLine("alimedia: %s: %w", a.op.Action, local.error)
	}
	if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		return inOneLine("alimedia: %s: %s: %w: %w", a.op.Action, a.base.Host, ctx.Err(), err)
	}
	return inOneLine("alimedia: %s: %s: %w", a.op.Action, a.base.Host, err)
}

// localError is a failure on our side of the wire that a repetition can't mend.
type localError struct{ error }

func (e *localError) Unwrap() error { return e.error }

// neverSent reports whether the failure came before the request had left, or
// whether the peer has promised not to have begun with it. A transport that is
// not net/http's may not tell; then it counts as sent.
func (a *attempt) neverSent(err error) bool {
	var op *net.OpError
	var stream streamError
	return a.traced.Load() && !a.sent.Load() || errors.As(err, &op) && op.Op == "dial" ||
		a.header == nil && errors.As(err, &stream) && stream.Code == refusedStream
}

// streamError has the fields of the error that net/http makes of an RST_STREAM
// frame of HTTP/2; that error copies itself into it.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (e streamError) Error() string { return "HTTP/2 stream error" }

// refusedStream is REFUSED_STREAM: closed before any processing (RFC 9113, 8.7).
const refusedStream = 0x7
