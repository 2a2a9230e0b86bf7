package upload

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// identity is what a source is recognized by in a later run: where it is and,
// by the other fields, which content it had.
type identity struct {
	Source   string `json:"source"`             // an absolute path, or a URL without its query; empty where only a key can name the upload
	Query    string `json:"query,omitempty"`    // digest of a URL's query, which may hold a signature
	Size     int64  `json:"size"`               // bytes, UnknownSize where the source does not say
	Modified string `json:"modified,omitempty"` // RFC 3339 with nanoseconds, or a strong Last-Modified
	ETag     string `json:"etag,omitempty"`     // of a URL, strong
	Files    string `json:"files,omitempty"`    // digest of all that a playlist names
}

// sameContent reports whether both are the same state of a source.
func (i identity) sameContent(other identity) bool {
	i.Source, i.Query, other.Source, other.Query = "", "", "", ""
	return i == other
}

// digest stands for a text that must not be on disk.
func digest(text string) string {
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// fileIdentity describes a file on disk. The inode is no part of it: network
// and user-space file systems number files anew with each mount.
func fileIdentity(name string, info fs.FileInfo) identity {
	path, err := filepath.Abs(name)
	if err != nil {
		path = ""
	}
	id := unknownFile(name, info)
	id.Source = path
	return id
}

// unknownFile is for files that could be anywhere.
func unknownFile(_ string, info fs.FileInfo) identity {
	return identity{Size: info.Size(), Modified: info.ModTime().UTC().Format(time.RFC3339Nano)}
}

// keyVersion counts the forms of uploadKey. Checkpoints of another form are
// not found.
const keyVersion = 2

// uploadKey is what makes an upload another one. All else that a target says,
// such as title, tags, category, template, workflow and UserData, describes
// the asset and makes no second one.
type uploadKey struct {
	Version   int    `json:"version"`
	Owner     string `json:"owner"` // of the asset, see owner
	Target    string `json:"target"`
	Region    string `json:"region,omitempty"`
	App       string `json:"app,omitempty"`
	Storage   string `json:"storage,omitempty"`
	Asset     string `json:"asset,omitempty"`     // that was there before: of a stream, or of WithMediaId
	Use       string `json:"use,omitempty"`       // what the service stores it as: a cover, a watermark, an HD stream
	Reference string `json:"reference,omitempty"` // ReferenceId
	Bucket    string `json:"bucket,omitempty"`    // of the user
	Object    string `json:"object,omitempty"`
	Register  string `json:"register,omitempty"`
	Key       string `json:"key,omitempty"` // of WithKey, in place of the source
	Source    string `json:"source,omitempty"`
	Query     string `json:"query,omitempty"`
}

// name is that of the files of the upload in a checkpoint directory.
func (k uploadKey) name() string {
	k.Version = keyVersion
	text, _ := json.Marshal(k) // strings and a number
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// key is what the upload is known by, but for its owner.
func (r *run) key(target binding, o options) uploadKey {
	k := uploadKey{Target: target.name(), Key: o.key}
	k.Region = target.signer().region
	target.describe(r.file, &k)
	if o.mediaId != "" {
		k.Asset = o.mediaId
	}
	if k.Key == "" {
		k.Source, k.Query = r.content.identity.Source, r.content.identity.Query
	} else {
		k.Reference = ""
	}
	return k
}

const defaultApp = "app-1000000" // of VOD and ICE where none is given

const maxUserKey = 1 << 10 // bytes

// referenceID is what ApsaraVideo VOD takes as a ReferenceId.
var referenceID = regexp.MustCompile(`^[A-Za-z0-9_-]{6,64}$`)

// check refuses options that cannot be kept, before anything is created.
func (o *options) check(target binding) error {
	named := target.lookup() != nil
	switch {
	case len(o.key) > maxUserKey || !utf8.ValidString(o.key):
		return fmt.Errorf("upload.WithKey: a key is text of at most %d bytes", maxUserKey)
	case o.key != "" && o.checkpoint.dir == "" && !named:
		return errors.New("upload.WithKey needs WithCheckpoint: only a VODVideo whose key can be its ReferenceId is found without a directory")
	}
	if o.key != "" && !named {
		o.checkpoint.required = true // without a record the key would make a second asset
	}
	return nil
}

// unsigned is a URL without what may be secret in it: user, query and
// fragment.
func unsigned(address string) string {
	address, _, _ = strings.Cut(address, "#")
	address, _, _ = strings.Cut(address, "?")
	if scheme, rest, ok := strings.Cut(address, "://"); ok {
		host, path, slash := strings.Cut(rest, "/")
		host = host[strings.LastIndexByte(host, '@')+1:]
		if slash {
			host += "/" + path
		}
		address = scheme + "://" + host
	}
	return address
}
