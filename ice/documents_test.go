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
		{"RegisterConfig", RegisterConfig{NeedSprite: alimedia.Ptr(false), CoverConfig: CoverConfig{StartTime: alimedia.Ptr(1.5)}},
			`{"NeedSprite":false,"CoverConfig":{"StartTime":1.5}}`},
		{"CustomFilters", CustomFilters{IntField1: Range{GTE: 12, LTE: 13}, StrField1: "abc", StrField2: []string{"abc", "cd"}},
			`{"intField1":{"gte":12,"lte":13},"strField1":"abc","strField2":["abc","cd"]}`},
		{"Range with one end", Range{GTE: 0}, `{"gte":0}`},
		{"Timeline", Timeline{VideoTracks: []VideoTrack{{
			MainTrack:       alimedia.Ptr(true),
			VideoTrackClips: []VideoTrackClip{{MediaId: "a", In: 1.5}, {Raw: `{"MediaId":"b"}`}},
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
		c, w := newClient(t, "cn-shanghai", `{"RequestId":"r","TaskId":"t"}`)
		_, err := c.StartAIWorkflow(t.Context(), StartAIWorkflowRequest{WorkflowId: "w", Inputs: params})
		require.NoError(t, err)
		require.Equal(t, `{"XAxisFont":"Alibaba"}`, w.sent[0].Get("Inputs"))
	}
	c, w := newClient(t, "cn-shanghai", `{"RequestId":"r","TaskId":"t"}`)
	_, err := c.StartAIWorkflow(t.Context(), StartAIWorkflowRequest{WorkflowId: "w", Inputs: "XAxisFont=1"})
	require.ErrorContains(t, err, "Inputs: the text is not a JSON document")
	require.Empty(t, w.sent)
}

func TestDocuments_AreChecked(t *testing.T) {
	t.Parallel()
	c, w := newClient(t, "cn-shanghai", success)
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

// documents are zero values of all documents written by hand.
var documents = []any{
	ASREditingConfig{},
	AudioEditingConfig{},
	AudioOutputConfig{},
	AudioTrack{},
	AudioTrackClip{},
	AvatarEditingConfig{},
	AvatarInputConfig{},
	AvatarOutputConfig{},
	BatchBackgroundConfig{},
	BatchEditingConfig{},
	BatchInputConfig{},
	BatchMediaConfig{},
	BatchMediaGroup{},
	BatchMusicConfig{},
	BatchOutputConfig{},
	BatchProcessConfig{},
	BatchSpecialWords{},
	BatchSpeechConfig{},
	BatchSticker{},
	BatchSubHeading{},
	BatchTextConfig{},
	BatchWordStyle{},
	CensorCover{},
	ChannelManifest{},
	ChannelOutputConfig{},
	ChartAxisParams{},
	ChartBackground{},
	ChartConfig{},
	ChartInput{},
	ChartOutputConfig{},
	ChartText{},
	CopyrightParams{},
	CoverConfig{},
	CustomFilters{},
	CustomTemplateConfig{},
	EditingProduceConfig{},
	Effect{},
	EffectTrack{},
	ExportConfig{},
	FontFace{},
	HighlightInputConfig{},
	HighlightMedia{},
	HighlightStrategy{},
	HighlightingStyle{},
	IProductionParams{},
	ImageTrack{},
	ImageTrackClip{},
	LiveEditingClip{},
	LiveProduceConfig{},
	LiveProjectConfig{},
	LiveProjectOutput{},
	LiveStreamConfig{},
	MaterialMap{},
	MediaAudit{},
	MediaConvertClip{},
	MediaConvertExclude{},
	MediaConvertFeatures{},
	MediaConvertGroup{},
	MediaConvertGroupConfig{},
	MediaConvertJobConfig{},
	MediaConvertManifest{},
	MediaConvertOverride{},
	MediaConvertSource{},
	MediaConvertTarget{},
	MediaConvertWatermark{},
	MediaMark{},
	MediaMetaData{},
	MediaRef{},
	MessageCallback{},
	OutputMediaConfig{},
	OutputVideo{},
	PostProcessConfig{},
	ProduceCoverConfig{},
	ProduceMediaMetadata{},
	ProgramAdBreak{},
	ProgramClipRange{},
	ProgramTransition{},
	ProjectExportConfig{},
	ProjectMetadata{},
	RegisterConfig{},
	RelatedMedia{},
	SearchCustomFields{},
	SearchLibConfig{},
	SearchMessage{},
	SegmentationParams{},
	SegmentationRange{},
	SmarttagParams{},
	SmarttagQueryParams{},
	SmarttagTemplateConfig{},
	SourcePackage{},
	SpliceInsert{},
	SportsFace{},
	SportsInputConfig{},
	SportsLogo{},
	SportsName{},
	SubtitleEffect{},
	SubtitleTrack{},
	SubtitleTrackClip{},
	TemplateAudio{},
	TemplateContainer{},
	TemplateContent{},
	TemplateMuxConfig{},
	TemplateSegment{},
	TemplateSprite{},
	TemplateTimeSpan{},
	TemplateTimeline{},
	TemplateTransConfig{},
	TemplateVideo{},
	TemplateVolume{},
	TextGenerateConfig{},
	Timeline{},
	TimelineCanvas{},
	TraceParams{},
	TranslationEditingConfig{},
	TranslationInputConfig{},
	TranslationOutputConfig{},
	TranslationSpeech{},
	TranslationSubtitle{},
	UploadFileInfo{},
	UploadMetadata{},
	UploadTargetConfig{},
	UserData{},
	VideoTrack{},
	VideoTrackClip{},
	WorkflowInput{},
	YikeModelParams{},
}

func FuzzDocuments(f *testing.F) { wiretest.FuzzDocuments(f, "ice", documents...) }

// What the service returned goes back as it was.
func TestDocuments_RoundTrip(t *testing.T) {
	t.Parallel()
	wiretest.RoundTrip(t, documents...)
}

// A timeline that the service returned is taken back as it is: an empty list of
// clips is stated, not missing.
func TestDocuments_WhatTheServiceReturnedIsSentBack(t *testing.T) {
	t.Parallel()
	for _, timeline := range []string{
		`{"VideoTracks":[{"VideoTrackClips":[{"MediaId":"m"}]}],"AudioTracks":[{"AudioTrackClips":[]}]}`,
		`{"VideoTracks":[{"VideoTrackClips":null}],"AudioTracks":[],"ImageTracks":null,"SubtitleTracks":[{"SubtitleTrackClips":[]}],"EffectTracks":[{"EffectTrackItems":[]}]}`,
		`{"VideoTracks":[{"Id":9007199254740993,"MainTrack":false,"TrackShortenMode":"","VideoTrackClips":[]}],"Unknown":null}`,
	} {
		response, err := json.Marshal(map[string]any{"RequestId": "r", "Project": map[string]any{"ProjectId": "p", "Timeline": timeline}})
		require.NoError(t, err)
		c, w := newClient(t, "cn-shanghai", string(response), `{"RequestId":"r"}`, `{"RequestId":"r","JobId":"j"}`)
		got, err := c.GetEditingProject(t.Context(), GetEditingProjectRequest{ProjectId: "p"})
		require.NoError(t, err)
		read := got.Project.Timeline
		_, err = c.UpdateEditingProject(t.Context(), UpdateEditingProjectRequest{ProjectId: "p", Timeline: read})
		require.NoError(t, err)
		require.JSONEq(t, timeline, w.sent[1].Get("Timeline"))
		_, err = c.SubmitMediaProducingJob(t.Context(), SubmitMediaProducingJobRequest{Timeline: read, OutputMediaConfig: OutputMediaConfig{MediaURL: "https://b.oss-cn-shanghai.aliyuncs.com/a.mp4"}})
		require.NoError(t, err)
		require.JSONEq(t, timeline, w.sent[2].Get("Timeline"))
	}
}

func TestDocuments_AMissingListIsStillMissing(t *testing.T) {
	t.Parallel()
	c, w := newClient(t, "cn-shanghai", success)
	_, err := c.UpdateEditingProject(t.Context(), UpdateEditingProjectRequest{ProjectId: "p", Timeline: Timeline{AudioTracks: []AudioTrack{{}}}})
	require.Equal(t, []string{"Timeline.AudioTracks[0].AudioTrackClips"}, broken(t, w, err))
}

// Zeroes that the service gives a meaning are sent.
func TestZeroesThatCount(t *testing.T) {
	t.Parallel()
	zero32, zero64, zeroFloat := alimedia.Ptr(int32(0)), alimedia.Ptr(int64(0)), alimedia.Ptr(0.0)
	const ok = `{"RequestId":"r","InstanceId":"i","Token":"t","JobId":"j","HotwordLibraryId":"h","MediaId":"m","ChannelId":"c","Config":{"Name":"n"}}`
	c, w := newClient(t, "cn-shanghai", ok)
	ctx := t.Context()

	_, err := c.ListAIAgentDialogues(ctx, ListAIAgentDialoguesRequest{SessionId: "s", StartTime: zero64, EndTime: 1})
	require.NoError(t, err)
	require.Equal(t, "0", w.sent[0].Get("StartTime"))

	_, err = c.GenerateAIAgentCall(ctx, GenerateAIAgentCallRequest{
		AIAgentId: "a", Expire: zero64,
		TemplateConfig: AIAgentTemplateConfig{
			AvatarChat3D: AgentAvatarChat3D{Volume: zero64, VadLevel: zero32},
			VisionChat:   AgentVisionChat{Volume: zero64, VadLevel: zero32},
			VoiceChat:    AgentVoiceChat{Volume: zero64, VadLevel: zero32},
		},
		AgentConfig: AIAgentConfig{
			Volume:                zero64,
			AmbientSoundConfig:    AgentAmbientSoundConfig{Volume: zero32},
			AsrConfig:             AgentAsrConfig{VadLevel: zero32, VadDuration: zero32},
			TurnDetectionConfig:   AgentTurnDetectionConfig{SemanticWaitDuration: zero32},
			AutoSpeechConfig:      AgentAutoSpeechConfig{UserIdle: AgentUserIdle{MaxRepeats: zero32, Messages: []AgentPhrase{{Text: "x", Probability: zeroFloat}}}},
			BackChannelingConfigs: []AgentBackChannelingConfig{{Probability: zeroFloat}},
			LlmConfig:             AgentLlmConfig{OutputMinLength: zero32, OutputMaxDelay: zero32},
		},
	})
	require.NoError(t, err)
	require.Equal(t, "0", w.sent[1].Get("Expire"))
	require.JSONEq(t, `{"AvatarChat3D":{"Volume":0,"VadLevel":0},"VisionChat":{"Volume":0,"VadLevel":0},"VoiceChat":{"Volume":0,"VadLevel":0}}`, w.sent[1].Get("TemplateConfig"))
	require.JSONEq(t, `{"Volume":0,"AmbientSoundConfig":{"Volume":0},"AsrConfig":{"VadLevel":0,"VadDuration":0},"TurnDetectionConfig":{"SemanticWaitDuration":0},
		"AutoSpeechConfig":{"UserIdle":{"MaxRepeats":0,"Messages":[{"Text":"x","Probability":0}]}},"BackChannelingConfigs":[{"Probability":0}],
		"LlmConfig":{"OutputMinLength":0,"OutputMaxDelay":0}}`, w.sent[1].Get("AgentConfig"))

	_, err = c.StartAIAgentOutboundCall(ctx, StartAIAgentOutboundCallRequest{AIAgentId: "a", CalledNumber: "1", CallerNumber: "2", Config: AIAgentOutboundCallConfig{
		GreetingDelay: zero32, LlmConfig: AgentOutboundLlm{OutputMinLength: zero32}, BackChannelingConfig: AgentOutboundBackChanneling{Probability: zeroFloat}}})
	require.NoError(t, err)
	require.JSONEq(t, `{"GreetingDelay":0,"LlmConfig":{"OutputMinLength":0},"BackChannelingConfig":{"Probability":0}}`, w.sent[2].Get("Config"))

	_, err = c.StartRtcRobotInstance(ctx, StartRtcRobotInstanceRequest{AuthToken: "t", ChannelId: "c", RobotId: "r", UserId: "u", Config: RtcRobotConfig{Volume: zero64}})
	require.NoError(t, err)
	require.JSONEq(t, `{"Volume":0}`, w.sent[3].Get("Config"))

	_, err = c.CreateHotwordLibrary(ctx, CreateHotwordLibraryRequest{Name: "n", UsageScenario: "ASR", Hotwords: []Hotword{{Text: "x", Weight: zero32}}})
	require.NoError(t, err)
	require.JSONEq(t, `[{"Text":"x","Weight":0}]`, w.sent[4].Get("Hotwords"))

	_, err = c.UpdateAdInsertion(ctx, UpdateAdInsertionRequest{Name: "n", ContentUrlPrefix: "https://a", PersonalizationThreshold: zero32, AdsUrl: "https://a"})
	require.NoError(t, err)
	require.Equal(t, "0", w.sent[5].Get("PersonalizationThreshold"))

	_, err = c.RegisterMediaInfo(ctx, RegisterMediaInfoRequest{InputURL: "oss://b/a.mp4", RegisterConfig: RegisterConfig{CoverConfig: CoverConfig{StartTime: zeroFloat}}})
	require.NoError(t, err)
	require.JSONEq(t, `{"CoverConfig":{"StartTime":0}}`, w.sent[6].Get("RegisterConfig"))
}

// What is no timeline costs neither the call nor the other fields.
func TestDocuments_ABrokenTimelineIsLeftOut(t *testing.T) {
	t.Parallel()
	for _, timeline := range []string{`"{\"VideoTracks\":["`, `"text"`, `7`, `[1]`} {
		c, _ := newClient(t, "cn-shanghai", `{"RequestId":"r","Project":{"ProjectId":"p","Timeline":`+timeline+`,"Title":"t"}}`)
		got, err := c.GetEditingProject(t.Context(), GetEditingProjectRequest{ProjectId: "p"})
		require.NoError(t, err, timeline)
		require.Equal(t, "t", got.Project.Title, timeline)
		require.Empty(t, got.Project.Timeline.VideoTracks, timeline)
	}
}

func TestSubmitMediaProducingJob_ChecksItsTimeline(t *testing.T) {
	t.Parallel()
	video := func(clips ...VideoTrackClip) Timeline {
		return Timeline{VideoTracks: []VideoTrack{{VideoTrackClips: clips}}}
	}
	for _, tt := range []struct {
		name     string
		timeline Timeline
		broken   []string
	}{
		{"a media", video(VideoTrackClip{MediaId: "m", In: 1, Out: 2}), nil},
		{"a URL", video(VideoTrackClip{Type: ClipImage, MediaURL: "https://b.oss-cn-shanghai.aliyuncs.com/a.png", Duration: 3}), nil},
		{"no media", video(VideoTrackClip{MediaId: "m"}, VideoTrackClip{Type: ClipImage}), []string{"Timeline.VideoTracks[0].VideoTrackClips[1]"}},
		{"In after Out", video(VideoTrackClip{MediaId: "m", In: 2, Out: 1}), []string{"Timeline.VideoTracks[0].VideoTrackClips[0]"}},
		{"no time", video(VideoTrackClip{MediaId: "m", TimelineIn: alimedia.Ptr(2.0), TimelineOut: 2}), []string{"Timeline.VideoTracks[0].VideoTrackClips[0]"}},
		{"from the start", video(VideoTrackClip{MediaId: "m", TimelineIn: alimedia.Ptr(0.0)}), nil},
		{"a digital human", video(VideoTrackClip{Type: ClipAvatar, AvatarId: "yunqiao", Content: "hello"}), nil},
		{"another type", video(VideoTrackClip{Type: "New"}), nil},
		{"raw", video(VideoTrackClip{Raw: `{"ImageId":"i"}`}), nil},
		{"effects", Timeline{VideoTracks: []VideoTrack{{VideoTrackClips: []VideoTrackClip{{MediaId: "m"}}}, {Type: "Effect", VideoTrackClips: []VideoTrackClip{{Type: EffectVFX, SubType: "h_blur"}}}}}, nil},
		{"stated empty", video(VideoTrackClip{Extra: map[string]json.RawMessage{"MediaId": json.RawMessage(`""`)}}), nil},
		{"sound", Timeline{AudioTracks: []AudioTrack{{AudioTrackClips: []AudioTrackClip{{Type: ClipTTS, Content: "hello"}, {MediaId: "m"}, {Out: 3}}}}}, []string{"Timeline.AudioTracks[0].AudioTrackClips[2]"}},
		{"texts alone", Timeline{SubtitleTracks: []SubtitleTrack{{SubtitleTrackClips: []SubtitleTrackClip{{Type: ClipText, Content: "c", FontSize: 40}}}}}, []string{"Timeline"}},
		{"texts, and nothing stated", Timeline{SubtitleTracks: []SubtitleTrack{{SubtitleTrackClips: []SubtitleTrackClip{{Type: ClipText}}}}, Extra: map[string]json.RawMessage{"VideoTracks": json.RawMessage(`[]`)}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, w := newClient(t, "cn-shanghai", `{"RequestId":"r","JobId":"j"}`)
			_, err := c.SubmitMediaProducingJob(t.Context(), SubmitMediaProducingJobRequest{Timeline: tt.timeline, OutputMediaConfig: OutputMediaConfig{MediaURL: "https://b.oss-cn-shanghai.aliyuncs.com/a.mp4"}})
			require.Equal(t, tt.broken, broken(t, w, err))
		})
	}
}

func TestCreateCustomTemplate_ChecksItsConfig(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		kind   int32
		config CustomTemplateConfig
		broken []string
	}{
		{"transcoding", TemplateTranscode, CustomTemplateConfig{Container: TemplateContainer{Format: "mp4"}}, nil},
		{"snapshots", TemplateSnapshot, CustomTemplateConfig{Count: 1}, []string{"TemplateConfig.Type"}},
		{"snapshots of a type", TemplateSnapshot, CustomTemplateConfig{Type: "Normal"}, nil},
		{"animated image", TemplateAnimatedImage, CustomTemplateConfig{Fps: 1}, []string{"TemplateConfig.Format"}},
		{"subtitles", TemplateSubtitle, CustomTemplateConfig{Raw: `{}`}, nil},
		{"stated", TemplateSubtitle, CustomTemplateConfig{Extra: map[string]json.RawMessage{"Format": json.RawMessage(`""`)}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, w := newClient(t, "cn-shanghai", `{"RequestId":"r","CustomTemplate":{"TemplateId":"t"}}`)
			_, err := c.CreateCustomTemplate(t.Context(), CreateCustomTemplateRequest{Name: "n", Type: tt.kind, TemplateConfig: tt.config})
			require.Equal(t, tt.broken, broken(t, w, err))
		})
	}
}
