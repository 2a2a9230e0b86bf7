package rpc

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/internal/retry"
)

const (
	maxCode     = 128 // bytes of a code or an id
	maxDetail   = 32  // members of an AccessDeniedDetail
	maxPageText = 4 << 10

	// Shorter text is no secret, and masking it would spoil everything else.
	leastSecret = 4
	// In codes and ids only a longer one is masked: programs compare those.
	leastSecretOfCode = 6
)

// Codes of our own, for responses of status 2xx. The documentation of
// alimedia.Error names them.
const (
	codeUnsuccessful = "Unsuccessful"     // the response says that the operation failed, and gives no code
	codeTooLarge     = "ResponseTooLarge" // the response is beyond the bounds
)

// apiError reads a response of a status other than 2xx. Of what is no error
// document, such as a gateway's page, only its kind is told.
func (a *attempt) apiError(body []byte, cut bool) error {
	e, known := readEnvelope(body)
	if !known {
		e.Message = a.describeBody(body, cut)
	}
	return a.serviceError(e)
}

// serviceError is the error that a service reports.
func (a *attempt) serviceError(doc envelope) error {
	e := a.complete(&alimedia.Error{Message: doc.Message, Code: doc.Code}, doc)
	hint := ""
	switch {
	case alimedia.HasCode(e, "SignatureDoesNotMatch"), alimedia.HasCode(e, "IncompleteSignature"):
		e.Message = a.redact(a.explainSignature(doc.Message), doc.secrets...)
	case alimedia.IsAccessDenied(e) && !a.op.Anonymous:
		hint = fmt.Sprintf("(RAM action %s:%s)", a.svc.Product, a.op.Action)
	case alimedia.HasCode(e, "InvalidApi.NotFound"), alimedia.HasCode(e, "InvalidProduct.NotFound"):
		hint = fmt.Sprintf("(asked at %s: does this region offer the operation?)", a.base.Host)
	}
	if hint != "" {
		e.Message = strings.TrimSpace(redact.Bounded(e.Message, redact.MaxBytes-len(hint)-1) + " " + hint)
	}
	return e
}

// complete fills in what all errors have. Everything that is not ours is
// redacted here.
func (a *attempt) complete(e *alimedia.Error, doc envelope) *alimedia.Error {
	secrets := a.secrets(doc.secrets...)
	text := func(s string) string { return redact.Text(s, secrets...) }
	code := func(s string) string {
		return redact.Bounded(redact.Text(s, longEnough(secrets, leastSecretOfCode)...), maxCode)
	}
	e.Product, e.Action, e.StatusCode = a.svc.Product, a.op.Action, a.status
	e.Code = code(e.Code)
	e.Message = text(e.Message)
	e.Description = text(doc.Description)
	e.RequestId = code(cmp.Or(doc.RequestID, a.header.Get("x-acs-request-id")))
	e.HostId = text(doc.HostID)
	e.Recommend = text(doc.Recommend)
	e.AccessDeniedDetail = cleanDetail(doc.Detail, text)
	if a.status >= 400 {
		e.RetryAfter = a.statedDelay(e)
	}
	return e
}

// statedDelay reads how long the service asks to wait. The older headers come
// with all responses and count only where the call was throttled.
func (a *attempt) statedDelay(e *alimedia.Error) time.Duration {
	asked := max(milliseconds(a.header.Get("x-acs-retry-after")), retry.After(a.header, time.Now()))
	if asked > 0 || alimedia.IsThrottled(e) {
		asked = max(asked, askedDelay(a.header))
	}
	return asked
}

// cleanDetail redacts an AccessDeniedDetail throughout.
func cleanDetail(detail map[string]any, text func(string) string) map[string]any {
	left := maxDetail
	clean, _ := cleanValue(detail, "", text, &left).(map[string]any)
	if len(clean) == 0 {
		return nil
	}
	return clean
}

func cleanValue(value any, name string, text func(string) string, left *int) any {
	*left--
	switch v := value.(type) {
	case map[string]any:
		clean := make(map[string]any, min(len(v), maxDetail))
		for _, key := range sortedKeys(v) {
			if *left <= 0 {
				break
			}
			clean[redact.Bounded(text(key), maxCode)] = cleanValue(v[key], key, text, left)
		}
		return clean
	case []any:
		clean := make([]any, 0, min(len(v), maxDetail))
		for _, member := range v {
			if *left <= 0 {
				break
			}
			clean = append(clean, cleanValue(member, name, text, left))
		}
		return clean
	case string:
		if redact.SecretName(name) && v != "" {
			return "***"
		}
		return text(v)
	case json.Number:
		return json.Number(redact.Bounded(v.String(), maxCode))
	}
	return value
}

// explainSignature compares what was signed with the text the service says it
// signed, and names the first line that differs. The service's text itself is
// dropped: it holds every parameter and the security token.
func (a *attempt) explainSignature(message string) string {
	head := message
	for _, mark := range []string{"server string to sign", "server StringToSign", "server CanonicalRequest", "stringToSign"} {
		if i := strings.Index(strings.ToLower(message), strings.ToLower(mark)); i >= 0 && i < len(head) {
			head = message[:i]
		}
	}
	if len(head) == len(message) {
		return message
	}
	server := message[len(head):]
	head = redact.Bounded(strings.TrimRight(head, " .,:;\n"), redact.MaxBytes/2)
	if line := a.signed.differing(server); line != "" {
		return fmt.Sprintf("%s; the service signed another %s than we did: is something on the way changing the request?", head, line)
	}
	return head + "; the service signed the same text: the AccessKeySecret does not belong to this AccessKeyId"
}

