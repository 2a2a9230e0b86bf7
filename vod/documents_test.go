package vod

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/wiretest"
)

func TestDocuments(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, tt := range []struct {
		name, parameter string
		call            func(*Client) error
		want            string   // the document
		broken          []string // or what breaks a rule
	}{
		{"what is zero in a template is not sent", "TranscodeTemplateList", func(c *Client) error {
			_, err := c.AddTranscodeTemplateGroup(ctx, AddTranscodeTemplateGroupRequest{Name: "group", TranscodeTemplateList: []TranscodeTemplate{{
				TemplateName: "testName", Definition: "SD",
				Container: TranscodeContainer{Format: "mp4"},
				Video:     TranscodeVideo{Codec: "H.264", Bitrate: 400, Width: 640, Fps: 30, Remove: alimedia.Ptr(false)},
				Audio:     TranscodeAudio{Codec: "AAC", Bitrate: 64, Samplerate: 44100},
			}}})
			return err
		}, `[{"TemplateName":"testName","Definition":"SD","Container":{"Format":"mp4"},
			"Video":{"Codec":"H.264","Bitrate":400,"Width":640,"Fps":30,"Remove":false},"Audio":{"Codec":"AAC","Bitrate":64,"Samplerate":44100}}]`, nil},
		{"PlayConfig", "PlayConfig", func(c *Client) error {
			_, err := c.GetPlayInfo(ctx, GetPlayInfoRequest{VideoId: "v", PlayConfig: PlayConfig{PreviewTime: "20", EncryptType: "Unencrypted"}})
			return err
		}, `{"PreviewTime":"20","EncryptType":"Unencrypted"}`, nil},
		{"ReAuthInfo", "ReAuthInfo", func(c *Client) error {
			_, err := c.GetPlayInfo(ctx, GetPlayInfoRequest{VideoId: "v", ReAuthInfo: ReAuthInfo{Uid: "12345", Rand: "abckljd"}})
			return err
		}, `{"uid":"12345","rand":"abckljd"}`, nil},
		{"OverrideParams", "OverrideParams", func(c *Client) error {
			_, err := c.SubmitTranscodeJobs(ctx, SubmitTranscodeJobsRequest{VideoId: "v", TemplateGroupId: "t", OverrideParams: OverrideParams{
				Watermarks:      []WatermarkOverride{{WatermarkId: "w", Content: "text"}},
				SubtitleSetting: SubtitleSetting{SubtitleList: []Subtitle{{SubtitleUrl: "http://outin-a.oss-cn-shanghai.aliyuncs.com/a.srt", CharEncode: "UTF-8"}}},
			}})
			return err
		}, `{"Watermarks":[{"WatermarkId":"w","Content":"text"}],
			"SubtitleSetting":{"SubtitleList":[{"SubtitleUrl":"http://outin-a.oss-cn-shanghai.aliyuncs.com/a.srt","CharEncode":"UTF-8"}]}}`, nil},
		{"UpdateContent", "UpdateContent", func(c *Client) error {
			_, err := c.UpdateVideoInfos(ctx, UpdateVideoInfosRequest{UpdateContent: []VideoUpdate{{VideoId: "v", Title: "a"}, {VideoId: "w", CateId: 7}}})
			return err
		}, `[{"VideoId":"v","Title":"a"},{"VideoId":"w","CateId":7}]`, nil},
		{"rules inside", "", func(c *Client) error {
			_, err := c.GetPlayInfo(ctx, GetPlayInfoRequest{VideoId: "v", PlayConfig: PlayConfig{PreviewTime: "0", EncryptType: "none"}})
			return err
		}, "", []string{"PlayConfig.PreviewTime", "PlayConfig.EncryptType"}},
		{"rules in lists", "", func(c *Client) error {
			_, err := c.UpdateVideoInfos(ctx, UpdateVideoInfosRequest{UpdateContent: []VideoUpdate{{VideoId: "v"}, {Title: "a"}}})
			return err
		}, "", []string{"UpdateContent[1].VideoId"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, w := newClient(t, "cn-shanghai", success)
			err := tt.call(c)
			require.Equal(t, tt.broken, broken(t, w, err))
			if err == nil {
				require.JSONEq(t, tt.want, w.sent[0].Get(tt.parameter))
			}
		})
	}
}

func TestSnapshots_ReadBothWays(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Snapshots{
		`["http://a"]`:                         {"http://a"},
		`{"Snapshot":["http://a","http://b"]}`: {"http://a", "http://b"},
		` {"Snapshot":[]}`:                     {},
		`{}`:                                   nil,
		`""`:                                   nil,
		`null`:                                 nil,
		`"[\"http://a\"]"`:                     {"http://a"},
		`{"Snapshot":"[\"http://a\"]"}`:        {"http://a"},
		`"http://a"`:                           {"http://a"},
	} {
		c, _ := newClient(t, "cn-shanghai", `{"Video":{"Title":"a","Size":"7","Snapshots":`+text+`}}`)
		out, err := c.GetVideoInfo(context.Background(), GetVideoInfoRequest{VideoId: "v"})
		require.NoError(t, err, text)
		require.Equal(t, want, out.Video.Snapshots, text)
		require.EqualValues(t, 7, out.Video.Size)
	}
}

// documents are zero values of all documents written by hand.
var documents = []any{
	AIJobConfig{},
	AIMediaDNAConfig{},
	AITemplateConfig{},
	AIVideoTagConfig{},
	AccelerateConfig{},
	AttachedMediaUpdate{},
	AudioTrack{},
	AudioTrackClip{},
	DomainFunction{},
	DomainFunctionParam{},
	DomainOrigin{},
	Effect{},
	EncryptConfig{},
	EncryptSetting{},
	FontFace{},
	ImageTrack{},
	ImageTrackClip{},
	ImageUpdate{},
	MediaAudit{},
	MediaAuditConfiguration{},
	MessageCallback{},
	MetricFilter{},
	OverrideParams{},
	PackageConfig{},
	PackageSetting{},
	PackageSubtitle{},
	PackageSubtitleSetting{},
	PlayConfig{},
	ProduceConfig{},
	ProduceMetadata{},
	ReAuthInfo{},
	RegisterMetadata{},
	SnapshotConfig{},
	SpriteSnapshotConfig{},
	StreamMetadata{},
	Subtitle{},
	SubtitleSetting{},
	SubtitleTrack{},
	SubtitleTrackClip{},
	Timeline{},
	TransConfig{},
	TranscodeAudio{},
	TranscodeClip{},
	TranscodeContainer{},
	TranscodeMuxConfig{},
	TranscodeSegment{},
	TranscodeTemplate{},
	TranscodeTimeSpan{},
	TranscodeVideo{},
	UploadMetadata{},
	UserData{},
	VideoTrack{},
	VideoTrackClip{},
	VideoUpdate{},
	VodTemplateConfig{},
	WatermarkConfig{},
	WatermarkOverride{},
	WatermarkTimeline{},
}

func FuzzDocuments(f *testing.F) { wiretest.FuzzDocuments(f, "vod", documents...) }

// What the service returned goes back as it was.
func TestDocuments_RoundTrip(t *testing.T) {
	t.Parallel()
	wiretest.RoundTrip(t, documents...)
}
