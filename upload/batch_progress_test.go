package upload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

func TestBatchProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := newEnv(t, func(c *Config) { c.Parallel, c.Files = 1, 2 }, mediatest.InMemory())
		_, err := r.Upload(ctx, File(writeFile(t, "known.mp4", random(300*kib))), VODVideo{})
		require.NoError(t, err)
		known := writeFile(t, "movie.mp4", random(300*kib))
		_, err = r.Upload(ctx, File(known), VODVideo{}, WithCheckpoint(dir))
		require.NoError(t, err)
		r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 7, Status: 403, Code: "Stop", AfterBytes: 50 * kib},
			mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, Delay: time.Second})
		other := writeFile(t, "movie.mp4", random(600*kib))
		var seen []BatchProgress
		var inside atomic.Int32
		var mu sync.Mutex
		sources := make(map[string]bool)
		errs := 0
		for res := range r.UploadAll(ctx, slices.Values([]Job{
			{Source: File(known), Target: VODVideo{}},
			{Source: File(other), Target: VODVideo{}},
			{Source: bytesSource("broken.mp4", random(500*kib)), Target: VODVideo{}, Options: []Option{WithObserver(nil)}},
			{Source: Reader("stream.mp4", reader(bytes.NewReader(random(250*kib))), UnknownSize), Target: VODVideo{}},
			{Source: File("/locked"), Err: &fs.PathError{Op: "open", Path: "/locked", Err: fs.ErrPermission}},
		}), WithCheckpoint(dir), WithBatchProgress(func(p BatchProgress) {
			require.EqualValues(t, 1, inside.Add(1), "never concurrent")
			defer inside.Add(-1)
			time.Sleep(10 * time.Millisecond)
			seen = append(seen, p)
		}), WithProgress(func(p Progress) {
			mu.Lock()
			defer mu.Unlock()
			sources[p.Source] = true
		})) {
			if res.Err != nil {
				errs++
			}
			if res.Job.Err != nil {
				require.ErrorIs(t, res.Err, fs.ErrPermission)
				require.Equal(t, "Permission", ErrorCode(res.Err))
				require.ErrorContains(t, res.Err, `upload "locked": open:`)
			}
		}
		require.Equal(t, 2, errs)
		last := seen[len(seen)-1]
		sent := last.Sent
		require.GreaterOrEqual(t, sent, int64(300+600+250)*kib)
		require.Less(t, sent, int64(300+600+250+500)*kib)
		require.Equal(t, BatchProgress{
			Files: 5, AllRead: true, Done: 2, Skipped: 1, Failed: 2,
			Sent: sent, Total: sent, Resumed: 300 * kib, Rate: last.Rate,
		}, last)
		require.Equal(t, 100.0, last.Percent())
		running, fast := 0, 0.0
		for i, p := range seen {
			running, fast = max(running, p.Running), max(fast, p.Rate)
			require.Equal(t, p.Files, p.Running+p.Done+p.Skipped+p.Failed, "each job is counted once")
			require.LessOrEqual(t, p.Sent, p.Total)
			require.True(t, p.Percent() < 100 || i == len(seen)-1)
		}
		require.Equal(t, 2, running)
		require.Greater(t, len(seen), 20)
		require.InDelta(t, 100*kib, fast, 100*kib, "one part a second")
		require.True(t, sources[known] && sources[other], "two movie.mp4 are told apart: %v", sources)
	})
}

// TestBatchProgress_Line is what people read.
func TestBatchProgress_Line(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]BatchProgress{
		"0/0+ files  0.0/0.0 kB": {},
		"12/40 files  2 skipped  1 failed  3.1/18.4 GB  21.0 MB/s  ETA 4m12s": {
			Files: 40, AllRead: true, Running: 4, Done: 9, Skipped: 2, Failed: 1, Sent: 3.1e9, Total: 18.4e9, Rate: 21e6, ETA: 4*time.Minute + 12*time.Second + 1,
		},
		"1/3+ files  1.0/2.5 MB": {Files: 3, Running: 2, Done: 1, Sent: 1e6, Total: 2.5e6},
	} {
		require.Equal(t, want, p.String())
	}
	require.Zero(t, BatchProgress{}.Percent())
	require.Equal(t, 50.0, BatchProgress{Sent: 1, Total: 2, Running: 1}.Percent())
	require.Equal(t, 99.9, BatchProgress{Sent: 2, Total: 2, AllRead: true, Running: 1}.Percent())
}

// TestBatchProgress_BadCallbacks: none holds up the batch.
func TestBatchProgress_BadCallbacks(t *testing.T) {
	t.Parallel()
	for name, report := range map[string]func(release chan struct{}){
		"panics": func(chan struct{}) { panic("oops") },
		"blocks": func(release chan struct{}) { <-release },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var logged bytes.Buffer
				r := newEnv(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&logged, nil)) }, mediatest.InMemory())
				r.Fault(mediatest.Fault{Operation: "PutObject", Times: mediatest.Always, Delay: time.Second})
				release, calls, start := make(chan struct{}), atomic.Int32{}, time.Now()
				n := 0
				for res := range r.UploadAll(ctx, tiny(10, nil), WithBatchProgress(func(BatchProgress) {
					calls.Add(1)
					report(release)
				})) {
					require.NoError(t, res.Err)
					n++
				}
				require.Equal(t, 10, n)
				require.EqualValues(t, 1, calls.Load())
				require.Less(t, time.Since(start), 6*time.Second)
				require.Equal(t, name == "panics", bytes.Contains(logged.Bytes(), []byte("the callback of the batch's progress panicked")))
				close(release)
				time.Sleep(time.Hour)
			})
		})
	}
}

// TestBatchProgress_LeftAndCanceled: the last report comes before the loop ends,
// however that ends.
func TestBatchProgress_LeftAndCanceled(t *testing.T) {
	t.Parallel()
	for _, leave := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			r := newEnv(t, func(c *Config) { c.Files = 3 }, mediatest.InMemory())
			r.Fault(mediatest.Fault{Operation: "PutObject", Nth: 3, Times: mediatest.Always, Delay: time.Minute})
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			var last BatchProgress
			for res := range r.UploadAll(ctx, tiny(100, nil), WithBatchProgress(func(p BatchProgress) { last = p })) {
				if leave {
					break
				}
				cancel()
				require.True(t, res.Err == nil || errors.Is(res.Err, context.Canceled))
			}
			require.Zero(t, last.Running)
			require.Positive(t, last.Done)
			require.Positive(t, last.Failed)
			require.Equal(t, last.Files, last.Done+last.Failed, fmt.Sprint(last))
		})
	}
}

// TestBatchProgress_OutsideOfABatch: Upload does not ignore it.
func TestBatchProgress_OutsideOfABatch(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil)
	res, err := r.Upload(ctx, bytesSource("movie.mp4", random(1)), VODVideo{}, WithBatchProgress(func(BatchProgress) {}))
	require.ErrorContains(t, failed(t, res, err), "upload.WithBatchProgress is an option of UploadAll")
}
