package ice

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/wiretest"
)

func TestDocuments_Marshal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		doc  any
		want string
	}{
		{"UserData", UserData{
			MessageCallback: MessageCallback{CallbackURL: "https://example.com/cb", CallbackType: "http"},
			Extend:          map[string]any{"localId": 7},
			NotifyAddress:   "https://example.com/notify",
		}, `{"MessageCallback":{"CallbackURL":"https://example.com/cb","CallbackType":"http"},"Extend":{"localId":7},"NotifyAddress":"https://example.com/notify"}`},
		{"UploadFileInfo", UploadFileInfo{Type: MediaTypeVideo, Name: "a", Ext: "mp4", Size: 108078336},
			`{"Type":"video","Name":"a","Size":108078336,"Ext":"mp4"}`},
		{"PostProcessConfig", PostProcessConfig{ProcessType: "Workflow", ProcessID: "w"},
			`{"ProcessType":"Workflow","ProcessID":"w"}`},
		{"UploadTargetConfig", UploadTargetConfig{StorageType: "oss", StorageLocation: "outin-x.oss-cn-shanghai.aliyuncs.com"},
			`{"StorageType":"oss","StorageLocation":"outin-x.oss-cn-shanghai.aliyuncs.com"}`},
		{"RegisterConfig", RegisterConfig{NeedSprite: alimedia.Ptr(false), CoverConfig: CoverConfig{StartTime: 1.5}},
			`{"NeedSprite":false,"CoverConfig":{"StartTime":1.5}}`},
		{"CustomFilters", CustomFilters{IntField1: Range{GTE: 12, LTE: 13}, StrField1: "abc", StrField2: []string{"abc", "cd"}},
			`{"intField1":{"gte":12,"lte":13},"strField1":"abc","strField2":["abc","cd"]}`},
		{"Range with one end", Range{GTE: 0}, `{"gte":0}`},
		{"Timeline", Timeline{VideoTracks: []VideoTrack{{
			MainTrack:       alimedia.Ptr(true),
			VideoTrackClips: []any{map[string]any{"MediaId": "a", "In": 1.5}, json.RawMessage(`{"MediaId":"b"}`)},
		}}}, `{"VideoTracks":[{"MainTrack":true,"VideoTrackClips":[{"MediaId":"a","In":1.5},{"MediaId":"b"}]}]}`},
		{"OutputMediaConfig", OutputMediaConfig{MediaURL: "https://b.oss-cn-shanghai.aliyuncs.com/a.mp4", Width: 1280, AccessKeySecret: "s"},
			`{"MediaURL":"https://b.oss-cn-shanghai.aliyuncs.com/a.mp4","Width":1280,"AccessKeySecret":"***"}`},
		{"unknown keys", UploadMetadata{SourceURL: "http://a", Extra: map[string]json.RawMessage{"New": json.RawMessage(`[1]`)}},
			`{"SourceURL":"http://a","New":[1]}`},
		{"raw", MediaMetaData{Title: "ignored", Raw: `{"Title":"sent"}`}, `{"Title":"sent"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := json.Marshal(tt.doc)
			require.NoError(t, err)
			require.JSONEq(t, tt.want, string(got))
		})
	}
}

// A document that has no type of its own is anything that is JSON.
func TestDocuments_Any(t *testing.T) {
	t.Parallel()
	type axis struct{ XAxisFont string }
	for _, params := range []any{
		axis{"Alibaba"}, &axis{"Alibaba"}, map[string]string{"XAxisFont": "Alibaba"},
		`{"XAxisFont":"Alibaba"}`, json.RawMessage(`{"XAxisFont":"Alibaba"}`), alimedia.JSON(`{"XAxisFont":"Alibaba"}`),
	} {
		c, w := newClient(t, "cn-shanghai", `{}`)
		_, err := c.SubmitDynamicChartJob(t.Context(), SubmitDynamicChartJobRequest{ChartType: "Line", Input: `{}`, OutputConfig: `{}`, AxisParams: params})
		require.NoError(t, err)
		require.Equal(t, `{"XAxisFont":"Alibaba"}`, w.sent[0].Get("AxisParams"))
	}
	c, w := newClient(t, "cn-shanghai", `{}`)
	_, err := c.SubmitDynamicChartJob(t.Context(), SubmitDynamicChartJobRequest{ChartType: "Line", Input: `{}`, OutputConfig: `{}`, AxisParams: "XAxisFont=1"})
	require.ErrorContains(t, err, "AxisParams: the text is not a JSON document")
	require.Empty(t, w.sent)
}

func TestDocuments_AreChecked(t *testing.T) {
	t.Parallel()
	c, w := newClient(t, "cn-shanghai", `{}`)
	_, err := c.SubmitLiveEditingJob(t.Context(), SubmitLiveEditingJobRequest{
		Clips:              []LiveEditingClip{{StartTime: "2026-01-01T00:00:00Z"}},
		MediaProduceConfig: LiveProduceConfig{Mode: "Fast"},
		OutputMediaConfig:  OutputMediaConfig{MediaURL: "vod://a", FileName: "a"},
	})
	require.Equal(t, []string{"Clips[0].EndTime", "MediaProduceConfig.Mode", "OutputMediaConfig.MediaURL", "OutputMediaConfig.FileName"}, broken(t, w, err))
}

// Stored documents come in three shapes: as they should be, with the inner
// object quoted, and quoted as a whole.
func TestDocuments_UserDataIsReadLeniently(t *testing.T) {
	t.Parallel()
	for _, text := range []alimedia.JSON{
		`{"MessageCallback":{"CallbackURL":"http://a"},"Extend":{"k":"v"},"New":1}`,
		`{"MessageCallback":"{\"CallbackURL\":\"http://a\"}","Extend":{"k":"v"},"New":1}`,
		`"{\"MessageCallback\":{\"CallbackURL\":\"http://a\"},\"Extend\":{\"k\":\"v\"},\"New\":1}"`,
	} {
		var got UserData
		require.NoError(t, text.Decode(&got))
		require.Equal(t, "http://a", got.MessageCallback.CallbackURL)
		require.Equal(t, map[string]any{"k": "v"}, got.Extend)
		require.Equal(t, map[string]json.RawMessage{"New": json.RawMessage("1")}, got.Extra)
	}
}

func FuzzDocuments(f *testing.F) {
	wiretest.FuzzDocuments(f, "ice",
		AudioTrack{},
		CoverConfig{},
		CustomFilters{},
		EffectTrack{},
		ImageTrack{},
		LiveEditingClip{},
		LiveProduceConfig{},
		LiveStreamConfig{},
		MediaMark{},
		MediaMetaData{},
		MessageCallback{},
		OutputMediaConfig{},
		PostProcessConfig{},
		ProjectExportConfig{},
		RegisterConfig{},
		SubtitleTrack{},
		Timeline{},
		UploadFileInfo{},
		UploadMetadata{},
		UploadTargetConfig{},
		UserData{},
		VideoTrack{},
	)
}
