package ingest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"

	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/upload"
)

// markName is the member of UserData.Extend by which an asset of CreateUploadMedia
// is found again.
const markName = "alimediaIngest"

// mark adds the mark of a job to the UserData of its asset.
func mark(m upload.ICEMedia, hash string) (upload.ICEMedia, error) {
	refuse := fmt.Errorf("%w: ICEMedia.UserData.Extend must be a JSON object: the job adds the member %s", ErrJob, markName)
	data := m.UserData
	if data.Raw != "" {
		if data.Raw.Decode(&data) != nil {
			return m, refuse
		}
		data.Raw = ""
	}
	members := make(map[string]any)
	if data.Extend != nil {
		text, err := json.Marshal(data.Extend)
		if err != nil || json.Unmarshal(text, &members) != nil || members == nil {
			return m, refuse
		}
	}
	members[markName] = hash
	data.Extend = members
	m.UserData = data
	return m, nil
}

// marked reports whether UserData, as the service returns it, has the mark.
func marked(userData, hash string) bool {
	if !strings.Contains(userData, hash) {
		return false
	}
	var data struct {
		Extend json.RawMessage
	}
	if json.Unmarshal([]byte(userData), &data) != nil {
		return false
	}
	var text string
	if json.Unmarshal(data.Extend, &text) == nil { // the service may return JSON as text
		data.Extend = json.RawMessage(text)
	}
	var members map[string]any
	return json.Unmarshal(data.Extend, &members) == nil && members[markName] == hash
}

// around is how far the clock of a worker may be from that of the service.
const around = 15 * time.Minute

// findMarked looks for the asset that an earlier delivery may have created: one
// without a file, whose UserData has the mark of the job.
func (t *task) findMarked(ctx context.Context) (string, error) {
	if t.cfg.Upload.ICE == nil {
		return "", errors.New("ICEMedia needs WorkerConfig.Upload.ICE")
	}
	req := ice.ListMediaBasicInfosRequest{
		Status: ice.MediaStatusInit, SortBy: "asc", MaxResults: 100,
		StartTime: t.record.Asked.Add(-around).UTC().Format(time.RFC3339), EndTime: t.record.Asked.Add(around).UTC().Format(time.RFC3339),
	}
	for m, err := range t.cfg.Upload.ICE.ListMediaBasicInfosIter(ctx, req) {
		if err != nil {
			return "", err
		}
		if marked(m.MediaBasicInfo.UserData, t.record.hash) {
			return cmp.Or(m.MediaId, m.MediaBasicInfo.MediaId), nil
		}
	}
	return "", nil
}

var (
	errRoot   = errors.New("this worker does not have the root of the file")
	errBucket = errors.New("this worker must not use the bucket")
)

// source opens the input of a job.
func (t *task) source() (upload.Source, func(), error) {
	in, nothing := t.job.Input, func() {}
	switch {
	case in.URL != "":
		return upload.URL(in.URL, t.cfg.URLOptions...), nothing, nil
	case in.Object != "":
		src, err := t.object(in)
		return src, nothing, err
	}
	root := t.roots[in.Root]
	if root == nil {
		return nil, nil, errRoot
	}
	// A pipe or a device would keep the place of a job for ever.
	if info, err := root.Stat(in.File); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", in, err)
	} else if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%w: %s is not a regular file", ErrJob, in)
	}
	// The folder of the file is the root for what a playlist references.
	dir, err := root.OpenRoot(path.Dir(in.File))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", in, err)
	}
	return upload.FS(dir.FS(), path.Base(in.File)), func() { dir.Close() }, nil
}

// object is an object in OSS as the source of an upload.
func (t *task) object(in Input) (upload.Source, error) {
	bucket, err := t.bucket(in)
	if err != nil {
		return nil, err
	}
	return upload.ReaderFunc(in.name(), upload.UnknownSize, func(ctx context.Context) (io.ReadCloser, error) {
		opts := []oss.Option{oss.WithContext(ctx)}
		body, err := bucket.GetObject(in.Object, opts...)
		if err != nil {
			return nil, clean(err)
		}
		return body, nil
	}), nil
}

