package upload

import (
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

// silent is the body of a response of which no byte comes.
type silent struct{ q *http.Request }

func (s silent) Read([]byte) (int, error) {
	<-s.q.Context().Done()
	return 0, s.q.Context().Err()
}

func (silent) Close() error { return nil }

func TestUpload_B13_StallInTheResponse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newEnv(t, nil, mediatest.InMemory())
		var stalled atomic.Bool
		r.via(func(base http.RoundTripper, q *http.Request) (*http.Response, error) {
			response, err := base.RoundTrip(q)
			if err == nil && q.URL.Query().Get("partNumber") == "2" && !stalled.Swap(true) {
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
				response.Body = silent{q}
			}
			return response, err
		})
		data := random(500 * kib)
		start := time.Now()
		res, err := r.Upload(ctx, bytesSource("a.mp4", data), VODVideo{})
		require.NoError(t, err)
		r.stored(t, res, data)
		require.True(t, stalled.Load())
		require.InDelta(t, 300, time.Since(start).Seconds(), 2)
	})
}
