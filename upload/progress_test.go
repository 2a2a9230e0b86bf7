package upload

import (
	"bytes"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

func TestUpload_B40_Progress(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"file", "known stream", "unknown stream", "small"} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(c *Config) { c.Parallel = 1 }, mediatest.InMemory())
				// Parts fail when much of them is sent, and take a second each.
				r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 3, Times: 3, AfterBytes: 80 * kib, Delay: time.Second, Status: 503},
					mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, AfterBytes: 50 * kib, Delay: time.Second})
				data := random(1000 * kib)
				src := bytesSource("movie.mp4", data)
				switch source {
				case "known stream":
					src = Reader("movie.mp4", reader(bytes.NewReader(data)), int64(len(data)))
				case "unknown stream":
					src = Reader("movie.mp4", reader(bytes.NewReader(data)), UnknownSize)
				case "small":
					data = data[:kib]
					src = bytesSource("movie.mp4", data)
				}
				var seen []Progress
				var inside atomic.Int32
				res, err := r.Upload(ctx, src, VODVideo{}, WithProgress(func(p Progress) {
					require.EqualValues(t, 1, inside.Add(1), "never concurrent")
					defer inside.Add(-1)
					time.Sleep(50 * time.Millisecond)
					seen = append(seen, p)
				}))
				require.NoError(t, err)
				require.NotEmpty(t, seen)
				last := seen[len(seen)-1]
				require.Equal(t, StageDone, last.Stage)
				require.Equal(t, res.MediaId, last.MediaId)
				require.EqualValues(t, len(data), last.Sent)
				require.EqualValues(t, len(data), last.Total)
				require.Equal(t, 100.0, last.Percent())
				for i, p := range seen {
					require.Equal(t, "movie.mp4", p.Name)
					if i > 0 {
						require.GreaterOrEqual(t, p.Sent, seen[i-1].Sent, "never backwards")
					}
					if p.Total > 0 {
						require.LessOrEqual(t, p.Sent, p.Total)
					}
				}
				if source != "small" {
					require.Greater(t, len(seen), 10)
					require.Positive(t, seen[len(seen)/2].Rate)
				}
			})
		})
	}
}

func TestUpload_B40_BadCallbacks(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	defer close(release)
	for name, report := range map[string]func(Progress){
		"panics":  func(Progress) { panic("oops") },
		"exits":   func(Progress) { runtime.Goexit() },
		"blocks":  func(Progress) { <-release },
		"is slow": func(Progress) { time.Sleep(100 * time.Millisecond) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			data := random(600 * kib)
			start := time.Now()
			res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{}, WithProgress(report))
			require.NoError(t, err)
			r.stored(t, res, data)
			require.Less(t, time.Since(start), patience+5*time.Second)
		})
	}
}

func TestUpload_B40_RateAndETA(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var last Progress
		tr := newTracker(func(p Progress) { last = p }, nil)
		tr.set(func(p *Progress) { p.Name, p.Stage, p.Total = "launch.mp4", StageSend, 20_000_000 })
		defer tr.close()
		time.Sleep(100 * time.Millisecond)
		for range 20 {
			tr.moved(420_000)
			time.Sleep(200 * time.Millisecond)
		}
		synctest.Wait()
		require.InDelta(t, 2.1e6, last.Rate, 1e5)
		require.Contains(t, last.String(), "2.1 MB/s  ETA 6s")
	})
}
