package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/upload"
)

// Limits of a job.
const (
	// Version is the version of the form of a job in the queue.
	Version = 1

	maxKey = 1024      // bytes, as in upload.WithKey
	maxJob = 128 << 10 // bytes of its JSON
)

var (
	// ErrJob means that a job is not valid. It is not put into the queue, and a
	// worker that receives one puts it into the dead-letter stream.
	ErrJob = errors.New("invalid job")
	// ErrSecret means that the URL of a job has a signature, a password or a
	// token. Give workers that need one a header, see WorkerConfig.URLOptions.
	ErrSecret = errors.New("the URL contains a credential")
)

// Job is one file to upload, or one object to register. Its JSON form is what
// the queue holds.
type Job struct {
	Version int `json:"version"` // 0 means Version, in Submit

	// Key identifies the job in its fleet: there is one result for a key. At most
	// 1,024 bytes of UTF-8. If it is empty, Submit makes it of the target and the
	// input: the path, size and modification time of a file, the URL, or the
	// bucket, the object key and the ETag of an object.
	//
	// The ReferenceId of a VODVideo is the key, if it consists of 6 to 64 letters,
	// digits, hyphens and underscores, and is made from it otherwise.
	Key string `json:"key"`

	Input  Input  `json:"input"`
	Target Target `json:"target"`
}

// Input is where the bytes of a job are. Set File with Root, URL, or Object with
// Bucket.
type Input struct {
	// Root and File are a file below a folder that the worker knows as Root, see
	// WorkerConfig.Roots. File is relative and has slashes.
	Root string `json:"root,omitempty"`
	File string `json:"file,omitempty"`

	// URL is a file on a web server, http or https.
	URL string `json:"url,omitempty"`

	// Bucket and Object are an object in OSS. Region is that of the bucket, empty
	// for the region of the worker. The worker must know the bucket, see
	// WorkerConfig.Buckets.
	Bucket string `json:"bucket,omitempty"`
	Object string `json:"object,omitempty"`
	Region string `json:"region,omitempty"`

	// Version distinguishes contents under one name in a derived key: size and
	// modification time of a file, ETag of an object.
	Version string `json:"version,omitempty"`
}

// String is the input in a few words.
func (i Input) String() string {
	switch {
	case i.URL != "":
		return i.URL
	case i.Object != "":
		return "oss://" + i.Bucket + "/" + i.Object
	}
	return strings.TrimSuffix(i.Root, "/") + "/" + i.File
}

// name is the name of the file, from which title and extension are taken.
func (i Input) name() string {
	if i.Object != "" {
		return path.Base(i.Object)
	}
	return path.Base(i.File)
}

// Target is what becomes of the input. Exactly one field is set. What is left
// empty in it is filled in from the input.
//
// The last three register an object that is in OSS already. RegisterMediaInfo
// must not set Overwrite, and RegisterMedia not RegisterMetadatas with more than
// one element: its workers make groups of ten.
type Target struct {
	VODVideo            *upload.VODVideo            `json:"VODVideo,omitempty"`
	ICEMedia            *upload.ICEMedia            `json:"ICEMedia,omitempty"`
	ICEStream           *upload.ICEStream           `json:"ICEStream,omitempty"`
	YikeAsset           *upload.YikeAsset           `json:"YikeAsset,omitempty"`
	RegisterMedia       *upload.RegisterMedia       `json:"RegisterMedia,omitempty"`
	RegisterMediaInfo   *upload.RegisterMediaInfo   `json:"RegisterMediaInfo,omitempty"`
	RegisterMediaStream *upload.RegisterMediaStream `json:"RegisterMediaStream,omitempty"`
}

// Kind is the name of the field that is set, empty if it is not exactly one.
func (t Target) Kind() (kind string) {
	for name, set := range map[string]bool{
		"VODVideo": t.VODVideo != nil, "ICEMedia": t.ICEMedia != nil, "ICEStream": t.ICEStream != nil, "YikeAsset": t.YikeAsset != nil,
		"RegisterMedia": t.RegisterMedia != nil, "RegisterMediaInfo": t.RegisterMediaInfo != nil, "RegisterMediaStream": t.RegisterMediaStream != nil,
	} {
		switch {
		case set && kind != "":
			return ""
		case set:
			kind = name
		}
	}
	return kind
}

// registers reports whether the target registers an object.
func (t Target) registers() bool { return strings.HasPrefix(t.Kind(), "Register") }

// identity is what makes jobs with the same input different.
func (t Target) identity() string {
	id := t.Kind()
	switch {
	case t.ICEStream != nil:
		id += ":" + t.ICEStream.MediaId + ":" + t.ICEStream.Definition
	case t.RegisterMediaStream != nil:
		id += ":" + t.RegisterMediaStream.MediaId
	case t.YikeAsset != nil && t.YikeAsset.ProductionId != "":
		id += ":" + t.YikeAsset.ProductionId
	}
	return id
}

