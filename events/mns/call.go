package mns

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/internal/retry"
)

const (
	version = "2015-06-06"

	// maxBody is enough for 16 messages of 64 KiB in which every character is
	// escaped.
	maxBody = 8 << 20
)

// request is a request to a queue. None has a body.
type request struct {
	action  string
	method  string
	query   string // escaped
	receipt string // a secret of the request
	wait    time.Duration
}

// answer is a response with a status 2xx.
type answer struct {
	action string
	status int
	header http.Header
	body   []byte
}

// rejectedKeys are the codes that other credentials may help against.
var rejectedKeys = []string{"InvalidAccessKeyId", "InvalidSecurityToken", "SecurityTokenExpired"}

// call sends a request, and again if another time or other credentials may help,
// each once.
func (q *Queue) call(ctx context.Context, r request) (answer, error) {
	keys, err := credentials.Ask(ctx, q.credentials)
	if err != nil {
		return answer{}, retry.Permanent(fmt.Errorf("mns: %s: %w", r.action, err))
	}
	for timed, keyed := false, false; ; {
		a, err := q.send(ctx, r, keys)
		switch {
		case err == nil:
			return a, nil
		case !timed && alimedia.HasCode(err, "TimeExpired") && q.learnTime(a.header):
			timed = true
		case !keyed && slices.ContainsFunc(rejectedKeys, func(code string) bool { return alimedia.HasCode(err, code) }):
			keyed = true
			fresh, changed, refreshErr := credentials.Refresh(ctx, q.credentials, keys)
			if refreshErr != nil || !changed {
				return answer{}, err
			}
			keys = fresh
		default:
			return answer{}, err
		}
	}
}

// learnTime takes the time of the service from a response. It reports whether that
// makes a difference.
func (q *Queue) learnTime(header http.Header) bool {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return false
	}
	skew := time.Until(date)
	before := time.Duration(q.skew.Swap(int64(skew)))
	return (skew - before).Abs() > time.Minute
}

var errSilent = errors.New("mns: no response in time")

func (q *Queue) send(ctx context.Context, r request, keys credentials.Credentials) (answer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, r.wait+requestTimeout, retry.TimeLimit(errSilent))
	defer cancel()
	u := q.endpoint
	u.Path, u.RawQuery = q.path, r.query
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), nil)
	if err != nil {
		return answer{}, fmt.Errorf("mns: %s: the request cannot be built", r.action)
	}
	q.sign(req, keys)
	secrets := []string{keys.AccessKeySecret, keys.SecurityToken, req.Header.Get("Authorization"), r.receipt, url.QueryEscape(r.receipt)}
	resp, err := q.http.Do(req)
	if err != nil {
		return answer{}, transportError(ctx, r, err, secrets)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	a := answer{action: r.action, status: resp.StatusCode, header: resp.Header, body: body}
	switch {
	case err != nil:
		return answer{}, transportError(ctx, r, err, secrets)
	case len(body) > maxBody:
		return answer{}, &alimedia.Error{Product: "mns", Action: r.action, Code: "AnswerTooLarge", StatusCode: resp.StatusCode, Message: "the response is larger than 8 MiB"}
	case resp.StatusCode < 200 || resp.StatusCode > 299 || !a.isGenuine():
		return a, a.failure(secrets)
	}
	return a, nil
}

// sign signs a request. All of it but the host is covered.
func (q *Queue) sign(req *http.Request, keys credentials.Credentials) {
	h := req.Header
	h.Set("Content-Type", "text/xml")
	h.Set("Date", time.Now().Add(time.Duration(q.skew.Load())).UTC().Format(http.TimeFormat))
	h.Set("x-mns-version", version)
	h.Set("User-Agent", "alimedia-go/"+alimedia.Version)
	if keys.SecurityToken != "" {
		h.Set("security-token", keys.SecurityToken)
	}
	mac := hmac.New(sha1.New, []byte(keys.AccessKeySecret))
	mac.Write([]byte(stringToSign(req.Method, h, req.URL.RequestURI())))
	h.Set("Authorization", "MNS "+keys.AccessKeyId+":"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// stringToSign is what a signature covers. resource is the path with the query, as
// sent.
func stringToSign(method string, h http.Header, resource string) string {
	var b strings.Builder
	for _, line := range []string{method, h.Get("Content-MD5"), h.Get("Content-Type"), h.Get("Date")} {
		b.WriteString(line + "\n")
	}
	var names []string
	for name := range h {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-mns-") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		b.WriteString(name + ":" + h.Get(name) + "\n")
	}
	b.WriteString(resource)
	return b.String()
}

// transportError is a failure without a response. The URL, which has the receipt,
// is not part of it.
func transportError(ctx context.Context, r request, err error, secrets []string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("mns: %s: %w", r.action, retry.ContextError(ctx))
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return &networkError{fmt.Sprintf("mns: %s: %s", r.action, redact.Text(err.Error(), secrets...)), err}
}

// networkError has a text without secrets.
type networkError struct {
	text string
	err  error
}

func (e *networkError) Error() string { return e.text }
func (e *networkError) Unwrap() error { return e.err }
