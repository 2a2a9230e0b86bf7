package upload

import (
	"log/slog"
	"strconv"
	"strings"

	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/upload/internal/ossobject"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// Reasons of a failed upload, to be found with errors.Is. The services' own
// refusals, those of the store included, are *alimedia.Error.
var (
	// ErrEmpty: there is not a single byte to upload. Nothing was created.
	ErrEmpty = transfer.ErrEmpty
	// ErrSize: the source has fewer or more bytes than it declared.
	ErrSize = transfer.ErrSize
	// ErrChanged: the file was written to while it was uploaded. Nothing of
	// it was completed.
	ErrChanged = transfer.ErrChanged
	// ErrAddress: the service's UploadAddress or UploadAuth cannot be used.
	ErrAddress = ossobject.ErrAddress
	// ErrAddressChanged: a refreshed credential is for another object. Nothing
	// was written there.
	ErrAddressChanged = transfer.ErrAddressChanged
	// ErrCredentialExpired: the upload credential ended before the upload and
	// the service has no operation to refresh it. A new upload is a new asset.
	ErrCredentialExpired = transfer.ErrCredentialExpired
	// ErrChecksum: what the store holds is not what was sent.
	ErrChecksum = transfer.ErrChecksum
	// ErrLost: the store no longer knows the multipart upload and has no
	// object that could have come from it.
	ErrLost = transfer.ErrLost
	// ErrCallback: the object is stored, but the callback that the store was
	// to make failed.
	ErrCallback = ossobject.ErrCallback
	// ErrUnproven: an answer says that the operation succeeded, but lacks what
	// only OSS answers: a gateway, a captive portal or a proxy may have sent
	// it. The request was repeated before this was reported. Whether the
	// object is stored is not known.
	ErrUnproven = transfer.ErrUnproven
	// ErrPanic: a Reader, a ReaderAt, a credentials provider or a transport of
	// the user panicked. Only this upload failed.
	ErrPanic = transfer.ErrPanic
	// ErrUntrustedHost: an upload credential was to be sent to a host that is
	// not one of OSS and not listed in Config.OSSHosts. It was not sent.
	ErrUntrustedHost = ossobject.ErrUntrustedHost
	// ErrStalled: no byte moved for Config.StallTimeout, or no answer came
	// within Config.AnswerTimeout.
	ErrStalled = transfer.ErrStalled
)

// Stage is a step of an upload.
type Stage string

// The stages, in order.
const (
	StageOpen     Stage = "open"     // the source is opened and checked
	StageCreate   Stage = "create"   // the service creates the asset and returns a destination
	StageSend     Stage = "send"     // bytes are being sent
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
