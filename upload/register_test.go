package upload

import (
	"context"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/stretchr/testify/require"
)

// TestUpload_B34_RegisteredAtTheEnd: an asset that is made of the stored object
// is named by what fails later.
func TestUpload_B34_RegisteredAtTheEnd(t *testing.T) {
	t.Parallel()
	r := newBucketEnv(t)
	for operation, target := range map[string]Target{
		"GetYikeAssetMediaInfo": YikeAsset{},
		"GetMediaInfo":          Bucket{Name: "own-bucket", Register: RegisterMediaInfo{}},
		"GetVideoInfo":          Bucket{Name: "own-bucket", Register: RegisterMedia{}},
	} {
		r.Fault(mediatest.Fault{Operation: operation, Status: 403, Code: "Forbidden"})
		res, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), target, WithWait())
		e := failed(t, res, err)
		require.Equal(t, StageWait, e.Stage, operation)
		require.NotEmpty(t, e.MediaId, operation)
		require.Equal(t, r.Medias()[len(r.Medias())-1].MediaId, e.MediaId, operation)
	}
}

// tokens are the ClientToken of each request of an operation.
func (r *env) tokens(operation string) (all []string) {
	for _, q := range r.Requests() {
		if q.Operation == operation {
			all = append(all, q.Params.Get("ClientToken"))
		}
	}
	return all
}

func TestUpload_B35_RegistrationIsRepeated(t *testing.T) {
	t.Parallel()
	r := newBucketEnv(t)
	r.Fault(mediatest.Fault{Operation: "RegisterMediaInfo", AfterEffect: true}, mediatest.Fault{Operation: "RegisterMediaInfo", Nth: 2, Status: 503})
	res, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), Bucket{Name: "own-bucket", Register: RegisterMediaInfo{}})
	require.NoError(t, err)
	require.Len(t, r.Medias(), 1)
	require.Equal(t, r.Medias()[0].MediaId, res.MediaId)
	require.False(t, res.AlreadyRegistered, "it is ours, the service knows it again")
	tokens := r.tokens("RegisterMediaInfo")
	require.Len(t, tokens, 3)
	require.NotEmpty(t, tokens[0])
	require.Equal(t, []string{tokens[0], tokens[0], tokens[0]}, tokens)
}

// TestUpload_B27_B35_RegistrationIsRepeatedLater: by the next run, which did not
// hear what became of the first.
func TestUpload_B27_B35_RegistrationIsRepeatedLater(t *testing.T) {
	t.Parallel()
	target := Bucket{Name: "own-bucket", Register: RegisterMediaInfo{}}
	b := breakOff(t, target, mediatest.Fault{Operation: "RegisterMediaInfo", AfterEffect: true, Status: 403, Code: "Stop"})
	res := b.resume(t, target)
	require.Len(t, b.Medias(), 1)
	require.Equal(t, b.Medias()[0].MediaId, res.MediaId)
	require.False(t, res.AlreadyRegistered, "it is ours, the service knows it again")
	tokens := b.tokens("RegisterMediaInfo")
	require.Len(t, tokens, 2)
	require.NotEmpty(t, tokens[0])
	require.Equal(t, tokens[0], tokens[1])
}

// TestUpload_B35_RegisteredIsNotRegisteredAgain: a run that ends after that
// leaves the next one only the wait.
func TestUpload_B35_RegisteredIsNotRegisteredAgain(t *testing.T) {
	t.Parallel()
	for operation, register := range map[string]func(id string) Registration{
		"RegisterMediaInfo":   func(string) Registration { return RegisterMediaInfo{} },
		"RegisterMediaStream": func(id string) Registration { return RegisterMediaStream{MediaId: id} },
		"RegisterMedia":       func(string) Registration { return RegisterMedia{} },
	} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newWaitEnv(t)
				target := Bucket{Name: "own-bucket", Register: register(r.AddMedia(mediatest.Media{Service: "ice"}))}
				stopping, cancel := context.WithCancel(inTime(t))
				defer cancel()
				r.Fault(mediatest.Fault{Delay: time.Minute, Match: func(q mediatest.Request) bool {
					asks := q.Operation == "GetMediaInfo" || q.Operation == "GetVideoInfo"
					if asks {
						cancel()
					}
					return asks
				}})
				file, dir := writeFile(t, "a.mp4", random(kib)), t.TempDir()
				res, err := r.Upload(stopping, File(file), target, WithCheckpoint(dir), WithWait())
				e := failed(t, res, err)
				require.ErrorIs(t, err, context.Canceled)
				require.Equal(t, StageWait, e.Stage)
				res, err = r.Upload(inTime(t), File(file), target, WithCheckpoint(dir), WithWait())
				require.NoError(t, err)
				require.Equal(t, e.MediaId, res.MediaId)
				require.False(t, res.AlreadyRegistered)
				require.Equal(t, 1, r.Calls(operation))
				require.Equal(t, 1, r.Calls("PutObject"))
			})
		})
	}
}

