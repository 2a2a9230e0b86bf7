package credentials

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go/internal/retry"
)

const (
	maxResponse = 64 << 10
	userAgent   = "alimedia-go"
)

// delays bounds the attempts of one request.
var delays = retry.Policy{MaxAttempts: 3, BaseDelay: 200 * time.Millisecond, MaxDelay: 400 * time.Millisecond}

// httpTimeout bounds connecting and waiting for the response of STS and of a
// credentials URI.
const httpTimeout = 5 * time.Second

// caller sends the few small requests of this package.
type caller struct {
	client  *http.Client
	attempt time.Duration // bounds one attempt as a whole
}

// newCaller uses the client given, or one of its own that dials and waits for
// the response no longer than timeout each. Its connections are not kept: they
// would idle for most of an hour, each with two goroutines. Redirects are not
// followed in either case; no source of credentials needs them.
func newCaller(client *http.Client, timeout time.Duration, proxy func(*http.Request) (*url.URL, error)) caller {
	if client == nil {
		client = &http.Client{Transport: &http.Transport{
			Proxy:                  proxy,
			DialContext:            (&net.Dialer{Timeout: timeout}).DialContext,
			TLSHandshakeTimeout:    timeout,
			ResponseHeaderTimeout:  timeout,
			MaxResponseHeaderBytes: maxResponse,
			DisableKeepAlives:      true,
		}}
	}
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return caller{client: &own, attempt: 2 * timeout}
}

// response is what came back with status 200.
type response struct {
	body []byte
	date time.Time // the server's clock; zero when it does not say
}

// exchange sends a request, anew for each attempt, until it is answered. The
// secrets of the request are masked in an error's message.
func (c caller) exchange(ctx context.Context, request func(context.Context) (*http.Request, error), secrets ...string) (response, error) {
	for attempt := 1; ; attempt++ {
		a, err := c.once(ctx, request, secrets)
		if err == nil || attempt == delays.MaxAttempts || !transient(err) {
			return a, err
		}
		if err := retry.Sleep(ctx, delays.Delay(attempt, 0)); err != nil {
			return response{}, err
		}
	}
}

