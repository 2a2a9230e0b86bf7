package ice

import (
	"encoding/json"

	"github.com/alimedia/alimedia-go"
)

// OutputMediaConfig says where the result of an editing job goes and what it is
// like: to OSS with MediaURL, to VOD with StorageLocation and FileName, to storage
// with the S3 protocol with Endpoint, Bucket, ObjectKey and keys.
//
// Reference: https://help.aliyun.com/document_detail/357745.html
type OutputMediaConfig struct {
	MediaURL        string `json:",omitzero" check:"url=oss"` // in the region of the client; no CDN or accelerated domain
	StorageLocation string `json:",omitzero"`                 // bucket of VOD, such as outin-example.oss-cn-shanghai.aliyuncs.com
	FileName        string `json:",omitzero" check:"ext"`     // with its extension, without a path

	Width       int64       `json:",omitzero"` // pixels, 128 to 4096; the widest material decides when zero
	Height      int64       `json:",omitzero"` // pixels, 128 to 4096; the highest material decides when zero
	Bitrate     int64       `json:",omitzero"` // kbit/s; the highest of the materials when zero
	MaxDuration float64     `json:",omitzero"` // seconds; longer results are cut
	Video       OutputVideo `json:",omitzero"`

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

// OutputVideo is how the video of a result is encoded.
type OutputVideo struct {
	Codec   string   `json:",omitzero"` // H.264 or H.265
	Profile string   `json:",omitzero"` // such as main or high
	Preset  string   `json:",omitzero"` // from fast to good: veryfast, fast, medium or slow
	Crf     *float64 `json:",omitzero"` // constant quality, 0 (the best) to 51
	Fps     float64  `json:",omitzero"` // frames per second

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// EditingProduceConfig holds settings of [Client.SubmitMediaProducingJob] beside
// those of the timeline and of the result.
//
// Reference: https://help.aliyun.com/document_detail/357745.html
type EditingProduceConfig struct {
	AutoRegisterInputVodMedia    *bool              `json:",omitzero"` // registers VOD assets of the timeline in IMS; true when nil
	OutputWebmTransparentChannel *bool              `json:",omitzero"` // keeps transparency in a WebM result; false when nil
	CoverConfig                  ProduceCoverConfig `json:",omitzero"` // the first frame is the cover when absent
	MaxBitrate                   int64              `json:",omitzero"` // kbit/s that the result does not exceed
	KeepOriginMaxBitrate         *bool              `json:",omitzero"` // the result does not exceed the highest bit rate of the materials
	AudioChannelCopy             string             `json:",omitzero"` // how channels of the sound are copied

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// ProduceCoverConfig chooses the frame of a result that becomes its cover.
type ProduceCoverConfig struct {
	StartTime *float64 `json:",omitzero"` // seconds; 0 is the first frame

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// ProduceMediaMetadata describes the asset that an editing job makes.
type ProduceMediaMetadata struct {
	Title       string `json:",omitzero"`
	Description string `json:",omitzero"`
	Tags        string `json:",omitzero"` // separated by commas

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// ProjectMetadata describes the project that an editing job makes or takes.
type ProjectMetadata struct {
	Title       string `json:",omitzero"`
	Description string `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// LiveProjectConfig says where a live editing project puts its results.
type LiveProjectConfig struct {
	OutputMediaConfig LiveProjectOutput `json:",omitzero"`
	OutputMediaTarget string            `json:",omitzero" check:"in=oss-object|vod-media"` // oss-object, which is the default, or vod-media

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// LiveProjectOutput is the storage of a live editing project.
type LiveProjectOutput struct {
	StorageLocation string `json:",omitzero"` // bucket, such as example.oss-cn-shanghai.aliyuncs.com
	Path            string `json:",omitzero"` // folder; the root when empty, without effect for vod-media

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// MaterialMap lists IDs of media assets by their kind, separated by commas, at
// most 10 of a kind.
type MaterialMap struct {
	Video          string `json:"video,omitzero"`
	Audio          string `json:"audio,omitzero"`
	Image          string `json:"image,omitzero"`
	LiveStream     string `json:"liveStream,omitzero"`
	EditingProject string `json:"editingProject,omitzero"`

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
