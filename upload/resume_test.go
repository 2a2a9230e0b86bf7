package upload

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
)

// streamOwner is an asset that streams can be added to.
func streamOwner(r *env) string {
	return r.AddMedia(mediatest.Media{Service: "ice", Bucket: r.StorageBucket(), Key: "video/source.mp4"})
}

func ownBucket(reg Registration) Bucket {
	return Bucket{Name: "own-bucket", Region: "cn-shanghai", Register: reg}
}

// newFakeTimeEnv is before a fake in a bubble.
func newFakeTimeEnv(t *testing.T, opts ...mediatest.Option) *env {
	t.Helper()
	r := newEnv(t, func(c *Config) { c.Parallel = 1 }, append(opts, mediatest.InMemory())...)
	r.CreateBucket("own-bucket")
	return r
}

// TestUpload_B27_RegisteredOnce: operations that would do it twice are asked
// for again only when they are known to have had no effect.
func TestUpload_B27_RegisteredOnce(t *testing.T) {
	t.Parallel()
	targets := map[string]struct {
		target   func(*env) Target
		register string
	}{
		"yike":   {func(*env) Target { return YikeAsset{} }, "RegisterYikeAssetMediaInfo"},
		"stream": {func(r *env) Target { return ownBucket(RegisterMediaStream{MediaId: streamOwner(r)}) }, "RegisterMediaStream"},
	}
	denied := mediatest.Fault{Operation: "GetMediaInfo", Times: mediatest.Always, Status: 403, Code: "Forbidden.RAM"}
	for name, tt := range map[string]struct {
		fault     mediatest.Fault // of the registration
		later     time.Duration   // until the upload is resumed
		lag       time.Duration   // until the service finds what is registered
		look      *mediatest.Fault
		registers int // in all
		looks     int // exactly, where not negative
		waits     time.Duration
		least     time.Duration
		unknown   bool // it fails
	}{
		"response lost":             {fault: mediatest.Fault{AfterEffect: true}, registers: 1, looks: 1},
		"response lost, found late": {fault: mediatest.Fault{AfterEffect: true}, lag: 3 * time.Second, registers: 1, looks: -1, least: 3 * time.Second, waits: settling},
		"request lost":              {fault: mediatest.Fault{Reset: true}, registers: 2, looks: -1, least: settling, waits: 2 * settling},
		"request lost long ago":     {fault: mediatest.Fault{Reset: true}, later: settling, registers: 2, looks: 1},
		"lost after a long time":    {fault: mediatest.Fault{Reset: true, Delay: time.Minute}, registers: 2, looks: -1, least: settling, waits: 2 * settling},
		"refused":                   {fault: mediatest.Fault{Status: 403, Code: "Forbidden"}, registers: 2},
		"throttled, then lost":      {fault: mediatest.Fault{Throttling: true, RetryAfter: time.Minute, Times: 3}, registers: 5, looks: -1, least: settling, waits: 2 * settling},
		"may not look":              {fault: mediatest.Fault{AfterEffect: true}, look: &denied, registers: 1, looks: 1, unknown: true},
	} {
		for kind, what := range targets {
			t.Run(kind+" "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					r := newFakeTimeEnv(t)
					target := what.target(r)
					dir, file := t.TempDir(), writeFile(t, "movie.mp4", random(100*kib))
					fault := tt.fault
					fault.Operation = what.register
					r.Fault(fault)
					if tt.fault.Throttling {
						r.cfg.ICE = r.ice.With(func(c *alimedia.Config) { c.Retry.MaxDelay = time.Hour })
						r.Fault(mediatest.Fault{Operation: what.register, Nth: 4, Reset: true})
					}
					r.Fault(denied) // so that only the next run can look
					first, err := r.Upload(ctx, File(file), target, WithCheckpoint(dir))
					require.True(t, failed(t, first, err).Uploaded)
					require.Equal(t, name != "refused", errors.Is(err, errUnknown), "%v", err)
					r.ClearFaults()
					looked := r.Calls("GetMediaInfo")
					if tt.look != nil {
						r.Fault(*tt.look)
					}
					if tt.lag > 0 {
						r.Fault(mediatest.Fault{Operation: "GetMediaInfo", Times: 3, Status: 404, Code: "ResourceNotFound"}) // 0 s, 1 s, 2.5 s
						if kind == "stream" {
							r.ClearFaults()
							r.lateStreams(time.Now().Add(tt.lag))
						}
					}
					time.Sleep(tt.later)
					start := time.Now()
					res, err := r.Upload(ctx, File(file), target, WithCheckpoint(dir))
					require.GreaterOrEqual(t, time.Since(start), tt.least)
					require.LessOrEqual(t, time.Since(start), tt.waits)
					require.Equal(t, tt.registers, r.Calls(what.register))
					if tt.looks >= 0 {
						require.Equal(t, tt.looks, r.Calls("GetMediaInfo")-looked)
					}
					require.Len(t, r.Medias(), 1)
					require.Equal(t, 1, r.Calls("PutObject"))
					if tt.unknown {
						failed(t, res, err)
						require.ErrorIs(t, err, errUnknown)
						require.Len(t, checkpoints(t, dir), 1)
						return
					}
					require.NoError(t, err)
					require.Equal(t, r.Medias()[0].MediaId, res.MediaId)
					require.False(t, res.AlreadyRegistered)
					if kind == "stream" {
						require.Len(t, r.Medias()[0].Streams, 1)
					}
				})
			})
		}
	}
}

