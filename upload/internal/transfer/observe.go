package transfer

import (
	"context"
	"time"

	"github.com/alimedia/alimedia-go/credentials"
)

// Observer is told how far a transfer is, and of each of its requests. Its
// methods are called concurrently and must return at once.
type Observer interface {
	Counter
	Requests
}

// Counter counts the bytes of a transfer.
type Counter interface {
	// Moved counts bytes that were handed to a connection. A negative count
	// takes back those of a request that failed.
	Moved(n int64)
	// Confirmed counts bytes that the service has confirmed.
	Confirmed(n int64)
	// Resumed counts bytes that an earlier run has stored.
	Resumed(n int64)
	// Restarted takes back everything that was counted.
	Restarted()
	// Completing tells that all parts are stored and become one object.
	Completing()
}

// Requests is told of single requests.
type Requests interface {
	// RequestStarted returns the context of the request, which is derived from
	// ctx. RequestEnded follows with that context.
	RequestStarted(ctx context.Context, r Request) context.Context
	RequestEnded(ctx context.Context, r Request, o Outcome)
	// Retrying tells that a request failed and is made again after a delay.
	Retrying(ctx context.Context, r Request, again Retry)
	// Refreshed tells that other credentials were asked for.
	Refreshed(ctx context.Context, r Refresh)
}

// Request is one request to the object storage service.
type Request struct {
	Operation string        // of the service: "UploadPart"
	Part      int           // of UploadPart, from 1
	Attempt   int           // from 1
	Size      int64         // bytes of the body
	Queued    time.Duration // that the request waited because of Config.Parallel
}

// Outcome is how a request ended.
type Outcome struct {
	Duration time.Duration
	Sent     int64 // bytes of the body that were handed to the connection
	Err      error
}

// Reasons of a retry or a refresh.
const (
	ReasonFailure    = "failure"    // may pass
	ReasonCredential = "credential" // was refused and is replaced
	ReasonClock      = "clock"      // differed from that of the service and is corrected

	ReasonDue     = "due"     // the credential ends soon
	ReasonExpired = "expired" // it has ended
	ReasonRefused = "refused" // the service does not accept it
)

// Retry is why and when a request is made again.
type Retry struct {
	Reason string
	Delay  time.Duration
	Err    error // of the attempt that failed
}

// Refresh is the outcome of a refresh of credentials.
type Refresh struct {
	Reason   string
	Duration time.Duration
	Err      error
}

// ask asks for the credentials of a request.
func (c *client) ask(ctx context.Context) (credentials.Credentials, error) {
	if p, ok := c.Credentials.(*RefreshingCredential); ok {
		return p.get(ctx, c.observer)
	}
	return c.Credentials.Credentials(ctx)
}

// NoRequests is told of requests and does nothing.
type NoRequests struct{}

// RequestStarted implements [Requests].
func (NoRequests) RequestStarted(ctx context.Context, _ Request) context.Context { return ctx }

// RequestEnded implements [Requests].
func (NoRequests) RequestEnded(context.Context, Request, Outcome) {}

// Retrying implements [Requests].
func (NoRequests) Retrying(context.Context, Request, Retry) {}

// Refreshed implements [Requests].
func (NoRequests) Refreshed(context.Context, Refresh) {}

// uncounted is an Observer of requests that carry no bytes of the source.
type uncounted struct{ Requests }

// Moved implements [Counter].
func (uncounted) Moved(int64) {}

// Confirmed implements [Counter].
func (uncounted) Confirmed(int64) {}

// Resumed implements [Counter].
func (uncounted) Resumed(int64) {}

// Restarted implements [Counter].
func (uncounted) Restarted() {}

// Completing implements [Counter].
func (uncounted) Completing() {}
