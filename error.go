package alimedia

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/alibabacloud-go/tea/tea"

	"github.com/alimedia/alimedia-go/internal/advice"
	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/internal/retry"
)

// Error is a response that reports a failure, or a response of status 2xx that
// does not prove a success, such as the page of a gateway. The latter has no
// Code. It is the only API error of this module. Use errors.As to find it.
//
// The client itself sets two codes, with a status 2xx: Unsuccessful if the
// response reports a failure without a code, and ResponseTooLarge if the response
// is larger than Config.MaxResponseBytes or needs much more memory than its
// length.
//
// Text of the service is redacted: secrets of the call are masked, and each
// field is one printable line of at most 1 KiB.
type Error struct {
	Product            string // the service: ice, vod or oss
	Action             string // the operation, such as "RegisterMedia"
	Code               string // such as "Throttling.User"; compare with HasCode: its case varies
	Message            string
	Description        string // more details; few responses have it
	RequestId          string
	HostId             string
	Recommend          string         // page of the API Error Center
	AccessDeniedDetail map[string]any // what RAM says about a denial
	StatusCode         int            // HTTP status

	// RetryAfter is the delay that the service requests before the next call, at
	// most one hour. Zero means that it requests none.
	RetryAfter time.Duration
}

// Error returns the action, code, status, message and request ID on one line of
// at most 1 KiB. A long message is truncated.
func (e *Error) Error() string {
	var head strings.Builder
	head.WriteString("alimedia: ")
	if e.Action != "" {
		head.WriteString(redact.Bounded(e.Action, 128))
		head.WriteString(": ")
	}
	if e.Code != "" {
		head.WriteString(redact.Bounded(e.Code, 128))
	} else {
		head.WriteString("unexpected response")
	}
	if e.StatusCode != 0 {
		fmt.Fprintf(&head, " (HTTP %d)", e.StatusCode)
	}
	tail := ""
	if e.RequestId != "" {
		tail = " [request id " + redact.Bounded(e.RequestId, 128) + "]"
	}
	if e.Message != "" {
		head.WriteString(": ")
		head.WriteString(redact.Bounded(e.Message, redact.MaxBytes-head.Len()-len(tail)))
	}
	return head.String() + tail
}

// Retryable reports whether the same call may succeed later, for example after
// throttling or an internal error of the service. The client has already retried
// the call if that was safe.
func (e *Error) Retryable() bool {
	return e.isThrottled() || retry.ServerFailure(e.StatusCode) || e.StatusCode == http.StatusRequestTimeout ||
		e.Code == "" && e.StatusCode >= 200 && e.StatusCode <= 299 ||
		slices.ContainsFunc(failing, e.hasCode)
}

// failing are codes of internal errors of a service, with any status.
var failing = []string{"ServiceUnavailable", "InternalError", "InternalServerError", "InternalFailure", "SystemError", "SystemBusy", "ServerBusy"}

// Advice returns what the code means and what to do about it, as far as the
// reference of the operation or of the services says so, in one or two sentences.
// It is empty for an unknown code.
func (e *Error) Advice() string { return advice.Of(e.Product, e.Action, e.Code) }

// LogValue makes slog print the error as a group.
func (e *Error) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("action", redact.Bounded(e.Action, 128)),
		slog.String("code", redact.Bounded(e.Code, 128)),
		slog.Int("status", e.StatusCode),
		slog.String("request_id", redact.Bounded(e.RequestId, 128)),
		slog.String("message", redact.Line(e.Message)),
	}
	if e.RetryAfter > 0 {
		attrs = append(attrs, slog.Duration("retry_after", e.RetryAfter))
	}
	return slog.GroupValue(attrs...)
}

// As lets code written against Alibaba's generated SDK find the error as a
// *tea.SDKError. Its Data is the error document as JSON, with the HTTP status
// as statusCode.
func (e *Error) As(target any) bool {
	t, ok := target.(**tea.SDKError)
	if !ok {
		return false
	}
	*t = &tea.SDKError{
		Code:               tea.String(e.Code),
		StatusCode:         tea.Int(e.StatusCode),
		Message:            tea.String(e.Message),
		Description:        tea.String(e.Description),
		Data:               tea.String(e.document()),
		AccessDeniedDetail: e.AccessDeniedDetail,
	}
	return true
}

// document is the error in the form that Alibaba's clients keep.
func (e *Error) document() string {
	members := map[string]any{"statusCode": e.StatusCode}
	for name, value := range map[string]string{
		"Code": e.Code, "Message": e.Message, "Description": e.Description, "RequestId": e.RequestId, "HostId": e.HostId, "Recommend": e.Recommend,
	} {
		if value != "" {
			members[name] = value
		}
	}
	if len(e.AccessDeniedDetail) > 0 {
		members["AccessDeniedDetail"] = e.AccessDeniedDetail
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if enc.Encode(members) != nil { // a detail set by a caller may be anything
		return ""
	}
	return strings.TrimSpace(buf.String())
}

func (e *Error) hasCode(code string) bool {
	if len(e.Code) < len(code) || !strings.EqualFold(e.Code[:len(code)], code) {
		return false
	}
	return len(e.Code) == len(code) || e.Code[len(code)] == '.'
}

// codeContains reports whether one of the words is part of the code.
func (e *Error) codeContains(words ...string) bool {
	code := strings.ToLower(e.Code)
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(code, word) })
}

