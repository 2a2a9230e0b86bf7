package retry

import (
	"net/http"
	"testing"
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