func TestUpload_B35_AlreadyRegistered(t *testing.T) {
	t.Parallel()
	for name, register := range map[string]Registration{"ice": RegisterMediaInfo{}, "vod": RegisterMedia{}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newWaitEnv(t)
				target := Bucket{Name: "own-bucket", Register: register}
				first, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), target)
				require.NoError(t, err)
				require.False(t, first.AlreadyRegistered)
				r.Fault(mediatest.Fault{Operation: "GetMediaInfo", Status: 404, Code: "MediaNotFound"}) // a lag
				again, err := r.Upload(ctx, bytesSource("a.mp4", random(2*kib)), target)
				require.NoError(t, err)
				require.Equal(t, first.MediaId, again.MediaId)
				require.True(t, again.AlreadyRegistered)
				require.Len(t, r.Medias(), 1)
			})
		})
	}
}

// TestUpload_B35_RegisteredAndNotFound: the service contradicts itself for
// good, and both responses are told.
func TestUpload_B35_RegisteredAndNotFound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newWaitEnv(t)
		target := Bucket{Name: "own-bucket", Register: RegisterMediaInfo{}}
		_, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), target)
		require.NoError(t, err)
		r.Fault(mediatest.Fault{Operation: "GetMediaInfo", Times: mediatest.Always, Status: 404, Code: "MediaNotFound"})
		start := time.Now()
		res, err := r.Upload(inTime(t), bytesSource("a.mp4", random(kib)), target)
		e := failed(t, res, err)
		require.Equal(t, StageFinish, e.Stage)
		require.ErrorContains(t, err, "MediaAlreadyExist")
		require.ErrorContains(t, err, "MediaNotFound")
		require.Less(t, time.Since(start), time.Minute)
	})
}

func TestUpload_B35_RegistrationRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		target Target
		fault  mediatest.Fault
	}{
		"ice":  {Bucket{Name: "own-bucket", Register: RegisterMediaInfo{}}, mediatest.Fault{Operation: "RegisterMediaInfo", Status: 403, Code: "Forbidden"}},
		"yike": {YikeAsset{}, mediatest.Fault{Operation: "RegisterYikeAssetMediaInfo", Status: 403, Code: "Forbidden"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newBucketEnv(t)
			r.Fault(tt.fault)
			res, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), tt.target)
			e := failed(t, res, err)
			require.True(t, alimedia.IsAccessDenied(err))
			require.Equal(t, StageFinish, e.Stage)
			require.True(t, e.Uploaded, "the bytes need not be sent again")
			require.NotEmpty(t, e.FileURL)
			require.EqualValues(t, kib, e.Sent)
			require.ErrorContains(t, err, e.FileURL)
		})
	}
}

func TestUpload_B35_PartialFailure(t *testing.T) {
	t.Parallel()
	r := newBucketEnv(t)
	r.Handle("vod", "RegisterMedia", func(params url.Values) (any, error) {
		return map[string]any{"FailedFileURLs": []string{"https://own-bucket.oss-cn-shanghai.aliyuncs.com/a.mp4"}}, nil
	})
	res, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), Bucket{Name: "own-bucket", Register: RegisterMedia{}})
	e := failed(t, res, err)
	require.Equal(t, StageFinish, e.Stage)
	require.ErrorContains(t, err, "was not registered")
}
