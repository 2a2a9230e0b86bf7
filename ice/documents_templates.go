package ice

import (
	"encoding/json"

	"github.com/alimedia/alimedia-go"
)

// Types of templates.
const (
	TemplateTranscode      = 1
	TemplateSnapshot       = 2
	TemplateAnimatedImage  = 3
	TemplateImageWatermark = 4
	TemplateTextWatermark  = 5
	TemplateSubtitle       = 6
)

// CustomTemplateConfig is the configuration of a template; its fields depend on
// the type of the template. A transcoding template has Container, Video, Audio,
// MuxConfig and TransConfig.
//
// Reference: https://help.aliyun.com/document_detail/448291.html
type CustomTemplateConfig struct {
	Container   TemplateContainer   `json:",omitzero"`
	Video       TemplateVideo       `json:",omitzero"`
	Audio       TemplateAudio       `json:",omitzero"`
	MuxConfig   TemplateMuxConfig   `json:",omitzero"`
	TransConfig TemplateTransConfig `json:",omitzero"`

	// A snapshot template has Type, FrameType, Time, Count, Interval, Width, Height
	// and the following.
	Type                 string         `json:",omitzero"` // Normal, Sprite, WebVtt or Cover
	FrameType            string         `json:",omitzero"` // intra for I-frames, which is the default, or normal
	Time                 *int64         `json:",omitzero"` // milliseconds where to begin
	Count                int64          `json:",omitzero"` // number of snapshots
	Interval             *int64         `json:",omitzero"` // seconds between them
	BlackLevel           *int64         `json:",omitzero"` // share of black pixels, in percent, from which a first frame counts as black and is passed over
	PixelBlackThreshold  *int64         `json:",omitzero"` // color value up to which a pixel is black
	IsSptFrag            *bool          `json:",omitzero"` // joins WebVTT thumbnails into sprites
	SpriteSnapshotConfig TemplateSprite `json:",omitzero"`

	// A template of animated images has Width, Height and the following. Format is
	// that of a subtitle template too.
	Format        string           `json:",omitzero"` // gif or webp; of subtitles: ass, srt, vtt, ttml or stl
	Fps           float64          `json:",omitzero"` // frames per second, 1 to 60
	ScanMode      string           `json:",omitzero"` // progressive, which is the default, or interlaced
	LongShortMode *bool            `json:",omitzero"` // Width is the long side and Height the short one; true when nil
	TimeSpan      TemplateTimeSpan `json:",omitzero"`

	// Pixels in a snapshot and an animated image (128 to 4096). Of an image watermark:
	// pixels from 8 to 4096, or a share of the video between 0 and 1.
	Width    float64          `json:",omitzero"`
	Height   float64          `json:",omitzero"`
	Dx       float64          `json:",omitzero"` // distance of an image watermark from ReferPos: pixels or a share
	Dy       float64          `json:",omitzero"` // distance from ReferPos: pixels or a share
	ReferPos string           `json:",omitzero"` // TopRight, which is the default, TopLeft, BottomRight or BottomLeft
	Timeline TemplateTimeline `json:",omitzero"` // when a watermark is seen
	File     MediaRef         `json:",omitzero"` // image of a watermark, or subtitle file
	CharEnc  string           `json:",omitzero"` // of a subtitle file: UTF-8, GBK, BIG5 or auto

	// A text watermark has the following and Timeline.
	Content     string `json:",omitzero"`
	FontName    string `json:",omitzero"`
	FontColor   string `json:",omitzero"`
	FontAlpha   string `json:",omitzero"` // more than 0, at most 1
	FontSize    int64  `json:",omitzero"`
	Adaptive    string `json:",omitzero"` // true: the size follows the video
	Top         int64  `json:",omitzero"` // pixels
	Left        int64  `json:",omitzero"` // pixels
	BorderColor string `json:",omitzero"`
	BorderWidth int64  `json:",omitzero"` // pixels

	FaceCategoryIds string `json:",omitzero"` // of a smart tag template: face libraries, separated by commas

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TemplateContainer is the format of a file.
type TemplateContainer struct {
	Format string `json:",omitzero"` // such as mp4, m3u8, flv or mp3

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TemplateVideo is how a video is encoded. The numbers are texts.
type TemplateVideo struct {
	Codec         string `json:",omitzero"` // such as H.264 or H.265
	Profile       string `json:",omitzero"` // of H.264: baseline, main or high
	Preset        string `json:",omitzero"` // of H.264, such as medium
	Bitrate       string `json:",omitzero"` // kbit/s, 10 to 50000; without effect beside Crf
	Crf           string `json:",omitzero"` // constant quality, 0 (the best) to 51
	Maxrate       string `json:",omitzero"` // kbit/s, 10 to 50000
	Bufsize       string `json:",omitzero"` // kbit, 1000 to 128000
	AbrMax        string `json:",omitzero"` // kbit/s, 10 to 50000; of Narrowband HD 1.0
	Width         string `json:",omitzero"` // pixels, 128 to 4096
	Height        string `json:",omitzero"` // pixels, 128 to 4096
	Fps           string `json:",omitzero"` // frames per second, up to 60
	Gop           string `json:",omitzero"` // frames between keyframes; 250 when empty
	ScanMode      string `json:",omitzero"` // interlaced or progressive
	PixFmt        string `json:",omitzero"` // yuv420p or yuvj420p
	LongShortMode string `json:",omitzero"` // true: Width and Height are the long and the short side
	Crop          string `json:",omitzero"` // width:height:left:top, or auto to cut black borders
	Pad           string `json:",omitzero"` // width:height:left:top
	Remove        string `json:",omitzero"` // true: no video at all

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TemplateAudio is how a sound is encoded. The numbers are texts.
type TemplateAudio struct {
	Codec      string         `json:",omitzero"` // AAC, MP3, VORBIS or FLAC
	Profile    string         `json:",omitzero"` // of AAC, such as aac_low
	Bitrate    string         `json:",omitzero"` // kbit/s, 8 to 1000; 128 when empty
	Samplerate string         `json:",omitzero"` // Hz; 44100 when empty
	Channels   string         `json:",omitzero"`
	Volume     TemplateVolume `json:",omitzero"`
	Remove     string         `json:",omitzero"` // true: no sound at all

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TemplateVolume is how the loudness is adjusted.
type TemplateVolume struct {
	Method                   string `json:",omitzero"` // such as auto
	IntegratedLoudnessTarget string `json:",omitzero"` // LUFS
	LoudnessRangeTarget      string `json:",omitzero"` // LU
	TruePeak                 string `json:",omitzero"` // dBTP

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TemplateMuxConfig is how the output is cut into segments.
type TemplateMuxConfig struct {
	Segment TemplateSegment `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TemplateSegment is a segment of HLS.
type TemplateSegment struct {
	Duration     string `json:",omitzero"` // seconds
	ForceSegTime string `json:",omitzero"` // times to cut at in seconds, separated by commas

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TemplateTransConfig says what happens when a file has less than the template
// asks for: with IsCheckReso and the like it keeps what it has, with those that
// end in Fail the job fails. Values are true or false.
type TemplateTransConfig struct {
	TransMode               string `json:",omitzero"` // rate control: onepass, twopass or CBR
	AdjDarMethod            string `json:",omitzero"` // for another aspect ratio: rescale, crop, pad or none
	IsCheckReso             string `json:",omitzero"`
	IsCheckResoFail         string `json:",omitzero"`
	IsCheckVideoBitrate     string `json:",omitzero"`
	IsCheckVideoBitrateFail string `json:",omitzero"`
	IsCheckAudioBitrate     string `json:",omitzero"`
	IsCheckAudioBitrateFail string `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TemplateSprite is how snapshots are joined into one picture.
type TemplateSprite struct {
	CellWidth  int64  `json:",omitzero"` // pixels; that of a snapshot when zero
	CellHeight int64  `json:",omitzero"` // pixels; that of a snapshot when zero
	Padding    int64  `json:",omitzero"` // pixels between snapshots
	Margin     int64  `json:",omitzero"` // pixels around them
	Columns    int64  `json:",omitzero"` // snapshots in a row
	Lines      int64  `json:",omitzero"` // rows
	Color      string `json:",omitzero"` // background, such as #000000

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TemplateTimeSpan is a part of a video. Times are seconds or hh:mm:ss.SSS.
type TemplateTimeSpan struct {
	Seek     string `json:",omitzero"` // where it begins
	Duration string `json:",omitzero"` // its length
	End      string `json:",omitzero"` // how much is left out at the end; wins over Duration

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TemplateTimeline is when a watermark is seen.
type TemplateTimeline struct {
	Start    string `json:",omitzero"` // seconds or hh:mm:ss.SSS
	Duration string `json:",omitzero"` // seconds, hh:mm:ss.SSS or ToEND, which is the default

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// MediaConvertJobConfig is what [Client.SubmitMediaConvertJob] does.
//
// Reference:
// https://www.alibabacloud.com/help/en/ims/developer-reference/api-ice-2020-11-09-struct-mediaconvertjobconfig
type MediaConvertJobConfig struct {
	JobName      string               `json:",omitzero" check:"bytes=64"` // at most 64 bytes
	Inputs       []MediaConvertSource `json:",omitzero"`
	OutputGroups []MediaConvertGroup  `json:",omitzero"`
	Outputs      []MediaConvertTarget `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// MediaConvertSource is an input of a conversion.
type MediaConvertSource struct {
	Name      string   `json:",omitzero"` // by which outputs refer to it
	InputFile MediaRef `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// MediaConvertGroup makes several outputs that belong together.
type MediaConvertGroup struct {
	Name        string                  `json:",omitzero"`
	GroupConfig MediaConvertGroupConfig `json:",omitzero"`
	Outputs     []MediaConvertTarget    `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// MediaConvertGroupConfig says what a group of outputs becomes.
type MediaConvertGroupConfig struct {
	Type           string               `json:",omitzero"` // File (files of their own), Hls or Dash
	OutputFileBase MediaRef             `json:",omitzero"` // folder of the files
	ManifestName   string               `json:",omitzero"` // name of the playlist of Hls and Dash
	ManifestExtend MediaConvertManifest `json:",omitzero"` // a playlist to go on with

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// MediaConvertManifest adds the outputs of a group to a playlist that there is.
type MediaConvertManifest struct {
	InputRef string                `json:",omitzero"` // Name of the input that is the playlist
	Excludes []MediaConvertExclude `json:",omitzero"` // streams of it to leave out

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// MediaConvertExclude is a condition for streams; all its fields must match.
type MediaConvertExclude struct {
	Type     string `json:",omitzero"` // Audio or Subtitle
	Name     string `json:",omitzero"`
	Language string `json:",omitzero"` // RFC 5646, such as en

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// MediaConvertTarget is one output of a conversion.
type MediaConvertTarget struct {
	Name           string               `json:",omitzero"`
	TemplateId     string               `json:",omitzero"`
	OutputFile     MediaRef             `json:",omitzero"` // of an output without a group
	OutputFileName string               `json:",omitzero"` // of an output in a group
	Priority       int64                `json:",omitzero"`
	OverrideParams MediaConvertOverride `json:",omitzero"`
	Features       MediaConvertFeatures `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// MediaConvertOverride replaces settings of a transcoding template.
type MediaConvertOverride struct {
	Container   TemplateContainer   `json:",omitzero"`
	Video       TemplateVideo       `json:",omitzero"`
	Audio       TemplateAudio       `json:",omitzero"`
	MuxConfig   TemplateMuxConfig   `json:",omitzero"`
	TransConfig TemplateTransConfig `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// MediaConvertFeatures is what a conversion does beside encoding.
type MediaConvertFeatures struct {
	Clip       MediaConvertClip        `json:",omitzero"`
	Watermarks []MediaConvertWatermark `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// MediaConvertClip takes a part of the input.
type MediaConvertClip struct {
	TimeSpan              TemplateTimeSpan `json:",omitzero"`
	ConfigToClipFirstPart string           `json:",omitzero"` // true: the first of several inputs is cut before they are joined

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// MediaConvertWatermark is an image or text over the video; what it states wins
// over its template.
type MediaConvertWatermark struct {
	Type        string           `json:",omitzero"` // Image or Text; that of the template when empty
	TemplateId  string           `json:",omitzero"`
	X           string           `json:",omitzero"` // pixels or a share of the width
	Y           string           `json:",omitzero"` // pixels or a share of the height
	Width       string           `json:",omitzero"`
	Height      string           `json:",omitzero"`
	ReferPos    string           `json:",omitzero"` // corner that X and Y are measured from
	File        MediaRef         `json:",omitzero"`
	Timeline    TemplateTimeline `json:",omitzero"`
	Content     string           `json:",omitzero"`
	FontName    string           `json:",omitzero"`
	FontColor   string           `json:",omitzero"`
	FontAlpha   string           `json:",omitzero"` // more than 0, at most 1
	FontSize    string           `json:",omitzero"`
	Adaptive    string           `json:",omitzero"` // true: the size follows the video
	BorderColor string           `json:",omitzero"`
	BorderWidth string           `json:",omitzero"` // pixels

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}
