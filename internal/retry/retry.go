// Package retry is the one retry engine of this module: for the API clients, the
// uploader, the downloader and the credentials providers. It says how long to
// wait before the next attempt, which failures may pass, what an HTTP response
// says about that, and what the error of an ended context is.
//
// It does not know which operations are safe to repeat: its callers do.
package retry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Policy bounds the attempts of one operation. Its fields are those of
// alimedia.Retry, which converts to it.
type Policy struct {
	MaxAttempts int           // the first attempt included
	BaseDelay   time.Duration // upper bound of the first delay; it doubles with each failure
	MaxDelay    time.Duration // upper bound of all delays
}

// WithDefaults returns p with defaults for the fields that are not positive.
func (p Policy) WithDefaults(defaults Policy) Policy {
	if p.MaxAttempts <= 0 {
		p.MaxAttempts = defaults.MaxAttempts
	}
	if p.BaseDelay <= 0 {
		p.BaseDelay = defaults.BaseDelay
	}
	if p.MaxDelay <= 0 {
		p.MaxDelay = defaults.MaxDelay
	}
	return p
}

// Delay returns how long to wait after this many failures in a row, at least
// one. It is full jitter: evenly distributed between zero and a bound that
// starts at BaseDelay and doubles with each failure. It is never shorter than
// what the server asked for in retryAfter, and never longer than MaxDelay.
func (p Policy) Delay(failures int, retryAfter time.Duration) time.Duration {
	bound := p.BaseDelay << min(max(failures-1, 0), 20)
	if bound <= 0 || bound > p.MaxDelay {
		bound = max(p.MaxDelay, 1)
	}
	jitter := rand.N(bound) + 1
	return max(jitter, min(retryAfter, p.MaxDelay))
}

// Sleep waits for d. If ctx ends first, it returns [ContextError] of ctx at
// once.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ContextError(ctx)
	}
}

// ContextError returns the error of a context that has ended, nil if it has
// not. The error matches both ctx.Err() and context.Cause(ctx): errors.Is(err,
// context.Canceled) is true for every canceled context, whatever its cause.
//
// The only exception is a context that ended by a [TimeLimit]: its error is
// that limit, and not context.DeadlineExceeded.
func ContextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	var limit *timeLimit
	if errors.Is(cause, err) || errors.As(cause, &limit) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// timeLimit is the cause of a context that limits an attempt.
type timeLimit struct{ error }

// Unwrap returns the error itself.
func (l *timeLimit) Unwrap() error { return l.error }

// Timeout makes it the error of a timeout, as in package net.
func (l *timeLimit) Timeout() bool { return true }

// TimeLimit marks err as the cause of a context that limits one attempt, for
// context.WithTimeoutCause. The context of the caller goes on when it ends.
func TimeLimit(err error) error { return &timeLimit{err} }

// permanent marks an error that a repetition meets again.
type permanent struct{ error }

// Unwrap returns the error itself.
func (p *permanent) Unwrap() error { return p.error }

// Permanent marks err as one that a repetition meets again, such as an error of
// the source. Its text stays as it is.
func Permanent(err error) error { return &permanent{err} }

// Transient reports whether the failure of an attempt that has no response may
// pass: all failures of the network except a peer that cannot prove who it is,
// and except errors marked [Permanent]. What a response says is for the caller
// to judge.
func Transient(err error) bool {
	var marked *permanent
	return !errors.As(err, &marked) && !isCertificate(err)
}

// isCertificate reports whether the peer could not prove who it is. Asking
// again would not help, and is not what a caller under attack wants.
func isCertificate(err error) bool {
	var verification *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	return errors.As(err, &verification) || errors.As(err, &record) || errors.As(err, &unknown) || errors.As(err, &host)
}

// ServerFailure reports whether an HTTP status says that the server failed and
// may succeed later: 500, 502 to 504, 509, 520 to 524 and the like. Statuses
// that say what the server never does, such as 501, are not among them.
func ServerFailure(status int) bool {
	switch status {
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported, http.StatusVariantAlsoNegotiates,
		http.StatusInsufficientStorage, http.StatusLoopDetected, http.StatusNotExtended, http.StatusNetworkAuthenticationRequired:
		return false
	}
	return 500 <= status && status <= 599
}

// longest is the longest wait that a response can ask for.
const longest = time.Hour

// After reads the Retry-After field of a response: seconds or a date. now is
// the time of the server as far as it is known; the response's own Date wins. It
// returns zero where nothing valid is said and at most one hour.
func After(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if text == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		if !(seconds > 0) { // also not a number
			return 0
		}
		return time.Duration(min(seconds, longest.Seconds()) * float64(time.Second))
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(at.Sub(now), 0), longest)
}
