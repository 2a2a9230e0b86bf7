package upload

import (
	"bytes"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

func TestUpload_B40_Progress(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"file", "known stream", "unknown stream", "small"} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newEnv(t, func(c *Config) { c.Parallel = 1 }, mediatest.InMemory())
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

// TestUpload_B40_BytesCountOnce: what the store has, and at most one part more,
// however often that was sent.
func TestUpload_B40_BytesCountOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newEnv(t, func(c *Config) { c.Parallel = 1 }, mediatest.InMemory())
		for i := range 10 { // each part is cut off twice
			r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 3*i + 1, Times: 2, AfterBytes: 80 * kib, Delay: time.Second, Status: 503})
		}
		r.Fault(mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, AfterBytes: 50 * kib, Delay: time.Second})
		looked, most := 0, int64(0)
		_, err := r.Upload(ctx, bytesSource("movie.mp4", random(1000*kib)), VODVideo{}, WithProgress(func(p Progress) {
			if all := r.Uploads(); len(all) == 1 && p.Stage == StageSend {
				looked++
				most = max(most, p.Sent-int64(len(all[0].Parts)*100*kib))
			}
		}))
		require.NoError(t, err)
		require.Equal(t, 30, r.Calls("UploadPart"))
		require.Greater(t, looked, 30)
		require.Positive(t, most)
		require.LessOrEqual(t, most, int64(100*kib))
	})
}

// TestUpload_B40_SentAgainCountsOnce: an object that the store forgot is sent
// from its beginning.
func TestUpload_B40_SentAgainCountsOnce(t *testing.T) {
	t.Parallel()
	r := newEnv(t, func(c *Config) { c.Parallel = 1 })
	r.Fault(mediatest.Fault{Operation: "CompleteMultipartUpload", Status: 404, Code: "NoSuchUpload"},
		mediatest.Fault{Operation: "UploadPart", Nth: 6 + 3, Status: 403, Code: "Stop"})
	var last Progress
	res, err := r.Upload(ctx, bytesSource("movie.mp4", random(600*kib)), VODVideo{}, WithProgress(func(p Progress) { last = p }))
	e := failed(t, res, err)
	require.Equal(t, 6+3, r.Calls("UploadPart"))
	require.EqualValues(t, 200*kib, e.Sent)
	require.EqualValues(t, 600*kib, last.Sent, "it does not go back")
	require.Zero(t, last.Resumed)
}

// TestUpload_B40_LostOnTheWay: the same, with parts of it sent, and with a
// playlist of which one segment is sent again.
func TestUpload_B40_LostOnTheWay(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		src  Source
		lost mediatest.Fault
	}{
		"file":            {bytesSource("movie.mp4", random(1000*kib)), mediatest.Fault{Operation: "UploadPart", Nth: 5}},
		"playlist":        {HLSFS(season(6, 250*kib).fs(), "index.m3u8"), mediatest.Fault{Operation: "CompleteMultipartUpload"}},
		"playlist, twice": {HLSFS(season(6, 250*kib).fs(), "index.m3u8"), mediatest.Fault{Operation: "CompleteMultipartUpload", Times: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newEnv(t, func(c *Config) { c.Parallel = 1 }, mediatest.InMemory())
				tt.lost.Status, tt.lost.Code = 404, "NoSuchUpload"
				r.Fault(tt.lost, mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, Delay: time.Second})
				looked, last := 0, Progress{}
				res, err := r.Upload(ctx, tt.src, VODVideo{}, WithProgress(func(p Progress) {
					last = p
					stored := int64(0)
					for _, key := range r.Objects(r.StorageBucket()) {
						data, _ := r.Object(r.StorageBucket(), key)
						stored += int64(len(data))
					}
					all := r.Uploads()
					if len(all) == 1 {
						stored += int64(len(all[0].Parts) * 100 * kib)
					}
					if p.Stage == StageSend && len(all) == 1 && stored >= 500*kib {
						looked++
						require.LessOrEqual(t, p.Sent, stored+100*kib)
					}
				}))
				require.NoError(t, err)
				require.Greater(t, looked, 4)
				require.Equal(t, StageDone, last.Stage)
				require.Equal(t, res.Size, last.Sent)
				require.Equal(t, res.Size, last.Total)
			})
		})
	}
}

// TestUpload_B40_ResumedAndLost: what an earlier run has sent is sent again
// after all.
func TestUpload_B40_ResumedAndLost(t *testing.T) {
	t.Parallel()
	b := breakOff(t, VODVideo{}, stopAt("UploadPart", 4))
	b.Fault(mediatest.Fault{Operation: "CompleteMultipartUpload", Status: 404, Code: "NoSuchUpload"})
	var last Progress
	b.resume(t, VODVideo{}, WithProgress(func(p Progress) { last = p }))
	require.Equal(t, 4+3+6, b.Calls("UploadPart"))
	require.Zero(t, last.Resumed)
	require.EqualValues(t, 600*kib, last.Sent)
}

