package rpc

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/internal/retry"
)

// verdict is what a failure asks for.
type verdict uint8

const (
	never   verdict = iota // the service has decided
	always                 // this attempt was not carried out
	ifSafe                 // this attempt may have been carried out
	reClock                // not carried out; once more with the clock of the service
	reKey                  // not carried out; once more with other credentials
)

// codes is the retry table. Each row answers one question: what does this
// refusal prove about the attempt it answers? The first row that fits an API
// error decides. A code fits itself and what follows it after a dot, in any
// case; a row without code fits what fits describes.
var codes = []struct {
	code    string
	fits    func(*alimedia.Error) bool
	verdict verdict
}{
	// Flow control counts requests before it hands them on.
	{fits: func(e *alimedia.Error) bool { return alimedia.IsThrottled(e) }, verdict: always},

	// The gateway remembers nonces to tell a request that it has had before.
	// Ours are 128 random bits, so this very request has arrived before: twice
	// delivered on the way, say. Its answer is lost.
	{code: "SignatureNonceUsed", verdict: ifSafe},

	// Time, token and key are checked together with the signature, before a
	// request is handed on.
	{code: "InvalidTimeStamp", verdict: reClock},
	{code: "InvalidSecurityToken", verdict: reKey},
	{code: "SecurityTokenExpired", verdict: reKey},
	{code: "InvalidAccessKeyId", verdict: reKey},

	// A failure in mid-work, a gateway that has not heard of the end of it, a
	// success that does not say so, somebody else's page: codes such as
	// InternalError, statuses 5xx that pass, 408 and 2xx without a proof.
	{fits: (*alimedia.Error).Retryable, verdict: ifSafe},
	{fits: func(e *alimedia.Error) bool { return e.StatusCode == http.StatusTooEarly }, verdict: ifSafe},

	// All other codes and statuses, redirects among them, are decisions that
	// a repetition meets again.
}

// judge says what may be done about err. It is a pure function of the failure.
func judge(err error, neverSent bool) verdict {
	var api *alimedia.Error
	if errors.As(err, &api) {
		if alimedia.IsThrottled(api) {
			return always
		}
		for _, row := range codes {
			if row.code != "" && alimedia.HasCode(api, row.code) || row.fits != nil && row.fits(api) {
				return row.verdict
			}
		}
		if api.Retryable() {
			return ifSafe
		}
		return never
	}
	var local *localError
	switch {
	case errors.As(err, &local), !retry.Transient(err):
		return never
	case neverSent:
		return always
	default:
		return ifSafe
	}
}

// schedule decides, failure by failure, whether and when a call goes again.
type schedule struct {
	policy   retry.Policy
	class    Class
	attempts int
	mended   [reKey + 1]bool          // cures are tried once each
	delay    time.Duration            // before the next attempt
	keys     *credentials.Credentials // of the next attempt, when they are known already
	lost     bool                     // an attempt of this call may have been carried out
}

func newSchedule(r alimedia.Retry, class Class) *schedule {
	return &schedule{policy: retry.Policy(r), class: class}
}

// retryDefaults are those of alimedia.Retry.
var retryDefaults = retry.Policy{MaxAttempts: 4, BaseDelay: 200 * time.Millisecond, MaxDelay: 20 * time.Second}

// next takes note of a failed attempt and reports whether the call goes again.
// What the failure asks for is mended by then.
func (s *schedule) next(ctx context.Context, a *attempt, err error) bool {
	s.attempts++
	s.delay, s.keys = 0, nil
	v := judge(err, a.neverSent(err))
	s.lost = s.lost || v == ifSafe && s.class != Read
	if ctx.Err() != nil || s.attempts >= s.policy.MaxAttempts {
		return false
	}
	switch v {
	case always:
	case ifSafe:
		if s.class == Unsafe {
			return false
		}
	case reClock, reKey:
		tried := s.mended[v]
		s.mended[v] = true
		return s.cure(ctx, a, v, tried)
	default:
		return false
	}
	s.delay = s.policy.Delay(s.attempts, a.retryAfter(err))
	return true
}

// cure makes the next attempt differ from the one refused, once.
func (s *schedule) cure(ctx context.Context, a *attempt, v verdict, tried bool) bool {
	if v == reClock {
		if tried {
			a.clock.forget() // it was of no use
			return false
		}
		return a.clock.learn(a.header.Get("Date"), a.signedAt, a.ahead)
	}
	if tried {
		return false
	}
	ctx, limit := a.limited(ctx)
	defer limit.stop()
	fresh, other, err := credentials.Renew(ctx, a.cfg.Credentials, a.keys)
	if err != nil || !other {
		return false
	}
	s.keys = &fresh
	return true
}

// outcome says of the call's last error what it does not say itself.
func (s *schedule) outcome(err error) error {
	if err == nil || !s.lost {
		return err
	}
	return &uncertain{err}
}

// uncertain is the error of a call that may have been carried out.
type uncertain struct{ error }

func (u *uncertain) Error() string {
	tail := "; " + alimedia.ErrOutcomeUnknown.Error()
	return redact.Bounded(u.error.Error(), redact.MaxBytes-len(tail)) + tail
}

func (u *uncertain) Unwrap() []error { return []error{u.error, alimedia.ErrOutcomeUnknown} }

// retryAfter is how long the service asks to wait before the next attempt.
func (a *attempt) retryAfter(err error) time.Duration {
	asked := askedDelay(a.header)
	var e *alimedia.Error
	if errors.As(err, &e) {
		asked = max(asked, e.RetryAfter)
	}
	return asked
}

// askedDelay reads how long the service asks to wait, in milliseconds:
// x-acs-retry-after, or the TimeLeft of the older headers.
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
		return retry.ContextError(ctx)
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < s.delay {
		return context.DeadlineExceeded
	}
	return retry.Sleep(ctx, s.delay)
}
