package vod_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
)

func fileURL(bucket, key string) string {
	return "https://" + bucket + ".oss-cn-shanghai.aliyuncs.com/" + key
}

// filled stores n objects in turn in the buckets, and describes them.
func filled(srv *mediatest.Server, n int, buckets ...string) []vod.RegisterMetadata {
	files := make([]vod.RegisterMetadata, n)
	for i := range files {
		bucket, key := buckets[i%len(buckets)], fmt.Sprintf("films/%04d.mp4", i)
		srv.PutObject(bucket, key, []byte("film"))
		files[i] = vod.RegisterMetadata{FileURL: fileURL(bucket, key), Title: fmt.Sprint("Film ", i)}
	}
	return files
}

func newVOD(t *testing.T, srv *mediatest.Server, change ...func(*alimedia.Config)) *vod.Client {
	t.Helper()
	cfg := srv.Config()
	for _, c := range change {
		c(&cfg)
	}
	client, err := vod.New(cfg)
	require.NoError(t, err)
	return client
}

// collect returns the results by index.
func collect(t *testing.T, results iter.Seq[vod.RegisterMediaResult]) map[int]vod.RegisterMediaResult {
	t.Helper()
	all := map[int]vod.RegisterMediaResult{}
	for r := range results {
		require.NotContains(t, all, r.Index)
		all[r.Index] = r
	}
	return all
}

var playable = vod.RegisterMediaRequest{TemplateGroupId: vod.NoTranscode}

// 1,000 objects of three storage locations need 102 requests, and the documented
// rate lets 50 through at once and one more each 20 ms.
func TestRegisterMediaAll_GroupsByStorageLocationAndPaces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory(), mediatest.Throttle(vod.DocumentedRates()))
		files := filled(srv, 1000, "one", "two", "three")
		client := newVOD(t, srv)
		start := time.Now()
		all := collect(t, client.RegisterMediaAll(t.Context(), playable, slices.Values(files)))
		took := time.Since(start)
		require.Len(t, all, 1000)
		ids := map[string]bool{}
		for i, r := range all {
			require.NoError(t, r.Err)
			require.Equal(t, files[i], r.File)
			require.False(t, r.AlreadyRegistered)
			require.NotEmpty(t, r.RequestId)
			ids[r.MediaId] = true
		}
		require.Len(t, ids, 1000)
		require.Equal(t, 102, srv.Calls("RegisterMedia"), "334, 333 and 333 files in groups of ten")
		require.GreaterOrEqual(t, took, 52*20*time.Millisecond)
		require.Less(t, took, 2*time.Second)

		again := collect(t, client.RegisterMediaAll(t.Context(), playable, slices.Values(files)))
		for i, r := range again {
			require.NoError(t, r.Err)
			require.True(t, r.AlreadyRegistered)
			require.Equal(t, all[i].MediaId, r.MediaId)
		}
		require.Zero(t, srv.Calls("GetVideoInfo"))
	})
}

func TestRegisterMediaAll_UsesTheRateLimitOfTheClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory())
		client := newVOD(t, srv, func(c *alimedia.Config) {
			c.RateLimit = alimedia.NewRateLimit(map[string]float64{"RegisterMedia": 0.1})
		})
		start := time.Now()
		require.Len(t, collect(t, client.RegisterMediaAll(t.Context(), playable, slices.Values(filled(srv, 30, "one")))), 30)
		require.Equal(t, 20*time.Second, time.Since(start))
	})
}

// Missing objects are told by the response; a file that spoils the request is
// found by splitting it.
func TestRegisterMediaAll_EachFileHasAResult(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]mediatest.Option{"": nil, "as in the documented sample": {mediatest.Quirks()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := mediatest.New(t, opts...)
			files := filled(srv, 10, "one")
			files[2].FileURL = fileURL("one", "missing.mp4")
			files[5].FileURL = fileURL("one", "no-extension")
			files[7].Title = strings.Repeat("长", 43)
			files[8].Title = ""
			all := collect(t, newVOD(t, srv).RegisterMediaAll(t.Context(), playable, slices.Values(files)))
			require.Len(t, all, 10)
			for i, r := range all {
				var invalid *alimedia.ValidationError
				switch i {
				case 2:
					require.True(t, alimedia.HasCode(r.Err, "FailedFileURLs"), "%v", r.Err)
					require.NotEmpty(t, r.RequestId)
				case 5, 7:
					require.ErrorAs(t, r.Err, &invalid)
					require.Len(t, invalid.Violations, 1)
				default:
					require.NoError(t, r.Err)
					require.NotEmpty(t, r.MediaId)
				}
			}
			info, err := newVOD(t, srv).GetVideoInfo(t.Context(), vod.GetVideoInfoRequest{VideoId: all[8].MediaId})
			require.NoError(t, err)
			require.Equal(t, "0008.mp4", info.Video.Title)
		})
	}
}