func TestUpload_B40_ResumedAtTheEnd(t *testing.T) {
	t.Parallel()
	b := breakOff(t, YikeAsset{}, stopAt("RegisterYikeAssetMediaInfo", 1))
	var last Progress
	b.resume(t, YikeAsset{}, WithProgress(func(p Progress) { last = p }))
	require.EqualValues(t, 600*kib, last.Resumed)
	require.EqualValues(t, 600*kib, last.Sent)
	require.Equal(t, StageDone, last.Stage)
}

func TestUpload_B40_ResumedIsTold(t *testing.T) {
	t.Parallel()
	b := breakOff(t, VODVideo{}, stopAt("UploadPart", 4))
	var seen []Progress
	b.resume(t, VODVideo{}, WithProgress(func(p Progress) { seen = append(seen, p) }))
	last := seen[len(seen)-1]
	require.EqualValues(t, 300*kib, last.Resumed)
	require.EqualValues(t, 600*kib, last.Sent)
	require.Equal(t, 100.0, last.Percent())
	for i, p := range seen {
		require.LessOrEqual(t, p.Resumed, p.Sent)
		if i > 0 {
			require.GreaterOrEqual(t, p.Sent, seen[i-1].Sent)
			require.GreaterOrEqual(t, p.Resumed, seen[i-1].Resumed)
		}
	}
}

// TestUpload_B40_ResumedIsNoRate: what was sent yesterday says nothing of how
// fast the line is.
func TestUpload_B40_ResumedIsNoRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var most float64
		tr := newTracker(func(p Progress) { most = max(most, p.Rate) }, nil)
		defer tr.close(ctx)
		tr.set(func(p *Progress) { p.Name, p.Stage, p.Total = "launch.mp4", StageSend, 5_000_000_000 })
		tr.Resumed(4_000_000_000)
		time.Sleep(reportEvery / 2)
		for range 20 {
			tr.Moved(420_000)
			time.Sleep(reportEvery)
		}
		synctest.Wait()
		require.InDelta(t, 2.1e6, most, 1e6)
	})
}

// TestUpload_B40_EndsWithDone: the last word is the end, whatever was on its way.
func TestUpload_B40_EndsWithDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newEnv(t, nil, mediatest.InMemory())
		for range 40 {
			var last Progress
			_, err := r.Upload(ctx, bytesSource("movie.mp4", random(kib)), VODVideo{}, WithProgress(func(p Progress) { last = p }))
			require.NoError(t, err)
			require.Equal(t, StageDone, last.Stage)
			require.Equal(t, 100.0, last.Percent())
		}
	})
}

func TestUpload_B40_Percent(t *testing.T) {
	t.Parallel()
	const most = 1 << 53
	for _, tt := range []struct {
		sent, total int64
		want        float64
	}{
		{0, UnknownSize, 0}, {5, UnknownSize, 0}, {0, 10, 0}, {5, 10, 50}, {10, 10, 100}, {most, most, 100}, {999_999, 1_000_000, 99.9}, {most - 1, most, 99.9},
	} {
		require.Equal(t, tt.want, Progress{Sent: tt.sent, Total: tt.total}.Percent(), "%d of %d", tt.sent, tt.total)
	}
}

func TestUpload_B40_BadCallbacks(t *testing.T) {
	t.Parallel()
	for name, report := range map[string]func(release chan struct{}){
		"panics":  func(chan struct{}) { panic("oops") },
		"exits":   func(chan struct{}) { runtime.Goexit() },
		"blocks":  func(release chan struct{}) { <-release },
		"is slow": func(chan struct{}) { time.Sleep(time.Hour) },
		"lags":    func(chan struct{}) { time.Sleep(3 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var logged bytes.Buffer
				r := newEnv(t, func(c *Config) {
					c.Parallel, c.Logger = 1, slog.New(slog.NewTextHandler(&logged, nil))
				}, mediatest.InMemory())
				r.Fault(mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, Delay: time.Second})
				release, calls := make(chan struct{}), atomic.Int32{}
				data, start := random(600*kib), time.Now()
				res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{}, WithProgress(func(Progress) {
					calls.Add(1)
					report(release)
				}))
				require.NoError(t, err)
				r.stored(t, res, data)
				require.LessOrEqual(t, time.Since(start), 6*time.Second+transfer.GracePeriod+100*time.Millisecond)
				if name == "lags" {
					require.GreaterOrEqual(t, calls.Load(), int32(3))
				} else {
					require.EqualValues(t, 1, calls.Load())
				}
				require.Equal(t, name == "panics", strings.Contains(logged.String(), "the progress callback panicked"))
				close(release)
				time.Sleep(24 * time.Hour)
			})
		})
	}
}

func TestUpload_B40_RateAndETA(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var last Progress
		tr := newTracker(func(p Progress) { last = p }, nil)
		tr.set(func(p *Progress) { p.Name, p.Stage, p.Total = "launch.mp4", StageSend, 20_000_000 })
		defer tr.close(ctx)
		time.Sleep(100 * time.Millisecond)
		for range 20 {
			tr.Moved(420_000)
			time.Sleep(200 * time.Millisecond)
		}
		synctest.Wait()
		require.InDelta(t, 2.1e6, last.Rate, 1e5)
		require.Contains(t, last.String(), "2.1 MB/s  ETA 6s")
	})
}