// ofParameter reports whether the code is about a parameter of the request,
// whatever else its name says.
func (e *Error) ofParameter() bool {
	code := strings.ToLower(e.Code)
	return strings.HasPrefix(code, "invalid") || strings.HasPrefix(code, "missing")
}

func (e *Error) isThrottled() bool {
	switch {
	case e.StatusCode == http.StatusTooManyRequests,
		e.RetryAfter > 0 && e.StatusCode >= 400 && e.StatusCode <= 499,
		e.codeContains("throttling"):
		return true
	}
	return !e.ofParameter() && e.codeContains("throttled", "flowcontrol", "servicebusy", "toomanyrequest", "toofrequent",
		"ratelimitexceeded", "qpslimitexceeded", "requestlimitexceeded", "slowdown")
}

// HasCode reports whether err is an API error with this code, or with a code that
// begins with it and a dot: HasCode(err, "Throttling") also matches
// "Throttling.User". The comparison ignores case.
func HasCode(err error, code string) bool {
	if err == nil { // the usual case, and the target below is an allocation
		return false
	}
	var e *Error
	return errors.As(err, &e) && e.hasCode(code)
}

// IsThrottled reports whether the service rejected the call because of its rate:
// status 429, a code such as Throttling.User, FlowControl or ServiceBusy, or a
// status 4xx with RetryAfter.
func IsThrottled(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.isThrottled()
}

// IsNotFound reports whether the requested resource does not exist. An unknown
// operation, product, region, user or access key does not count.
func IsNotFound(err error) bool {
	var e *Error
	if !errors.As(err, &e) || slices.ContainsFunc(unknownCallers, e.hasCode) {
		return false
	}
	return hasAnySuffix(e.Code, "NotFound", "NotExist", "NotExists", "NotExisted", "NoExist", "NoExists", "NonExist") || e.hasCode("NoSuchResource")
}

// unknownCallers begin the codes whose NotFound is about the call and not about
// the requested resource.
var unknownCallers = []string{
	"InvalidApi", "InvalidProduct", "InvalidAction", "InvalidVersion", "InvalidAccessKeyId", "InvalidSecurityToken",
	"InvalidRegion", "InvalidRegionId", "InvalidUser", "InvalidAccount", "InvalidRole",
}

// IsAlreadyExists reports whether the resource to be created exists already, such
// as a registered asset (code MediaAlreadyExist).
func IsAlreadyExists(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	for _, end := range []string{"Exist", "Exists", "Existed"} {
		if hasAnySuffix(e.Code, end) {
			return !hasAnySuffix(e.Code[:len(e.Code)-len(end)], "Not", "No", "Non", "None", "Doesnt")
		}
	}
	return hasAnySuffix(e.Code, ".Duplicate", ".Duplicated")
}

// IsAccessDenied reports whether the credentials are valid but lack the
// permission: code Forbidden, Forbidden.RAM, NoPermission, AccessDenied and the
// like, or a response with AccessDeniedDetail. Other codes that begin with
// Forbidden describe the state of the resource, such as
// Forbidden.IllegalStatus, and do not count.
func IsAccessDenied(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.isAccessDenied()
}

func (e *Error) isAccessDenied() bool {
	if len(e.AccessDeniedDetail) > 0 && !e.isThrottled() {
		return true
	}
	for _, code := range []string{"NoPermission", "AccessDenied", "AccessForbidden", "PermissionDenied", "Unauthorized", "UnauthorizedOperation", "NotAuthorized"} {
		if e.hasCode(code) {
			return true
		}
	}
	if !e.hasCode("Forbidden") {
		return false
	}
	switch reason := strings.ToLower(strings.TrimPrefix(e.Code[len("Forbidden"):], ".")); reason {
	case "", "ram", "ramuser", "subuser":
		return true
	default:
		return strings.Contains(reason, "permission") || strings.Contains(reason, "authoriz") ||
			strings.HasPrefix(reason, "accessdenied") || strings.HasPrefix(reason, "ram.")
	}
}

func hasAnySuffix(code string, suffixes ...string) bool {
	for _, s := range suffixes {
		if len(code) >= len(s) && strings.EqualFold(code[len(code)-len(s):], s) {
			return true
		}
	}
	return false
}

// ValidationError means that a request was not sent because it violates
// documented rules. It has all violations, without the values.
type ValidationError struct {
	Action     string
	Violations []Violation
}

// Violation is a rule that a request violates.
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

// JobError means that an asynchronous job ended without success. The functions
// that wait for jobs return it.
type JobError struct {
	JobId   string // of the job, or the id of the asset that was waited for
	Status  string // the final state, as the service says it
	Code    string // why, if the service says so
	Message string
}

// Error returns the job, its status and the reason on one line of at most 1 KiB.
func (e *JobError) Error() string {
	text := "alimedia: job " + e.JobId + " ended in state " + e.Status
	if e.Code != "" {
		text += ": " + e.Code
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	return redact.Line(text)
}
