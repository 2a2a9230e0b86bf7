package upload

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
)

// responseStates makes the operations that the fake does not have response one
// state after the other, the last of them for ever.
func (r *env) responseStates(states ...string) {
	next := func() string {
		s := states[0]
		if len(states) > 1 {
			states = states[1:]
		}
		return s
	}
	type fields = map[string]any
	r.Handle("vod", "GetImageInfo", func(p url.Values) (any, error) {
		return fields{"ImageInfo": fields{"ImageId": p.Get("ImageId"), "Status": next()}}, nil
	})
	r.Handle("vod", "GetAttachedMediaInfo", func(p url.Values) (any, error) {
		s := next()
		if s == "missing" {
			return fields{"NonExistMediaIds": []string{p.Get("MediaIds")}}, nil
		}
		return fields{"AttachedMediaList": []fields{{"MediaId": p.Get("MediaIds"), "Status": s}}}, nil
	})
	r.Handle("ice", "GetYikeAssetMediaInfo", func(p url.Values) (any, error) {
		return fields{"MediaInfo": fields{"MediaBasicInfo": fields{"MediaId": p.Get("MediaId"), "Status": next()}}}, nil
	})
	r.Handle("vod", "GetVideoInfo", func(p url.Values) (any, error) {
		return fields{"Video": fields{"VideoId": p.Get("VideoId"), "Status": next()}}, nil
	})
	r.Handle("ice", "GetMediaInfo", func(p url.Values) (any, error) {
		return fields{"MediaInfo": fields{"MediaBasicInfo": fields{"MediaId": p.Get("MediaId"), "Status": next()}}}, nil
	})
}

// inTime is a ctx that ends what would go on without end.
func inTime(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Hour)
	t.Cleanup(cancel)
	return ctx
}

func newWaitEnv(t *testing.T) *env {
	t.Helper()
	r := newEnv(t, nil, mediatest.InMemory())
	r.CreateBucket("own-bucket")
	return r
}

func TestUpload_B35_WaitForEveryTarget(t *testing.T) {
	t.Parallel()
	own := func(reg Registration) Target { return Bucket{Name: "own-bucket", Region: "cn-shanghai", Register: reg} }
	for name, tt := range map[string]struct {
		target Target
		states []string
		failed string
	}{
		"video":        {VODVideo{}, []string{"Uploading", "UploadSucc", "Transcoding", "checking", "Normal"}, "TranscodeFail"},
		"blocked":      {VODVideo{}, []string{"UploadSucc", "Normal"}, "Blocked"},
		"image":        {VODImage{}, []string{"Uploading", "Normal"}, "UploadFail"},
		"attached":     {VODAttachedMedia{BusinessType: "watermark"}, []string{"missing", "Uploading", "Normal"}, "UploadFail"},
		"ice":          {ICEMedia{}, []string{"Init", "Preparing", "Normal"}, "PrepareFail"},
		"yike":         {YikeAsset{}, []string{"Init", "Preparing", "Normal"}, "PrepareFail"},
		"own, ice":     {own(RegisterMediaInfo{}), []string{"Init", "Preparing", "Normal"}, "PrepareFail"},
		"own, vod":     {own(RegisterMedia{}), []string{"Uploading", "UploadSucc"}, "UploadFail"},
		"own, vod, tg": {own(RegisterMedia{TemplateGroupId: "tg"}), []string{"UploadSucc", "Transcoding", "Normal"}, "TranscodeFail"},
		"own, vod, wf": {own(RegisterMedia{WorkflowId: "wf"}), []string{"UploadSucc", "Transcoding", "Normal"}, "TranscodeFail"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, r := inTime(t), newWaitEnv(t)
				r.responseStates(tt.states...)
				var stages []Stage
				start := time.Now()
				res, err := r.Upload(ctx, bytesSource("a.png", random(kib)), tt.target, WithWait(), WithProgress(func(p Progress) {
					stages = append(stages, p.Stage)
				}))
				require.NoError(t, err)
				require.NotEmpty(t, res.MediaId)
				require.Equal(t, tt.states[len(tt.states)-1], res.Status)
				require.GreaterOrEqual(t, time.Since(start), time.Second)
				require.Contains(t, stages, StageWait)
				require.Equal(t, StageDone, stages[len(stages)-1])

				r.responseStates(append(tt.states[:len(tt.states)-1:len(tt.states)-1], tt.failed)...)
				res, err = r.Upload(ctx, bytesSource("b.png", random(kib)), tt.target, WithWait())
				e := failed(t, res, err)
				require.Equal(t, StageWait, e.Stage)
				require.True(t, e.Uploaded)
				require.Equal(t, tt.failed, e.Status)
				var job *alimedia.JobError
				require.ErrorAs(t, err, &job)
				require.Equal(t, alimedia.JobError{JobId: e.MediaId, Status: tt.failed}, *job)
				require.NotEmpty(t, e.MediaId)
			})
		})
	}
}

