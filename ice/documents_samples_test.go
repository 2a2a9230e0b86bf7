package ice

import (
	"testing"

	"github.com/alimedia/alimedia-go/internal/wiretest"
)

const (
	sampleMedia = `https://bucket.oss-cn-shanghai.aliyuncs.com/a.mp4`
	sampleImage = `https://bucket.oss-cn-shanghai.aliyuncs.com/a.png`
	sampleAudio = `https://bucket.oss-cn-shanghai.aliyuncs.com/a.mp3`
)

// The documents are those of the reference, with names and texts of our own.
func TestDocuments_SamplesOfTimelines(t *testing.T) {
	t.Parallel()
	wiretest.Samples(t, []wiretest.Sample{
		{Name: "transitions", Doc: Timeline{}, Text: `{"VideoTracks":[{"VideoTrackClips":[
			{"MediaURL":"` + sampleMedia + `","Effects":[{"Type":"Transition","SubType":"wiperight"}]},
			{"MediaURL":"` + sampleMedia + `","Effects":[{"Type":"Transition","SubType":"perlin","Duration":2}]},
			{"MediaURL":"` + sampleMedia + `"}]}]}`},
		{Name: "one of several transitions", Doc: Timeline{}, Text: `{"VideoTracks":[{"VideoTrackClips":[
			{"MediaURL":"` + sampleMedia + `","Effects":[{"Type":"Transition","SubType":"random"}]},
			{"MediaURL":"` + sampleMedia + `","Effects":[{"Type":"Transition","SubType":"wiperight,perlin"}]}]}]}`},
		{Name: "effect on a part of the video", Doc: Timeline{}, Text: `{"VideoTracks":[{"VideoTrackClips":[{"MediaURL":"` + sampleMedia + `"}]}],
			"EffectTracks":[{"EffectTrackItems":[{"Type":"VFX","SubType":"h_blur","TimelineIn":3,"TimelineOut":7}]}]}`},
		{Name: "tracks and volume", Doc: Timeline{}, Text: `{"VideoTracks":[{"VideoTrackClips":[{"Type":"Video","MediaURL":"` + sampleMedia + `","In":0,"Out":10,"TimelineIn":0,"TimelineOut":10}]}],
			"AudioTracks":[{"AudioTrackClips":[{"Type":"Audio","MediaURL":"` + sampleAudio + `","In":0,"Out":30,"TimelineIn":0,"TimelineOut":30,"Effects":[{"Type":"Volume","Gain":0.5}]}]}],
			"SubtitleTracks":[]}`},
		{Name: "muted", Doc: Timeline{}, Text: `{"VideoTracks":[{"VideoTrackClips":[{"MediaURL":"` + sampleMedia + `","Effects":[{"Type":"Volume","Gain":0}]}]}]}`},
		{Name: "muted for a while", Doc: Timeline{}, Text: `{"VideoTracks":[{"VideoTrackClips":[{"MediaURL":"` + sampleMedia + `","Effects":[{"Type":"Volume","Gain":0,"In":2,"Out":5}]}]}]}`},
		{Name: "music that repeats", Doc: Timeline{}, Text: `{"AudioTracks":[{"AudioTrackClips":[{"MediaURL":"` + sampleAudio + `","LoopMode":true,"In":4,"Out":10,"TimelineIn":2,"TimelineOut":14}]}]}`},
		{Name: "fades", Doc: AudioTrackClip{}, Text: `{"Type":"Audio","MediaURL":"` + sampleAudio + `","In":0,"Out":60,"TimelineIn":0,"TimelineOut":60,"Effects":[
			{"Type":"AFade","SubType":"In","Duration":1,"Curve":"tri"},{"Type":"AFade","SubType":"Out","Duration":2,"Curve":"tri"},{"Type":"Volume","Gain":0.2}]}`},
		{Name: "denoise", Doc: Effect{}, Text: `{"Type":"ADenoise","Mode":1}`},
		{Name: "loudness", Doc: Effect{}, Text: `{"Type":"ALoudNorm","Loudness":-24.0,"TruePeak":-2.0}`},
		{Name: "equalized", Doc: Timeline{}, Text: `{"VideoTracks":[{"VideoTrackClips":[{"MediaURL":"` + sampleMedia + `"}]}],"EffectTracks":[{"EffectTrackItems":[{"Type":"AEqualize","Peak":0.95,"Gain":10}]}]}`},
		{Name: "main track", Doc: Timeline{}, Text: `{"VideoTracks":[{"MainTrack":true,"VideoTrackClips":[{"MediaURL":"` + sampleMedia + `"},{"MediaURL":"` + sampleMedia + `"}]}],
			"AudioTracks":[{"TrackShortenMode":"AutoSpeed","TrackExpandMode":"AutoSpeed","AudioTrackClips":[{"MediaURL":"` + sampleAudio + `"}]}]}`},
		{Name: "blurred background", Doc: VideoTrackClip{}, Text: `{"MediaId":"8f5cdf044b05","Effects":[{"Type":"Background","SubType":"Blur","Radius":0.1}]}`},
		{Name: "colored background", Doc: Effect{}, Text: `{"Type":"Background","SubType":"Color","Color":"#000066"}`},
		{Name: "three parts of the screen", Doc: Timeline{}, Text: `{"VideoTracks":[{"VideoTrackClips":[
			{"MediaId":"222d9296e886","Width":1,"Height":0.3333,"X":0,"Y":0.3333,"AdaptMode":"Cover"},{"MediaId":"70dc95c0e31b","Width":1,"Height":0.3333,"X":0,"Y":0}]}]}`},
		{Name: "stickers", Doc: VideoTrack{}, Text: `{"VideoTrackClips":[{"Type":"Image","MediaURL":"` + sampleImage + `","TimelineIn":0,"Duration":5,"X":40,"Y":40,"Width":300,"Height":150},
			{"Type":"Image","MediaURL":"` + sampleImage + `","TimelineIn":5,"Duration":5,"X":20,"Y":800,"Width":200,"Height":200,"DyncFrames":8}]}`},
		{Name: "flip", Doc: Effect{}, Text: `{"Type":"Flip","Direction":"horizontal"}`},
		{Name: "rotate", Doc: Effect{}, Text: `{"Type":"Rotate","Degree":90}`},
		{Name: "crop", Doc: Effect{}, Text: `{"Type":"Crop","X":0.3,"Y":0.3,"Width":0.4,"Height":0.4}`},
		{Name: "freeze", Doc: Effect{}, Text: `{"Type":"FreezeFrame","Duration":2}`},
		{Name: "random clip", Doc: Effect{}, Text: `{"Type":"Clip","SubType":"RandomClip","ClipDuration":5}`},
		{Name: "title", Doc: SubtitleTrack{}, Text: `{"SubtitleTrackClips":[{"Type":"Text","Content":"Title","TimelineIn":0,"TimelineOut":5,"Font":"AlibabaPuHuiTi","FontSize":80,"FontColor":"#FFFFFF","Y":0.15,
			"Outline":1,"OutlineColour":"#000000","Alignment":"TopCenter"}]}`},
		{Name: "shadow", Doc: SubtitleTrackClip{}, Text: `{"Type":"Text","X":20,"Y":20,"Font":"KaiTi","Content":"Shadow","Alignment":"BottomRight","FontSize":40,"FontColor":"#ffffff","Shadow":3,"BackColour":"#000000"}`},
		{Name: "font face", Doc: SubtitleTrackClip{}, Text: `{"Type":"Text","X":0,"Y":900,"Content":"Bold","FontUrl":"https://bucket.oss-cn-shanghai.aliyuncs.com/a.ttf","Outline":1,"OutlineColour":"000000","Alignment":"TopCenter",
			"FontSize":40,"FontColor":"#ffffff","FontFace":{"Bold":true,"Italic":false,"Underline":false}}`},
		{Name: "layers of text", Doc: SubtitleTrackClip{}, Text: `{"TimelineIn":0,"TimelineOut":2,"Type":"Text","Y":0.2,"Font":"WenQuanYi Zen Hei Mono","Content":"Layers","Alignment":"TopCenter","FontSize":200,"FontColor":"#FFFFFF",
			"SubtitleEffects":[{"Color":"#0420B6","Type":"Shadow","XBord":0.07,"YBord":0.07,"YShift":0.06},{"Color":"#000000","Type":"Outline","XBord":0.01,"YBord":0.01}]}`},
		{Name: "motion", Doc: SubtitleTrackClip{}, Text: `{"Type":"Text","Content":"Motion","FontSize":70,"AaiMotionInEffect":"rotateflip_in","AaiMotionIn":2}`},
		{Name: "box", Doc: SubtitleTrackClip{}, Text: `{"Type":"Text","Content":"Box","AdaptMode":"AutoWrap","Alignment":"TopCenter","FontSize":70,"FontColor":"#F5FFFA",
			"SubtitleEffects":[{"Type":"Box","Color":"1E90FF","XShift":20,"YShift":-20,"Bord":20,"Radius":20,"Opacity":"0.5"}]}`},
		{Name: "bubble", Doc: SubtitleTrackClip{}, Text: `{"Type":"Text","Content":"Bubble","FontColor":"#000000","X":0.1,"Y":0.3,"BubbleWidth":0.8,"Alignment":"TopCenter",
			"SubtitleEffects":[{"Type":"Box","Width":1050,"Height":250,"TextArea":"0.1,0.2,0.8,0.6","ImageURL":"` + sampleImage + `"}]}`},
		{Name: "credits", Doc: SubtitleTrackClip{}, Text: `{"Type":"Text","TimelineIn":3,"ClipId":"credits","Content":"A\\nB","FontSize":50,"FontColor":"#ffffff","X":0.1,"TextWidth":0.8,"AdaptMode":"AutoWrap",
			"ScrollStartY":1120,"ScrollEndY":200,"ScrollSpeed":75,"ScrollStartFreeze":2,"ScrollEndFreeze":2}`},
		{Name: "subtitle file", Doc: SubtitleTrackClip{}, Text: `{"Type":"Subtitle","FileURL":"https://bucket.oss-cn-shanghai.aliyuncs.com/a.srt"}`},
		{Name: "recognized subtitles", Doc: Timeline{}, Text: `{"VideoTracks":[{"VideoTrackClips":[{"Type":"Video","MediaURL":"` + sampleMedia + `"}]}],"SubtitleTracks":[{"SubtitleTrackClips":[{"Type":"AI_ASR",
			"MediaURL":"` + sampleMedia + `","Font":"Alibaba PuHuiTi","FontSize":80,"FontColor":"#FFFFFF","Outline":2,"OutlineColour":"#000000","Alignment":"TopCenter","Y":0.15,"AdaptMode":"AutoWrap"}]}]}`},
		{Name: "speech", Doc: AudioTrack{}, Text: `{"AudioTrackClips":[{"Type":"AI_TTS","Voice":"zhichu","Content":"One"},{"Type":"AI_TTS","Voice":"zhichu","Content":"<speak>Two<break time=\"500ms\"/></speak>"}]}`},
		{Name: "pictures that last as long as the speech", Doc: Timeline{}, Text: `{"VideoTracks":[{"VideoTrackClips":[{"Type":"Image","MediaURL":"` + sampleImage + `","ReferenceClipId":"speech1"}]}],
			"AudioTracks":[{"MainTrack":true,"AudioTrackClips":[{"Type":"AI_TTS","Content":"One","Voice":"zhichu","ClipId":"speech1"}]},{"AudioTrackClips":[{"MediaURL":"` + sampleAudio + `","LoopMode":true}]}]}`},
		{Name: "subtitles by an effect", Doc: VideoTrackClip{}, Text: `{"MediaURL":"` + sampleMedia + `","AdaptMode":"Contain","Effects":[{"Type":"AI_ASR","Font":"AlibabaPuHuiTi","Alignment":"TopCenter","Y":600,"Outline":10,
			"OutlineColour":"#ffffff","FontSize":60,"FontColor":"#000079","FontFace":{"Bold":true,"Italic":false,"Underline":false}}]}`},
		{Name: "texts on a clip", Doc: VideoTrackClip{}, Text: `{"MediaId":"4bcf9b4d7cf1","Effects":[{"Type":"Text","X":20,"Y":34,"Font":"WenQuanYi Zen Hei Mono","Content":"Top","Alignment":"TopCenter","FontSize":26,"FontColorOpacity":1,
			"FontColor":"#ff0000","FontFace":{"Bold":true,"Italic":false,"Underline":false}},{"Type":"Text","X":0.10,"Y":0.1,"TimelineIn":2,"TimelineOut":15,"Content":"Bottom","Alignment":"BottomCenter","FontSize":26}]}`},
		{Name: "canvas", Doc: Timeline{}, Text: `{"FECanvas":{"Width":720,"Height":1280},"VideoTracks":[{"VideoTrackClips":[{"MediaURL":"` + sampleMedia + `"}]}]}`},
		{Name: "template with a variable", Doc: Timeline{}, Text: `{"VideoTracks":[{"VideoTrackClips":[{"MediaId":"$Video"}]}],"ImageTracks":[{"ImageTrackClips":[{"ImageId":"e01cb05d417c","Width":200,"Height":60,"X":40,"Y":40}]}]}`},
		{Name: "template with a list", Doc: Timeline{}, Text: `{"VideoTracks":[{"VideoTrackClips":[{"MediaId":"be49ef6b7f9f"},{"Sys_Type":"ArrayItems","Sys_ArrayObject":"$VideoArray","Sys_Template":{"MediaId":"$MediaId"}}]}]}`,
			Untyped: []string{"Sys_ArrayObject", "Sys_Template", "Sys_Type"}},
		{Name: "template with a variable where a number is", Doc: VideoTrackClip{}, Text: `{"MediaId":"$Video","Out":"$Out"}`},
	})
}

