package ingest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload"
)

// TestFleet_EveryTarget does a job of each kind and looks at what is stored.
func TestFleet_EveryTarget(t *testing.T) {
	e := newEnv(t, nil)
	asset := e.AddMedia(mediatest.Media{Service: "ice", Bucket: e.StorageBucket(), Key: "video/source.mp4"})
	small, smallData := e.file(t, "a/small.mp4", 50*kib)
	large, largeData := e.file(t, "a/large.mp4", 450*kib)
	e.CreateBucket("own-bucket")
	for _, key := range []string{"x/1.mp4", "x/2 + é.mp4", "x/3.mp4", "x/4.mp4"} {
		e.PutObject("own-bucket", key, random(kib))
	}
	object := func(key string) Input { return Input{Bucket: "own-bucket", Object: key} }
	jobs := []Job{
		{Key: "video-small", Input: small, Target: Target{VODVideo: &upload.VODVideo{Title: "Small"}}},
		{Key: "video large", Input: large, Target: Target{VODVideo: &upload.VODVideo{}}},
		{Key: "media", Input: large, Target: Target{ICEMedia: &upload.ICEMedia{}}},
		{Key: "stream", Input: large, Target: Target{ICEStream: &upload.ICEStream{MediaId: asset, Definition: "HD"}}},
		{Key: "yike", Input: large, Target: Target{YikeAsset: &upload.YikeAsset{}}},
		{Key: "copy", Input: object("x/1.mp4"), Target: Target{VODVideo: &upload.VODVideo{}}},
		{Key: "reg1", Input: object("x/1.mp4"), Target: Target{RegisterMedia: &upload.RegisterMedia{}}},
		{Key: "reg2", Input: object("x/2 + é.mp4"), Target: Target{RegisterMedia: &upload.RegisterMedia{}}},
		{Key: "info", Input: object("x/3.mp4"), Target: Target{RegisterMediaInfo: &upload.RegisterMediaInfo{}}},
		{Key: "rstream", Input: object("x/4.mp4"), Target: Target{RegisterMediaStream: &upload.RegisterMediaStream{MediaId: asset}}},
	}
	require.EqualValues(t, len(jobs), e.submit(t, jobs...).Queued)
	require.EqualValues(t, len(jobs), e.submit(t, jobs...).Waiting)
	e.work(t, nil)
	for _, j := range jobs {
		r, err := e.Result(t.Context(), j.Key)
		require.NoError(t, err)
		require.Equal(t, StateDone, r.State, "%s: %+v", j.Key, r.Error)
		require.NotEmpty(t, r.MediaId, j.Key)
	}
	require.EqualValues(t, len(jobs), e.submit(t, jobs...).Done)
	require.Empty(t, e.Uploads())
	require.Equal(t, 1, e.Calls("RegisterMedia"), "one call for both")
	_ = smallData
	_ = largeData
}