func TestUpload_B35_WaitForStreams(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newEnv(t, nil, mediatest.InMemory(), mediatest.Processing(time.Minute))
		r.CreateBucket("own-bucket")
		first, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), ICEMedia{})
		require.NoError(t, err)
		require.Empty(t, first.Status, "not waited for")
		for _, target := range []Target{
			ICEStream{MediaId: first.MediaId},
			Bucket{Name: "own-bucket", Register: RegisterMediaStream{MediaId: first.MediaId}},
		} {
			res, err := r.Upload(ctx, bytesSource("b.mp4", random(kib)), target, WithWait())
			require.NoError(t, err)
			require.Equal(t, ice.MediaStatusNormal, res.Status)
		}
		res, err := r.Upload(ctx, bytesSource("c.mp4", random(kib)), Bucket{Name: "own-bucket", Region: "cn-shanghai"}, WithWait())
		require.NoError(t, err)
		require.Empty(t, res.Status, "no asset, no status")
	})
}

func TestUpload_B35_RegistrationLag(t *testing.T) {
	t.Parallel()
	target := Bucket{Name: "own-bucket", Register: RegisterMediaInfo{}}
	lag := mediatest.Fault{Operation: "GetMediaInfo", Status: 404, Code: "MediaNotFound", Times: 3}
	synctest.Test(t, func(t *testing.T) {
		ctx, r := inTime(t), newWaitEnv(t)
		r.Fault(lag)
		res, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), target, WithWait())
		require.NoError(t, err)
		require.Equal(t, ice.MediaStatusNormal, res.Status)
		require.Equal(t, 4, r.Calls("GetMediaInfo"))
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, r := inTime(t), newWaitEnv(t)
		lag.Times = mediatest.Always
		r.Fault(lag)
		start := time.Now()
		res, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), target, WithWait())
		e := failed(t, res, err)
		require.True(t, alimedia.IsNotFound(err))
		require.Equal(t, StageWait, e.Stage)
		require.Less(t, time.Since(start), time.Minute, "it is not there, and that is that")
	})
}

func TestUpload_B35_WaitSurvivesTheNetwork(t *testing.T) {
	t.Parallel()
	for times, want := range map[int]bool{40: true, mediatest.Always: false} {
		synctest.Test(t, func(t *testing.T) {
			ctx, r := inTime(t), newEnv(t, nil, mediatest.InMemory(), mediatest.Processing(30*time.Second))
			r.vod = r.vod.With(func(c *alimedia.Config) { c.Retry.MaxAttempts = 5 })
			r.Uploader.cfg.VOD = r.vod
			r.Fault(mediatest.Fault{Operation: "GetVideoInfo", Nth: 2, Times: times, Status: 503})
			res, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), VODVideo{}, WithWait())
			if want {
				require.NoError(t, err)
				require.Equal(t, vod.VideoStatusNormal, res.Status)
				return
			}
			e := failed(t, res, err)
			require.NoError(t, ctx.Err())
			require.Equal(t, 503, errorOf(t, err).StatusCode)
			require.Equal(t, vod.VideoStatusTranscoding, e.Status, "the last that was seen")
		})
	}
}

func errorOf(t *testing.T, err error) *alimedia.Error {
	t.Helper()
	var api *alimedia.Error
	require.ErrorAs(t, err, &api)
	return api
}

// TestUpload_B35_WaitOnABadLine: each response makes up for those that were lost.
func TestUpload_B35_WaitOnABadLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, r := inTime(t), newEnv(t, nil, mediatest.InMemory(), mediatest.Processing(10*time.Minute))
		r.Uploader.cfg.VOD = r.vod.With(func(c *alimedia.Config) { c.Retry.MaxAttempts = 1 })
		for i := range 50 {
			r.Fault(mediatest.Fault{Operation: "GetVideoInfo", Nth: 2 * (i + 1), Status: 503})
		}
		res, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), VODVideo{}, WithWait())
		require.NoError(t, err)
		require.Equal(t, vod.VideoStatusNormal, res.Status)
		require.Greater(t, r.Calls("GetVideoInfo"), 2*r.Uploader.cfg.Retry.MaxAttempts)
	})
}

func TestUpload_B35_B49_WaitIsCutShort(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newEnv(t, nil, mediatest.InMemory(), mediatest.Processing(24*time.Hour))
		ctx, cancel := context.WithCancelCause(ctx)
		enough := errors.New("enough")
		time.AfterFunc(10*time.Minute, func() { cancel(enough) })
		start := time.Now()
		res, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), VODVideo{}, WithWait())
		e := failed(t, res, err)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, enough)
		require.Equal(t, StageWait, e.Stage)
		require.Equal(t, vod.VideoStatusTranscoding, e.Status)
		require.Equal(t, r.Medias()[0].MediaId, e.MediaId)
		require.True(t, e.Uploaded)
		require.ErrorContains(t, err, `its status is "Transcoding"`)
		require.Equal(t, 10*time.Minute, time.Since(start))
		require.InDelta(t, 600/8, r.Calls("GetVideoInfo"), 8, "asked every eight seconds")
	})
}

// feedOf is a Notifier that a test speaks through.
type feedOf struct {
	news  chan string
	err   error
	waits *int // how often it was listened to
}