func TestDocuments_SamplesOfProducing(t *testing.T) {
	t.Parallel()
	wiretest.Samples(t, []wiretest.Sample{
		{Name: "to OSS", Doc: OutputMediaConfig{}, Text: `{"MediaURL":"http://bucket.oss-cn-shanghai.aliyuncs.com/out.mp4","Width":1080,"Height":1920}`},
		{Name: "to VOD", Doc: OutputMediaConfig{}, Text: `{"StorageLocation":"outin-x.oss-cn-shanghai.aliyuncs.com","FileName":"out.mp4","VodTemplateGroupId":"VOD_NO_TRANSCODE"}`},
		{Name: "quality", Doc: OutputMediaConfig{}, Text: `{"MediaURL":"http://bucket.oss-cn-shanghai.aliyuncs.com/out.mp4","Video":{"Codec":"H.264","Fps":25,"Profile":"high","Crf":27,"Preset":"veryfast"}}`},
		{Name: "as text", Doc: OutputMediaConfig{}, Text: `{"MediaURL":"http://bucket.oss-cn-shanghai.aliyuncs.com/out.mp4","Bitrate":3000}`},
		{Name: "settings", Doc: EditingProduceConfig{}, Text: `{"AutoRegisterInputVodMedia":"true","OutputWebmTransparentChannel":"true","CoverConfig":{"StartTime":3.3}}`},
		{Name: "result", Doc: ProduceMediaMetadata{}, Text: `{"Title":"title","Tags":"tag1,tag2"}`},
		{Name: "project", Doc: ProjectMetadata{}, Text: `{"Description":"description","Title":"title"}`},
		{Name: "live project", Doc: LiveProjectConfig{}, Text: `{"OutputMediaConfig":{"StorageLocation":"bucket.oss-cn-shanghai.aliyuncs.com","Path":"path"},"OutputMediaTarget":"oss-object"}`},
		{Name: "materials", Doc: MaterialMap{}, Text: `{"video":"a,b","image":"c"}`},
	})
}

