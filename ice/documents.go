package ice

import (
	"encoding/json"

	"github.com/alimedia/alimedia-go"
)

// The documents in this file travel as JSON inside one parameter. Each keeps in
// Extra what its fields cannot say: keys without a field, and those that the
// service states as null or empty. So what was read is written back whole. Raw is
// sent verbatim when it is set.

// UserData goes with a media asset or a job and comes back in its events. Keys of
// your own go into Extend, or into Extra to stand beside the fields.
type UserData struct {
	MessageCallback MessageCallback `json:",omitzero"`
	Extend          any             `json:",omitzero"` // any JSON; returned as it is. The service keeps 512 bytes of it.

	// Callback URL, or queue of Simple Message Queue, for the end of a job and for the
	// end of the analysis of the asset that a job made.
	NotifyAddress              string `json:",omitzero"`
	RegisterMediaNotifyAddress string `json:",omitzero"`

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

// UploadFileInfo describes the file of [CreateUploadMediaRequest].
type UploadFileInfo struct {
	Type string `json:",omitzero" check:"required,in=video|image|audio|text|other"`
	Name string `json:",omitzero" check:"required"` // without extension
	Ext  string `json:",omitzero" check:"required"` // such as mp4
	Size int64  `json:",omitzero"`                  // bytes

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// MediaMetaData describes the asset that [Client.CreateUploadMedia] makes.
type MediaMetaData struct {
	Title       string `json:",omitzero" check:"required,runes=128"`
	Description string `json:",omitzero" check:"runes=1024"`
	CateId      int64  `json:",omitzero"`
	Tags        string `json:",omitzero"` // separated by commas
	// BusinessType depends on the type of the file: opening or ending of a video,
	// default, cover or watermark of an image, subtitles or font of a text, general
	// of all others.
	BusinessType    string `json:",omitzero" check:"required"`
	CoverURL        string `json:",omitzero"`
	DynamicMetaData string `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// UploadMetadata describes one file of [Client.UploadMediaByURL]. It belongs to
// the URL that equals SourceURL.
type UploadMetadata struct {
	SourceURL     string `json:",omitzero" check:"required"`
	Title         string `json:",omitzero"`
	Description   string `json:",omitzero"`
	CateId        int64  `json:",omitzero"`
	Tags          string `json:",omitzero"` // separated by commas
	CoverURL      string `json:",omitzero"`
	BusinessType  string `json:",omitzero"`
	FileSize      int64  `json:",omitzero"` // bytes
	FileExtension string `json:",omitzero"` // needed when the URL has none

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// PostProcessConfig names what is done with the file after its upload.
type PostProcessConfig struct {
	ProcessType string `json:",omitzero"` // Workflow
	ProcessID   string `json:",omitzero"` // the id of the workflow

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// UploadTargetConfig names the storage of an upload.
type UploadTargetConfig struct {
	StorageType     string `json:",omitzero"` // oss
	StorageLocation string `json:",omitzero"` // such as outin-example.oss-cn-shanghai.aliyuncs.com

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// RegisterConfig steers what [Client.RegisterMediaInfo] makes of a video.
type RegisterConfig struct {
	NeedSprite    *bool       `json:",omitzero"` // true when absent
	NeedSnapshot  *bool       `json:",omitzero"` // true when absent
	CoverConfig   CoverConfig `json:",omitzero"`
	SearchLibName string      `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// CoverConfig chooses the frame that becomes the cover.
type CoverConfig struct {
	StartTime *float64 `json:",omitzero"` // seconds, up to four decimals; 0 is the first frame

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// Timeline arranges tracks of clips into a video. It needs a video or an audio
// track. What is inside of a clip or an effect is the reference's to say: pass
// structs or maps of your own.
//
// Reference: https://help.aliyun.com/document_detail/198823.html
type Timeline struct {
	VideoTracks    []VideoTrack    `json:",omitzero" check:"items=100"` // the first lies at the bottom
	AudioTracks    []AudioTrack    `json:",omitzero"`
	ImageTracks    []ImageTrack    `json:",omitzero" check:"items=100"` // video tracks take images too, and supersede these
	SubtitleTracks []SubtitleTrack `json:",omitzero" check:"items=100"`
	EffectTracks   []EffectTrack   `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// VideoTrack holds videos and images, one after the other or at times of their
// own.
type VideoTrack struct {
	Type             string `json:",omitzero"` // Effect for a track of effects; else empty
	MainTrack        *bool  `json:",omitzero"` // the track whose length the others follow
	TrackShortenMode string `json:",omitzero"` // AutoSpeed: speed up when longer than the main track
	TrackExpandMode  string `json:",omitzero"` // AutoSpeed: slow down when shorter than the main track
	VideoTrackClips  []any  `json:",omitzero" check:"required"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// AudioTrack holds sounds, and the sound of videos.
type AudioTrack struct {
	MainTrack        *bool  `json:",omitzero"` // the track whose length the others follow
	TrackShortenMode string `json:",omitzero"` // AutoSpeed: speed up when longer than the main track
	TrackExpandMode  string `json:",omitzero"` // AutoSpeed: slow down when shorter than the main track
	AudioTrackClips  []any  `json:",omitzero" check:"required"`

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

// EffectTrack holds effects on the whole picture.
type EffectTrack struct {
	EffectTrackItems []any `json:",omitzero" check:"required"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// OutputMediaConfig says where the result of an editing job goes and what it is
// like: to OSS with MediaURL, to VOD with StorageLocation and FileName, to storage
// with the S3 protocol with Endpoint, Bucket, ObjectKey and keys.
//
// Reference: https://help.aliyun.com/document_detail/357745.html
type OutputMediaConfig struct {
	MediaURL        string `json:",omitzero" check:"url=oss"` // in the region of the client; no CDN or accelerated domain
	StorageLocation string `json:",omitzero"`                 // bucket of VOD, such as outin-example.oss-cn-shanghai.aliyuncs.com
	FileName        string `json:",omitzero" check:"ext"`     // with its extension, without a path

	Width       int64   `json:",omitzero"` // pixels; the widest material decides when zero
	Height      int64   `json:",omitzero"` // pixels; the highest material decides when zero
	Bitrate     int64   `json:",omitzero"` // kbit/s; the highest of the materials when zero
	MaxDuration float64 `json:",omitzero"` // seconds
	Video       any     `json:",omitzero"` // encoding, such as {"Codec":"H.265","Crf":27}

	ProduceTemplateId  string `json:",omitzero"` // transcoding template that makes the result
	VodTemplateGroupId string `json:",omitzero"` // what VOD makes of it; VOD_NO_TRANSCODE: nothing

	Endpoint        string          `json:",omitzero"`
	Bucket          string          `json:",omitzero"`
	ObjectKey       string          `json:",omitzero"`
	AccessKeyId     string          `json:",omitzero"` // temporary
	AccessKeySecret alimedia.Secret `json:",omitzero"` // temporary

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// ProjectExportConfig says where [Client.SubmitProjectExportJob] puts a project:
// into a bucket of your own.
type ProjectExportConfig struct {
	Bucket string `json:",omitzero" check:"required"`
	Prefix string `json:",omitzero"` // folder; the root when empty
	Width  int64  `json:",omitzero"` // pixels; estimated when zero
	Height int64  `json:",omitzero"` // pixels; estimated when zero

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// LiveStreamConfig names the live stream that [Client.SubmitLiveEditingJob] takes
// its clips from.
type LiveStreamConfig struct {
	AppName    string `json:",omitzero"`
	DomainName string `json:",omitzero"`
	StreamName string `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// LiveEditingClip is a span of a recorded live stream.
type LiveEditingClip struct {
	StartTime string `json:",omitzero" check:"required"` // UTC, such as 2026-01-02T15:04:05Z
	EndTime   string `json:",omitzero" check:"required"` // UTC

	// The stream, where it is not the one of LiveStreamConfig.
	AppName    string `json:",omitzero"`
	DomainName string `json:",omitzero"`
	StreamName string `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// LiveProduceConfig says how exactly [Client.SubmitLiveEditingJob] cuts.
type LiveProduceConfig struct {
	// Mode is AccurateFast (the default: exact and fast, in the size of the stream),
	// Accurate (exact, in any size), Rough (whole TS segments, in any size) or
	// RoughFast (whole TS segments, in the size of the stream).
	Mode string `json:",omitzero" check:"in=AccurateFast|Accurate|Rough|RoughFast"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// MediaMark is a labelled span of a media asset. The MediaMarks of
// [Client.GetMediaMarks] decode into a list of it.
type MediaMark struct {
	MarkId        string `json:",omitzero"` // given by the service; needed to change a mark
	MarkStartTime string `json:",omitzero"` // seconds, such as 12.1
	MarkEndTime   string `json:",omitzero"` // seconds
	MarkTag       string `json:",omitzero"`
	MarkContent   string `json:",omitzero"`
	MarkStatus    string `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// CustomFilters narrows a search by the custom fields of the assets. All that are
// set must match: a value exactly, a list in any of its values, or a [Range].
//
//	ice.CustomFilters{IntField1: ice.Range{GTE: 12, LTE: 13}, StrField1: []string{"abc", "cd"}}
type CustomFilters struct {
	IntField1 any `json:"intField1,omitzero"`
	StrField1 any `json:"strField1,omitzero"`
	StrField2 any `json:"strField2,omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// Range is both ends of a filter, themselves included. One may be absent.
type Range struct {
	GTE any `json:"gte,omitzero"`
	LTE any `json:"lte,omitzero"`
}
