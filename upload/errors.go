package upload

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// Reasons of a failed upload, to be found with errors.Is. The services' own
// refusals, those of the store included, are *alimedia.Error.
var (
	// ErrEmpty: there is not a single byte to upload. Nothing was created.
	ErrEmpty = errors.New("the source is empty")
	// ErrSize: the source has fewer or more bytes than it declared.
	ErrSize = errors.New("the source is not as long as declared")
	// ErrChanged: the file was written to while it was uploaded. Nothing of
	// it was completed.
	ErrChanged = errors.New("the source changed while it was uploaded")
	// ErrAddress: the service's UploadAddress or UploadAuth cannot be used.
	ErrAddress = errors.New("unusable upload address")
	// ErrAddressChanged: a refreshed credential is for another object. Nothing
	// was written there.
	ErrAddressChanged = errors.New("the refreshed credential is for another object")
	// ErrCredentialExpired: the upload credential ended before the upload and
	// the service has no operation to refresh it. A new upload is a new asset.
	ErrCredentialExpired = errors.New("the upload credential has expired and cannot be refreshed")
	// ErrChecksum: what the store holds is not what was sent.
	ErrChecksum = errors.New("the checksum of the store differs")
	// ErrLost: the store no longer knows the multipart upload and has no
	// object that could have come from it.
	ErrLost = errors.New("the store has lost the multipart upload")
	// ErrCallback: the object is stored, but the callback that the store was
	// to make failed.
	ErrCallback = errors.New("the object is stored, its callback failed")
	// ErrStalled: no byte moved for Config.StallTimeout.
	ErrStalled = errors.New("the connection stalled")
)

// Stage is a step of an upload.
type Stage string

// The stages, in order.
const (
	StageOpen     Stage = "open"     // the source is opened and looked at
	StageCreate   Stage = "create"   // the service is asked for a place
	StageSend     Stage = "send"     // bytes are on their way
	StageComplete Stage = "complete" // the parts become one object
	StageFinish   Stage = "finish"   // the object is registered
	StageWait     Stage = "wait"     // the service processes the asset, see WithWait
	StageDone     Stage = "done"
)

// Error is every failure of an upload. The cause is in its chain:
// *alimedia.Error for an answer of a service or of the store,
// *alimedia.ValidationError for a request that was not sent, context.Canceled,
// one of the Err values of this package, the error of the source.
type Error struct {
	Stage    Stage
	Name     string // of the source
	MediaId  string // of the asset that was created, if one was
	FileURL  string // where the object is or would have been
	UploadId string // of the multipart upload; its parts are removed unless there is a checkpoint
	Sent     int64  // bytes that the store has confirmed
	Uploaded bool   // the object is stored; sending it again is not necessary
	Status   string // of the asset as WithWait last saw it
	Err      error
}

// Error says what failed, for which file, and which asset exists already.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("upload")
	if e.Name != "" {
		fmt.Fprintf(&b, " %.200q", e.Name)
	}
	fmt.Fprintf(&b, ": %s: %v", e.Stage, e.Err)
	if e.MediaId != "" {
		fmt.Fprintf(&b, " [MediaId %s]", e.MediaId)
	}
	if e.Uploaded {
		fmt.Fprintf(&b, " [stored as %s]", e.FileURL)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// LogValue makes slog print the error as a group.
func (e *Error) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("stage", string(e.Stage)),
		slog.String("name", e.Name),
		slog.String("media_id", e.MediaId),
		slog.String("upload_id", e.UploadId),
		slog.Int64("sent", e.Sent),
		slog.Bool("uploaded", e.Uploaded),
		slog.String("status", e.Status),
		slog.Any("cause", e.Err),
	)
}
