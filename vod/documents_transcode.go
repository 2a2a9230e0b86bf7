package vod

import (
	"encoding/json"

	"github.com/alimedia/alimedia-go"
)

// OverrideParams replaces parts of a template for one job.
//
// Reference: https://help.aliyun.com/document_detail/98618.html
type OverrideParams struct {
	Watermarks             []WatermarkOverride    `json:",omitzero"`
	SubtitleSetting        SubtitleSetting        `json:",omitzero"` // the template must have subtitles
	PackageSubtitleSetting PackageSubtitleSetting `json:",omitzero"` // subtitles of an adaptive stream
	// TranscodeTemplateList changes Video, Audio, Clip, Rotate and
	// TranscodeFileRegular of the templates its TranscodeTemplateId name; nothing of
	// those with the definition OD.
	TranscodeTemplateList []TranscodeTemplate `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// WatermarkOverride gives a watermark of the template another picture or text.
type WatermarkOverride struct {
	WatermarkId string `json:",omitzero" check:"required"`
	FileUrl     string `json:",omitzero" check:"url=oss"` // picture, in the storage location of the video
	Content     string `json:",omitzero"`                 // text

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// SubtitleSetting lists subtitle files.
type SubtitleSetting struct {
	SubtitleList []Subtitle `json:",omitzero" check:"required"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// Subtitle is a subtitle file.
type Subtitle struct {
	SubtitleUrl string `json:",omitzero" check:"required,url=http"` // http URL in OSS; neither https nor a CDN domain
	CharEncode  string `json:",omitzero"`                           // UTF-8, GBK, BIG5 or auto, which guesses

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// PackageSubtitleSetting lists the subtitle files of an adaptive stream.
type PackageSubtitleSetting struct {
	PackageSubtitleList []PackageSubtitle `json:",omitzero" check:"required"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// PackageSubtitle replaces the subtitle that the template has for a language.
type PackageSubtitle struct {
	SubtitlePackageTemplateId string `json:",omitzero" check:"required"`
	Language                  string `json:",omitzero" check:"required"`          // RFC 5646, such as en-US
	SubtitleUrl               string `json:",omitzero" check:"required,url=http"` // http URL in a bucket of VOD; neither https nor a CDN domain

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TranscodeTemplate is one output of a transcoding template group. What is zero
// is not sent, as the service asks for Width and Height.
//
// Reference: https://help.aliyun.com/document_detail/52839.html
type TranscodeTemplate struct {
	TranscodeTemplateId string `json:",omitzero"` // of an existing template, to change it
	TemplateName        string `json:",omitzero"`
	Type                string `json:",omitzero"` // Normal (the default), VideoPackage or SubtitlePackage
	// Definition is LD, SD, HD, FHD, OD, 2K or 4K, with the suffix -NBV1 for
	// Narrowband HD 1.0, or SQ and HQ for sound. It can't be changed later.
	Definition   string             `json:",omitzero"`
	Container    TranscodeContainer `json:",omitzero"`
	Video        TranscodeVideo     `json:",omitzero"`
	Audio        TranscodeAudio     `json:",omitzero"`
	TransConfig  TransConfig        `json:",omitzero"`
	MuxConfig    TranscodeMuxConfig `json:",omitzero"` // segments of HLS
	WatermarkIds []string           `json:",omitzero"` // USER_DEFAULT_WATERMARK is the default one
	SubtitleList []Subtitle         `json:",omitzero"`

	EncryptSetting EncryptSetting `json:",omitzero"` // of HLS only
	PackageSetting PackageSetting `json:",omitzero"` // needed by package templates

	Clip                 TranscodeClip `json:",omitzero"` // only a part of the video
	Rotate               string        `json:",omitzero"` // degrees, 0 to 360
	TranscodeFileRegular string        `json:",omitzero"` // path of the output, such as {MediaId}/{JobId}/{PlayDefinition}

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TranscodeContainer is the format of a file.
type TranscodeContainer struct {
	Format string `json:",omitzero" check:"required"` // such as mp4, m3u8, flv or mp3

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TranscodeVideo is how a video stream is encoded.
type TranscodeVideo struct {
	Codec         string   `json:",omitzero"` // such as H.264 or H.265
	Profile       string   `json:",omitzero"` // such as baseline, main or high
	Preset        string   `json:",omitzero"` // such as fast or medium
	Bitrate       int64    `json:",omitzero"` // kbit/s
	Crf           *float64 `json:",omitzero"` // constant quality instead of Bitrate, 0 (the best) to 51
	Maxrate       int64    `json:",omitzero"` // kbit/s
	Bufsize       int64    `json:",omitzero"` // kbit
	Width         int64    `json:",omitzero"` // pixels
	Height        int64    `json:",omitzero"` // pixels
	Fps           float64  `json:",omitzero"` // frames per second
	Gop           int64    `json:",omitzero"` // frames between keyframes
	ScanMode      string   `json:",omitzero"` // interlaced or progressive
	PixFmt        string   `json:",omitzero"` // such as yuv420p
	LongShortMode *bool    `json:",omitzero"` // Width and Height are the long and the short side
	Remove        *bool    `json:",omitzero"` // no video at all

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TranscodeAudio is how an audio stream is encoded.
type TranscodeAudio struct {
	Codec      string `json:",omitzero"` // such as AAC or MP3
	Profile    string `json:",omitzero"` // such as aac_low
	Bitrate    int64  `json:",omitzero"` // kbit/s
	Samplerate int64  `json:",omitzero"` // Hz
	Channels   int64  `json:",omitzero"`
	Remove     *bool  `json:",omitzero"` // no sound at all

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TransConfig says what happens when the file has less than the template asks
// for: with IsCheckReso and the like it keeps what it has, with those that end in
// Fail the job fails.
type TransConfig struct {
	IsCheckReso             *bool  `json:",omitzero"`
	IsCheckResoFail         *bool  `json:",omitzero"`
	IsCheckVideoBitrate     *bool  `json:",omitzero"`
	IsCheckVideoBitrateFail *bool  `json:",omitzero"`
	IsCheckAudioBitrate     *bool  `json:",omitzero"`
	IsCheckAudioBitrateFail *bool  `json:",omitzero"`
	AdjDarMethod            string `json:",omitzero"` // for another aspect ratio: rescale, crop, pad or none
	TransMode               string `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TranscodeMuxConfig is how the output is cut into segments.
type TranscodeMuxConfig struct {
	Segment TranscodeSegment `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TranscodeSegment is one segment of HLS.
type TranscodeSegment struct {
	Duration int64 `json:",omitzero"` // seconds

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// EncryptSetting is the encryption of HLS output.
type EncryptSetting struct {
	EncryptType string `json:",omitzero" check:"required"` // Private (of Alibaba Cloud) or HLSEncryption

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// PackageSetting is how the streams of a group become one adaptive stream.
type PackageSetting struct {
	PackageType   string        `json:",omitzero" check:"required"` // HLSPackage
	PackageConfig PackageConfig `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// PackageConfig describes a stream in the playlist of an adaptive stream.
type PackageConfig struct {
	BandWidth int64 `json:",omitzero"` // bit/s

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TranscodeClip takes a part out of a video.
type TranscodeClip struct {
	TimeSpan TranscodeTimeSpan `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// TranscodeTimeSpan is a part of a video.
type TranscodeTimeSpan struct {
	Seek     string `json:",omitzero"` // where it begins, seconds
	Duration string `json:",omitzero"` // seconds

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// WatermarkConfig is the place and the looks of a watermark: an image needs Dx, Dy,
// Width, Height and ReferPos, a text its Content. Distances of an image are pixels,
// 8 to 4096, or shares of the video between 0 and 1.
//
// Reference: https://help.aliyun.com/document_detail/98618.html
type WatermarkConfig struct {
	Dx       string            `json:",omitzero"`
	Dy       string            `json:",omitzero"`
	Width    string            `json:",omitzero"`
	Height   string            `json:",omitzero"`
	ReferPos string            `json:",omitzero" check:"in=BottomRight|BottomLeft|TopRight|TopLeft"` // the corner that Dx and Dy are measured from
	Timeline WatermarkTimeline `json:",omitzero"`

	Content     string `json:",omitzero"`
	FontName    string `json:",omitzero"`
	FontColor   string `json:",omitzero"`
	FontAlpha   string `json:",omitzero"`                       // more than 0, at most 1, which is the default
	FontSize    int64  `json:",omitzero" check:"min=5,max=119"` // 16 when zero
	Top         int64  `json:",omitzero" check:"max=4096"`      // pixels
	Left        int64  `json:",omitzero" check:"max=4096"`      // pixels
	BorderColor string `json:",omitzero"`
	BorderWidth int64  `json:",omitzero" check:"max=4096"` // pixels

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// WatermarkTimeline is when a watermark is seen.
type WatermarkTimeline struct {
	Start    string `json:",omitzero"` // seconds
	Duration string `json:",omitzero"` // seconds, or ToEND, which is the default

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}