func (c caller) once(ctx context.Context, request func(context.Context) (*http.Request, error), secrets []string) (response, error) {
	// The caller's own context has not ended by that.
	late := retry.TimeLimit(fmt.Errorf("no response within %v: %w", c.attempt, os.ErrDeadlineExceeded))
	ctx, cancel := context.WithTimeoutCause(ctx, c.attempt, late)
	defer cancel()
	req, err := request(ctx)
	if err != nil {
		return response{}, err
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept", "application/json")
	resp, err := c.client.Do(req)
	if err != nil {
		return response{}, transportError(ctx, req.URL, err, secrets)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	if err != nil {
		return response{}, transportError(ctx, req.URL, err, secrets)
	}
	date, _ := http.ParseTime(resp.Header.Get("Date"))
	if resp.StatusCode != http.StatusOK {
		doc, _ := decode(body)
		refused := doc.refusal(resp.StatusCode, secrets)
		refused.date = date
		return response{}, refused
	}
	if len(body) > maxResponse {
		return response{}, fmt.Errorf("%s: the response is longer than %d KiB", req.URL.Host, maxResponse>>10)
	}
	return response{body: body, date: date}, nil
}

// transportError names the host but not the URL, whose query may hold secrets.
// net/http quotes what it cannot read.
func transportError(ctx context.Context, u *url.URL, err error, secrets []string) error {
	if err := retry.ContextError(ctx); err != nil {
		return fmt.Errorf("%s: %w", u.Host, err)
	}
	var e *url.Error
	if errors.As(err, &e) {
		err = e.Err
	}
	return &masking{text: u.Host + ": " + clean(err.Error(), 300, secrets...), cause: err}
}

// transient reports whether asking again soon may help: the server is busy, or
// the connection broke. A host that cannot be reached or stays silent has cost
// its timeout already.
func transient(err error) bool {
	var refused *Error
	if errors.As(err, &refused) {
		return retry.ServerFailure(refused.StatusCode) || refused.StatusCode == http.StatusTooManyRequests || refused.isThrottled() ||
			refused.StatusCode == http.StatusRequestTimeout
	}
	var network net.Error
	if errors.As(err, &network) && network.Timeout() || unreachable(err) {
		return false
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || network != nil
}

// unreachable reports whether no connection was made at all.
func unreachable(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// document is what STS, the metadata service and credentials URIs answer: the
// keys at the top or, in STS, inside Credentials.
type document struct {
	Code, Message, RequestId string
	keys
	Credentials keys

	secrets []string // all texts in members whose name says secret
}

type keys struct {
	AccessKeyId, AccessKeySecret, SecurityToken, Expiration string
}

// decode reads a JSON document, or an error in XML. A member of another type
// than expected is left empty and costs no other.
func decode(body []byte) (document, error) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	var members map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&members) != nil || members == nil {
		var failure struct{ Code, Message, RequestId string }
		if bytes.HasPrefix(body, []byte("<")) && xml.Unmarshal(body, &failure) == nil && failure.Code != "" {
			return document{Code: failure.Code, Message: failure.Message, RequestId: failure.RequestId}, nil
		}
		// The text of an error may quote the body.
		return document{}, errors.New("the response is not the JSON document it should be")
	}
	doc := document{Code: member(members, "Code"), Message: member(members, "Message"), RequestId: member(members, "RequestId"), keys: keysIn(members)}
	collectSecrets(members, false, &doc.secrets)
	for name, value := range members {
		if inner, ok := value.(map[string]any); ok && strings.EqualFold(name, "Credentials") {
			doc.Credentials = keysIn(inner)
		}
	}
	return doc, nil
}

func keysIn(members map[string]any) keys {
	return keys{
		AccessKeyId: member(members, "AccessKeyId"), AccessKeySecret: member(members, "AccessKeySecret"),
		SecurityToken: member(members, "SecurityToken"), Expiration: member(members, "Expiration"),
	}
}

// member returns a text or number, whatever the case of its name.
func member(members map[string]any, name string) string {
	value, ok := members[name]
	for other, candidate := range members {
		if !ok && strings.EqualFold(other, name) {
			value = candidate
		}
	}
	switch value := value.(type) {
	case string:
		return value
	case json.Number:
		return value.String()
	}
	return ""
}

// collectSecrets finds the texts in members whose name says that they are
// secret, of whatever type.
func collectSecrets(value any, secret bool, found *[]string) {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			name = strings.ToLower(name)
			collectSecrets(inner, secret || strings.Contains(name, "secret") || strings.Contains(name, "token") || strings.Contains(name, "password"), found)
		}
	case []any:
		for _, inner := range value {
			collectSecrets(inner, secret, found)
		}
	case string:
		if secret && len(value) >= 4 {
			*found = append(*found, value)
		}
	}
}

// refusal turns the response into an Error that holds no secret of the request
// or of the response itself.
func (d document) refusal(status int, secrets []string) *Error {
	secrets = append(d.secrets, secrets...)
	return &Error{
		Code:       clean(d.Code, 64, secrets...),
		Message:    clean(d.Message, 300, secrets...),
		RequestId:  clean(d.RequestId, 64, secrets...),
		StatusCode: status,
	}
}

// credentials turns keys into Credentials that expire by this machine's clock.
func (k keys) credentials(source string, date time.Time) (Credentials, error) {
	c := Credentials{AccessKeyId: k.AccessKeyId, AccessKeySecret: k.AccessKeySecret, SecurityToken: k.SecurityToken, Source: source}
	if err := c.verify(); err != nil {
		return Credentials{}, fmt.Errorf("unusable response: %w", err)
	}
	if k.Expiration == "" {
		if c.SecurityToken != "" {
			return Credentials{}, errors.New("unusable response: a SecurityToken without Expiration")
		}
		return c, nil
	}
	expires, err := time.Parse(time.RFC3339, k.Expiration)
	if err != nil {
		return Credentials{}, errors.New("unusable response: its Expiration is not a time like 2006-01-02T15:04:05Z")
	}
	// What counts is how long they live, whatever clock is wrong. A Date that
	// is far off, or says that they came expired, tells nothing.
	if skew := time.Until(date); !date.IsZero() && skew.Abs() > maxSkew && skew.Abs() <= maxDate {
		if corrected := expires.Add(-skew); corrected.After(time.Now()) {
			expires = corrected
		}
	}
	c.Expires = expires
	return c, nil
}

const (
	// maxSkew is how far clocks may be apart before it is taken into account;
	// the Date of a response is exact to a second and as old as the way back.
	maxSkew = 30 * time.Second

	// maxDate is how far the Date of a response may be off and still be taken
	// for the clock of the service: a wrong time zone makes half a day.
	maxDate = 24 * time.Hour
)
