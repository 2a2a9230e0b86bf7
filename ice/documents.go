package ice

import (
	"encoding/json"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/rpc"
)

// The documents in this file travel as JSON inside one parameter. Each keeps
// the keys it does not know in Extra, and sends Raw verbatim when that is set.

// UserData goes with a media asset and comes back in its events.
type UserData struct {
	MessageCallback MessageCallback `json:",omitzero"`
	Extend          any             `json:",omitzero"` // any JSON; returned as it is. The service keeps 512 bytes of it.
	NotifyAddress   string          `json:",omitzero"` // callback URL or MNS queue of a job

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// MarshalJSON writes Raw, or the fields and Extra.
func (d UserData) MarshalJSON() ([]byte, error) {
	type plain UserData
	return rpc.MarshalDocument(plain(d), d.Raw, d.Extra)
}

// UnmarshalJSON keeps unknown keys in Extra.
func (d *UserData) UnmarshalJSON(data []byte) error {
	type plain UserData
	return rpc.UnmarshalDocument(data, (*plain)(d), &d.Extra)
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

// MarshalJSON writes Raw, or the fields and Extra.
func (d MessageCallback) MarshalJSON() ([]byte, error) {
	type plain MessageCallback
	return rpc.MarshalDocument(plain(d), d.Raw, d.Extra)
}

// UnmarshalJSON keeps unknown keys in Extra.
func (d *MessageCallback) UnmarshalJSON(data []byte) error {
	type plain MessageCallback
	return rpc.UnmarshalDocument(data, (*plain)(d), &d.Extra)
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

// MarshalJSON writes Raw, or the fields and Extra.
func (d UploadFileInfo) MarshalJSON() ([]byte, error) {
	type plain UploadFileInfo
	return rpc.MarshalDocument(plain(d), d.Raw, d.Extra)
}

// UnmarshalJSON keeps unknown keys in Extra.
func (d *UploadFileInfo) UnmarshalJSON(data []byte) error {
	type plain UploadFileInfo
	return rpc.UnmarshalDocument(data, (*plain)(d), &d.Extra)
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

// MarshalJSON writes Raw, or the fields and Extra.
func (d MediaMetaData) MarshalJSON() ([]byte, error) {
	type plain MediaMetaData
	return rpc.MarshalDocument(plain(d), d.Raw, d.Extra)
}

// UnmarshalJSON keeps unknown keys in Extra.
func (d *MediaMetaData) UnmarshalJSON(data []byte) error {
	type plain MediaMetaData
	return rpc.UnmarshalDocument(data, (*plain)(d), &d.Extra)
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

// MarshalJSON writes Raw, or the fields and Extra.
func (d UploadMetadata) MarshalJSON() ([]byte, error) {
	type plain UploadMetadata
	return rpc.MarshalDocument(plain(d), d.Raw, d.Extra)
}

// UnmarshalJSON keeps unknown keys in Extra.
func (d *UploadMetadata) UnmarshalJSON(data []byte) error {
	type plain UploadMetadata
	return rpc.UnmarshalDocument(data, (*plain)(d), &d.Extra)
}

// PostProcessConfig names what is done with the file after its upload.
type PostProcessConfig struct {
	ProcessType string `json:",omitzero"` // Workflow
	ProcessID   string `json:",omitzero"` // the id of the workflow

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// MarshalJSON writes Raw, or the fields and Extra.
func (d PostProcessConfig) MarshalJSON() ([]byte, error) {
	type plain PostProcessConfig
	return rpc.MarshalDocument(plain(d), d.Raw, d.Extra)
}

// UnmarshalJSON keeps unknown keys in Extra.
func (d *PostProcessConfig) UnmarshalJSON(data []byte) error {
	type plain PostProcessConfig
	return rpc.UnmarshalDocument(data, (*plain)(d), &d.Extra)
}

// UploadTargetConfig names the storage of an upload.
type UploadTargetConfig struct {
	StorageType     string `json:",omitzero"` // oss
	StorageLocation string `json:",omitzero"` // such as outin-example.oss-cn-shanghai.aliyuncs.com

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// MarshalJSON writes Raw, or the fields and Extra.
func (d UploadTargetConfig) MarshalJSON() ([]byte, error) {
	type plain UploadTargetConfig
	return rpc.MarshalDocument(plain(d), d.Raw, d.Extra)
}

// UnmarshalJSON keeps unknown keys in Extra.
func (d *UploadTargetConfig) UnmarshalJSON(data []byte) error {
	type plain UploadTargetConfig
	return rpc.UnmarshalDocument(data, (*plain)(d), &d.Extra)
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

// MarshalJSON writes Raw, or the fields and Extra.
func (d RegisterConfig) MarshalJSON() ([]byte, error) {
	type plain RegisterConfig
	return rpc.MarshalDocument(plain(d), d.Raw, d.Extra)
}

// UnmarshalJSON keeps unknown keys in Extra.
func (d *RegisterConfig) UnmarshalJSON(data []byte) error {
	type plain RegisterConfig
	return rpc.UnmarshalDocument(data, (*plain)(d), &d.Extra)
}

// CoverConfig chooses the frame that becomes the cover.
type CoverConfig struct {
	StartTime float64 `json:",omitzero"` // seconds, up to four decimals

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// MarshalJSON writes Raw, or the fields and Extra.
func (d CoverConfig) MarshalJSON() ([]byte, error) {
	type plain CoverConfig
	return rpc.MarshalDocument(plain(d), d.Raw, d.Extra)
}

// UnmarshalJSON keeps unknown keys in Extra.
func (d *CoverConfig) UnmarshalJSON(data []byte) error {
	type plain CoverConfig
	return rpc.UnmarshalDocument(data, (*plain)(d), &d.Extra)
}