// TestUpload_B35_LookedUpInTheSameRun: what cannot be asked for twice is looked
// up when its response is lost, with and without a checkpoint.
func TestUpload_B35_LookedUpInTheSameRun(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault     mediatest.Fault
		registers int
		waits     time.Duration
	}{
		"response lost": {mediatest.Fault{AfterEffect: true}, 1, 0},
		"request lost":  {mediatest.Fault{Reset: true}, 2, settling},
		"refused":       {mediatest.Fault{Status: 400, Code: "InvalidParameter"}, 1, 0},
		"nonce used":    {mediatest.Fault{AfterEffect: true, Status: 400, Code: "SignatureNonceUsed"}, 1, 0},
	} {
		for kind, operation := range map[string]string{"yike": "RegisterYikeAssetMediaInfo", "stream": "RegisterMediaStream"} {
			for _, opts := range [][]Option{nil, {WithCheckpoint(t.TempDir())}} {
				t.Run(fmt.Sprint(kind, " ", name, " ", len(opts)), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						r := newFakeTimeEnv(t)
						var target Target = YikeAsset{}
						if kind == "stream" {
							target = ownBucket(RegisterMediaStream{MediaId: streamOwner(r)})
						}
						fault := tt.fault
						fault.Operation = operation
						r.Fault(fault)
						start := time.Now()
						res, err := r.Upload(ctx, File(writeFile(t, "movie.mp4", random(kib))), target, opts...)
						require.GreaterOrEqual(t, time.Since(start), tt.waits)
						require.Equal(t, tt.registers, r.Calls(operation))
						if name == "refused" {
							require.True(t, failed(t, res, err).Uploaded)
							return
						}
						require.NoError(t, err)
						require.Equal(t, r.Medias()[0].MediaId, res.MediaId)
						require.False(t, res.AlreadyRegistered)
						require.Len(t, r.Medias(), 1)
					})
				})
			}
		}
	}
}