var pageTitle = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title`)

// describeBody tells what a response is that is no document of the service:
// its type, its length and the title of a page. The body itself may hold
// anything and is not quoted.
func (a *attempt) describeBody(body []byte, cut bool) string {
	if len(bytes.TrimSpace(body)) == 0 {
		return "the response has no body"
	}
	kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil || kind == "" {
		kind, _, _ = mime.ParseMediaType(http.DetectContentType(body))
	}
	more := ""
	if cut {
		more = "more than "
	}
	text := fmt.Sprintf("the response is no document of the service: %s, %s%d bytes", redact.Bounded(kind, 64), more, len(body))
	if m := pageTitle.FindSubmatch(body[:min(len(body), maxPageText)]); m != nil {
		if title := strings.TrimSpace(a.redact(html.UnescapeString(string(m[1])))); title != "" {
			text += fmt.Sprintf(", titled %q", redact.Bounded(title, 200))
		}
	}
	return text
}

// redact prepares foreign text for an error or a log.
func (a *attempt) redact(text string, more ...string) string {
	return redact.Text(text, a.secrets(more...)...)
}

// secrets are those of this attempt: its keys, what it was signed with and
// what the request carries.
func (a *attempt) secrets(more ...string) []string {
	authorization := a.signed.header.Get("Authorization")
	_, signature, _ := strings.Cut(authorization, "Signature=")
	secrets := append([]string{a.keys.AccessKeySecret, a.keys.SecurityToken, signature, authorization}, more...)
	if a.params != nil {
		secrets = append(secrets, a.params.secrets()...)
	}
	return longEnough(secrets, leastSecret)
}

func longEnough(secrets []string, least int) []string {
	long := make([]string, 0, len(secrets))
	for _, s := range secrets {
		if len(s) >= least {
			long = append(long, s)
		}
	}
	return long
}

// foreignError is an error whose text others made, such as that of the
// transport: its text is redacted, and what it is stays.
type foreignError struct {
	text string
	err  error
}

// foreign wraps err with a text that shows no secret.
func (a *attempt) foreign(err error) error {
	return &foreignError{a.redact(err.Error()), err}
}

func (e *foreignError) Error() string        { return e.text }
func (e *foreignError) GoString() string     { return strconv.Quote(e.text) }
func (e *foreignError) Is(target error) bool { return errors.Is(e.err, target) }

// As does not lead to a *url.Error: its URL holds every parameter.
func (e *foreignError) As(target any) bool {
	if _, ok := target.(**url.Error); ok {
		return false
	}
	return errors.As(e.err, target)
}

// Timeout makes a foreignError a net.Error in place of the one it wraps.
func (e *foreignError) Timeout() bool {
	var timeout interface{ Timeout() bool }
	return errors.As(e.err, &timeout) && timeout.Timeout()
}

// Temporary belongs to net.Error.
func (e *foreignError) Temporary() bool { return e.Timeout() }

// transportError is the error of an exchange that brought no response. The URL
// that net/http puts around errors is dropped: its query holds every
// parameter.
func (a *attempt) transportError(err error) error {
	for {
		u, ok := err.(*url.Error)
		if !ok {
			return a.foreign(err)
		}
		err = u.Err
	}
}

// lineError is an error as one line of at most 1 KiB.
type lineError struct {
	text string
	errs []error
}

func (e *lineError) Error() string   { return e.text }
func (e *lineError) Unwrap() []error { return e.errs }

// inOneLine is fmt.Errorf for errors that are shown: the %w of them all are
// kept.
func inOneLine(format string, args ...any) error {
	var errs []error
	for _, arg := range args {
		if err, ok := arg.(error); ok {
			errs = append(errs, err)
		}
	}
	return &lineError{redact.Line(fmt.Errorf(format, args...).Error()), errs}
}

// secrets are the values of the request that nobody must read: those of type
// alimedia.Secret and those whose names say so.
func (p *Params) secrets() []string {
	w := secretFinder{left: 10_000}
	w.walk(reflect.ValueOf(p.in), "", 0)
	return w.found
}

type secretFinder struct {
	found []string
	left  int // values still looked at
}

func (w *secretFinder) walk(v reflect.Value, name string, depth int) {
	if w.left--; w.left < 0 || depth > 32 || !v.IsValid() {
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		w.walk(v.Elem(), name, depth+1)
	case reflect.String:
		if v.Type() == secretType && v.CanInterface() {
			w.add(v.Interface().(alimedia.Secret).Reveal())
		} else if redact.SecretName(name) {
			w.add(v.String())
		}
		w.document([]byte(v.String()))
	case reflect.Struct:
		for i := range v.NumField() {
			w.walk(v.Field(i), v.Type().Field(i).Name, depth+1)
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			if v.Kind() == reflect.Slice {
				w.document(v.Bytes())
			}
			return
		}
		for i := range v.Len() {
			w.walk(v.Index(i), name, depth+1)
		}
	case reflect.Map:
		for entry := v.MapRange(); entry.Next(); {
			key := ""
			if entry.Key().Kind() == reflect.String {
				key = entry.Key().String()
			}
			w.walk(entry.Value(), key, depth+1)
		}
	}
}

// document finds the secrets in JSON text.
func (w *secretFinder) document(text []byte) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || text[0] != '{' && text[0] != '[' {
		return
	}
	var e envelope
	e.collect(text)
	w.found = append(w.found, e.secrets...)
}

func (w *secretFinder) add(secret string) {
	if secret = strings.TrimSpace(secret); secret != "" && len(w.found) < maxFoundSecrets {
		w.found = append(w.found, secret)
	}
}

// asItIs takes text in any encoding for UTF-8: codes and ids are ASCII.
func asItIs(_ string, in io.Reader) (io.Reader, error) { return in, nil }
