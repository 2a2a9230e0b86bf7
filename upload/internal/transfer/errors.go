package transfer

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/internal/retry"
)

// Reasons of a failed transfer, to be found with errors.Is. Package upload
// documents them.
var (
	ErrEmpty             = errors.New("the source is empty")
	ErrSize              = errors.New("the source does not have the declared size")
	ErrChanged           = errors.New("the source changed while it was uploaded")
	ErrAddressChanged    = errors.New("the refreshed upload credential is for another object")
	ErrCredentialExpired = errors.New("the upload credential has expired and cannot be refreshed")
	ErrChecksum          = errors.New("the stored bytes have another checksum than those sent")
	ErrLost              = errors.New("OSS no longer has the multipart upload")
	ErrUnproven          = errors.New("the response does not prove that OSS carried out the operation")
	ErrPanic             = errors.New("panic")
	ErrStalled           = errors.New("the connection stalled")
)

// Protect turns a panic of the user's code into an error of the transfer.
func Protect(what string, do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(what, p)
		}
	}()
	return do()
}

// panicked is the error of user code that panicked with p.
func panicked(what string, p any) error {
	return retry.Permanent(fmt.Errorf("%w in %s: %s", ErrPanic, what, redact.Text(fmt.Sprint(p))))
}

// Transient reports whether the same request may succeed later.
func Transient(err error) bool {
	var api *alimedia.Error
	if errors.As(err, &api) {
		if retry.ServerFailure(api.StatusCode) || api.StatusCode == http.StatusRequestTimeout || api.StatusCode == http.StatusTooManyRequests || alimedia.IsThrottled(err) {
			return true
		}
		for _, code := range []string{"RequestTimeout", "InternalError", "ServiceUnavailable", "ServiceBusy", "SlowDown", "QpsLimitExceeded", "ConnectionTimeout"} {
			if alimedia.HasCode(err, code) {
				return true
			}
		}
		return false
	}
	var invalid *alimedia.ValidationError
	return !errors.As(err, &invalid) && retry.Transient(err)
}

// isAmbiguous reports whether a request may have had its effect in spite of
// err.
func isAmbiguous(err error) bool {
	var api *alimedia.Error
	if errors.As(err, &api) {
		return retry.ServerFailure(api.StatusCode) && !alimedia.IsThrottled(err)
	}
	return Transient(err)
}

// isExpiredCredential reports whether the credentials were refused. A token
// that has ended is first reported as expired, later as unknown.
func isExpiredCredential(err error) bool {
	return alimedia.HasCode(err, "SecurityTokenExpired") ||
		alimedia.HasCode(err, "InvalidSecurityToken") ||
		alimedia.HasCode(err, "ExpiredToken") ||
		alimedia.HasCode(err, "InvalidAccessKeyId")
}

// IsLost reports whether the service does not know the multipart upload.
func IsLost(err error) bool { return alimedia.HasCode(err, "NoSuchUpload") }

// isMissing reports whether the service says that there is no object. A page of
// somebody else with status 404 does not count.
func isMissing(err error) bool {
	var api *alimedia.Error
	return errors.As(err, &api) && api.StatusCode == http.StatusNotFound && (api.RequestId != "" || alimedia.HasCode(err, "NoSuchKey"))
}
