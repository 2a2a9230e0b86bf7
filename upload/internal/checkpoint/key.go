package checkpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// keyVersion is the version of Key. A checkpoint with a key of another version
// is not found.
const keyVersion = 2

// Key is what distinguishes an upload from all others. Everything else that a
// target holds, such as title, tags, category, template, workflow and user
// data, describes the asset and is not part of the key.
//
// A digest of its JSON names the files of an upload, so a name or an order that
// changes here makes all checkpoints worthless.
type Key struct {
	Version      int    `json:"version"` // set by Name
	Owner        string `json:"owner"`   // of the asset, such as "account:1234567890123456"
	Target       string `json:"target"`  // kind of target, such as "VODVideo"
	Region       string `json:"region,omitempty"`
	App          string `json:"app,omitempty"`
	Storage      string `json:"storage,omitempty"`   // storage location
	Asset        string `json:"asset,omitempty"`     // asset that existed before the upload
	Use          string `json:"use,omitempty"`       // what the service uses the file for: a cover, a watermark, an HD stream
	ReferenceID  string `json:"reference,omitempty"` // of a video
	Bucket       string `json:"bucket,omitempty"`    // of the user
	Object       string `json:"object,omitempty"`    // key in Bucket
	Registration string `json:"register,omitempty"`  // kind of registration of an object in Bucket
	UserKey      string `json:"key,omitempty"`       // replaces Source and Query
	Source       string `json:"source,omitempty"`    // see Identity
	Query        string `json:"query,omitempty"`     // see Identity
}

// Name returns the name of the files of the upload, without their extensions.
func (k Key) Name() string {
	k.Version = keyVersion
	text, _ := json.Marshal(k) // strings and a number
	return digest(text)
}

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