// prepared returns the job as the queue holds it: with a key, and checked.
func (j Job) prepared() (Job, []byte, error) {
	if j.Version == 0 {
		j.Version = Version
	}
	if j.Key == "" {
		j.Key = j.Target.identity() + " " + j.Input.String()
		if j.Input.Version != "" {
			j.Key += " " + j.Input.Version
		}
		if len(j.Key) > maxKey {
			j.Key = j.Target.Kind() + " " + digest(j.Key)
		}
	}
	if err := j.check(); err != nil {
		return j, nil, err
	}
	text, err := json.Marshal(j)
	if err == nil && len(text) > maxJob {
		err = fmt.Errorf("%w: %d bytes of JSON, at most %d are allowed", ErrJob, len(text), maxJob)
	}
	return j, text, err
}

// parseJob reads a job from the queue, where anybody may have put it.
func parseJob(text []byte) (Job, error) {
	var j Job
	if len(text) > maxJob {
		return j, fmt.Errorf("%w: %d bytes", ErrJob, len(text))
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return Job{}, fmt.Errorf("%w: not a job of version %d: %s", ErrJob, Version, redact.Bounded(err.Error(), 200))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Job{}, fmt.Errorf("%w: text follows the job", ErrJob)
	}
	return j, j.check()
}

func (j Job) check() error {
	refuse := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrJob}, args...)...)
	}
	switch {
	case j.Version != Version:
		return refuse("version %d, this worker knows version %d", j.Version, Version)
	case j.Key == "" || len(j.Key) > maxKey || !utf8.ValidString(j.Key):
		return refuse("the key has %d bytes; 1 to %d bytes of UTF-8 are needed", len(j.Key), maxKey)
	case j.Target.Kind() == "":
		return refuse("not exactly one target")
	}
	if err := j.Input.check(); err != nil {
		return err
	}
	if j.Target.registers() && j.Input.Object == "" {
		return refuse("%s needs an object in OSS", j.Target.Kind())
	}
	return j.Target.check()
}

func (t Target) check() error {
	refuse := func(text string) error { return fmt.Errorf("%w: %s", ErrJob, text) }
	switch {
	case t.RegisterMedia != nil && len(t.RegisterMedia.RegisterMetadatas) > 1:
		return refuse("RegisterMedia.RegisterMetadatas has more than one element: a job is one object")
	case t.RegisterMediaInfo != nil && t.RegisterMediaInfo.Overwrite != nil && *t.RegisterMediaInfo.Overwrite:
		return refuse("RegisterMediaInfo.Overwrite: a job that is delivered again would replace its own asset")
	case t.RegisterMediaStream != nil && t.RegisterMediaStream.MediaId == "":
		return refuse("RegisterMediaStream needs MediaId, the asset that the stream is for")
	case t.ICEStream != nil && t.ICEStream.MediaId == "":
		return refuse("ICEStream needs MediaId, the asset that the stream is for")
	case t.ICEMedia != nil:
		_, err := mark(*t.ICEMedia, "")
		return err
	}
	return nil
}

var (
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`)
	regionID   = regexp.MustCompile(`^[a-z0-9-]{0,40}$`)
)

func (i Input) check() error {
	refuse := func(text string) error { return fmt.Errorf("%w: %s", ErrJob, text) }
	set := 0
	for _, s := range []string{i.File, i.URL, i.Object} {
		if s != "" {
			set++
		}
		if !utf8.ValidString(s) || len(s) > 4096 || strings.ContainsRune(s, 0) {
			return refuse("a name that is not UTF-8 or has more than 4,096 bytes")
		}
	}
	switch {
	case set != 1:
		return refuse("the input needs one of File, URL and Object")
	case i.File != "" && (!fs.ValidPath(i.File) || i.File == "."):
		return refuse("the file is not a path below its root")
	case i.Object != "" && (!bucketName.MatchString(i.Bucket) || !regionID.MatchString(i.Region) || len(i.Object) > 1023):
		return refuse("not the name of an object in a bucket")
	case i.URL != "":
		return checkURL(i.URL)
	}
	return nil
}

// checkURL refuses what upload.URL refuses, and URLs that are secrets.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%w: not an http or https URL", ErrJob)
	}
	if u.User != nil {
		return fmt.Errorf("%w: %w: a user name", ErrJob, ErrSecret)
	}
	for name := range u.Query() {
		lower := strings.ToLower(name)
		if redact.SecretName(name) || strings.HasPrefix(lower, "x-oss-") || strings.HasPrefix(lower, "x-amz-") || lower == "ossaccesskeyid" || lower == "sig" || lower == "key" {
			return fmt.Errorf("%w: %w: parameter %.40q", ErrJob, ErrSecret, name)
		}
	}
	return nil
}

// digest names a key where not every character is allowed.
func digest(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16])
}

var referenceID = regexp.MustCompile(`^[A-Za-z0-9_-]{6,64}$`)

// uploadKey is the key as upload.WithKey gets it: one that can be a ReferenceId.
func uploadKey(key string) string {
	if referenceID.MatchString(key) {
		return key
	}
	return "ingest-" + digest(key)
}