// TestUpload_B35_AlreadyRegisteredBefore: it is not told of our own asset,
// whose response was lost.
func TestUpload_B35_AlreadyRegisteredBefore(t *testing.T) {
	t.Parallel()
	lost := mediatest.Fault{AfterEffect: true}
	taken := mediatest.Fault{Nth: 2, Status: 409, Code: "MediaAlreadyExist"} // the token is forgotten
	for name, tt := range map[string]struct {
		register Registration
		before   bool
		faults   []mediatest.Fault
		skew     time.Duration
	}{
		"ice, ours":                 {RegisterMediaInfo{}, false, []mediatest.Fault{lost, taken}, 0},
		"ice, ours, clock behind":   {RegisterMediaInfo{}, false, []mediatest.Fault{lost, taken}, -5 * time.Minute},
		"ice, ours, clock ahead":    {RegisterMediaInfo{}, false, []mediatest.Fault{lost, taken}, 5 * time.Minute},
		"ice, older":                {RegisterMediaInfo{}, true, nil, 0},
		"ice, older, response lost": {RegisterMediaInfo{}, true, []mediatest.Fault{lost}, 0},
		"ice, older, clock ahead":   {RegisterMediaInfo{}, true, []mediatest.Fault{lost}, 5 * time.Minute},
		"ice, older, clock behind":  {RegisterMediaInfo{}, true, []mediatest.Fault{lost}, -5 * time.Minute},
		"vod, ours":                 {RegisterMedia{}, false, []mediatest.Fault{lost}, 0},
		"vod, older":                {RegisterMedia{}, true, nil, 0},
		"vod, older, response lost": {RegisterMedia{}, true, []mediatest.Fault{lost}, 0},
	} {
		for _, resumed := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " ", resumed), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					r := newFakeTimeEnv(t)
					r.SetClockSkew(tt.skew)
					target := ownBucket(nil)
					if tt.before {
						target.Register = tt.register
						_, err := r.Upload(ctx, File(writeFile(t, "movie.mp4", random(kib))), target)
						require.NoError(t, err)
						time.Sleep(time.Minute)
					}
					target.Register = tt.register
					operation := reflect.TypeOf(tt.register).Name()
					for _, f := range tt.faults {
						f.Operation = operation
						r.Fault(f)
					}
					if resumed {
						r.Fault(mediatest.Fault{Operation: operation, AfterEffect: true, Status: 403, Code: "Stop"})
					}
					file, dir := writeFile(t, "movie.mp4", random(kib)), t.TempDir()
					res, err := r.Upload(ctx, File(file), target, WithCheckpoint(dir))
					if resumed && err != nil {
						r.ClearFaults()
						time.Sleep(time.Minute)
						res, err = r.Upload(ctx, File(file), target, WithCheckpoint(dir))
					}
					require.NoError(t, err)
					require.Equal(t, tt.before, res.AlreadyRegistered)
					require.Len(t, r.Medias(), 1)
					require.Equal(t, r.Medias()[0].MediaId, res.MediaId)
				})
			})
		}
	}
}

// TestUpload_B27_OneToken: an operation that knows what it was asked before is
// asked by the same token.
func TestUpload_B27_OneToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFakeTimeEnv(t)
		dir, file := t.TempDir(), writeFile(t, "movie.mp4", random(100*kib))
		r.Fault(mediatest.Fault{Operation: "RegisterMediaInfo", AfterEffect: true, Times: 4})
		res, err := r.Upload(ctx, File(file), ownBucket(RegisterMediaInfo{}), WithCheckpoint(dir))
		failed(t, res, err)
		res, err = r.Upload(ctx, File(file), ownBucket(RegisterMediaInfo{}), WithCheckpoint(dir))
		require.NoError(t, err)
		require.Equal(t, r.Medias()[0].MediaId, res.MediaId)
		require.False(t, res.AlreadyRegistered)
		require.Len(t, r.Medias(), 1)
	})
}

// lateStreams makes the service show no streams before a time.
func (r *env) lateStreams(from time.Time) {
	r.Handle("ice", "GetMediaInfo", func(p url.Values) (any, error) {
		m, _ := r.Media(p.Get("MediaId"))
		type fields = map[string]any
		files := []fields{{"FileBasicInfo": fields{"FileUrl": m.URL}}}
		if !time.Now().Before(from) {
			for _, s := range m.Streams {
				files = append(files, fields{"FileBasicInfo": fields{"FileUrl": s.URL + "?Expires=1&Signature=x"}})
			}
		}
		return fields{"MediaInfo": fields{"MediaId": m.MediaId, "FileInfoList": files}}, nil
	})
}

