package ice

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
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
