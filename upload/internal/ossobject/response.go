package ossobject

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/internal/retry"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

const (
	maxResponse = 4 << 20   // bytes of the body of one response; a page of 1,000 parts has less than 400 kB
	maxOther    = 256 << 10 // bytes of every other document
)

// response is one response, read to its end.
type response struct {
	operation     string
	status        int
	header        http.Header
	body          []byte
	token, secret string // of the request, which a stranger may echo
	authorization string
}

// secrets returns what must not be shown of the request.
func (a *response) secrets() []string {
	all := []string{a.token, a.secret, a.authorization}
	if _, v4, ok := strings.Cut(a.authorization, "Signature="); ok {
		return append(all, v4)
	}
	if _, v1, ok := strings.Cut(a.authorization, ":"); ok {
		return append(all, v1)
	}
	return all
}

// redact returns foreign text as it may be shown.
func (a *response) redact(text string) string { return redact.Text(text, a.secrets()...) }

// requestID is x-oss-request-id, which every response of OSS has.
func (a *response) requestID() string { return strings.TrimSpace(a.header.Get("X-Oss-Request-Id")) }

// proof checks that OSS has sent the response: the status of the operation, the
// request ID and, unless doc is nil, the result element.
func (a *response) proof(doc any) error {
	switch {
	case a.status != http.StatusOK:
		return a.unproven("the status of success is 200")
	case a.requestID() == "":
		return a.unproven("no x-oss-request-id")
	case doc != nil && xml.Unmarshal(a.body, doc) != nil:
		return a.unproven("no result element")
	}
	return nil
}

// unproven is the error of a response that OSS has not sent in this form.
func (a *response) unproven(why string) error {
	text := fmt.Sprintf("HTTP %d, %s: %s", a.status, a.description(), why)
	if id := a.requestID(); id != "" {
		text += ", RequestId " + clip(id, 64)
	}
	return fmt.Errorf("%s: %w: %s", a.operation, transfer.ErrUnproven, a.redact(text))
}

// info reads what the headers say about the object.
func (a *response) info() transfer.Info {
	info := transfer.Info{ETag: a.clean(cleanETag(a.header.Get("ETag")))}
	if crc, err := strconv.ParseUint(strings.TrimSpace(a.header.Get("X-Oss-Hash-Crc64ecma")), 10, 64); err == nil {
		info.CRC64, info.HasCRC64 = crc, true
	}
	return info
}

// clean is text that goes into results and checkpoints, or "" if it echoes a
// secret of the request.
func (a *response) clean(text string) string {
	if redact.Secrets(text, a.secrets()...) != text {
		return ""
	}
	return text
}

// cleanETag is an ETag that can be sent back and shown, or "".
func cleanETag(tag string) string {
	tag = strings.TrimSpace(tag)
	if strings.Trim(tag, `"`) == "" || len(tag) > 256 {
		return ""
	}
	for i := range len(tag) {
		if tag[i] < ' ' || tag[i] > '~' {
			return ""
		}
	}
	return tag
}

// isCallbackFailure reports whether a response with status 203 says that the
// object is stored. The body may be that of the callback's server.
func (a *response) isCallbackFailure() bool {
	code := readErrorDocument(a.body).code
	return code == "" && len(a.body) > 0 && a.info().ETag != "" || strings.EqualFold(code, "CallbackFailed")
}

// do makes one request. The SDK's method for the operation would drop the
// status and the headers of responses that are errors.
func (o *Object) do(ctx context.Context, q request) (*response, error) {
	a := &response{operation: q.operation, token: o.credentials.SecurityToken, secret: o.credentials.AccessKeySecret}
	resp, err := o.exchange(ctx, q, &a.authorization)
	if resp == nil {
		return nil, fmt.Errorf("%s: %w", q.operation, redacted(withoutURL(err), a.secrets()))
	}
	defer resp.Body.Close()
	limit := int64(maxOther)
	if q.method == http.MethodGet {
		limit = maxResponse - 1 // boundedTransport ends there
	}
	a.status, a.header = resp.StatusCode, resp.Headers
	a.body, err = readAll(resp.Body, limit+1) // to the end: the connection is used again
	if err != nil {
		return nil, fmt.Errorf("%s: read the response: %w", q.operation, redacted(err, a.secrets()))
	}
	switch {
	case a.status/100 == 2 && int64(len(a.body)) > limit:
		return nil, a.unproven("more bytes than any response of OSS has")
	case a.status/100 == 2:
		return a, nil
	case a.status < 400 && a.requestID() == "": // a redirect, such as that of a captive portal
		return nil, a.unproven("no x-oss-request-id")
	}
	return nil, o.serviceError(a)
}

