package ice_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
)

func newICE(t *testing.T, srv *mediatest.Server) *ice.Client {
	t.Helper()
	client, err := ice.New(srv.Config())
	require.NoError(t, err)
	return client
}

// toRegister stores n objects in turn in the buckets, and asks to register them.
func toRegister(srv *mediatest.Server, n int, buckets ...string) []ice.RegisterMediaInfoRequest {
	requests := make([]ice.RegisterMediaInfoRequest, n)
	for i := range requests {
		bucket, key := buckets[i%len(buckets)], fmt.Sprintf("films/%04d.mp4", i)
		srv.PutObject(bucket, key, []byte("film"))
		requests[i] = ice.RegisterMediaInfoRequest{InputURL: "oss://" + bucket + "/" + key, Title: fmt.Sprint("Film ", i)}
	}
	return requests
}

func infos(t *testing.T, ctx context.Context, client *ice.Client, requests []ice.RegisterMediaInfoRequest) map[int]ice.RegisterMediaInfoResult {
	t.Helper()
	all := map[int]ice.RegisterMediaInfoResult{}
	for r := range client.RegisterMediaInfoAll(ctx, slices.Values(requests)) {
		require.NotContains(t, all, r.Index)
		require.Equal(t, requests[r.Index], r.Request)
		all[r.Index] = r
	}
	return all
}

func TestRegisterMediaInfoAll_PacesAndIsSafeToRepeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory())
		requests, client := toRegister(srv, 1000, "one", "two", "three"), newICE(t, srv)
		start := time.Now()
		all := infos(t, t.Context(), client, requests)
		took := time.Since(start)
		require.GreaterOrEqual(t, took, 19*time.Second, "50 at once and 950 more at 50 per second")
		require.Less(t, took, 20*time.Second)
		ids := map[string]bool{}
		for _, r := range all {
			require.NoError(t, r.Err)
			require.False(t, r.AlreadyRegistered)
			require.NotEmpty(t, r.RequestId)
			ids[r.MediaId] = true
		}
		require.Len(t, ids, 1000)
		for i, r := range infos(t, t.Context(), client, requests[:100]) {
			require.NoError(t, r.Err)
			require.True(t, r.AlreadyRegistered)
			require.Equal(t, all[i].MediaId, r.MediaId)
		}
	})
}

func TestRegisterMediaInfoAll_EachFileHasAResult(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory())
		requests := toRegister(srv, 5, "one")
		requests[1].InputURL = "oss://one/missing.mp4"
		requests[3].InputURL = "file:///etc/passwd"
		srv.Fault(mediatest.Fault{Operation: "RegisterMediaInfo", Times: 20, Throttling: true})
		all := infos(t, t.Context(), newICE(t, srv), requests)
		require.Len(t, all, 5)
		for i, r := range all {
			switch i {
			case 1:
				var e *alimedia.Error
				require.ErrorAs(t, r.Err, &e)
				require.Equal(t, e.RequestId, r.RequestId)
			case 3:
				var invalid *alimedia.ValidationError
				require.ErrorAs(t, r.Err, &invalid)
			default:
				require.NoError(t, r.Err)
			}
		}
	})
}

// The ClientToken of a request with a lost response is used again, and also an
// answer that the file is registered tells whose work it is.
func TestRegisterMediaInfoAll_LostResponse(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string][]mediatest.Fault{
		"the client repeats the call": {{Operation: "RegisterMediaInfo", Times: 1, AfterEffect: true, Reset: true}},
		"the client gives up":         {{Operation: "RegisterMediaInfo", Times: 5, AfterEffect: true, Reset: true}},
		"the token is not recognized": {
			{Operation: "RegisterMediaInfo", Times: 1, AfterEffect: true, Reset: true},
			{Operation: "RegisterMediaInfo", Nth: 2, Status: 409, Code: "MediaAlreadyExist"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := mediatest.New(t, mediatest.InMemory())
				srv.SetClockSkew(-10 * time.Minute)
				requests, client := toRegister(srv, 2, "one"), newICE(t, srv)
				old := infos(t, t.Context(), client, requests[:1])
				time.Sleep(time.Minute)
				for i := range requests {
					srv.Fault(faults...)
					r := infos(t, t.Context(), client, requests[i:i+1])[0]
					require.NoError(t, r.Err)
					require.Equal(t, i == 0, r.AlreadyRegistered)
					if i == 0 {
						require.Equal(t, old[0].MediaId, r.MediaId)
					}
					srv.ClearFaults()
				}
			})
		})
	}
}

func TestRegisterMediaInfoAll_OutcomeUnknown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory())
		srv.Fault(mediatest.Fault{Operation: "RegisterMediaInfo", Times: mediatest.Always, AfterEffect: true, Reset: true})
		r := infos(t, t.Context(), newICE(t, srv), toRegister(srv, 1, "one"))[0]
		require.ErrorIs(t, r.Err, alimedia.ErrOutcomeUnknown)
		require.Empty(t, r.MediaId)
	})
}

