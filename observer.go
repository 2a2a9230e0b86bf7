package alimedia

import (
	"context"
	"time"
)

// Observer receives the events of calls, for traces and metrics. Module
// [github.com/alimedia/alimedia-go/otelmedia] has one for OpenTelemetry. A
// function that is nil is not called. Without an Observer a call costs nothing
// more.
//
// The functions are called by the goroutine of the call, concurrently for
// concurrent calls. A call waits for them, so they must return quickly. A panic
// of a function is logged, and the call continues.
//
// Events contain no parameters, no values of responses and no secrets.
type Observer struct {
	// CallStart is called before a call is validated and sent. It returns the
	// context of the call, derived from ctx; nil means ctx. Spans of the HTTP
	// client are then children of a span in it.
	CallStart func(ctx context.Context, c Call) context.Context

	// CallEnd is called once for each CallStart, with the context that
	// CallStart returned.
	CallEnd func(ctx context.Context, c Call, end CallEnd)

	// CallRetry is called after each attempt that is followed by another one,
	// before the delay.
	CallRetry func(ctx context.Context, c Call, retry CallRetry)
}

// Call is a call of an operation.
type Call struct {
	Product string // "vod" or "ice"
	Action  string // the operation, such as "GetVideoInfo"
	Version string // of the API, such as "2017-03-21"
	Region  string // may be empty if Config.Endpoint is set
	Host    string // of the service
}

// CallEnd is the outcome of a call.
type CallEnd struct {
	Duration   time.Duration // with all attempts and delays
	Attempts   int           // 0 if nothing was sent
	StatusCode int           // HTTP status of the last response, 0 without a response
	RequestId  string        // of the last response
	Code       string        // see [ErrorCode]; empty on success
	Err        error         // that the call returns
}

// CallRetry is an attempt that failed and is followed by another one.
type CallRetry struct {
	Attempt int           // the one that failed, from 1
	Reason  RetryReason   // what the next attempt changes
	Delay   time.Duration // before the next attempt
	Code    string        // see [ErrorCode]
	Err     error         // of the attempt
}

// RetryReason is why a request is sent again.
type RetryReason string

// Reasons of a retry.
const (
	RetryFailure    RetryReason = "failure"    // a failure that may pass, such as throttling
	RetryCredential RetryReason = "credential" // the credential was refused and was replaced
	RetryClock      RetryReason = "clock"      // the clock differed from that of the service and was corrected
)