func TestDocuments_SamplesOfBatches(t *testing.T) {
	t.Parallel()
	wiretest.Samples(t, []wiretest.Sample{
		{Name: "groups", Doc: BatchInputConfig{}, Text: `{"MediaGroupArray":[{"GroupName":"MediaGroup1","MediaArray":["9d46c886","6c886b45"]},{"GroupName":"MediaGroup2","MediaArray":["d46c8868"]}],
			"TitleArray":["Title 1","Title 2"],"SpeechTextArray":["Text 1","Text 2"]}`},
		{Name: "volumes", Doc: BatchEditingConfig{}, Text: `{"MediaConfig":{"Volume":0},"SpeechConfig":{"Volume":1},"BackgroundMusicConfig":{"Volume":0.3}}`},
		{Name: "volume as text", Doc: BatchMediaConfig{}, Text: `{"Volume":"0.5"}`},
		{Name: "output", Doc: BatchOutputConfig{}, Text: `{"MediaURL":"http://bucket.oss-cn-shanghai.aliyuncs.com/a_{index}.mp4","Count":20,"MaxDuration":15,"Width":1080,"Height":1920,"Video":{"Crf":27}}`},
		{Name: "styles", Doc: BatchEditingConfig{}, Text: `{"SpeechConfig":{"Style":"Gentle","Gain":1.1},"BackgroundMusicConfig":{"Style":"bgm-relaxing","Gain":0.2}}`},
		{Name: "voices", Doc: BatchEditingConfig{}, Text: `{"SpeechConfig":{"Voice":"zhiru,zhilun,zhibei_emo"}}`},
		{Name: "rate", Doc: BatchEditingConfig{}, Text: `{"SpeechConfig":{"SpeechRate":100}}`},
		{Name: "motion of subtitles", Doc: BatchEditingConfig{}, Text: `{"SpeechConfig":{"AsrConfig":{"AaiMotionInEffect":"wave_in,fade_in","AaiMotionOutEffect":"wave_out"}}}`},
		{Name: "loops of subtitles", Doc: BatchEditingConfig{}, Text: `{"SpeechConfig":{"AsrConfig":{"AaiMotionLoopEffect":"normal_display,naughty_display"}}}`},
		{Name: "sticker", Doc: BatchSticker{}, Text: `{"MediaId":"9d46c8b4","X":10,"Y":100,"Width":300,"Height":300,"Opacity":0.6}`},
		{Name: "sub-headings", Doc: BatchEditingConfig{}, Text: `{"SubHeadingConfig":{"1":{"Y":0.3,"FontSize":40}}}`},
		{Name: "selection", Doc: BatchInputConfig{}, Text: `{"BackgroundMusic":"75c3936f","MediaArray":["` + sampleMedia + `"],"SpeechTextArray":["Text"]}`},
		{Name: "highlights", Doc: BatchEditingConfig{}, Text: `{"MediaConfig":{"Volume":1},"ProcessConfig":{"AllowTransition":true,"TransitionList":["fadecolor"]}}`},
		{Name: "template", Doc: TemplateContent{}, Text: `{"InputTemplateConfig":{"StickerArray":[{"MediaId":"9d46c8b4","X":10}]},"EditingTemplateConfig":{"SpeechConfig":{"Volume":1}},"OutputTemplateConfig":{"Width":1080,"Height":1920}}`},
		{Name: "template of a timeline", Doc: TemplateContent{}, Text: `{"VideoTracks":[{"VideoTrackClips":[{"MediaId":"$Video"}]}]}`},
	})
}