// The service itself rejects the request because of one file.
func TestRegisterMediaAll_SplitsARejectedRequest(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	files := filled(srv, 10, "one")
	files[3].Tags = strings.Repeat("x,", 17)
	client := newVOD(t, srv, func(c *alimedia.Config) { c.SkipValidation = true })
	all := collect(t, client.RegisterMediaAll(t.Context(), playable, slices.Values(files)))
	require.Len(t, all, 10)
	for i, r := range all {
		if i == 3 {
			require.True(t, alimedia.HasCode(r.Err, "InvalidParameter"), "%v", r.Err)
			require.NotEmpty(t, r.RequestId)
			continue
		}
		require.NoError(t, r.Err)
		require.False(t, r.AlreadyRegistered)
	}
	require.Equal(t, 9, srv.Calls("RegisterMedia"), "10 = 5 + 5, 5 = 2 + 3, 3 = 1 + 2 or 2 = 1 + 1")
}

// What is wrong with the caller is wrong for each file: no request is split.
func TestRegisterMediaAll_DoesNotSplitForTheCaller(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"Forbidden.RAM", "SignatureDoesNotMatch"} {
		srv := mediatest.New(t)
		srv.Fault(mediatest.Fault{Operation: "RegisterMedia", Times: mediatest.Always, Status: 403, Code: code})
		all := collect(t, newVOD(t, srv).RegisterMediaAll(t.Context(), playable, slices.Values(filled(srv, 20, "one"))))
		require.Len(t, all, 20)
		for _, r := range all {
			require.True(t, alimedia.HasCode(r.Err, code))
		}
		require.Equal(t, 2, srv.Calls("RegisterMedia"))
	}
}

func TestRegisterMediaAll_TheSameFileTwice(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	files := filled(srv, 3, "one")
	files = append(files, files[0], files[0])
	all := collect(t, newVOD(t, srv).RegisterMediaAll(t.Context(), playable, slices.Values(files)))
	require.Len(t, all, 5)
	require.False(t, all[0].AlreadyRegistered)
	for _, i := range []int{3, 4} {
		require.NoError(t, all[i].Err)
		require.Equal(t, all[0].MediaId, all[i].MediaId)
		require.True(t, all[i].AlreadyRegistered)
	}
}

// A throttled service is waited for, longer than one call does.
func TestRegisterMediaAll_WaitsOutThrottling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory())
		srv.Fault(mediatest.Fault{Operation: "RegisterMedia", Times: 12, Throttling: true})
		files := filled(srv, 10, "one")
		for _, r := range collect(t, newVOD(t, srv).RegisterMediaAll(t.Context(), playable, slices.Values(files))) {
			require.NoError(t, r.Err)
			require.False(t, r.AlreadyRegistered)
		}
		require.Equal(t, 13, srv.Calls("RegisterMedia"))
	})
}

// The response of a request that took effect is lost. The next one says that the
// files are registered: the ones of this run are told from the others by their age.
func TestRegisterMediaAll_LostResponse(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]int{"the client repeats the call": 1, "the client gives up": 4} {
		for _, skew := range []time.Duration{0, -10 * time.Minute, 10 * time.Minute} {
			t.Run(fmt.Sprint(name, skew), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					srv := mediatest.New(t, mediatest.InMemory())
					srv.SetClockSkew(skew)
					files := filled(srv, 10, "one")
					client := newVOD(t, srv)
					old := collect(t, client.RegisterMediaAll(t.Context(), playable, slices.Values(files[:4])))
					time.Sleep(time.Minute)
					srv.Fault(mediatest.Fault{Operation: "RegisterMedia", Times: lost, AfterEffect: true, Reset: true})
					all := collect(t, client.RegisterMediaAll(t.Context(), playable, slices.Values(files)))
					require.Len(t, all, 10)
					for i, r := range all {
						require.NoError(t, r.Err)
						require.Equal(t, i < 4, r.AlreadyRegistered, "file %d", i)
						if i < 4 {
							require.Equal(t, old[i].MediaId, r.MediaId)
						}
					}
				})
			})
		}
	}
}

// If no response ever arrives, the error says that the files may be registered.
func TestRegisterMediaAll_OutcomeUnknown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory())
		srv.Fault(mediatest.Fault{Operation: "RegisterMedia", Times: mediatest.Always, AfterEffect: true, Reset: true})
		all := collect(t, newVOD(t, srv).RegisterMediaAll(t.Context(), playable, slices.Values(filled(srv, 10, "one"))))
		require.Len(t, all, 10)
		for _, r := range all {
			require.ErrorIs(t, r.Err, alimedia.ErrOutcomeUnknown)
		}
	})
}

