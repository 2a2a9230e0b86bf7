//go:build long

package ingest

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
)

var (
	registrations = flag.Int("registrations", 1_000_000, "objects that TestSimulate_Registrations registers")
	callTime      = flag.Duration("call", 300*time.Millisecond, "time that the service takes for a call in TestSimulate_Registrations")
)

// TestSimulate_Registrations registers a million objects in groups of ten on a
// virtual clock: the clients and the shared rates are the real ones, the service
// is the simulator with the documented rates, and refuses what is above them. The
// queue is left out: BenchmarkFleet_Registrations measures it.
//
//	go test -tags long -run TestSimulate_Registrations -v ./ingest
func TestSimulate_Registrations(t *testing.T) {
	for _, s := range []struct {
		workers, group int
		share          float64 // 0: the workers do not know of each other
		part           int     // of the registrations; the time for all is told
	}{
		{10, 10, 0.95, 1}, {1, 10, 0.95, 20}, {2, 10, 0.95, 20}, {4, 10, 0.95, 20}, {50, 10, 0.95, 20}, {50, 1, 0.95, 200}, {50, 10, 0, 100},
	} {
		t.Run(fmt.Sprintf("%d workers, groups of %d, share %v", s.workers, s.group, s.share), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { simulate(t, max(1, *registrations/s.part), s.workers, s.group, s.share) })
		})
	}
}

const callsAtATime = 4 // of a worker, as by default

func simulate(t *testing.T, objects, workers, group int, share float64) {
	srv := mediatest.New(t, mediatest.InMemory(), mediatest.Throttle(vod.DocumentedRates()))
	srv.Fault(mediatest.Fault{Operation: "RegisterMedia", Times: mediatest.Always, ResponseDelay: *callTime})
	srv.Handle("vod", "RegisterMedia", func(p url.Values) (any, error) { // without keeping a million assets
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
	shared := &memoryLedger{answer: time.Millisecond}
	var next, registered, refused atomic.Int64
	began := time.Now()
	var wg sync.WaitGroup
	for range workers {
		cfg := srv.Config()
		if share > 0 {
			r := &rates{limits: make(map[string]*timeline), store: shared, now: time.Now}
			r.add("vod", vod.DocumentedRates(), share)
			cfg.RateLimit = alimedia.NewRateLimitFunc(r.of("vod"))
		}
		cfg.Retry.MaxAttempts = 1
		client, err := vod.New(cfg)
		require.NoError(t, err)
		for range callsAtATime {
			wg.Go(func() {
				for {
					first := int(next.Add(int64(group))) - group
					if first >= objects {
						return
					}
					var req vod.RegisterMediaRequest
					for i := first; i < min(first+group, objects); i++ {
						req.RegisterMetadatas = append(req.RegisterMetadatas, vod.RegisterMetadata{
							FileURL: fmt.Sprintf("https://own-bucket.oss-cn-shanghai.aliyuncs.com/in/%07d.mp4", i), Title: "x",
						})
					}
					for {
						out, err := client.RegisterMedia(t.Context(), req)
						if err == nil {
							registered.Add(int64(len(out.RegisteredMediaList)))
							break
						}
						require.True(t, alimedia.IsThrottled(err), "%v", err)
						refused.Add(1)
						time.Sleep(time.Second)
					}
				}
			})
		}
	}
	wg.Wait()
	took := time.Since(began)
	require.EqualValues(t, objects, registered.Load())
	perSecond := float64(objects) / took.Seconds()
	bound := "the documented rate"
	if limit := float64(workers*callsAtATime) / callTime.Seconds(); limit < vod.DocumentedRates()["RegisterMedia"]*max(share, 0.01) {
		bound = "the workers: not enough calls at a time"
	}
	if refused.Load() > 0 {
		bound = "throttling"
	}
	t.Logf("%d objects in %v: %.0f a second, %.1f calls a second, %d calls refused; 1,000,000 take %v; bound by %s", objects, took.Round(time.Second), perSecond,
		perSecond/float64(group), refused.Load(), time.Duration(1e6/perSecond*float64(time.Second)).Round(time.Second), bound)
	if share > 0 {
		require.Zero(t, refused.Load(), "calls above the documented rate")
	}
}
