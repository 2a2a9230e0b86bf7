package upload

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

func TestUpload_B11_WhichTimeCounts(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault mediatest.Fault
		date  string
	}{
		"a proxy's date is wrong":    {date: "Thu, 01 Jan 1970 00:00:00 GMT"},
		"a proxy's date is its own":  {date: "Sat, 01 Jan 2000 00:00:00 GMT"}, // the local time
		"a date without a document":  {fault: mediatest.Fault{Operation: "PutObject", Status: 403, Code: "RequestTimeTooSkewed"}},
		"a document without a date":  {date: "-"},
		"a document and a good date": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inParallel(t, func(t *testing.T, r *env) {
				r.SetClockSkew(time.Hour)
				if tt.fault.Operation != "" {
					r.Fault(tt.fault)
				}
				r.via(func(base http.RoundTripper, q *http.Request) (*http.Response, error) {
					response, err := base.RoundTrip(q)
					if err == nil && tt.date != "" {
						response.Header.Set("Date", tt.date)
					}
					return response, err
				})
				data := random(kib)
				res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
				require.NoError(t, err)
				r.stored(t, res, data)
				require.Equal(t, 2, r.Calls("PutObject"))
			})
		})
	}
}

// TestUpload_B13_TransportsOfOthers: what ended a request is known, whatever the
// transport makes of it.
func TestUpload_B13_TransportsOfOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newEnv(t, func(c *Config) { c.Retry.MaxAttempts = 2 }, mediatest.InMemory())
		r.via(func(_ http.RoundTripper, q *http.Request) (*http.Response, error) {
			<-q.Context().Done()
			return nil, q.Context().Err()
		})
		start := time.Now()
		res, err := r.Upload(ctx, bytesSource("movie.mp4", random(kib)), VODVideo{})
		failed(t, res, err)
		require.ErrorIs(t, err, ErrStalled)
		require.NotErrorIs(t, err, context.Canceled)
		require.InDelta(t, 120, time.Since(start).Seconds(), 2)
	})
}
