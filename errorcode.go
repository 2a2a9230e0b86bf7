package alimedia

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/url"
	"strconv"

	"github.com/alimedia/alimedia-go/internal/redact"
)

// ErrorCode returns a short name for err, for metrics and statistics. It is the
// Code of an [*Error], or "HTTP502" if the response had no code and status 502.
// For other errors it is Canceled, DeadlineExceeded, Validation, JobFailed,
// Certificate, Timeout, Network, NotExist, Permission or Other. It is empty for
// nil. Codes of the service are foreign text of at most 64 bytes: limit the
// number of different ones that you store.
func ErrorCode(err error) string {
	var api *Error
	var invalid *ValidationError
	var job *JobError
	var timeout net.Error
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.Canceled):
		return "Canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "DeadlineExceeded"
	case errors.As(err, &api) && api.Code != "":
		return redact.Bounded(api.Code, 64)
	case api != nil:
		return "HTTP" + strconv.Itoa(api.StatusCode)
	case errors.As(err, &invalid):
		return "Validation"
	case errors.As(err, &job):
		return "JobFailed"
	case isCertificate(err):
		return "Certificate"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "Timeout"
	case isNetwork(err):
		return "Network"
	case errors.Is(err, fs.ErrNotExist):
		return "NotExist"
	case errors.Is(err, fs.ErrPermission):
		return "Permission"
	}
	return "Other"
}

func isCertificate(err error) bool {
	return errors.As(err, new(*tls.CertificateVerificationError)) || errors.As(err, new(x509.UnknownAuthorityError)) ||
		errors.As(err, new(x509.HostnameError)) || errors.As(err, new(x509.CertificateInvalidError))
}

func isNetwork(err error) bool {
	return errors.As(err, new(*net.OpError)) || errors.As(err, new(*net.DNSError)) || errors.As(err, new(*url.Error)) ||
		errors.Is(err, io.ErrUnexpectedEOF)
}
