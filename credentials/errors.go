package credentials

import (
	"fmt"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go/internal/redact"
)

const prefix = "credentials: "

// Error is an error response of STS, of the metadata service or of a credentials
// URI. Use errors.As to find it.
type Error struct {
	Code       string // such as "NoPermission"; empty when the response has none
	Message    string // at most 300 bytes, without the secrets of the request
	RequestId  string
	StatusCode int // HTTP status

	date time.Time // the server's clock; zero when it did not say
}

// Error returns the code, status, message and request ID on one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("refused")
	if e.Code != "" {
		fmt.Fprintf(&b, " with code %s", e.Code)
	}
	fmt.Fprintf(&b, " (HTTP %d)", e.StatusCode)
	if e.Message != "" {
		fmt.Fprintf(&b, ": %s", e.Message)
	}
	if e.RequestId != "" {
		fmt.Fprintf(&b, " [request id %s]", e.RequestId)
	}
	return b.String()
}

func (e *Error) hasCode(code string) bool {
	return len(e.Code) >= len(code) && strings.EqualFold(e.Code[:len(code)], code)
}

// isThrottled reports whether the code says that there were too many requests.
func (e *Error) isThrottled() bool {
	code := strings.ToLower(e.Code)
	return strings.Contains(code, "throttling") || strings.HasPrefix(code, "flowcontrol") || strings.HasPrefix(code, "servicebusy")
}

// plausible reports whether the response tells the time of the service.
func (e *Error) plausible() bool { return !e.date.IsZero() && time.Until(e.date).Abs() <= maxDate }

// failure says which provider has no credentials, and why.
type failure struct {
	provider string
	reason   error
}

func (f *failure) Error() string {
	return prefix + f.provider + ": " + strings.TrimPrefix(f.reason.Error(), prefix)
}

func (f *failure) Unwrap() error { return f.reason }

// fail names the provider in err.
func (l label) fail(err error) error { return &failure{provider: string(l), reason: err} }

// chainError lists every provider that was asked with its reason.
type chainError struct {
	reasons []error
}

func (e *chainError) Error() string {
	var b strings.Builder
	b.WriteString(prefix)
	b.WriteString("no provider has any: ")
	for i, reason := range e.reasons {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(strings.TrimPrefix(reason.Error(), prefix))
	}
	return b.String()
}

func (e *chainError) Unwrap() []error { return e.reasons }

// clean makes one printable line of at most limit bytes of a foreign text,
// without the secrets.
func clean(text string, limit int, secrets ...string) string {
	return redact.Bounded(redact.Secrets(text, secrets...), limit)
}

// masking says of its cause what is fit to be read.
type masking struct {
	text  string
	cause error
}

func (m *masking) Error() string { return m.text }
func (m *masking) Unwrap() error { return m.cause }
