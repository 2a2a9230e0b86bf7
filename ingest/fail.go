package ingest

import (
	"context"
	"errors"
	"io/fs"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/upload"
)

// Cause is why a job failed. It contains no secrets.
type Cause struct {
	Code    string `json:"code"`    // of the service, or a name such as "Empty" or "Network"
	Message string `json:"message"` // one line of at most 512 bytes
	// RequestId identifies the request for the support of Alibaba Cloud.
	RequestId string `json:"requestId,omitempty"`
}

const maxMessage = 512

// verdict is what becomes of a job that failed.
type verdict int

const (
	again     verdict = iota // later, at most WorkerConfig.Attempts times
	later                    // later, not counted: the job is not to blame
	permanent                // never
)

// named are errors that have no code of a service.
var named = []struct {
	err  error
	code string
	verdict
}{
	{ErrJob, "InvalidJob", permanent},
	{errPoison, "WorkerDied", permanent},
	{errPanic, "Panic", again},
	{errRoot, "UnknownRoot", again}, // another worker may have it,
	{errBucket, "UnknownBucket", again},
	{upload.ErrEmpty, "Empty", permanent},
	{upload.ErrName, "Name", permanent},
	{upload.ErrTooLarge, "TooLarge", permanent},
	{upload.ErrPage, "Page", permanent},
	{upload.ErrNotPublic, "NotPublic", permanent},
	{upload.ErrUntrustedHost, "UntrustedHost", permanent},
	{upload.ErrOutside, "Playlist", permanent},
	{upload.ErrRemote, "Playlist", permanent},
	{upload.ErrLoop, "Playlist", permanent},
	{upload.ErrNotAllowed, "Playlist", permanent},
	{upload.ErrNoPrefix, "Playlist", permanent},
	{upload.ErrPlaylist, "Playlist", permanent},
	{upload.ErrCheckpoint, "Checkpoint", later},
	{errStore, "Queue", later},
	{fs.ErrNotExist, "NotFound", permanent},
	{fs.ErrPermission, "Permission", again},
	{upload.ErrPanic, "Panic", again},
	{upload.ErrChanged, "Changed", again},
	{upload.ErrStalled, "Stalled", again},
	{upload.ErrNotResumable, "NotResumable", again},
	{alimedia.ErrOutcomeUnknown, "OutcomeUnknown", again},
	{context.DeadlineExceeded, "Timeout", again},
}

// judge says why a job failed and what becomes of it.
func judge(err error) (Cause, verdict) {
	c := Cause{Code: "Other", Message: redact.Bounded(redact.Text(err.Error()), maxMessage)}
	if failure, ok := errors.AsType[*upload.Error](err); ok {
		c.RequestId = requestID(failure.Err)
	}
	for _, n := range named {
		if errors.Is(err, n.err) {
			c.Code = n.code
			return c, n.verdict
		}
	}
	if _, ok := errors.AsType[*upload.PlaylistError](err); ok {
		c.Code = "Playlist"
		return c, permanent
	}
	if _, ok := errors.AsType[*alimedia.ValidationError](err); ok {
		c.Code = "Validation"
		return c, permanent
	}
	api, ok := errors.AsType[*alimedia.Error](err)
	if !ok {
		c.Code = "Network"
		return c, again
	}
	c.Code, c.RequestId = redact.Bounded(api.Code, 128), redact.Bounded(api.RequestId, 128)
	if c.Code == "" {
		c.Code = "Status"
	}
	switch {
	case alimedia.IsThrottled(err):
		return c, later
	// A permission or a credential is mended, and then the job succeeds.
	case alimedia.IsAccessDenied(err), api.Retryable(), api.StatusCode == 401, api.StatusCode == 403:
		return c, again
	case api.StatusCode >= 400 && api.StatusCode < 500, api.Code == "FailedFileURLs":
		return c, permanent
	}
	return c, again
}

func requestID(err error) string {
	if api, ok := errors.AsType[*alimedia.Error](err); ok {
		return redact.Bounded(api.RequestId, 128)
	}
	return ""
}
