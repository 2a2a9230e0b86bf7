package vod

import (
	"encoding/json"

	"github.com/alimedia/alimedia-go"
)

// VodTemplateConfig is the configuration of a template of snapshots. That of a
// template of animated images goes into Raw.
//
// Reference:
// https://www.alibabacloud.com/help/en/vod/developer-reference/parameters-for-media-processing
type VodTemplateConfig struct {
	SnapshotType   string         `json:",omitzero"` // of snapshots: NormalSnapshot, CoverSnapshot, SpriteSnapshot or WebVttSnapshot
	FrameType      string         `json:",omitzero"` // normal, or intra for I-frames
	SnapshotConfig SnapshotConfig `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// SnapshotConfig says which snapshots are taken and what they are like.
type SnapshotConfig struct {
	Count                int64                `json:",omitzero"` // number of snapshots
	SpecifiedOffsetTime  *int64               `json:",omitzero"` // milliseconds where to begin
	Interval             *int64               `json:",omitzero"` // seconds between them; 0 spreads them evenly
	FrameType            string               `json:",omitzero"` // normal, or intra for I-frames
	Width                int64                `json:",omitzero"` // pixels, 8 to 4096
	Height               int64                `json:",omitzero"` // pixels, 8 to 4096
	SpriteSnapshotConfig SpriteSnapshotConfig `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// SpriteSnapshotConfig is how snapshots are joined into one picture. The numbers
// are texts.
type SpriteSnapshotConfig struct {
	CellWidth  string `json:",omitzero"` // pixels; that of a snapshot when empty
	CellHeight string `json:",omitzero"` // pixels; that of a snapshot when empty
	Columns    string `json:",omitzero"` // snapshots in a row
	Lines      string `json:",omitzero"` // rows
	Padding    string `json:",omitzero"` // pixels between snapshots
	Margin     string `json:",omitzero"` // pixels around them
	Color      string `json:",omitzero"` // background

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// AITemplateConfig is the configuration of a template of automated reviews or
// smart covers.
//
// Reference:
// https://alibabacloud.com/help/en/vod/developer-reference/parameter-description-of-video-ai
type AITemplateConfig struct {
	AuditItem       []string `json:",omitzero"` // what to look for: terrorism, porn, ad, logo, live or audio
	AuditRange      []string `json:",omitzero"` // where: video, image-cover or text-title
	AuditContent    []string `json:",omitzero"` // in a video: screen
	AuditAutoBlock  string   `json:",omitzero"` // yes: what fails the review is blocked; no
	SetDefaultCover string   `json:",omitzero"` // of smart covers: true takes the best picture as the cover

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// AIJobConfig steers the jobs of [Client.SubmitAIJob].
type AIJobConfig struct {
	AIVideoTag AIVideoTagConfig `json:",omitzero"`
	AIMediaDNA AIMediaDNAConfig `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// AIVideoTagConfig says what smart tags are made from.
type AIVideoTagConfig struct {
	AnalyseTypes string `json:",omitzero"` // ASR (speech) or OCR (texts in the picture), separated by commas

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// AIMediaDNAConfig names the library of a search for similar videos.
type AIMediaDNAConfig struct {
	DNADBId string `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// MediaAuditConfiguration steers the rules of a review.
type MediaAuditConfiguration struct {
	ResourceType string `json:",omitzero"` // letters, digits and underscores; support sets rules of your own for it

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// MediaAudit is the result of reviewing a media asset.
type MediaAudit struct {
	VideoId string `json:",omitzero" check:"required"`
	Status  string `json:",omitzero" check:"required,in=Normal|Blocked"` // Normal or Blocked
	Reason  string `json:",omitzero"`                                    // needed for Blocked
	Comment string `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// ImageUpdate is what [Client.UpdateImageInfos] changes of one image; what is zero
// stays as it is. Texts must not contain emoji.
type ImageUpdate struct {
	ImageId     string `json:",omitzero" check:"required"`
	Title       string `json:",omitzero"`
	Description string `json:",omitzero"`
	Tags        string `json:",omitzero"` // separated by commas
	CateId      int64  `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// AttachedMediaUpdate is what [Client.UpdateAttachedMediaInfos] changes of one
// asset; what is zero stays as it is. Texts must not contain emoji.
type AttachedMediaUpdate struct {
	MediaId     string `json:",omitzero" check:"required"`
	Title       string `json:",omitzero"`
	Description string `json:",omitzero"`
	Tags        string `json:",omitzero"` // separated by commas
	CateIds     string `json:",omitzero"` // separated by commas

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// DomainOrigin is an origin server.
type DomainOrigin struct {
	Content  string `json:"content,omitzero"`  // address
	Type     string `json:"type,omitzero"`     // ipaddr for an IP address, domain for a domain, oss for an OSS bucket
	Priority string `json:"priority,omitzero"` // 20 for the main one, 30 for a spare
	Port     int64  `json:"port,omitzero"`     // 80, 443 or another

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// DomainFunction is one setting of a domain.
type DomainFunction struct {
	FunctionName string                `json:"functionName,omitzero"` // such as set_req_host_header
	FunctionArgs []DomainFunctionParam `json:"functionArgs,omitzero"`
	ConfigId     int64                 `json:"configId,omitzero"` // setting to change

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// DomainFunctionParam is an argument of a setting.
type DomainFunctionParam struct {
	ArgName  string `json:"argName,omitzero"` // such as domain_name
	ArgValue string `json:"argValue,omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// MetricFilter is a condition for playback metrics.
type MetricFilter struct {
	Field string `json:",omitzero"` // such as Codec
	Op    string `json:",omitzero"` // = or !=; for SdkVersion and VideoDefinition > and < as well
	Value string `json:",omitzero"` // several are separated by #_#

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// StreamMetadata says how a stream is stored.
type StreamMetadata struct {
	CustomPath     string `json:",omitzero"`
	CustomFileName string `json:",omitzero"`

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}