// TestUpload_B27_B48_Arrived: the object is there, the process did not hear of
// it, and there is no credential to ask the store.
func TestUpload_B27_B48_Arrived(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		file   string
		target func(*env) Target
		create string
	}{
		"stream":   {"hd.mp4", func(r *env) Target { return ICEStream{MediaId: streamOwner(r)} }, "CreateUploadStream"},
		"image":    {"a.png", func(*env) Target { return VODImage{} }, "CreateUploadImage"},
		"attached": {"a.gif", func(*env) Target { return VODAttachedMedia{BusinessType: vod.BusinessTypeWatermark} }, "CreateUploadAttachedMedia"},
	} {
		for _, last := range []string{"PutObject", "CompleteMultipartUpload"} {
			t.Run(name+" "+last, func(t *testing.T) {
				t.Parallel()
				r := newEnv(t, nil)
				target := tt.target(r)
				data := random(map[string]int{"PutObject": 100 * kib, "CompleteMultipartUpload": 300 * kib}[last])
				dir, file := t.TempDir(), writeFile(t, tt.file, data)
				r.Fault(mediatest.Fault{Operation: last, AfterEffect: true, Status: 403, Code: "Stop"})
				res, err := r.Upload(ctx, File(file), target, WithCheckpoint(dir))
				e := failed(t, res, err)
				puts := r.Calls("PutObject") + r.Calls("UploadPart")
				res, err = r.Upload(ctx, File(file), target, WithCheckpoint(dir))
				require.NoError(t, err)
				r.stored(t, res, data)
				require.Equal(t, e.MediaId, res.MediaId)
				require.Equal(t, crcOf(data), res.CRC64)
				require.Equal(t, puts, r.Calls("PutObject")+r.Calls("UploadPart"))
				require.Equal(t, 1, r.Calls(tt.create))
				require.Empty(t, checkpoints(t, dir))
			})
		}
	}
}

// TestUpload_B27_NotArrived: without a credential nothing is sent, and only
// with leave is another asset made.
func TestUpload_B27_NotArrived(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		file   string
		target func(*env) Target
		create string
		look   string
		same   bool // MediaId
	}{
		"stream":   {"hd.mp4", func(r *env) Target { return ICEStream{MediaId: streamOwner(r)} }, "CreateUploadStream", "GetMediaInfo", true},
		"image":    {"a.png", func(*env) Target { return VODImage{} }, "CreateUploadImage", "GetImageInfo", false},
		"attached": {"a.gif", func(*env) Target { return VODAttachedMedia{BusinessType: vod.BusinessTypeWatermark} }, "CreateUploadAttachedMedia", "GetAttachedMediaInfo", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newEnv(t, func(c *Config) { c.Parallel = 1 })
			target, data := tt.target(r), random(600*kib)
			dir, file := t.TempDir(), writeFile(t, tt.file, data)
			r.Fault(stopAt("UploadPart", 4))
			res, err := r.Upload(ctx, File(file), target, WithCheckpoint(dir))
			first := failed(t, res, err)
			r.ClearFaults()
			r.Fault(mediatest.Fault{Operation: tt.look, Status: 403, Code: "Forbidden.RAM"})
			for range 2 { // it cannot be asked for, it has not arrived
				res, err = r.Upload(ctx, File(file), target, WithCheckpoint(dir))
				require.Equal(t, first.MediaId, failed(t, res, err).MediaId)
				require.ErrorIs(t, err, ErrNotResumable)
				require.Equal(t, 1, r.Calls(tt.create))
				require.Len(t, checkpoints(t, dir), 1)
			}
			res, err = r.Upload(ctx, File(file), target, WithCheckpoint(dir), WithRecreate())
			require.NoError(t, err)
			got, _ := r.Object(res.Bucket, res.Key)
			require.Equal(t, data, got)
			require.Equal(t, tt.same, first.MediaId == res.MediaId)
			require.Equal(t, 2, r.Calls(tt.create))
			require.NotEqual(t, "video/source.mp4", res.Key)
			require.Empty(t, checkpoints(t, dir))
		})
	}
}

