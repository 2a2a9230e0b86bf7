package vod

import (
	"encoding/json"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/rpc"
)

// The documents in this file travel as JSON inside one parameter. Each keeps
// the keys it does not know in Extra, and sends Raw verbatim when that is set.

// UserData goes with a media asset and comes back in its events.
type UserData struct {
	MessageCallback  MessageCallback  `json:",omitzero"`
	Extend           any              `json:",omitzero"` // any JSON; returned as it is. The service keeps 512 bytes of it.
	AccelerateConfig AccelerateConfig `json:",omitzero"`

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

// AccelerateConfig asks for an accelerated upload; the account needs to be
// enabled for it.
type AccelerateConfig struct {
	Type   string `json:",omitzero"` // oss
	Domain string `json:",omitzero"` // such as https://oss-accelerate.aliyuncs.com

	Extra map[string]json.RawMessage `json:"-"` // keys without a field
	Raw   alimedia.JSON              `json:"-"` // when set, sent instead of all the above
}

// MarshalJSON writes Raw, or the fields and Extra.
func (d AccelerateConfig) MarshalJSON() ([]byte, error) {
	type plain AccelerateConfig
	return rpc.MarshalDocument(plain(d), d.Raw, d.Extra)
}

// UnmarshalJSON keeps unknown keys in Extra.
func (d *AccelerateConfig) UnmarshalJSON(data []byte) error {
	type plain AccelerateConfig
	return rpc.UnmarshalDocument(data, (*plain)(d), &d.Extra)
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

// MarshalJSON writes Raw, or the fields and Extra.
func (d RegisterMetadata) MarshalJSON() ([]byte, error) {
	type plain RegisterMetadata
	return rpc.MarshalDocument(plain(d), d.Raw, d.Extra)
}

// UnmarshalJSON keeps unknown keys in Extra.
func (d *RegisterMetadata) UnmarshalJSON(data []byte) error {
	type plain RegisterMetadata
	return rpc.UnmarshalDocument(data, (*plain)(d), &d.Extra)
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