func TestDocuments_SamplesOfJobs(t *testing.T) {
	t.Parallel()
	wiretest.Samples(t, []wiretest.Sample{
		{Name: "voice", Doc: AudioEditingConfig{}, Text: `{"voice":"Siqi","format":"MP3","volume":50}`},
		{Name: "audio", Doc: AudioOutputConfig{}, Text: `{"bucket":"my_bucket","object":"target_audio"}`},
		{Name: "avatar", Doc: AvatarEditingConfig{}, Text: `{"AvatarId":"yunqiao"}`},
		{Name: "avatar says", Doc: AvatarInputConfig{}, Text: `{"Text":"Hello world"}`},
		{Name: "avatar output", Doc: AvatarOutputConfig{}, Text: `{"MediaURL":"` + sampleMedia + `"}`},
		{Name: "translation", Doc: TranslationEditingConfig{}, Text: `{"SourceLanguage":"zh","TargetLanguage":"en","DetextArea":"Auto"}`},
		{Name: "translated", Doc: TranslationInputConfig{}, Text: `{"Type":"Video","Video":"1628ae20c36"}`},
		{Name: "segments", Doc: SegmentationParams{}, Text: `{"Mode":"UserDefined","Ranges":[{"In":10,"Out":20},{"In":35,"Out":50}]}`},
		{Name: "segmented", Doc: MediaRef{}, Text: `{"Type":"Media","Media":"ce49a020"}`},
		{Name: "segments go", Doc: ExportConfig{}, Text: `{"OutputMediaTarget":"oss-object","Bucket":"bucket","ObjectKey":"path/to/a_{index}.mp4","Width":1920,"Height":1080,"ExportAsNewMedia":false}`},
		{Name: "highlights", Doc: HighlightInputConfig{}, Text: `{"MediaArray":[{"MediaId":"ceb72f00"},{"MediaId":"ce450c40"}],"Strategy":{"Count":5,"ClipDuration":15}}`},
		{Name: "sports", Doc: SportsInputConfig{}, Text: `{"SportsCategory":"basketball","InputMedia":"` + sampleMedia + `","FaceRegister":[{"FaceUrls":["http://example.com/front.jpg"],"Name":"James"}],
			"SlowMotionLogoRegister":{"SlowMotionLogoUrls":["http://example.com/logo.jpg"]},"TransferNameRegister":[{"OriginalName":"IND","TransferName":"Indiana"}]}`},
		{Name: "axes", Doc: ChartAxisParams{}, Text: `{"FontFile":"Microsoft YaHei","XAxisFontSize":"30","YAxisFontSize":"30","XAxisFontInterval":"30","AxisColor":"30"}`},
		{Name: "background", Doc: ChartBackground{}, Text: `{"Color":"#000000","ImageUrl":"` + sampleImage + `"}`},
		{Name: "chart", Doc: ChartConfig{}, Text: `{"Style":"Normal","TitleStartTime":"3000","ChartStartTime":"3000","VideoDuration":"15000"}`},
		{Name: "title", Doc: ChartText{}, Text: `{"Text":"Title","FontSize":"30","FontColor":"#000000","FontFile":"Microsoft YaHei"}`},
		{Name: "data", Doc: ChartInput{}, Text: `{"XlsFile":"https://bucket.oss-cn-shanghai.aliyuncs.com/a.xls"}`},
		{Name: "chart output", Doc: ChartOutputConfig{}, Text: `{"MediaURL":"` + sampleMedia + `","Bitrate":2000,"Width":800,"Height":680}`},
		{Name: "tags", Doc: SmarttagParams{}, Text: `{"needAsrData":true,"needOcrData":false}`},
		{Name: "query of tags", Doc: SmarttagQueryParams{}, Text: `{"labelResultType":"auto"}`},
		{Name: "cover", Doc: CensorCover{}, Text: `{"Bucket":"b","Location":"oss-cn-shanghai","Object":"cover.jpg"}`},
		{Name: "copyright", Doc: CopyrightParams{}, Text: `{"algoType":"v2"}`},
		{Name: "trace", Doc: TraceParams{}, Text: `{"m3u8Type":"v1"}`},
		{Name: "animated cover", Doc: IProductionParams{}, Text: `{"Model":"gif"}`},
		{Name: "captions", Doc: IProductionParams{}, Text: `{"fps":5,"roi":[[0.5,1],[0,1]],"lang":"ch","track":"main"}`},
		{Name: "workflow", Doc: WorkflowInput{}, Text: `{"Type":"OSS","Media":"` + sampleMedia + `"}`},
		{Name: "video model", Doc: YikeModelParams{}, Text: `{"AudioEnable":false}`},
		{Name: "channel", Doc: ChannelOutputConfig{}, Text: `{"ManifestName":"manifest-1","Format":"HLS","SourceGroupName":"source-group-1","ManifestSettings":{"WindowDuration":60,"AdMarkType":"Daterange"}}`},
		{Name: "ads", Doc: ProgramAdBreak{}, Text: `{"MessageType":"SPLICE_INSERT","OffsetMillis":1000,"SourceLocationName":"MySourceLocation","SourceName":"MyAdSource",
			"SpliceInsertSettings":{"AvailNumber":0,"AvailExpected":0,"SpliceEventID":1,"UniqueProgramID":0}}`},
		{Name: "part of a source", Doc: ProgramClipRange{}, Text: `{"StartOffsetMillis":213123,"EndOffsetMillis":213134}`},
		{Name: "schedule", Doc: ProgramTransition{}, Text: `{"Type":"RELATIVE","RelativePosition":"AFTER_PROGRAM","RelativeProgram":"program2"}`},
		{Name: "source", Doc: SourcePackage{}, Text: `{"sourceGroupName":"mySourceGroup-1","relativePath":"group1/hls.m3u8","type":"hls"}`},
	})
}

