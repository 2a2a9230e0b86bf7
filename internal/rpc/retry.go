package rpc

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
)

// verdict is what a failure asks for.
type verdict uint8

const (
	never   verdict = iota
	always          // the operation was not begun
	ifSafe          // it may have been carried out
	reSign          // once, with a new nonce
	reClock         // once, with the clock of the service
	reKey           // once, with credentials asked anew
)

// codes is the retry table: the first row that fits an API error decides. A
// code fits itself and what follows it after a dot, in any case; a row without
// code fits the status.
var codes = []struct {
	code    string
	status  int
	verdict verdict
}{
	{code: "Throttling", verdict: always},
	{status: http.StatusTooManyRequests, verdict: always},
	{code: "SignatureNonceUsed", verdict: reSign},
	{code: "InvalidTimeStamp", verdict: reClock},
	{code: "InvalidSecurityToken", verdict: reKey},
	{code: "InvalidAccessKeyId.NotFound", verdict: reKey},
	{code: "ServiceUnavailable", verdict: ifSafe},
	{code: "InternalError", verdict: ifSafe},
	{status: http.StatusInternalServerError, verdict: ifSafe},
	{status: http.StatusBadGateway, verdict: ifSafe},
	{status: http.StatusServiceUnavailable, verdict: ifSafe},
	{status: http.StatusGatewayTimeout, verdict: ifSafe},
}

// judge says what may be done about err. It is a pure function of the failure.
func judge(err error, neverSent bool) verdict {
	var api *alimedia.Error
	if errors.As(err, &api) {
		for _, row := range codes {
			if row.code != "" && alimedia.HasCode(api, row.code) || row.code == "" && row.status == api.StatusCode {
				return row.verdict
			}
		}
		return never
	}
	var local *localError
	switch {
	case errors.As(err, &local), errors.Is(err, context.Canceled), isCertificate(err):
		return never
	case neverSent:
		return always
	default:
		return ifSafe
	}
}

// isCertificate reports whether the peer could not prove who it is: asking
// again would not help, and is not what a caller under attack wants.
func isCertificate(err error) bool {
	var verification *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	return errors.As(err, &verification) || errors.As(err, &record) || errors.As(err, &unknown) || errors.As(err, &host)
}

// schedule decides, failure by failure, whether and when a call goes again.
type schedule struct {
	retry    alimedia.Retry
	class    Class
	attempts int
	mended   [reKey + 1]bool // cures are tried once each
	delay    time.Duration
}

func newSchedule(r alimedia.Retry, class Class) *schedule { return &schedule{retry: r, class: class} }

func withDefaults(r alimedia.Retry) alimedia.Retry {
	if r.MaxAttempts <= 0 {
		r.MaxAttempts = 4
	}
	r.BaseDelay = cmp.Or(max(r.BaseDelay, 0), 200*time.Millisecond)
	r.MaxDelay = cmp.Or(max(r.MaxDelay, 0), 20*time.Second)
	return r
}

// next takes note of a failed attempt. When the call may go again it returns
// what has to be mended first.
func (s *schedule) next(a *attempt, err error) (mend func(), again bool) {
	s.attempts++
	s.delay = 0
	if s.attempts >= s.retry.MaxAttempts {
		return nil, false
	}
	v := judge(err, a.neverSent(err))
	switch v {
	case always:
	case ifSafe:
		if s.class == Unsafe {
			return nil, false
		}
	case reSign, reClock, reKey:
		cure, ok := a.cure(v)
		if !ok || s.mended[v] {
			return nil, false
		}
		s.mended[v] = true
		return cure, true
	default:
		return nil, false
	}
	s.delay = s.backOff(a.header)
	return func() {}, true
}

// cure returns what makes the next attempt differ from the one refused.
func (a *attempt) cure(v verdict) (func(), bool) {
	switch v {
	case reSign:
		return func() {}, true // every attempt has a nonce of its own
	case reClock:
		server, err := http.ParseTime(a.header.Get("Date"))
		return func() { a.skew.Store(int64(time.Until(server))) }, err == nil
	case reKey:
		stale, ok := a.cfg.Credentials.(credentials.Invalidator)
		return func() { stale.Invalidate(a.keys) }, ok && a.keys.SecurityToken != ""
	}
	return nil, false
}

// backOff draws the wait evenly below a bound that doubles with each attempt,
// unless the service says how long.
func (s *schedule) backOff(h http.Header) time.Duration {
	if asked := askedDelay(h); asked > 0 {
		return min(asked, s.retry.MaxDelay)
	}
	bound := s.retry.BaseDelay << min(s.attempts-1, 20)
	if bound <= 0 || bound > s.retry.MaxDelay {
		bound = s.retry.MaxDelay
	}
	return rand.N(bound + 1)
}

// askedDelay reads how long the service wants to be left alone, in
// milliseconds: x-acs-retry-after, or the TimeLeft of the older headers.
func askedDelay(h http.Header) time.Duration {
	longest := milliseconds(h.Get("x-acs-retry-after"))
	for _, name := range []string{"x-ratelimit-user-api", "x-ratelimit-user"} {
		for part := range strings.SplitSeq(h.Get(name), ",") {
			if key, value, _ := strings.Cut(strings.TrimSpace(part), ":"); strings.EqualFold(key, "TimeLeft") {
				longest = max(longest, milliseconds(value))
			}
		}
	}
	return longest
}

func milliseconds(text string) time.Duration {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(min(n, int64(time.Hour/time.Millisecond))) * time.Millisecond
}

// wait sleeps until the next attempt is due. It gives up at once when ctx
// would end before.
func (s *schedule) wait(ctx context.Context) error {
	if s.delay <= 0 {
		return ctx.Err()
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < s.delay {
		return context.DeadlineExceeded
	}
	timer := time.NewTimer(s.delay)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