// readAll reads a body that is mostly empty.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	var first [1]byte
	if n, err := r.Read(first[:]); n == 0 && err == io.EOF {
		return nil, nil
	} else if err != nil && err != io.EOF {
		return nil, err
	} else if n == 1 {
		rest, err := io.ReadAll(io.LimitReader(r, limit-1))
		return append(first[:1:1], rest...), err
	}
	return io.ReadAll(io.LimitReader(r, limit))
}

func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// exchange sends q. It notes what the request was authorized with.
func (o *Object) exchange(ctx context.Context, q request, authorization *string) (*oss.Response, error) {
	if o.signer == nil {
		return o.exchangeV1(ctx, q, authorization)
	}
	path, text := o.path, query(q.query)
	if q.ofBucket {
		path = "/"
	}
	headers := o.signer.sign(q.method, "/"+o.name+path, text, q.contentType, q.headers, o.clock.Now())
	*authorization = headers["Authorization"]
	address := o.url + path
	if text != "" {
		address += "?" + text
	}
	return o.sdk.Client.Conn.DoURLWithContext(ctx, oss.HTTPMethod(q.method), address, headers, q.body, 0, nil)
}

func (o *Object) exchangeV1(ctx context.Context, q request, authorization *string) (*oss.Response, error) {
	ctx, noted := noteAuthorization(ctx)
	options := []oss.Option{oss.WithContext(ctx)}
	if q.contentType != "" {
		options = append(options, oss.ContentType(q.contentType))
	}
	for name, value := range q.headers {
		options = append(options, oss.SetHeader(name, value))
	}
	if o.clock.Offset() != 0 {
		options = append(options, oss.SetHeader("Date", o.clock.Now().UTC().Format(http.TimeFormat)))
	}
	key := o.key
	if q.ofBucket {
		key = ""
	}
	parameters := make(map[string]any, len(q.query))
	for _, p := range q.query {
		parameters[p.name] = nil
		if p.value != "" {
			parameters[p.name] = p.value
		}
	}
	resp, err := o.sdk.Do(q.method, key, parameters, options, q.body, nil)
	*authorization = *noted
	return resp, err
}

// serviceError turns a response that is an error into a [transfer.ServiceError].
// The error document echoes the security token and the string to sign: only
// known elements are taken over.
func (o *Object) serviceError(a *response) error {
	if encoded := a.header.Get("X-Oss-Err"); len(a.body) == 0 && encoded != "" { // of a HEAD
		a.body, _ = base64.StdEncoding.DecodeString(encoded)
	}
	doc := readErrorDocument(a.body)
	if doc.code == "" {
		doc.message = a.description()
	}
	show := func(text string, limit int) string { return clip(a.redact(text), limit) }
	message := show(doc.message, 400)
	if ec := cmp.Or(doc.ec, a.header.Get("X-Oss-Ec")); ec != "" {
		message += " (EC " + show(ec, 64) + ")"
	}
	e := &transfer.ServiceError{API: &alimedia.Error{
		Product:    "oss",
		Action:     a.operation,
		Code:       show(doc.code, 100),
		Message:    message,
		RequestId:  show(cmp.Or(a.requestID(), doc.requestID), 64),
		HostId:     show(doc.hostID, 128),
		StatusCode: a.status,
		RetryAfter: retry.After(a.header, o.clock.Now()),
	}}
	for _, text := range []string{doc.serverTime, a.header.Get("Date")} {
		t, err := alimedia.ParseTime(text)
		if err != nil {
			t, err = http.ParseTime(text)
		}
		if err == nil && transfer.Plausible(t) {
			e.ServerTime = t
			break
		}
	}
	return e
}
