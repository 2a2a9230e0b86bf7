package upload

import (
	"log/slog"
	"strconv"
	"strings"

	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/upload/internal/ossobject"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// Reasons of a failed upload, for use with errors.Is. Error responses of the
// services and of OSS are *alimedia.Error.
var (
	// ErrEmpty means that the source has no bytes. Nothing was created.
	ErrEmpty = transfer.ErrEmpty
	// ErrSize means that the source has fewer or more bytes than declared.
	ErrSize = transfer.ErrSize
	// ErrChanged means that the file was modified during the upload. The object
	// was not completed.
	ErrChanged = transfer.ErrChanged
	// ErrAddress means that UploadAddress or UploadAuth is not valid.
	ErrAddress = ossobject.ErrAddress
	// ErrAddressChanged means that the refreshed upload credential is for another
	// object. Nothing was written to that object.
	ErrAddressChanged = transfer.ErrAddressChanged
	// ErrCredentialExpired means that the upload credential expired during the
	// upload and the service has no operation to refresh it. A new upload creates
	// a new asset.
	ErrCredentialExpired = transfer.ErrCredentialExpired
	// ErrChecksum means that the CRC-64 of the stored bytes differs from that of
	// the bytes that were sent.
	ErrChecksum = transfer.ErrChecksum
	// ErrLost means that OSS no longer has the multipart upload, and no object
	// that was created by it.
	ErrLost = transfer.ErrLost
	// ErrCallback means that the object is stored, but the callback of OSS to the
	// service failed.
	ErrCallback = ossobject.ErrCallback
	// ErrUnproven means that a successful response lacks what only OSS can
	// response. A gateway, a captive portal or a proxy may have sent it. The request
	// was retried. Whether the object is stored is not known.
	ErrUnproven = transfer.ErrUnproven
	// ErrPanic means that your Reader, ReaderAt, credentials provider or
	// http.RoundTripper panicked. Other uploads continue.
	ErrPanic = transfer.ErrPanic
	// ErrUntrustedHost means that UploadAddress names a host that is not one of
	// OSS and is not listed in Config.OSSHosts. The credential was not sent.
	ErrUntrustedHost = ossobject.ErrUntrustedHost
	// ErrStalled means that no byte moved for Config.StallTimeout, or that the
	// response was not complete within Config.ResponseTimeout.
	ErrStalled = transfer.ErrStalled
)

// Stage is a step of an upload.
type Stage string

// The stages, in order.
const (
	StageOpen     Stage = "open"     // opens the source
	StageCreate   Stage = "create"   // creates the asset
	StageSend     Stage = "send"     // sends the bytes
	StageComplete Stage = "complete" // combines the parts
	StageFinish   Stage = "finish"   // registers the object
	StageWait     Stage = "wait"     // waits until the asset is processed, see WithWait
	StageDone     Stage = "done"
)

// Error describes a failed upload. It wraps the cause: *alimedia.Error for an
// error response of a service or of OSS, *alimedia.ValidationError for a request
// that was not sent, context.Canceled, one of the Err values of this package, or
// the error of the source.
type Error struct {
	Stage    Stage
	Name     string // of the source
	MediaId  string // of the asset, if it was created
	FileURL  string // of the object, whether it is stored or not
	UploadId string // of the multipart upload; its parts are removed unless there is a checkpoint
	Sent     int64  // bytes that OSS has confirmed
	Uploaded bool   // the object is stored, another upload is not necessary
	Status   string // last state of the asset, with WithWait only
	Err      error
}

// Error says what failed, for which file, and which asset exists already: on
// one printable line of at most 1 KiB.
func (e *Error) Error() string {
	before := "upload"
	if e.Name != "" {
		before += " " + strconv.Quote(redact.Bounded(strings.ToValidUTF8(e.Name, "?"), 100))
	}
	before = redact.Line(before + ": " + string(e.Stage) + ":")
	after := ""
	if e.MediaId != "" {
		after += " [MediaId " + redact.Bounded(redact.Line(e.MediaId), 128) + "]"
	}
	if e.Uploaded {
		after += " [stored as " + redact.Bounded(redact.Text(e.FileURL), 300) + "]"
	}
	return before + " " + redact.Bounded(shownCause(e.Err), max(64, redact.MaxBytes-1-len(before)-len(after))) + after
}

// shownCause is the text of a cause that may hold foreign text.
func shownCause(err error) string {
	if err == nil {
		return "unknown"
	}
	return redact.Text(err.Error())
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// LogValue makes slog print the error as a group.
func (e *Error) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("stage", string(e.Stage)),
		slog.String("name", redact.Line(e.Name)),
		slog.String("media_id", redact.Line(e.MediaId)),
		slog.String("upload_id", redact.Line(e.UploadId)),
		slog.Int64("sent", e.Sent),
		slog.Bool("uploaded", e.Uploaded),
		slog.String("status", redact.Line(e.Status)),
		slog.String("cause", shownCause(e.Err)),
	)
}
