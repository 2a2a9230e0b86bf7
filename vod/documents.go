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
