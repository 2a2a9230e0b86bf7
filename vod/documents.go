package vod

import (
	"encoding/json"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/rpc"
)

// The documents in this file travel as JSON inside one parameter. Each keeps in
// Extra what its fields cannot say: keys without a field, and those that the
// service states as null or empty. So what was read is written back whole. Raw is
// sent verbatim when it is set.

// UserData goes with a media asset and comes back in its events.
type UserData struct {
	MessageCallback  MessageCallback  `json:",omitzero"`
	Extend           any              `json:",omitzero"` // any JSON; returned as it is. The service keeps 512 bytes of it.
	AccelerateConfig AccelerateConfig `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// MessageCallback says where the events of one asset or job go instead of to the
// client's general callback.
type MessageCallback struct {
	CallbackURL  string `json:",omitzero"` // http or https
	CallbackType string `json:",omitzero"` // http or mns
	MnsEndpoint  string `json:",omitzero"`
	MnsQueueName string `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// AccelerateConfig asks for an accelerated upload; the account needs to be
// enabled for it.
type AccelerateConfig struct {
	Type   string `json:",omitzero"` // oss
	Domain string `json:",omitzero"` // such as https://oss-accelerate.aliyuncs.com

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// RegisterMetadata describes one file of [Client.RegisterMedia].
type RegisterMetadata struct {
	// FileURL is the file in its OSS bucket, with a file extension, at most 1024
	// bytes. A name registered before leads to the asset it has.
	FileURL     string `json:",omitzero" check:"required,bytes=1024,ext"`
	Title       string `json:",omitzero" check:"required,bytes=128"` // at most 128 bytes
	Description string `json:",omitzero" check:"bytes=1024"`         // at most 1024 bytes
	Tags        string `json:",omitzero" check:"tags=16x32B"`        // at most 16, separated by commas, of 32 bytes each
	CoverURL    string `json:",omitzero" check:"bytes=1024"`         // at most 1024 bytes
	CateId      int64  `json:",omitzero"`
	ReferenceId string `json:",omitzero" check:"pattern=referenceId"` // your own id: 6 to 64 letters, digits, - and _, unique in the account

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// UploadMetadata describes one file of [Client.UploadMediaByURL]. It belongs to
// the URL that equals SourceURL.
type UploadMetadata struct {
	SourceURL       string `json:",omitzero" check:"required"`
	Title           string `json:",omitzero"`
	Description     string `json:",omitzero"`
	CateId          int64  `json:",omitzero"`
	Tags            string `json:",omitzero"` // separated by commas
	CoverURL        string `json:",omitzero"`
	FileSize        int64  `json:",omitzero"` // bytes
	FileExtension   string `json:",omitzero"` // needed when the URL has none
	TemplateGroupId string `json:",omitzero"` // wins over the one of the request
	WorkflowId      string `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// PlayConfig asks for play URLs that differ from the usual.
//
// Reference: https://help.aliyun.com/document_detail/86952.html
type PlayConfig struct {
	PlayDomain     string          `json:",omitzero"`               // domain of the URLs; the default one when it is not known
	XForwardedFor  string          `json:",omitzero"`               // IP of the player, encrypted with AES/ECB/PKCS5, for review groups
	PreviewTime    string          `json:",omitzero" check:"min=1"` // seconds that may be seen; all of the video when empty
	MtsHlsUriToken alimedia.Secret `json:",omitzero"`               // token for the key of HLS encryption
	// EncryptType is Unencrypted, AliyunVoDEncryption or HLSEncryption; streams of any
	// kind when empty.
	EncryptType string `json:",omitzero" check:"in=Unencrypted|AliyunVoDEncryption|HLSEncryption"`
	// StorageClass is All, Standard, IA, Archive, ColdArchive, SourceIA, SourceArchive,
	// SourceColdArchive, Changing or SourceChanging.
	StorageClass string `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// ReAuthInfo goes into the auth_key of URLs signed by type A.
type ReAuthInfo struct {
	Uid  string `json:"uid,omitzero"`  // your id of the user; 0 when empty
	Rand string `json:"rand,omitzero"` // a random number, which makes each URL differ

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// EncryptConfig is how HLS standard encryption gets its key.
type EncryptConfig struct {
	CipherText     string `json:",omitzero" check:"required"` // the key in encrypted form, from [Client.GenerateKMSDataKey]
	DecryptKeyUri  string `json:",omitzero" check:"required"` // where players get the key for the CipherText
	KeyServiceType string `json:",omitzero"`                  // KMS, which is the default

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

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

// Timeline arranges tracks of clips into a video. What is inside of a clip or an
// effect is the reference's to say: pass structs or maps of your own.
//
// Reference: https://help.aliyun.com/document_detail/52839.html
type Timeline struct {
	VideoTracks    []VideoTrack    `json:",omitzero" check:"items=100"` // the first lies at the bottom
	AudioTracks    []AudioTrack    `json:",omitzero"`
	ImageTracks    []ImageTrack    `json:",omitzero" check:"items=100"`
	SubtitleTracks []SubtitleTrack `json:",omitzero" check:"items=100"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// VideoTrack holds videos and images; each clip needs a MediaId.
type VideoTrack struct {
	VideoTrackClips []any `json:",omitzero" check:"required"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// AudioTrack holds sounds, and the sound of videos.
type AudioTrack struct {
	AudioTrackClips []any `json:",omitzero" check:"required"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// ImageTrack lays images over the video.
type ImageTrack struct {
	ImageTrackClips []any `json:",omitzero" check:"required"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// SubtitleTrack holds texts and subtitle files.
type SubtitleTrack struct {
	SubtitleTrackClips []any `json:",omitzero" check:"required"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// VideoUpdate is what [Client.UpdateVideoInfos] changes of one video; what is zero
// stays as it is.
type VideoUpdate struct {
	VideoId     string `json:",omitzero" check:"required"`
	Title       string `json:",omitzero" check:"bytes=128"`   // at most 128 bytes
	Description string `json:",omitzero" check:"bytes=1024"`  // at most 1024 bytes
	Tags        string `json:",omitzero" check:"tags=16x32B"` // at most 16, separated by commas, of 32 bytes each
	CoverURL    string `json:",omitzero"`
	CateId      int64  `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// Snapshots are the URLs of snapshots of a video. Some operations wrap the list
// in an object; both ways of it are read.
type Snapshots []string

// UnmarshalJSON reads a list, an object with the list as its Snapshot, either
// as JSON text, or one URL.
func (s *Snapshots) UnmarshalJSON(data []byte) error {
	return rpc.Decode(data, (*[]string)(s))
}
