package alimedia

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/alibabacloud-go/tea/tea"
)

// Error is an answer of the service that refuses a call. It is the only API
// error of this module; reach it with errors.As.
type Error struct {
	Action             string // the operation, such as "RegisterMedia"
	Code               string // such as "Throttling.User"; dotted, its case is not reliable
	Message            string
	RequestId          string
	HostId             string
	Recommend          string         // page of the API Error Center
	AccessDeniedDetail map[string]any // what RAM says of a denial
	StatusCode         int            // HTTP status
}

// Error gives action, status, code, message and request id on one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("alimedia: ")
	if e.Action != "" {
		b.WriteString(e.Action)
		b.WriteString(": ")
	}
	if e.Code != "" {
		b.WriteString(e.Code)
	} else {
		b.WriteString("unexpected answer")
	}
	if e.StatusCode != 0 {
		fmt.Fprintf(&b, " (HTTP %d)", e.StatusCode)
	}
	if e.Message != "" {
		b.WriteString(": ")
		b.WriteString(e.Message)
	}
	if e.RequestId != "" {
		b.WriteString(" [request id ")
		b.WriteString(e.RequestId)
		b.WriteByte(']')
	}
	return b.String()
}

// Retryable reports whether the same call may succeed later: throttling, a
// service that is busy or failing. The client has already repeated the call
// where that was safe.
func (e *Error) Retryable() bool {
	return e.isThrottled() || e.hasCode("ServiceUnavailable") || e.hasCode("InternalError") ||
		e.StatusCode == http.StatusInternalServerError || e.StatusCode == http.StatusBadGateway ||
		e.StatusCode == http.StatusServiceUnavailable || e.StatusCode == http.StatusGatewayTimeout
}

// LogValue makes slog print the error as a group.
func (e *Error) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("action", e.Action),
		slog.String("code", e.Code),
		slog.Int("status", e.StatusCode),
		slog.String("request_id", e.RequestId),
		slog.String("message", e.Message),
	)
}

// As lets code written against Alibaba's generated SDK find the error as a
// *tea.SDKError.
func (e *Error) As(target any) bool {
	t, ok := target.(**tea.SDKError)
	if !ok {
		return false
	}
	*t = &tea.SDKError{
		Code:               tea.String(e.Code),
		StatusCode:         tea.Int(e.StatusCode),
		Message:            tea.String(e.Message),
		AccessDeniedDetail: e.AccessDeniedDetail,
	}
	return true
}

func (e *Error) hasCode(code string) bool {
	if len(e.Code) < len(code) || !strings.EqualFold(e.Code[:len(code)], code) {
		return false
	}
	return len(e.Code) == len(code) || e.Code[len(code)] == '.'
}

func (e *Error) isThrottled() bool {
	return e.hasCode("Throttling") || e.StatusCode == http.StatusTooManyRequests
}

// HasCode reports whether err is an API error with this code or with a code
// that begins with it and a dot: HasCode(err, "Throttling") also matches
// "Throttling.User". Case does not matter.
func HasCode(err error, code string) bool {
	var e *Error
	return errors.As(err, &e) && e.hasCode(code)
}

// IsThrottled reports whether the service refused the call for its rate.
func IsThrottled(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.isThrottled()
}

// IsNotFound reports whether the thing asked for does not exist. An operation,
// product or access key that is not known does not count.
func IsNotFound(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	for _, other := range []string{"InvalidApi", "InvalidProduct", "InvalidAction", "InvalidVersion", "InvalidAccessKeyId"} {
		if e.hasCode(other) {
			return false
		}
	}
	return hasAnySuffix(e.Code, "NotFound", "NotExist", "NotExists", "NotExisted") || e.hasCode("NoSuch")
}

// IsAlreadyExists reports whether the thing to be made exists already, such as
// an asset registered before (code MediaAlreadyExist).
func IsAlreadyExists(err error) bool {
	var e *Error
	return errors.As(err, &e) && hasAnySuffix(e.Code, "AlreadyExist", "AlreadyExists", "AlreadyExisted")
}

// IsAccessDenied reports whether the credentials are valid but may not do this.
func IsAccessDenied(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.hasCode("Forbidden") || e.hasCode("NoPermission") || e.hasCode("AccessDenied"))
}

func hasAnySuffix(code string, suffixes ...string) bool {
	for _, s := range suffixes {
		if len(code) >= len(s) && strings.EqualFold(code[len(code)-len(s):], s) {
			return true
		}
	}
	return false
}

// ValidationError says why a request was not sent: everything that breaks a
// documented rule, at once. Values are never part of it.
type ValidationError struct {
	Action     string
	Violations []Violation
}

// Violation is one broken rule of a request.
type Violation struct {
	Field  string // path of the field, such as "RegisterMetadatas[2].Title"
	Rule   string // what is asked, such as "at most 128 bytes"
	Length int    // how long the value is, in the unit of the rule; 0 where length is not the matter
}

// Error lists all violations on one line.
func (e *ValidationError) Error() string {
	var b strings.Builder
	b.WriteString("alimedia: ")
	b.WriteString(e.Action)
	b.WriteString(": not sent: ")
	for i, v := range e.Violations {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(v.Field)
		b.WriteString(": ")
		b.WriteString(v.Rule)
		if v.Length > 0 {
			fmt.Fprintf(&b, ", has %d", v.Length)
		}
	}
	return b.String()
}

// JobError is the end of an asynchronous job that did not come to its aim, as
// the functions that wait for jobs report it.
type JobError struct {
	JobId   string // of the job, or the id of the asset that was waited for
	Status  string // the final state, as the service says it
	Code    string // why, if the service says so
	Message string
}

// Error gives job, state and reason on one line.
func (e *JobError) Error() string {
	text := "alimedia: job " + e.JobId + " ended in state " + e.Status
	if e.Code != "" {
		text += ": " + e.Code
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}
