package ingest

import (
	"errors"
	"fmt"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/redact"
)

// clean makes an error of the SDK of OSS one of this module. Its own text may
// quote what was sent.
func clean(err error) error {
	if e, ok := errors.AsType[oss.ServiceError](err); ok {
		return &alimedia.Error{Product: "oss", Action: "request", Code: redact.Text(e.Code), Message: redact.Text(e.Message), RequestId: e.RequestID, StatusCode: e.StatusCode}
	}
	return &cleaned{err, redact.Text(fmt.Sprint(err))}
}

// cleaned is an error with another text.
type cleaned struct {
	err  error
	text string
}

// Error implements error.
func (e *cleaned) Error() string { return e.text }

// Unwrap returns the cause.
func (e *cleaned) Unwrap() error { return e.err }
