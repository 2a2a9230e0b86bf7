package upload

import (
	"context"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// Observer receives the events of uploads, for traces and metrics. Module
// [github.com/alimedia/alimedia-go/otelmedia] has one for OpenTelemetry. Set it
// by Config.Observer for all uploads, or by [WithObserver] for one. A function
// that is nil is not called. Without an Observer an upload costs nothing more.
//
// The functions are called concurrently, also for one upload, which has several
// requests at a time. An upload waits for them, so they must return quickly. If a
// function panics, the panic is logged, the upload continues, and the Observer
// receives no more events of this upload. Nothing is called before UploadStart
// or after UploadEnd.
//
// Events contain no secrets: no query of a URL, no upload credential, no header.
// Source, File, MediaId and the text of Err have many different values: use Code
// and the other fields as labels of metrics.
//
// Calls of operations, such as CreateUploadVideo, are events of the
// [alimedia.Observer] of the client. They have the context that UploadStart or
// RequestStart returned.
type Observer struct {
	// UploadStart is called when Upload begins. It returns the context of the
	// upload, derived from ctx; nil means ctx.
	UploadStart func(ctx context.Context, u UploadStart) context.Context

	// UploadEnd is the last call, with the context that UploadStart returned.
	UploadEnd func(ctx context.Context, u UploadStart, end UploadEnd)

	// Stage is called when a stage begins, see [Stage].
	Stage func(ctx context.Context, s StageEvent)

	// Asset is called when the MediaId is known: the asset was created, or an
	// earlier run has created it.
	Asset func(ctx context.Context, mediaId string)

	// RequestStart is called before each request to OSS. It returns the context
	// of the request, derived from ctx; nil means ctx.
	RequestStart func(ctx context.Context, r Request) context.Context

	// RequestEnd is called once for each RequestStart, with the context that
	// RequestStart returned.
	RequestEnd func(ctx context.Context, r Request, end RequestEnd)

	// Retry is called when a request failed and will be sent again, before the
	// delay.
	Retry func(ctx context.Context, r Request, retry RequestRetry)

	// Refresh is called after a refresh of the upload credential.
	Refresh func(ctx context.Context, r Refresh)

	// Bytes is called whenever bytes move, up to some thousand times a second.
	Bytes func(ctx context.Context, b Bytes)

	// Poll is called after each query of the state of the asset, with
	// [WithWait] only.
	Poll func(ctx context.Context, p Poll)
}

// UploadStart is the beginning of an upload.
type UploadStart struct {
	Source string // the name of the source with its folders: the path, or the URL without its query
	Target string // the type of the target, such as "VODVideo"
}

// UploadEnd is the outcome of an upload.
type UploadEnd struct {
	Name            string // of the source, without directories
	MediaId         string // empty if no asset was created
	Size            int64  // bytes; UnknownSize, or 0 if the source could not be opened
	Sent            int64  // bytes that OSS has confirmed, those of earlier runs included
	Resumed         int64  // bytes of Sent that an earlier run has sent
	Duration        time.Duration
	Stage           Stage // StageDone, or where the upload failed
	AlreadyUploaded bool  // see [Result]
	Code            string
	Err             error // that Upload returns; Code is its [ErrorCode]
}

// StageEvent is the beginning of a stage.
type StageEvent struct {
	Stage    Stage
	Previous Stage         // empty for the first stage
	Duration time.Duration // of the previous stage
	Size     int64         // bytes of the source; UnknownSize, or 0 if it is not known yet
}

// Request is a request to OSS.
type Request struct {
	Operation string        // such as "UploadPart", "PutObject" or "CompleteMultipartUpload"
	File      string        // of a playlist: the file in its folder; empty for other sources
	Part      int           // number of the part, from 1; 0 if the request is not UploadPart
	Attempt   int           // from 1
	Size      int64         // bytes of the body
	Queued    time.Duration // that the request has waited because of Config.Parallel
}

// RequestEnd is the outcome of a [Request].
type RequestEnd struct {
	Duration time.Duration // with the refresh of the credential, if one was due
	Sent     int64         // bytes of the body that were handed to the connection
	Code     string        // see [ErrorCode]; empty on success
	Err      error
}

// RequestRetry is why and when a [Request] is sent again.
type RequestRetry struct {
	Reason alimedia.RetryReason
	Delay  time.Duration // before the next attempt
	Code   string        // see [ErrorCode]
	Err    error         // of the attempt that failed
}

// RefreshReason is why an upload credential is refreshed.
type RefreshReason string

// Reasons of a refresh.
const (
	RefreshDue     RefreshReason = transfer.ReasonDue     // the credential expires soon
	RefreshExpired RefreshReason = transfer.ReasonExpired // it has expired
	RefreshRefused RefreshReason = transfer.ReasonRefused // OSS does not accept it
)

// Refresh is the outcome of a refresh. If it failed, the upload continues with
// the old credential while that is valid.
type Refresh struct {
	Reason   RefreshReason
	Duration time.Duration
	Code     string // see [ErrorCode]; empty on success
	Err      error
}

// Bytes is a change of the counts of an upload. Sent less Confirmed is in
// flight. A negative number takes back what has to be sent again.
type Bytes struct {
	Sent      int64 // handed to a connection
	Confirmed int64 // confirmed by OSS
	Resumed   int64 // confirmed in an earlier run; neither in Sent nor in Confirmed
}

// Poll is the state of an asset.
type Poll struct {
	MediaId string
	Status  string // of the asset as the service says it
	Code    string // see [ErrorCode]; empty on success
	Err     error
}

// WithObserver adds an Observer for this upload. That of Config is called first.
// Nil adds none.
func WithObserver(o *Observer) Option {
	return func(opts *options) { opts.observers = append(opts.observers, o) }
}