// A response that names other files than were sent is believed for none of them.
func TestRegisterMediaAll_ForeignResponse(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	files := filled(srv, 3, "one")
	const other = `{"RequestId":"r","RegisteredMediaList":[{"MediaId":"m1","FileURL":"https://other.oss-cn-shanghai.aliyuncs.com/x.mp4","NewRegister":true},{"MediaId":"m2","FileURL":"y","NewRegister":true}],"FailedFileURLs":[]}`
	srv.Fault(mediatest.Fault{Operation: "RegisterMedia", AfterEffect: true, Foreign: &mediatest.Response{Body: other, Header: http.Header{"Content-Type": {"application/json"}}}})
	all := collect(t, newVOD(t, srv).RegisterMediaAll(t.Context(), playable, slices.Values(files)))
	for _, r := range all {
		require.NoError(t, r.Err)
		require.NotContains(t, []string{"m1", "m2"}, r.MediaId)
		require.False(t, r.AlreadyRegistered)
	}
	require.Equal(t, 4, srv.Calls("RegisterMedia"))

	srv.Fault(mediatest.Fault{Operation: "RegisterMedia", Times: mediatest.Always, Foreign: &mediatest.Response{Body: other, Header: http.Header{"Content-Type": {"application/json"}}}})
	for _, r := range collect(t, newVOD(t, srv).RegisterMediaAll(t.Context(), playable, slices.Values(files))) {
		require.ErrorContains(t, r.Err, "does not name the file")
	}
}

func TestRegisterMediaAll_LeavingTheLoopStopsEverything(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory())
		files, read := filled(srv, 2000, "one"), 0
		seq := func(yield func(vod.RegisterMetadata) bool) {
			for _, f := range files {
				read++
				if !yield(f) {
					return
				}
			}
		}
		for range newVOD(t, srv).RegisterMediaAll(t.Context(), playable, seq) {
			break
		}
		synctest.Wait() // for what the server has begun
		calls := srv.Calls("RegisterMedia")
		require.LessOrEqual(t, calls, 17)
		require.LessOrEqual(t, read, 1200)
		time.Sleep(time.Hour)
		require.Equal(t, calls, srv.Calls("RegisterMedia"))
	})
}

func TestRegisterMediaAll_ContextEndsEverything(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory())
		srv.Fault(mediatest.Fault{Operation: "RegisterMedia", Nth: 3, Times: mediatest.Always, Delay: mediatest.Forever})
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("enough")
		time.AfterFunc(time.Minute, func() { cancel(cause) })
		start := time.Now()
		all := collect(t, newVOD(t, srv, func(c *alimedia.Config) { c.AttemptTimeout = -1 }).RegisterMediaAll(ctx, playable, slices.Values(filled(srv, 2000, "one"))))
		require.Less(t, time.Since(start), time.Minute+2*time.Second)
		done := 0
		for _, r := range all {
			if r.Err == nil {
				done++
				continue
			}
			require.ErrorIs(t, r.Err, context.Canceled)
			require.ErrorIs(t, r.Err, cause)
		}
		require.Equal(t, 20, done)
		require.Greater(t, len(all), 20, "files that were read have a result")
		require.ElementsMatch(t, slices.Collect(maps.Keys(all)), func() (want []int) {
			for i := range len(all) {
				want = append(want, i)
			}
			return want
		}(), "no file is left out in between")

		// Not even begun: one file tells that there are some.
		all = collect(t, newVOD(t, srv).RegisterMediaAll(ctx, playable, slices.Values(filled(srv, 5, "one"))))
		require.Len(t, all, 1)
		require.ErrorIs(t, all[0].Err, context.Canceled)
	})
}

// A sequence that waits for more files does not hold back the ones it gave, and a
// blocked one does not hold the loop.
func TestRegisterMediaAll_SlowSequence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory())
		files, more := filled(srv, 3, "one"), make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		seq := func(yield func(vod.RegisterMetadata) bool) {
			for _, f := range files {
				if !yield(f) {
					return
				}
			}
			<-more
		}
		start, n := time.Now(), 0
		for r := range newVOD(t, srv).RegisterMediaAll(ctx, playable, seq) {
			require.NoError(t, r.Err)
			require.Equal(t, time.Second, time.Since(start))
			if n++; n == 3 {
				cancel()
			}
		}
		require.Equal(t, 3, n)
		require.Equal(t, 1, srv.Calls("RegisterMedia"))
		close(more)
	})
}

// Memory is that of the files at work, not of all files.
func TestRegisterMediaAll_BoundedMemory(t *testing.T) {
	transport := roundTrips(func(r *http.Request) (*http.Response, error) {
		return answerRegistrations(r), nil
	})
	client, err := vod.New(alimedia.Config{
		Region: "cn-shanghai", Credentials: mediatestKeys, HTTPClient: &http.Client{Transport: transport}, RateLimit: alimedia.NewRateLimit(nil),
	})
	require.NoError(t, err)
	n := manyFiles
	var most uint64
	count, read := 0, 0
	seq := func(yield func(vod.RegisterMetadata) bool) {
		for i := range n {
			read++
			if !yield(vod.RegisterMetadata{FileURL: fileURL(fmt.Sprint("bucket", i%200), fmt.Sprintf("%d.mp4", i)), Title: strings.Repeat("t", 100)}) {
				return
			}
		}
	}
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	for r := range client.RegisterMediaAll(t.Context(), playable, seq) {
		require.NoError(t, r.Err)
		if count++; count%(n/5) == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapAlloc-min(now.HeapAlloc, before.HeapAlloc))
		}
	}
	require.Equal(t, n, count)
	t.Logf("%d files: at most %d KiB of heap", n, most>>10)
	require.Less(t, most, uint64(8<<20))
}