// TestUpload_B27_StreamResumed: a service may issue a new credential for a
// stream.
func TestUpload_B27_StreamResumed(t *testing.T) {
	t.Parallel()
	var uploadAddress, uploadAuth string
	r := newEnv(t, func(c *Config) { c.Parallel = 1 }, mediatest.EncodeUpload(func(address, auth map[string]any) (string, string) {
		uploadAddress, uploadAuth = mediatest.EncodeBase64(address), mediatest.EncodeBase64(auth)
		return uploadAddress, uploadAuth
	}))
	r.Handle("ice", "RefreshUploadMedia", func(p url.Values) (any, error) {
		return map[string]any{"MediaId": p.Get("MediaId"), "UploadAddress": uploadAddress, "UploadAuth": uploadAuth}, nil
	})
	target, data := ICEStream{MediaId: streamOwner(r)}, random(600*kib)
	dir, file := t.TempDir(), writeFile(t, "hd.mp4", data)
	r.Fault(stopAt("UploadPart", 4))
	res, err := r.Upload(ctx, File(file), target, WithCheckpoint(dir))
	failed(t, res, err)
	r.ClearFaults()
	res, err = r.Upload(ctx, File(file), target, WithCheckpoint(dir))
	require.NoError(t, err)
	r.stored(t, res, data)
	require.Equal(t, target.MediaId, res.MediaId)
	require.Equal(t, 3+1+3, r.Calls("UploadPart"))
	require.Equal(t, 1, r.Calls("CreateUploadStream"))
	m, _ := r.Media(target.MediaId)
	require.Len(t, m.Streams, 1)
	require.True(t, m.Streams[0].Complete)
}

// TestUpload_B27_StoppedWhileWaiting: what is registered is waited for again,
// and nothing else is done.
func TestUpload_B27_StoppedWhileWaiting(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		file   string
		target func(*env) Target
		makes  string
	}{
		"video":        {"a.mp4", func(*env) Target { return VODVideo{} }, "CreateUploadVideo"},
		"image":        {"a.png", func(*env) Target { return VODImage{} }, "CreateUploadImage"},
		"attached":     {"a.gif", func(*env) Target { return VODAttachedMedia{BusinessType: vod.BusinessTypeWatermark} }, "CreateUploadAttachedMedia"},
		"media":        {"a.mp4", func(*env) Target { return ICEMedia{} }, "CreateUploadMedia"},
		"stream":       {"a.mp4", func(r *env) Target { return ICEStream{MediaId: streamOwner(r)} }, "CreateUploadStream"},
		"yike":         {"a.mp4", func(*env) Target { return YikeAsset{} }, "RegisterYikeAssetMediaInfo"},
		"own":          {"a.mp4", func(*env) Target { return ownBucket(RegisterMediaInfo{}) }, "RegisterMediaInfo"},
		"own stream":   {"a.mp4", func(r *env) Target { return ownBucket(RegisterMediaStream{MediaId: streamOwner(r)}) }, "RegisterMediaStream"},
		"own with VOD": {"a.mp4", func(*env) Target { return ownBucket(RegisterMedia{TemplateGroupId: "g"}) }, "RegisterMedia"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newFakeTimeEnv(t)
				target := tt.target(r)
				status := "Preparing"
				switch name {
				case "video", "image", "attached", "own with VOD":
					status = "Transcoding"
				}
				r.responseStates(status)
				dir, file := t.TempDir(), writeFile(t, tt.file, random(100*kib))
				brief, cancel := context.WithTimeout(ctx, time.Minute)
				defer cancel()
				res, err := r.Upload(brief, File(file), target, WithCheckpoint(dir), WithWait())
				e := failed(t, res, err)
				require.Equal(t, StageWait, e.Stage)
				require.Equal(t, status, e.Status)
				require.Len(t, checkpoints(t, dir), 1)
				r.responseStates("Normal")
				res, err = r.Upload(ctx, File(file), target, WithCheckpoint(dir), WithWait())
				require.NoError(t, err)
				require.Equal(t, e.MediaId, res.MediaId)
				require.Equal(t, "Normal", res.Status)
				require.Equal(t, 1, r.Calls(tt.makes))
				require.Equal(t, 1, r.Calls("PutObject"))
				require.Empty(t, checkpoints(t, dir))
			})
		})
	}
}
