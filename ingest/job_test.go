package ingest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

var video = Target{VODVideo: &upload.VODVideo{}}

// TestJob_RoundTrip: what a target says is what the worker gets.
func TestJob_RoundTrip(t *testing.T) {
	t.Parallel()
	yes := true
	for _, target := range []Target{
		{VODVideo: &upload.VODVideo{Title: "标题", CateId: 7, EnableFirstFrameCover: &yes, UserData: vod.UserData{Extend: map[string]any{"a": "b"}, MessageCallback: vod.MessageCallback{CallbackURL: "https://example.com"}}}},
		{VODVideo: &upload.VODVideo{UserData: vod.UserData{Raw: alimedia.JSON(`{"Extend":{"x":1}}`)}}},
		{ICEMedia: &upload.ICEMedia{FileInfo: ice.UploadFileInfo{Type: "video", Ext: "mp4"}, MediaMetaData: ice.MediaMetaData{Title: "x", Tags: "a,b"}, UserData: ice.UserData{Extend: map[string]any{"own": "data"}}}},
		{ICEStream: &upload.ICEStream{MediaId: "m", Definition: "HD", HDRType: "HDR10"}},
		{YikeAsset: &upload.YikeAsset{FolderId: "f"}},
		{RegisterMedia: &upload.RegisterMedia{TemplateGroupId: vod.NoTranscode, RegisterMetadatas: []vod.RegisterMetadata{{Title: "t", Tags: "x"}}}},
		{RegisterMediaInfo: &upload.RegisterMediaInfo{Title: "t", RegisterConfig: ice.RegisterConfig{}}},
		{RegisterMediaStream: &upload.RegisterMediaStream{MediaId: "m"}},
	} {
		job := Job{Input: Input{Bucket: "own-bucket", Object: "a/b.mp4"}, Target: target}
		job, text, err := job.prepared()
		require.NoError(t, err)
		got, err := parseJob(text)
		require.NoError(t, err, "%s", text)
		again, err := json.Marshal(got)
		require.NoError(t, err)
		require.JSONEq(t, string(text), string(again))
		want, err := json.Marshal(job.Target)
		require.NoError(t, err)
		have, err := json.Marshal(got.Target)
		require.NoError(t, err)
		require.JSONEq(t, string(want), string(have))
	}
}

// TestJob_DerivedKey: other content, another target and another asset are other
// jobs; metadata is not.
func TestJob_DerivedKey(t *testing.T) {
	t.Parallel()
	key := func(j Job) string {
		j, _, err := j.prepared()
		require.NoError(t, err)
		return j.Key
	}
	file := Input{Root: "/data", File: "a.mp4", Version: "5@1"}
	first := key(Job{Input: file, Target: video})
	require.Equal(t, first, key(Job{Input: file, Target: Target{VODVideo: &upload.VODVideo{Title: "x"}}}))
	changed, elsewhere := file, file
	changed.Version, elsewhere.Root = "6@1", "/other"
	require.NotEqual(t, first, key(Job{Input: changed, Target: video}))
	require.NotEqual(t, first, key(Job{Input: elsewhere, Target: video}))
	require.NotEqual(t, first, key(Job{Input: file, Target: Target{ICEMedia: &upload.ICEMedia{}}}))
	stream := func(id string) string {
		return key(Job{Input: file, Target: Target{ICEStream: &upload.ICEStream{MediaId: id, Definition: "HD"}}})
	}
	require.NotEqual(t, stream("m"), stream("n"))
	long := key(Job{Input: Input{Root: "/data", File: strings.Repeat("x/", 1000) + "a.mp4"}, Target: video})
	require.LessOrEqual(t, len(long), maxKey)
	require.Regexp(t, referenceID, uploadKey(long))
	require.Equal(t, "order-4711", uploadKey("order-4711"))
}