func TestDocuments_SamplesOfTemplates(t *testing.T) {
	t.Parallel()
	wiretest.Samples(t, []wiretest.Sample{
		{Name: "animated image", Doc: CustomTemplateConfig{}, Text: `{"TimeSpan":{"Duration":"12","Seek":"6"},"Format":"webp","ScanMode":"progressive","Fps":25,"LongShortMode":true}`},
		{Name: "image watermark", Doc: CustomTemplateConfig{}, Text: `{"Dx":120,"Dy":130,"Height":30,"ReferPos":"BottomLeft","File":{"Type":"OSS","Media":"https://bucket.oss-cn-shanghai.aliyuncs.com/a.gif"},"Width":20}`},
		{Name: "time of a watermark", Doc: CustomTemplateConfig{}, Text: `{"Timeline":{"Start":"00:00:05","Duration":"ToEND"}}`},
		{Name: "subtitles", Doc: CustomTemplateConfig{}, Text: `{"CharEnc":"auto","Format":"srt"}`},
		{Name: "sprite", Doc: CustomTemplateConfig{}, Text: `{"Type":"Sprite","FrameType":"intra","Time":1000,"Count":5,"Interval":10,"Width":720,"Height":480,"BlackLevel":30,"PixelBlackThreshold":70,
			"SpriteSnapshotConfig":{"CellWidth":720,"CellHeight":480,"Padding":20,"Margin":20,"Columns":20,"Lines":20},"IsSptFrag":true}`},
		{Name: "conversion", Doc: MediaConvertJobConfig{}, Text: `{"JobName":"Name","Inputs":[{"Name":"InputVideo","InputFile":{"Type":"OSS","Media":"` + sampleMedia + `"}}],
			"OutputGroups":[{"Name":"hls-group","GroupConfig":{"Type":"Hls","OutputFileBase":{"Type":"OSS","Media":"oss://bucket/path/to/dir"},"ManifestName":"manifest",
			"ManifestExtend":{"InputRef":"Input-Manifest","Excludes":[{"Language":"en","Name":"audio-1","Type":"Audio"}]}}}]}`},
		{Name: "features", Doc: MediaConvertFeatures{}, Text: `{"Clip":{"TimeSpan":{"Seek":"180.30","Duration":"60.0"},"ConfigToClipFirstPart":"false"},
			"Watermarks":[{"Type":"Image","FontColor":"black","BorderColor":"Black","BorderWidth":"0","FontAlpha":"1.0","Adaptive":"true","Content":"Text","X":"0.08","FontName":"SimSum"}]}`},
	})
}
