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

// MediaMark is a labelled span of a media asset. The MediaMarks of
// [Client.GetMediaMarks] decode into a list of it.
type MediaMark struct {
	MarkId        string `json:",omitzero"` // given by the service; needed to change a mark
	MarkStartTime string `json:",omitzero"` // where the span begins, such as 12.1; the unit is not documented
	MarkEndTime   string `json:",omitzero"` // where the span ends, such as 12.2
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
