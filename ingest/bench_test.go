package ingest

import (
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload"
)

// BenchmarkFleet_Registrations is what a queue with one worker takes for each
// registration, while the service answers at once and has no limit: submitting,
// and then delivering, claiming, registering and recording.
//
//	go test -run - -bench Registrations -benchtime 20000x ./ingest
func BenchmarkFleet_Registrations(b *testing.B) {
	srv := mediatest.New(b)
	srv.Handle("vod", "RegisterMedia", func(p url.Values) (any, error) {
		var files []struct{ FileURL string }
		if err := json.Unmarshal([]byte(p.Get("RegisterMetadatas")), &files); err != nil {
			return nil, err
		}
		var list []map[string]any
		for _, f := range files {
			list = append(list, map[string]any{"MediaId": digest(f.FileURL), "FileURL": f.FileURL, "NewRegister": true})
		}
		return map[string]any{"RegisteredMediaList": list}, nil
	})
	dir := b.TempDir()
	nats, err := Serve(ServerConfig{Dir: filepath.Join(dir, "nats"), Listen: "127.0.0.1:0"})
	require.NoError(b, err)
	defer nats.Close()
	fleet, err := Open(b.Context(), Config{URL: nats.URL, Token: nats.Token})
	require.NoError(b, err)
	defer fleet.Close()
	b.ResetTimer()
	count, err := fleet.Submit(b.Context(), Jobs(func(yield func(Job, error) bool) {
		for i := range b.N {
			if !yield(Job{Input: Input{Bucket: "own-bucket", Object: fmt.Sprintf("in/%07d.mp4", i)}, Target: Target{RegisterMedia: &upload.RegisterMedia{}}}, nil) {
				return
			}
		}
	}))
	require.NoError(b, err)
	require.EqualValues(b, b.N, count.Queued)
	submitted := b.Elapsed()
	cfg := workerConfig(b, srv.Config(), dir, "")
	cfg.Calls, cfg.Idle = 8, 500*time.Millisecond
	require.NoError(b, fleet.Work(b.Context(), cfg))
	b.StopTimer()
	worked := b.Elapsed() - submitted - cfg.Idle
	b.ReportMetric(float64(b.N)/submitted.Seconds(), "submitted/s")
	b.ReportMetric(float64(b.N)/worked.Seconds(), "done/s")
	status, err := fleet.Status(b.Context())
	require.NoError(b, err)
	require.EqualValues(b, b.N, status.Finished)
}