func (f feedOf) Wait(ctx context.Context, mediaId string) error {
	*f.waits++
	if mediaId == "" {
		return errors.New("news of what?")
	}
	if f.err != nil {
		return f.err
	}
	select {
	case <-f.news:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestUpload_B35_Notifier(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		feed      feedOf
		after     time.Duration // until the news
		most      time.Duration
		questions int
	}{
		"news":     {feedOf{news: make(chan string)}, 10 * time.Minute, 10*time.Minute + 3*time.Second, 13},
		"no news":  {feedOf{}, 0, 11*time.Minute + 30*time.Second, 13},
		"deaf":     {feedOf{err: errors.New("deaf")}, 0, 10*time.Minute + 3*time.Second, 310},
		"too much": {feedOf{news: closed}, 0, 10*time.Minute + 3*time.Second, 310},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newEnv(t, nil, mediatest.InMemory(), mediatest.Processing(10*time.Minute))
				if tt.after > 0 {
					tt.feed.news = make(chan string)
					go func() {
						time.Sleep(tt.after)
						tt.feed.news <- "ready"
					}()
				}
				start := time.Now()
				tt.feed.waits = new(int)
				res, err := r.Upload(inTime(t), bytesSource("a.mp4", random(kib)), VODVideo{}, WithWait(tt.feed))
				require.NoError(t, err)
				if tt.feed.err != nil {
					require.Equal(t, 1, *tt.feed.waits, "it said that there will be none")
				}
				require.Equal(t, vod.VideoStatusNormal, res.Status, "whatever the news say")
				require.LessOrEqual(t, time.Since(start), tt.most)
				require.LessOrEqual(t, r.Calls("GetVideoInfo"), tt.questions)
			})
		})
	}
}

// TestUpload_B35_NotifierIsNotNeeded: what is ready at once needs no news.
func TestUpload_B35_NotifierIsNotNeeded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newEnv(t, nil, mediatest.InMemory())
		feed := feedOf{waits: new(int)}
		start := time.Now()
		_, err := r.Upload(inTime(t), bytesSource("a.mp4", random(kib)), VODVideo{}, WithWait(feed))
		require.NoError(t, err)
		require.Less(t, time.Since(start), time.Second)
		require.Zero(t, *feed.waits)
	})
}

var closed = func() chan string {
	c := make(chan string)
	close(c)
	return c
}()

// TestUpload_Attach: what a user wants done right after the upload is a field
// of the target.
func TestUpload_Attach(t *testing.T) {
	t.Parallel()
	r := newBucketEnv(t)
	const cover, callback = "https://example.com/cover.jpg", "https://example.com/hook"
	vodData := vod.UserData{MessageCallback: vod.MessageCallback{CallbackURL: callback, CallbackType: "http"}, Extend: map[string]string{"order": "7"}}
	iceData := ice.UserData{MessageCallback: ice.MessageCallback{CallbackURL: callback, CallbackType: "http"}, NotifyAddress: callback}
	for name, tt := range map[string]struct {
		target Target
		want   map[string]string
	}{
		"video": {
			VODVideo{CoverURL: cover, TemplateGroupId: "tg", WorkflowId: "wf", UserData: vodData},
			map[string]string{"CoverURL": cover, "TemplateGroupId": "tg", "WorkflowId": "wf", "UserData": callback},
		},
		"image":    {VODImage{UserData: vodData}, map[string]string{"UserData": callback}},
		"attached": {VODAttachedMedia{BusinessType: "watermark", UserData: vodData}, map[string]string{"UserData": callback}},
		"ice": {
			ICEMedia{
				MediaMetaData:     ice.MediaMetaData{CoverURL: cover},
				PostProcessConfig: ice.PostProcessConfig{ProcessType: "Workflow", ProcessID: "wf"}, UserData: iceData,
			},
			map[string]string{"MediaMetaData": cover, "PostProcessConfig": `"ProcessID":"wf"`, "UserData": callback},
		},
		"own, ice": {
			Bucket{Name: "own-bucket", Register: RegisterMediaInfo{CoverURL: cover, WorkflowId: "wf", UserData: iceData}},
			map[string]string{"CoverURL": cover, "WorkflowId": "wf", "UserData": callback},
		},
		"own, vod": {
			Bucket{Name: "own-bucket", Register: RegisterMedia{
				RegisterMetadatas: []vod.RegisterMetadata{{CoverURL: cover}}, TemplateGroupId: "tg", WorkflowId: "wf", UserData: vodData,
			}},
			map[string]string{"RegisterMetadatas": cover, "TemplateGroupId": "tg", "WorkflowId": "wf", "UserData": callback},
		},
	} {
		res, err := r.Upload(ctx, bytesSource(name+".png", random(kib)), tt.target)
		require.NoError(t, err, name)
		var sent url.Values
		for _, q := range r.Requests() {
			if q.Service != "oss" {
				sent = q.Params
			}
		}
		for param, text := range tt.want {
			require.Contains(t, sent.Get(param), text, "%s of %s %s", param, name, res.MediaId)
		}
	}
}