func TestRegisterMediaInfoAll_EndsWithLoopAndContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory())
		requests, client := toRegister(srv, 200, "one"), newICE(t, srv)
		for range client.RegisterMediaInfoAll(t.Context(), slices.Values(requests)) {
			break
		}
		synctest.Wait() // for what the server has begun
		calls := srv.Calls("RegisterMediaInfo")
		require.LessOrEqual(t, calls, 20)
		time.Sleep(time.Hour)
		require.Equal(t, calls, srv.Calls("RegisterMediaInfo"))

		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		n := 0
		for r := range client.RegisterMediaInfoAll(ctx, slices.Values(requests)) {
			if n++; n == 60 { // the others wait for their turn
				cancel(cause)
			}
			if r.Err != nil {
				require.ErrorIs(t, r.Err, cause)
			}
		}
		require.Less(t, n, 100)
	})
}

func TestRegisterMediaStreamAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory())
		client := newICE(t, srv)
		asset := infos(t, t.Context(), client, toRegister(srv, 1, "one"))[0].MediaId
		var requests []ice.RegisterMediaStreamRequest
		for i := range 200 {
			srv.PutObject("two", fmt.Sprintf("hd/%d.mp4", i), []byte("stream"))
			requests = append(requests, ice.RegisterMediaStreamRequest{MediaId: asset, InputURL: fmt.Sprintf("oss://two/hd/%d.mp4", i)})
		}
		requests[7].InputURL = "oss://two/missing.mp4"
		start, n := time.Now(), 0
		for r := range client.RegisterMediaStreamAll(t.Context(), slices.Values(requests)) {
			n++
			require.Equal(t, requests[r.Index], r.Request)
			if r.Index == 7 {
				require.Error(t, r.Err)
				continue
			}
			require.NoError(t, r.Err)
			require.Equal(t, asset, r.MediaId)
			require.NotEmpty(t, r.RequestId)
		}
		require.Equal(t, 200, n)
		require.GreaterOrEqual(t, time.Since(start), 3*time.Second)
		require.Equal(t, 200, srv.Calls("RegisterMediaStream"))
	})
}

// A lost response never makes a stream twice, and never hides one.
func TestRegisterMediaStreamAll_LostResponse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		faults  []mediatest.Fault
		calls   int
		streams int
		unknown bool
	}{
		"it took effect":                    {[]mediatest.Fault{{AfterEffect: true, Reset: true}}, 1, 1, false},
		"it had none":                       {[]mediatest.Fault{{Reset: true}}, 2, 1, false},
		"it had none, twice":                {[]mediatest.Fault{{Reset: true, Times: 2}}, 2, 0, true},
		"it had none, and then it took":     {[]mediatest.Fault{{Reset: true}, {Nth: 2, AfterEffect: true, Reset: true}}, 2, 1, false},
		"throttled, and then it took":       {[]mediatest.Fault{{Throttling: true, Times: 6}, {Nth: 7, AfterEffect: true, Reset: true}}, 7, 1, false},
		"it took, and looking it up failed": {[]mediatest.Fault{{AfterEffect: true, Reset: true}, {Operation: "GetMediaInfo", Times: mediatest.Always, Status: 403, Code: "Forbidden"}}, 1, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				srv := mediatest.New(t, mediatest.InMemory())
				client := newICE(t, srv)
				asset := infos(t, t.Context(), client, toRegister(srv, 1, "one"))[0].MediaId
				srv.PutObject("two", "片 1.mp4", []byte("stream"))
				for _, f := range c.faults {
					if f.Operation == "" {
						f.Operation = "RegisterMediaStream"
					}
					srv.Fault(f)
				}
				req := ice.RegisterMediaStreamRequest{MediaId: asset, InputURL: "https://two.oss-cn-shanghai.aliyuncs.com/%E7%89%87%201.mp4"}
				results := slices.Collect(client.RegisterMediaStreamAll(t.Context(), slices.Values([]ice.RegisterMediaStreamRequest{req})))
				require.Len(t, results, 1)
				if c.unknown {
					require.ErrorIs(t, results[0].Err, alimedia.ErrOutcomeUnknown)
				} else {
					require.NoError(t, results[0].Err)
					require.Equal(t, asset, results[0].MediaId)
					require.NotEmpty(t, results[0].RequestId)
				}
				require.Equal(t, c.calls, srv.Calls("RegisterMediaStream"))
				srv.ClearFaults()
				info, err := client.GetMediaInfo(t.Context(), ice.GetMediaInfoRequest{MediaId: asset})
				require.NoError(t, err)
				require.Len(t, info.MediaInfo.FileInfoList, 1+c.streams)
			})
		})
	}
}
