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

// decision says whether the failure of an attempt may be retried.
type decision uint8

const (
	never      decision = iota // the service has decided
	always                     // the attempt had no effect
	ifSafe                     // the attempt may have had an effect
	fixClock                   // no effect; retry once with the clock of the service
	refreshKey                 // no effect; retry once with other credentials
)

// retryTable says what an API error proves about the attempt that it responds to.
// The first row that matches decides. A code matches itself and the codes that
// begin with it and a dot, in any case.
var retryTable = []struct {
	code     string
	matches  func(*alimedia.Error) bool // instead of code
	decision decision
}{
	// The gateway remembers nonces to detect repeated requests. Ours are 128 random
	// bits, so this very request has arrived before, for example because the network
	// delivered it twice. Its response is lost.
	{code: "SignatureNonceUsed", decision: ifSafe},

	// A gateway that stopped waiting, or that refused early data, does not know what
	// the service received. A requested delay does not change that.
	{matches: func(e *alimedia.Error) bool {
		return e.StatusCode == http.StatusRequestTimeout || e.StatusCode == http.StatusTooEarly
	}, decision: ifSafe},

	// Time, token and key are checked together with the signature, before a
	// request is forwarded.
	{code: "InvalidTimeStamp", decision: fixClock},
	{code: "InvalidSecurityToken", decision: refreshKey},
	{code: "SecurityTokenExpired", decision: refreshKey},
	{code: "InvalidAccessKeyId", decision: refreshKey},

	// Flow control counts requests before it forwards them.
	{matches: func(e *alimedia.Error) bool { return alimedia.IsThrottled(e) }, decision: always},

	// The service failed during the operation, a gateway did not receive the
	// response, or the response does not prove a success: codes such as
	// InternalError, transient statuses 5xx, 408, and 2xx without a proof.
	{matches: (*alimedia.Error).Retryable, decision: ifSafe},

	// All other codes and statuses, including redirects, would not change with a
	// retry.
}

// decide returns what may be done about err. It is a pure function of the failure.
func decide(err error, neverSent bool) decision {
	var api *alimedia.Error
	if errors.As(err, &api) {
		for _, row := range retryTable {
			if row.code != "" && alimedia.HasCode(api, row.code) || row.matches != nil && row.matches(api) {
				return row.decision
			}
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

// schedule decides after each failure whether and when a call is retried.
type schedule struct {
	policy   retry.Policy
	class    Class
	attempts int
	remedied [refreshKey + 1]bool     // each remedy is tried once
	reason   alimedia.RetryReason     // of the next attempt
	delay    time.Duration            // before the next attempt
	keys     *credentials.Credentials // of the next attempt, if they are known
	lost     bool                     // an attempt of this call may have had an effect
}

func newSchedule(r alimedia.Retry, class Class) *schedule {
	return &schedule{policy: retry.Policy(r), class: class}
}

// retryDefaults are those of alimedia.Retry.
var retryDefaults = retry.Policy{MaxAttempts: 4, BaseDelay: 200 * time.Millisecond, MaxDelay: 20 * time.Second}

// next records a failed attempt and reports whether the call is retried. It applies
// the remedy that the failure needs.
func (s *schedule) next(ctx context.Context, a *attempt, err error) bool {
	s.attempts++
	s.delay, s.keys, s.reason = 0, nil, alimedia.RetryFailure
	d := decide(err, a.neverSent(err))
	s.lost = s.lost || d == ifSafe && s.class != Read
	if ctx.Err() != nil || s.attempts >= s.policy.MaxAttempts {
		return false
	}
	switch d {
	case always:
	case ifSafe:
		if s.class == Unsafe {
			return false
		}
	case fixClock, refreshKey:
		tried := s.remedied[d]
		s.remedied[d] = true
		return s.remedy(ctx, a, d, tried)
	default:
		return false
	}
	s.delay = s.policy.Delay(s.attempts, a.retryAfter(err))
	return true
}

// remedy makes the next attempt differ from the rejected one, once.
func (s *schedule) remedy(ctx context.Context, a *attempt, d decision, tried bool) bool {
	if d == fixClock {
		s.reason = alimedia.RetryClock
		if tried {
			a.clock.forget() // it did not help
			return false
		}
		return a.clock.learn(a.header.Get("Date"), a.signedAt, a.ahead)
	}
	s.reason = alimedia.RetryCredential
	if tried {
		return false
	}
	ctx, limit := a.limited(ctx)
	defer limit.stop()
	fresh, other, err := credentials.Refresh(ctx, a.cfg.Credentials, a.keys)
	if err != nil || !other {
		return false
	}
	s.keys = &fresh
	return true
}

// outcome adds [alimedia.ErrOutcomeUnknown] to the last error of the call if an
// earlier attempt may have had an effect.
func (s *schedule) outcome(err error) error {
	if err == nil || !s.lost {
		return err
	}
	return &uncertain{err}
}

// uncertain is the error of a call that may have taken effect.
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

// milliseconds reads a positive number of any size and returns at most one hour.
func milliseconds(text string) time.Duration {
	n, _ := strconv.ParseFloat(strings.TrimSpace(text), 64) // infinite if it is out of range
	if !(n > 0) {                                           // also not a number
		return 0
	}
	return max(time.Duration(min(n, float64(time.Hour/time.Millisecond))*float64(time.Millisecond)), 1)
}

// wait sleeps until the next attempt is due. It returns at once if the deadline of
// ctx is earlier.
func (s *schedule) wait(ctx context.Context) error {
	if s.delay <= 0 {
		return retry.ContextError(ctx)
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < s.delay {
		return context.DeadlineExceeded
	}
	return retry.Sleep(ctx, s.delay)
}