func (w *worker) mayUse(bucket string) bool {
	return slices.Contains(w.cfg.Buckets, bucket) || slices.Contains(w.cfg.Buckets, "*")
}

// region is that of the bucket of an input.
func (w *worker) region(in Input) string {
	region := in.Region
	clientSettings(w.cfg.Upload, func(c settings) { region = cmp.Or(region, c.Region) })
	return region
}

func (w *worker) bucket(in Input) (*oss.Bucket, error) {
	if !w.mayUse(in.Bucket) {
		return nil, errBucket
	}
	u := w.cfg.Upload
	return NewBucket(BucketConfig{
		Name: in.Bucket, Region: cmp.Or(in.Region, u.OSSRegion, w.region(in)), Endpoint: u.OSSEndpoint, Internal: u.OSSInternal,
		Credentials: u.Credentials, HTTPClient: u.HTTPClient,
	})
}

// BucketConfig is how an OSS bucket is reached.
type BucketConfig struct {
	Name   string
	Region string // of the bucket, such as "cn-shanghai"

	// Endpoint replaces that of the region. HTTPS is used, except on loopback.
	Endpoint string
	// Internal uses the internal endpoint of the region.
	Internal bool

	Credentials credentials.Provider // nil means credentials.Default
	HTTPClient  *http.Client         // nil means that of the SDK of OSS
}

// NewBucket returns the bucket for [Objects], signed for with version 4 of the
// signature. It sends no request.
func NewBucket(c BucketConfig) (*oss.Bucket, error) {
	if !bucketName.MatchString(c.Name) || c.Region == "" || !regionID.MatchString(c.Region) {
		return nil, fmt.Errorf("%w: a bucket needs a name and a region", ErrJob)
	}
	if c.Endpoint == "" {
		c.Endpoint = "https://oss-" + c.Region + ".aliyuncs.com"
		if c.Internal {
			c.Endpoint = "https://oss-" + c.Region + "-internal.aliyuncs.com"
		}
	} else if !strings.Contains(c.Endpoint, "://") {
		c.Endpoint = "https://" + c.Endpoint
	}
	if strings.HasPrefix(c.Endpoint, "http://") && !onLoopback(c.Endpoint) {
		return nil, errors.New("ingest: the endpoint of OSS must use HTTPS")
	}
	if c.Credentials == nil {
		c.Credentials = credentials.Default()
	}
	opts := []oss.ClientOption{
		oss.SetCredentialsProvider(&provider{c.Credentials}), oss.AuthVersion(oss.AuthV4), oss.Region(c.Region), oss.EnableCRC(true),
		oss.Timeout(10, 120),
	}
	if c.HTTPClient != nil {
		opts = append(opts, oss.HTTPClient(c.HTTPClient))
	}
	client, err := oss.New(c.Endpoint, "", "", opts...)
	if err != nil {
		return nil, clean(err)
	}
	return client.Bucket(c.Name)
}

// provider gives the SDK of OSS our credentials.
type provider struct{ credentials.Provider }

type ossKeys struct{ credentials.Credentials }

// GetCredentials implements oss.CredentialsProvider.
func (p *provider) GetCredentials() oss.Credentials {
	keys, _ := p.GetCredentialsE()
	return keys
}

// GetCredentialsE implements oss.CredentialsProviderE.
func (p *provider) GetCredentialsE() (oss.Credentials, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	keys, err := p.Credentials(ctx)
	return ossKeys{keys}, err
}

// GetAccessKeyID implements oss.Credentials.
func (k ossKeys) GetAccessKeyID() string { return k.AccessKeyId }

// GetAccessKeySecret implements oss.Credentials.
func (k ossKeys) GetAccessKeySecret() string { return string(k.AccessKeySecret) }

// GetSecurityToken implements oss.Credentials.
func (k ossKeys) GetSecurityToken() string { return string(k.SecurityToken) }
