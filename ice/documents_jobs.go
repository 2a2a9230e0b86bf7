package ice

import (
	"encoding/json"

	"github.com/alimedia/alimedia-go"
)

// MediaRef names a media.
type MediaRef struct {
	Type  string `json:",omitzero"` // OSS for a URL, Media for the ID of a media asset
	Media string `json:",omitzero"` // the URL, without a signature, or the ID

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// ASREditingConfig steers the recognition of speech.
type ASREditingConfig struct {
	HotwordLibraryIdList []string `json:",omitzero" check:"items=1"` // a library of hotwords

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// AudioEditingConfig is the voice of [Client.SubmitAudioProduceJob].
type AudioEditingConfig struct {
	Voice           string `json:"voice,omitzero"`                                // such as siqi
	CustomizedVoice string `json:"customizedVoice,omitzero"`                      // a voice of your own, which wins over Voice
	Format          string `json:"format,omitzero" check:"fold=PCM|WAV|MP3"`      // PCM, WAV or MP3
	Volume          *int64 `json:"volume,omitzero" check:"min=0,max=100"`         // 0 to 100; 50 when nil
	SpeechRate      int64  `json:"speech_rate,omitzero" check:"min=-500,max=500"` // -500 is half as fast, 500 twice as fast
	PitchRate       int64  `json:"pitch_rate,omitzero" check:"min=-500,max=500"`  // -500 (low) to 500 (high)

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// AudioOutputConfig says where the audio goes.
type AudioOutputConfig struct {
	Bucket string `json:"bucket,omitzero"`
	Object string `json:"object,omitzero"` // key, without an extension

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// AvatarEditingConfig is the digital human of [Client.SubmitAvatarVideoJob].
type AvatarEditingConfig struct {
	AvatarId        string `json:",omitzero"`
	Voice           string `json:",omitzero"`
	CustomizedVoice string `json:",omitzero"` // a voice of your own
	SpeechRate      int64  `json:",omitzero"` // -500 (slow) to 500 (fast)

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// AvatarInputConfig is what a digital human says. Extra takes an audio in its
// place.
type AvatarInputConfig struct {
	Text string `json:",omitzero"` // at least 5 characters

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// AvatarOutputConfig says where the video of a digital human goes.
type AvatarOutputConfig struct {
	MediaURL string `json:",omitzero" check:"url=oss"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TranslationInputConfig is what [Client.SubmitVideoTranslationJob] translates:
// the field that Type names, an ID of a media asset, an OSS URL of yours or any
// public URL.
type TranslationInputConfig struct {
	Type     string `json:",omitzero" check:"required,in=Video|Audio|Subtitle"` // Video and Audio for speech, Video for faces
	Video    string `json:",omitzero"`                                          // mp4, webm, mov or m3u8
	Audio    string `json:",omitzero"`                                          // mp3 or wav
	Subtitle string `json:",omitzero"`                                          // srt

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TranslationOutputConfig says where a translation goes.
type TranslationOutputConfig struct {
	OutputTarget    string `json:",omitzero" check:"in=OSS|VOD"` // OSS when empty
	MediaURL        string `json:",omitzero" check:"url=oss"`    // with the extension: mp4 for a video, wav for an audio, srt for subtitles
	StorageLocation string `json:",omitzero"`                    // bucket of VOD
	FileName        string `json:",omitzero"`                    // in VOD

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TranslationEditingConfig says what is translated. Subtitles are when both
// NeedSpeechTranslate and NeedFaceTranslate are false.
//
// Reference:
// https://www.alibabacloud.com/help/en/ims/use-cases/introduction-and-examples-of-video-translation-parameters
type TranslationEditingConfig struct {
	SourceLanguage      string              `json:",omitzero"` // such as zh
	TargetLanguage      string              `json:",omitzero"` // such as en
	DetextArea          string              `json:",omitzero"` // where old subtitles are erased: Auto, or a JSON list of areas
	SupportEditing      *bool               `json:",omitzero"` // keeps a project in which the result can be edited
	NeedSpeechTranslate *bool               `json:",omitzero"` // speaks the translation
	NeedFaceTranslate   *bool               `json:",omitzero"` // moves the lips with it, too
	SubtitleTranslate   TranslationSubtitle `json:",omitzero"`
	SpeechTranslate     TranslationSpeech   `json:",omitzero"`
	FaceTranslate       TranslationSpeech   `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TranslationSubtitle steers the translation of subtitles.
type TranslationSubtitle struct {
	OcrArea        string            `json:",omitzero"` // where old subtitles are read: Auto, or a JSON list of areas
	SubtitleConfig SubtitleTrackClip `json:",omitzero"` // look of the new ones

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TranslationSpeech steers the translation of speech.
type TranslationSpeech struct {
	SubtitleConfig SubtitleTrackClip `json:",omitzero"` // look of the subtitles
	OriginalJobId  string            `json:",omitzero"` // an earlier job whose subtitles were corrected

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// SegmentationParams says how [Client.SubmitSegmentationJob] cuts.
type SegmentationParams struct {
	Mode   string              `json:",omitzero"` // UserDefined for Ranges
	Ranges []SegmentationRange `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// SegmentationRange is a part of a video.
type SegmentationRange struct {
	In  float64 `json:",omitzero"` // seconds
	Out float64 `json:",omitzero"` // seconds

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// ExportConfig says where cut videos go and what they are like.
type ExportConfig struct {
	NeedExport        *bool  `json:",omitzero"`                                 // makes files of them
	OutputMediaTarget string `json:",omitzero" check:"in=oss-object|vod-media"` // oss-object, or vod-media for assets in VOD
	Bucket            string `json:",omitzero"`
	ObjectKey         string `json:",omitzero"` // {index} becomes the number of the video
	Width             int64  `json:",omitzero"` // pixels
	Height            int64  `json:",omitzero"` // pixels
	ExportAsNewMedia  *bool  `json:",omitzero"` // registers each as a media asset

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// HighlightInputConfig is what [Client.SubmitHighlightExtractionJob] looks
// through.
type HighlightInputConfig struct {
	MediaArray []HighlightMedia  `json:",omitzero"`
	Strategy   HighlightStrategy `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// HighlightMedia is one video to look through.
type HighlightMedia struct {
	MediaId  string `json:",omitzero"`
	MediaURL string `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// HighlightStrategy says what to take.
type HighlightStrategy struct {
	Count        int64   `json:",omitzero"` // number of highlights
	ClipDuration float64 `json:",omitzero"` // seconds of each

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// SportsInputConfig is the game that [Client.SubmitSportsHighlightsJob] looks
// through.
type SportsInputConfig struct {
	SportsCategory         string       `json:",omitzero"` // such as basketball
	InputMedia             string       `json:",omitzero"` // URL
	FaceRegister           []SportsFace `json:",omitzero"` // players to find
	SlowMotionLogoRegister SportsLogo   `json:",omitzero"` // what is shown around replays
	TransferNameRegister   []SportsName `json:",omitzero"` // names as they are to be read

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// SportsFace is a player.
type SportsFace struct {
	FaceUrls []string `json:",omitzero"`
	Name     string   `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// SportsLogo holds pictures of the logo around replays.
type SportsLogo struct {
	SlowMotionLogoUrls []string `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// SportsName gives a name on the screen another form.
type SportsName struct {
	OriginalName string `json:",omitzero"`
	TransferName string `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TextGenerateConfig says what [Client.SubmitTextGenerateJob] writes about.
type TextGenerateConfig struct {
	Keywords    string `json:"keywords,omitzero"`    // for titles and marketing copies
	TextLength  int64  `json:"textLength,omitzero"`  // characters, 5 to 1000
	TargetCount int64  `json:"targetCount,omitzero"` // number of texts, 1 to 1000
	OriginText  string `json:"originText,omitzero"`  // for storyboard scripts

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// ChartInput is the data of [Client.SubmitDynamicChartJob].
type ChartInput struct {
	XlsFile string `json:",omitzero"` // OSS URL of an Excel file

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// ChartOutputConfig says where the video of a chart goes and what it is like.
type ChartOutputConfig struct {
	MediaURL string `json:",omitzero" check:"url=oss"`
	Bitrate  int64  `json:",omitzero"` // kbit/s
	Width    int64  `json:",omitzero"` // pixels
	Height   int64  `json:",omitzero"` // pixels

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// ChartConfig is the style of a chart and when it is seen.
type ChartConfig struct {
	Style          string `json:",omitzero"` // such as Normal
	TitleStartTime string `json:",omitzero"` // milliseconds
	ChartStartTime string `json:",omitzero"` // milliseconds
	VideoDuration  string `json:",omitzero"` // milliseconds

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// ChartText is a text of a chart.
type ChartText struct {
	Text      string `json:",omitzero"`
	FontSize  string `json:",omitzero"`
	FontColor string `json:",omitzero"` // such as #000000
	FontFile  string `json:",omitzero"` // name of the font

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// ChartAxisParams is the look of the axes of a chart.
type ChartAxisParams struct {
	FontFile          string `json:",omitzero"` // name of the font
	XAxisFontSize     string `json:",omitzero"`
	YAxisFontSize     string `json:",omitzero"`
	XAxisFontInterval string `json:",omitzero"` // chosen when empty or 0
	AxisColor         string `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// ChartBackground is a color or an image behind a chart.
type ChartBackground struct {
	Color    string `json:",omitzero"` // such as #000000
	ImageUrl string `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}
