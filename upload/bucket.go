package upload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
	"github.com/alimedia/alimedia-go/upload/internal/hls"
	"github.com/alimedia/alimedia-go/upload/internal/mediatype"
	"github.com/alimedia/alimedia-go/upload/internal/ossobject"
)

// Bucket stores the file in an OSS bucket of your own, signed for with
// [Config].Credentials, and registers it there. An object of the same key is
// replaced, unless ForbidOverwrite is set.
//
// The settings of the object are sent with the request that creates it. They
// are checked before anything is sent. The segments of a playlist get all of
// them but ContentType, ContentDisposition, ContentEncoding and
// ContentLanguage.
type Bucket struct {
	Name string
	Key  string // empty, or ending in a slash: the name of the source follows

	// Region of the bucket, such as "cn-shanghai". Empty means
	// Config.OSSRegion, else the region of the client in Register.
	Region string

	// Register makes a media asset of the object: [RegisterMediaInfo],
	// [RegisterMediaStream] or [RegisterMedia]. Nil only stores it.
	Register Registration

	ContentType        string // empty: by the extension of the key, else of the source's name
	ContentDisposition string
	ContentEncoding    string
	ContentLanguage    string
	CacheControl       string
	Expires            time.Time // zero: not sent

	StorageClass string // Standard, IA, Archive, ColdArchive or DeepColdArchive; empty: that of the bucket
	ACL          string // default, private, public-read or public-read-write; empty: that of the bucket

	Encryption      string // on the server: AES256, KMS or SM4; empty: as the bucket says
	EncryptionKeyId string // with KMS: the key, empty for the default one

	// Tags are at most 10. A key has 1 to 128 characters, a value at most 256:
	// letters, digits, blanks and + - = . _ : /.
	Tags map[string]string

	// Metadata is sent as x-oss-meta-<name>, at most 8 KiB in all. A name has
	// letters, digits and dashes, its case does not count.
	Metadata map[string]string

	// ForbidOverwrite makes the upload fail with the code FileAlreadyExists
	// where there is an object of that key. An object of the very same bytes,
	// such as one of an upload whose response was lost, is taken for this upload.
	ForbidOverwrite bool
}

func (t Bucket) bind(u *Uploader, _ string) binding {
	t.Register, _ = pointed(t.Register).(Registration)
	return bucket{Bucket: t, u: u}
}

// bucket is a Bucket with the clients of an Uploader.
type bucket struct {
	Bucket
	fileTarget
	u *Uploader
}

func (bucket) name() string { return "Bucket" }

func (t bucket) create(ctx context.Context, file fileInfo) (destination, error) {
	region := cmp.Or(t.Region, t.u.cfg.OSSRegion)
	if t.Register != nil {
		ofClient, err := t.Register.region(t.u.cfg)
		if err != nil {
			return destination{}, err
		}
		region = cmp.Or(region, ofClient)
	}
	if region == "" {
		return destination{}, errors.New("upload.Bucket needs Region or Config.OSSRegion")
	}
	key := t.key(file.name)
	if region = strings.TrimSpace(region); !ossobject.IsRegion(region) {
		return destination{}, fmt.Errorf("upload.Bucket: Region %.40q is not a region ID, such as \"cn-shanghai\"", region)
	}
	if err := ossobject.CheckName(t.Name, key); err != nil {
		return destination{}, fmt.Errorf("upload.Bucket: %w", err)
	}
	headers, segments, err := t.settings().Headers()
	if err != nil {
		return destination{}, fmt.Errorf("upload.Bucket: %w", err)
	}
	p := destination{
		credentials: t.u.cfg.Credentials,
		headers:     headers.WithContentType(cmp.Or(t.ContentType, mediatype.Of(key, file.name))),
		segments:    segments,
		address:     ossobject.Address{Endpoint: ossobject.Endpoint(region), Bucket: t.Name, Key: key},
	}
	p.prefix = segmentPrefix(key)
	p.fileURL = p.address.FileURL()
	if _, err := p.credentials.Credentials(ctx); err != nil {
		return destination{}, fmt.Errorf("credentials for bucket %s: %w", t.Name, err)
	}
	if t.Register == nil {
		return p, nil
	}
	p.register = func(ctx context.Context, res *Result) error {
		return t.Register.register(ctx, t.u.cfg, file, p.fileURL, res)
	}
	// What the registration would refuse is known before the bytes are sent.
	err = t.Register.register(ctx, rehearsal(t.u.cfg), fileInfo{name: file.name}, p.fileURL, new(Result))
	if !errors.Is(err, errRehearsed) {
		return destination{}, err
	}
	return p, nil
}

func (t Bucket) settings() ossobject.Settings {
	return ossobject.Settings{
		ContentType: t.ContentType, ContentDisposition: t.ContentDisposition, ContentEncoding: t.ContentEncoding, ContentLanguage: t.ContentLanguage,
		CacheControl: t.CacheControl, Expires: t.Expires, StorageClass: t.StorageClass, ACL: t.ACL,
		Encryption: t.Encryption, EncryptionKeyID: t.EncryptionKeyId, Tags: t.Tags, Metadata: t.Metadata, ForbidOverwrite: t.ForbidOverwrite,
	}
}

func (t bucket) describe(file fileInfo, k *checkpoint.Key) {
	k.Bucket, k.Object = t.Name, t.key(file.name)
	if k.UserKey != "" { // whatever the source is called
		k.Object = t.Key
	}
	k.Region = cmp.Or(strings.TrimSpace(t.Region), k.Region)
	if t.Register != nil {
		k.Registration, k.Asset = t.Register.name(), t.Register.asset()
		if region, err := t.Register.region(t.u.cfg); err == nil {
			k.Region = region // where the asset is
		}
	}
}

func (t bucket) signer() signer { return t.u.ossSigner() }

func (t bucket) status() statusFunc {
	if t.Register == nil {
		return nil
	}
	return t.Register.status(t.u)
}

// key is that of the object for a source of this name.
func (t Bucket) key(name string) string {
	if t.Key == "" || strings.HasSuffix(t.Key, "/") {
		return t.Key + name
	}
	return t.Key
}

func (t bucket) resume(ctx context.Context, file fileInfo, was destination, _ bool) (destination, error) {
	if was.address.Key != "" { // the source of a user's key may have another name by now
		t.Key = was.address.Key
	}
	p, err := t.create(ctx, file)
	if err == nil && p.address.Bucket != was.address.Bucket {
		return was, ErrNotResumable
	}
	return p, err
}

// object is the key of the object for a source of this name, with its bucket.
func (t bucket) object(name string) string { return t.Name + "/" + t.key(name) }

// keepsPlaylists reports whether a playlist is an object like any other.
func (t bucket) keepsPlaylists() bool { return t.Register == nil }

func (t bucket) playlistPrefix(name string) (string, bool) {
	prefix := segmentPrefix(t.key(hls.PlaylistName(name)))
	return hls.RelativeURI(url.PathEscape(path.Base(prefix)) + "/"), true
}

// segmentPrefix is the prefix in a bucket of the segments of a playlist. A name
// that only begins with a dot has no extension.
func segmentPrefix(key string) string {
	if stem := strings.TrimSuffix(key, path.Ext(key)); stem != "" && !strings.HasSuffix(stem, "/") {
		key = stem
	}
	return key + "/"
}