// TestJob_Refused names what is wrong, and quotes no secret.
func TestJob_Refused(t *testing.T) {
	t.Parallel()
	file := Input{Root: "/data", File: "a.mp4"}
	object := Input{Bucket: "own-bucket", Object: "a.mp4"}
	yes := true
	for name, j := range map[string]Job{
		"no target":         {Input: file},
		"two targets":       {Input: file, Target: Target{VODVideo: &upload.VODVideo{}, ICEMedia: &upload.ICEMedia{}}},
		"no input":          {Target: video},
		"two inputs":        {Input: Input{Root: "/data", File: "a", URL: "https://example.com/a.mp4"}, Target: video},
		"up":                {Input: Input{Root: "/data", File: "../etc/passwd"}, Target: video},
		"absolute":          {Input: Input{Root: "/data", File: "/etc/passwd"}, Target: video},
		"zero byte":         {Input: Input{Root: "/data", File: "a\x00b"}, Target: video},
		"not UTF-8":         {Input: Input{Root: "/data", File: "\xff.mp4"}, Target: video},
		"scheme":            {Input: Input{URL: "file:///etc/passwd"}, Target: video},
		"bucket":            {Input: Input{Bucket: "evil.example.com/x", Object: "a.mp4"}, Target: video},
		"region":            {Input: Input{Bucket: "own-bucket", Object: "a.mp4", Region: "x.evil.com/"}, Target: video},
		"key":               {Key: strings.Repeat("x", maxKey+1), Input: file, Target: video},
		"version":           {Version: 2, Input: file, Target: video},
		"register a file":   {Input: file, Target: Target{RegisterMedia: &upload.RegisterMedia{}}},
		"overwrite":         {Input: object, Target: Target{RegisterMediaInfo: &upload.RegisterMediaInfo{Overwrite: &yes}}},
		"stream of nothing": {Input: file, Target: Target{ICEStream: &upload.ICEStream{}}},
		"ten files":         {Input: object, Target: Target{RegisterMedia: &upload.RegisterMedia{RegisterMetadatas: make([]vod.RegisterMetadata, 2)}}},
		"extend":            {Input: file, Target: Target{ICEMedia: &upload.ICEMedia{UserData: ice.UserData{Extend: "text"}}}},
		"too long":          {Input: file, Target: Target{VODVideo: &upload.VODVideo{Title: strings.Repeat("x", maxJob)}}},
	} {
		_, _, err := j.prepared()
		require.ErrorIs(t, err, ErrJob, name)
	}
	for _, text := range []string{
		"https://user:hunter2222@example.com/a.mp4", "https://example.com/a.mp4?auth_key=hunter2222", "https://example.com/a.mp4?Signature=hunter2222",
		"https://example.com/a.mp4?OSSAccessKeyId=hunter2222", "https://example.com/a.mp4?x-oss-signature=hunter2222", "https://example.com/a.mp4?X-Amz-Signature=hunter2222",
		"https://example.com/a.mp4?security-token=hunter2222", "https://example.com/a.mp4?sig=hunter2222", "https://example.com/a.mp4?token=hunter2222",
	} {
		_, _, err := Job{Input: Input{URL: text}, Target: video}.prepared()
		require.ErrorIs(t, err, ErrSecret, text)
		require.NotContains(t, err.Error(), "hunter2222")
	}
	_, _, err := Job{Input: Input{URL: "https://example.com/a.mp4?quality=high&v=2"}, Target: video}.prepared()
	require.NoError(t, err)
}

// FuzzParseJob: a message of anybody is a job or an error.
func FuzzParseJob(f *testing.F) {
	_, text, err := Job{Input: Input{Root: "/data", File: "a.mp4"}, Target: video}.prepared()
	require.NoError(f, err)
	f.Add(text)
	f.Add([]byte(`{"version":1,"key":"k","input":{"url":"http://[::1]/a"},"target":{"ICEMedia":{"UserData":{"Extend":{}}}}}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, text []byte) {
		j, err := parseJob(text)
		if err != nil {
			require.ErrorIs(t, err, ErrJob)
			return
		}
		require.NotEmpty(t, j.Target.Kind())
		_, again, err := j.prepared()
		require.NoError(t, err)
		_, err = parseJob(again)
		require.NoError(t, err)
	})
}

// TestMark: the mark of an asset is found in all forms in which UserData comes
// back.
func TestMark(t *testing.T) {
	t.Parallel()
	hash := digest("job 1")
	for _, data := range []ice.UserData{
		{}, {Extend: map[string]any{"own": "x"}}, {Raw: alimedia.JSON(`{"Extend":{"own":"x"},"Other":1}`)}, {MessageCallback: ice.MessageCallback{CallbackURL: "https://example.com"}},
	} {
		m, err := mark(upload.ICEMedia{UserData: data}, hash)
		require.NoError(t, err)
		text, err := json.Marshal(m.UserData)
		require.NoError(t, err)
		require.True(t, marked(string(text), hash), "%s", text)
		require.False(t, marked(string(text), digest("job 2")))
		if data.Extend != nil || data.Raw != "" {
			require.Contains(t, string(text), `"own":"x"`)
		}
		if data.Raw != "" {
			require.Contains(t, string(text), `"Other":1`)
		}
	}
	require.True(t, marked(`{"Extend":"{\"alimediaIngest\":\"`+hash+`\"}"}`, hash), "as text")
	for _, foreign := range []string{"", "null", "[]", hash, `{"Extend":"` + hash + `"}`, `{"Extend":{"other":"` + hash + `"}}`} {
		require.False(t, marked(foreign, hash), foreign)
	}
}
