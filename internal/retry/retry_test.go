package retry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestServerFailure(t *testing.T) {
	t.Parallel()
	for _, status := range []int{500, 502, 503, 504, 509, 520, 521, 522, 523, 524, 530, 599} {
		require.True(t, ServerFailure(status), status)
	}
	for _, status := range []int{0, 200, 203, 302, 400, 403, 404, 408, 429, 499, 501, 505, 506, 507, 508, 510, 511, 600} {
		require.False(t, ServerFailure(status), status)
	}
}

func TestAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "-3": 0, "soon": 0, "NaN": 0, "3": 3 * time.Second, " 3 ": 3 * time.Second, "1.5": 1500 * time.Millisecond,
		"99999999999": time.Hour, "1e308": time.Hour, "Inf": time.Hour,
		"Wed, 25 Nov 2026 12:00:07 GMT": 7 * time.Second, "Wed, 25 Nov 2026 11:00:07 GMT": 0, "Fri, 25 Nov 2050 12:00:00 GMT": time.Hour,
	} {
		require.Equal(t, want, After(http.Header{"Retry-After": {text}}, now), text)
	}
	h := http.Header{"Retry-After": {"Wed, 25 Nov 2026 12:00:07 GMT"}, "Date": {"Wed, 25 Nov 2026 12:00:02 GMT"}}
	require.Equal(t, 5*time.Second, After(h, now.Add(time.Hour)), "the server's own clock counts")
}

func TestPolicy_B09_Delay(t *testing.T) {
	t.Parallel()
	p := Policy{MaxAttempts: 10, BaseDelay: 100 * time.Millisecond, MaxDelay: time.Second}
	for failures, bound := range []time.Duration{100, 100, 200, 400, 800, 1000, 1000} {
		bound *= time.Millisecond
		var longest time.Duration
		for range 200 {
			d := p.Delay(failures, 0)
			require.Positive(t, d)
			require.LessOrEqual(t, d, bound)
			longest = max(longest, d)
		}
		require.Greater(t, longest, bound/2, "full jitter reaches the bound")
	}
	require.Equal(t, 700*time.Millisecond, p.Delay(1, 700*time.Millisecond))
	require.Equal(t, time.Second, p.Delay(1, time.Hour), "bounded by MaxDelay")
	require.LessOrEqual(t, p.Delay(1, -time.Hour), p.BaseDelay)
}

func TestPolicy_DelayOfOddPolicies(t *testing.T) {
	t.Parallel()
	for _, p := range []Policy{{}, {BaseDelay: -1, MaxDelay: -1}, {BaseDelay: 1 << 62, MaxDelay: 1<<63 - 1}, {MaxDelay: 1}} {
		for failures := range 100 {
			require.Positive(t, p.Delay(failures, 0), p)
		}
	}
}

func TestPolicy_WithDefaults(t *testing.T) {
	t.Parallel()
	d := Policy{MaxAttempts: 4, BaseDelay: 1, MaxDelay: 2}
	require.Equal(t, d, Policy{}.WithDefaults(d))
	require.Equal(t, d, Policy{MaxAttempts: -1, BaseDelay: -1, MaxDelay: -1}.WithDefaults(d))
	own := Policy{MaxAttempts: 7, BaseDelay: 8, MaxDelay: 9}
	require.Equal(t, own, own.WithDefaults(d))
}

func TestSleep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		require.NoError(t, Sleep(t.Context(), time.Minute))
		require.Equal(t, time.Minute, time.Since(start))

		enough := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, enough)
		defer cancel()
		start = time.Now()
		err := Sleep(ctx, time.Minute)
		require.ErrorIs(t, err, enough)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(start))
	})
}

func TestContextError(t *testing.T) {
	t.Parallel()
	require.NoError(t, ContextError(t.Context()))

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(nil)
	require.Equal(t, context.Canceled, ContextError(ctx))

	cause := errors.New("shutdown")
	ctx, cancel = context.WithCancelCause(t.Context())
	cancel(cause)
	err := ContextError(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, cause)
	require.Equal(t, "context canceled: shutdown", err.Error())

	own := fmt.Errorf("shutdown: %w", context.Canceled)
	ctx, cancel = context.WithCancelCause(t.Context())
	cancel(own)
	require.Equal(t, own, ContextError(ctx), "not said twice")

	limit := TimeLimit(errors.New("no response within 1s"))
	ctx, cancelLimit := context.WithTimeoutCause(t.Context(), 0, limit)
	defer cancelLimit()
	<-ctx.Done()
	require.Equal(t, limit, ContextError(ctx))
	require.NotErrorIs(t, ContextError(ctx), context.DeadlineExceeded, "the caller's context goes on")
	require.EqualError(t, limit, "no response within 1s")
}

func TestTransient(t *testing.T) {
	t.Parallel()
	for _, err := range []error{io.ErrUnexpectedEOF, errors.New("connection reset"), context.DeadlineExceeded} {
		require.True(t, Transient(err), err)
	}
	for _, err := range []error{
		Permanent(io.EOF), fmt.Errorf("read: %w", Permanent(io.EOF)), &tls.CertificateVerificationError{}, tls.RecordHeaderError{},
		x509.UnknownAuthorityError{}, fmt.Errorf("get: %w", x509.HostnameError{Certificate: new(x509.Certificate)}),
	} {
		require.False(t, Transient(err))
	}
	require.ErrorIs(t, Permanent(io.EOF), io.EOF)
	require.Equal(t, "EOF", Permanent(io.EOF).Error())
}
