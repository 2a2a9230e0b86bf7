package interop

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	osscredentials "github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/mediatest"
)

// ossV2Config configures the OSS SDK for Go, version 2.
func ossV2Config(endpoint string, keys credentials.Credentials) *oss.Config {
	return oss.LoadDefaultConfig().WithRegion(region).WithEndpoint(endpoint).
		WithCredentialsProvider(osscredentials.NewStaticCredentialsProvider(keys.AccessKeyId, keys.AccessKeySecret, keys.SecurityToken))
}

// eachOSSV2 runs a test with either version of the signature, with a security
// token and without, by path and by virtual host.
func eachOSSV2(t *testing.T, test func(*testing.T, *mediatest.Server, *oss.Client)) {
	for name, version := range map[string]oss.SignatureVersionType{"v1": oss.SignatureVersionV1, "v4": oss.SignatureVersionV4} {
		for _, kind := range []string{"keys", "token", "path style", "virtual host", "additional headers"} {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel()
				srv := serverWithBucket(t)
				cfg := ossV2Config(srv.URL, srv.Credentials())
				switch kind {
				case "token":
					cfg = ossV2Config(srv.URL, srv.IssueCredentials())
				case "path style":
					cfg = ossV2Config(localhost(srv), srv.Credentials()).WithUsePathStyle(true)
				case "virtual host":
					cfg = ossV2Config(localhost(srv), srv.Credentials())
				case "additional headers":
					cfg = cfg.WithAdditionalHeaders([]string{"host", "content-length", "range"})
				}
				test(t, srv, oss.NewClient(cfg.WithSignatureVersion(version).WithHttpClient(srv.HTTPClient())))
			})
		}
	}
}

func requireOSSV2Error(t *testing.T, err error, status int, code string) {
	t.Helper()
	var e *oss.ServiceError
	require.ErrorAs(t, err, &e)
	require.Equal(t, code, e.Code, e.Message)
	require.Equal(t, status, e.StatusCode)
	require.NotEmpty(t, e.RequestID)
}

func putV2(t *testing.T, c *oss.Client, key, content string) *oss.PutObjectResult {
	t.Helper()
	result, err := c.PutObject(t.Context(), &oss.PutObjectRequest{Bucket: oss.Ptr(bucket), Key: oss.Ptr(key), Body: strings.NewReader(content)})
	require.NoError(t, err)
	return result
}

func TestAlibabaCloudOSSGoSDKv2_PutGetHead(t *testing.T) {
	t.Parallel()
	eachOSSV2(t, func(t *testing.T, srv *mediatest.Server, c *oss.Client) {
		ctx, data := t.Context(), noise(1<<20+9)
		put, err := c.PutObject(ctx, &oss.PutObjectRequest{
			Bucket: oss.Ptr(bucket), Key: oss.Ptr(oddKey), Body: bytes.NewReader(data),
			ContentType: oss.Ptr("video/mp4"), Metadata: map[string]string{"owner": "me"}, Tagging: oss.Ptr("k=v"),
		})
		require.NoError(t, err)
		get := func(r *oss.GetObjectRequest) ([]byte, *oss.GetObjectResult, error) {
			r.Bucket, r.Key = oss.Ptr(bucket), oss.Ptr(oddKey)
			result, err := c.GetObject(ctx, r)
			if err != nil {
				return nil, nil, err
			}
			return readAll(t, result.Body, nil), result, nil
		}
		got, result, err := get(&oss.GetObjectRequest{IfMatch: put.ETag})
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, got))
		require.Equal(t, "me", result.Metadata["owner"])
		require.Equal(t, put.HashCRC64, result.HashCRC64)
		require.EqualValues(t, 1, result.TaggingCount)
		got, result, err = get(&oss.GetObjectRequest{Range: oss.Ptr("bytes=5-14"), RangeBehavior: oss.Ptr("standard")})
		require.NoError(t, err)
		require.Equal(t, data[5:15], got)
		require.Equal(t, "bytes 5-14/1048585", *result.ContentRange)
		_, _, err = get(&oss.GetObjectRequest{Range: oss.Ptr("bytes=2000000-"), RangeBehavior: oss.Ptr("standard")})
		requireOSSV2Error(t, err, 416, "InvalidRange")
		_, _, err = get(&oss.GetObjectRequest{IfMatch: oss.Ptr(`"x"`)})
		requireOSSV2Error(t, err, 412, "PreconditionFailed")
		_, _, err = get(&oss.GetObjectRequest{IfNoneMatch: put.ETag})
		require.ErrorContains(t, err, "304")

		head, err := c.HeadObject(ctx, &oss.HeadObjectRequest{Bucket: oss.Ptr(bucket), Key: oss.Ptr(oddKey)})
		require.NoError(t, err)
		require.EqualValues(t, len(data), head.ContentLength)
		require.Equal(t, "video/mp4", *head.ContentType)
		require.WithinDuration(t, time.Now(), *head.LastModified, time.Minute)
		meta, err := c.GetObjectMeta(ctx, &oss.GetObjectMetaRequest{Bucket: oss.Ptr(bucket), Key: oss.Ptr(oddKey)})
		require.NoError(t, err)
		require.EqualValues(t, len(data), meta.ContentLength)
		_, err = c.HeadObject(ctx, &oss.HeadObjectRequest{Bucket: oss.Ptr(bucket), Key: oss.Ptr("none")})
		requireOSSV2Error(t, err, 404, "NoSuchKey")
		there, err := c.IsObjectExist(ctx, bucket, oddKey)
		require.NoError(t, err)
		require.True(t, there)
		there, err = c.IsObjectExist(ctx, bucket, "none")
		require.NoError(t, err)
		require.False(t, there)
		there, err = c.IsBucketExist(ctx, bucket)
		require.NoError(t, err)
		require.True(t, there)
		there, err = c.IsBucketExist(ctx, "nobody")
		require.NoError(t, err)
		require.False(t, there)
	})
}

func TestAlibabaCloudOSSGoSDKv2_OpenFile(t *testing.T) {
	t.Parallel()
	eachOSSV2(t, func(t *testing.T, srv *mediatest.Server, c *oss.Client) {
		data := noise(700 << 10)
		srv.PutObject(bucket, oddKey, data)
		for _, prefetch := range []bool{false, true} {
			file, err := c.OpenFile(t.Context(), bucket, oddKey, func(o *oss.OpenOptions) { o.EnablePrefetch = prefetch })
			require.NoError(t, err)
			_, err = file.Seek(100, io.SeekStart)
			require.NoError(t, err)
			got, err := io.ReadAll(file)
			require.NoError(t, err)
			require.True(t, bytes.Equal(data[100:], got))
			require.NoError(t, file.Close())
		}
	})
}

func TestAlibabaCloudOSSGoSDKv2_Lists(t *testing.T) {
	t.Parallel()
	eachOSSV2(t, func(t *testing.T, srv *mediatest.Server, c *oss.Client) {
		all := []string{"a/1 x.txt", "a/2+y.txt", "a/b/3.txt", "a/c/4.txt", "z.txt"}
		for _, key := range all {
			srv.PutObject(bucket, key, []byte(key))
		}
		var keys, prefixes []string
		v1 := c.NewListObjectsPaginator(&oss.ListObjectsRequest{Bucket: oss.Ptr(bucket), Prefix: oss.Ptr("a/"), Delimiter: oss.Ptr("/"), MaxKeys: 1})
		for v1.HasNext() {
			page, err := v1.NextPage(t.Context())
			require.NoError(t, err)
			for _, o := range page.Contents {
				keys = append(keys, *o.Key)
			}
			for _, p := range page.CommonPrefixes {
				prefixes = append(prefixes, *p.Prefix)
			}
		}
		require.Equal(t, all[:2], keys)
		require.Equal(t, []string{"a/b/", "a/c/"}, prefixes)
		keys = nil
		v2 := c.NewListObjectsV2Paginator(&oss.ListObjectsV2Request{Bucket: oss.Ptr(bucket), StartAfter: oss.Ptr("a/1 x.txt"), MaxKeys: 2, FetchOwner: true})
		for v2.HasNext() {
			page, err := v2.NextPage(t.Context())
			require.NoError(t, err)
			for _, o := range page.Contents {
				keys = append(keys, *o.Key)
				require.Equal(t, srv.Account().Id(), *o.Owner.ID)
				require.Equal(t, "Normal", *o.Type)
			}
		}
		require.Equal(t, all[1:], keys)
		_, err := c.ListObjectsV2(t.Context(), &oss.ListObjectsV2Request{Bucket: oss.Ptr("nobody")})
		requireOSSV2Error(t, err, 404, "NoSuchBucket")
	})
}

func TestAlibabaCloudOSSGoSDKv2_CopiesAndDeletes(t *testing.T) {
	t.Parallel()
	eachOSSV2(t, func(t *testing.T, srv *mediatest.Server, c *oss.Client) {
		put := putV2(t, c, oddKey, "content")
		copyTo := func(key string, change func(*oss.CopyObjectRequest)) (*oss.CopyObjectResult, error) {
			r := &oss.CopyObjectRequest{Bucket: oss.Ptr(bucket), Key: oss.Ptr(key), SourceKey: oss.Ptr(oddKey)}
			change(r)
			return c.CopyObject(t.Context(), r)
		}
		done, err := copyTo("copy", func(r *oss.CopyObjectRequest) { r.IfMatch = put.ETag })
		require.NoError(t, err)
		require.Equal(t, put.ETag, done.ETag)
		require.Equal(t, put.HashCRC64, done.HashCRC64)
		_, err = copyTo("copy", func(r *oss.CopyObjectRequest) { r.IfMatch = oss.Ptr(`"x"`) })
		requireOSSV2Error(t, err, 412, "PreconditionFailed")
		_, err = copyTo("copy", func(r *oss.CopyObjectRequest) { r.IfNoneMatch = put.ETag })
		require.ErrorContains(t, err, "304")
		_, err = copyTo("copy", func(r *oss.CopyObjectRequest) { r.SourceKey = oss.Ptr("none") })
		requireOSSV2Error(t, err, 404, "NoSuchKey")
		_, err = copyTo("copy", func(r *oss.CopyObjectRequest) {
			r.MetadataDirective, r.Metadata = oss.Ptr("REPLACE"), map[string]string{"owner": "you"}
		})
		require.NoError(t, err)
		require.Equal(t, "you", srv.ObjectHeader(bucket, "copy").Get("x-oss-meta-owner"))

		_, err = c.DeleteObject(t.Context(), &oss.DeleteObjectRequest{Bucket: oss.Ptr(bucket), Key: oss.Ptr("copy")})
		require.NoError(t, err)
		putV2(t, c, "b & c", "")
		many, err := c.DeleteMultipleObjects(t.Context(), &oss.DeleteMultipleObjectsRequest{
			Bucket: oss.Ptr(bucket), Objects: []oss.DeleteObject{{Key: oss.Ptr(oddKey)}, {Key: oss.Ptr("b & c")}, {Key: oss.Ptr("none")}},
		})
		require.NoError(t, err)
		require.Len(t, many.DeletedObjects, 3)
		require.Equal(t, oddKey, *many.DeletedObjects[0].Key)
		require.Empty(t, srv.Objects(bucket))
	})
}

func TestAlibabaCloudOSSGoSDKv2_Append(t *testing.T) {
	t.Parallel()
	eachOSSV2(t, func(t *testing.T, srv *mediatest.Server, c *oss.Client) {
		appendAt := func(position int64, text string) (*oss.AppendObjectResult, error) {
			return c.AppendObject(t.Context(), &oss.AppendObjectRequest{
				Bucket: oss.Ptr(bucket), Key: oss.Ptr("log"), Position: &position, Body: strings.NewReader(text), InitHashCRC64: nil,
			})
		}
		first, err := appendAt(0, "one ")
		require.NoError(t, err)
		second, err := appendAt(first.NextPosition, "two ")
		require.NoError(t, err)
		_, err = appendAt(1, "x")
		requireOSSV2Error(t, err, 409, "PositionNotEqualToLength")
		file, err := c.AppendFile(t.Context(), bucket, "log") // checks the CRC-64 over all of it
		require.NoError(t, err)
		_, err = file.WriteFrom(strings.NewReader("three"))
		require.NoError(t, err)
		require.NoError(t, file.Close())
		require.EqualValues(t, 8, second.NextPosition)
		data, _ := srv.Object(bucket, "log")
		require.Equal(t, "one two three", string(data))
	})
}

func TestAlibabaCloudOSSGoSDKv2_TagsAndACL(t *testing.T) {
	t.Parallel()
	eachOSSV2(t, func(t *testing.T, srv *mediatest.Server, c *oss.Client) {
		putV2(t, c, oddKey, "content")
		ctx, at, of := t.Context(), oss.Ptr(bucket), oss.Ptr(oddKey)
		tags := []oss.Tag{{Key: oss.Ptr("k 1"), Value: oss.Ptr("v&1")}, {Key: oss.Ptr("k2"), Value: oss.Ptr("")}}
		_, err := c.PutObjectTagging(ctx, &oss.PutObjectTaggingRequest{Bucket: at, Key: of, Tagging: &oss.Tagging{TagSet: &oss.TagSet{Tags: tags}}})
		require.NoError(t, err)
		got, err := c.GetObjectTagging(ctx, &oss.GetObjectTaggingRequest{Bucket: at, Key: of})
		require.NoError(t, err)
		require.Equal(t, tags, got.Tags)
		_, err = c.DeleteObjectTagging(ctx, &oss.DeleteObjectTaggingRequest{Bucket: at, Key: of})
		require.NoError(t, err)
		got, err = c.GetObjectTagging(ctx, &oss.GetObjectTaggingRequest{Bucket: at, Key: of})
		require.NoError(t, err)
		require.Empty(t, got.Tags)

		acl, err := c.GetObjectAcl(ctx, &oss.GetObjectAclRequest{Bucket: at, Key: of})
		require.NoError(t, err)
		require.Equal(t, "default", *acl.ACL)
		_, err = c.PutObjectAcl(ctx, &oss.PutObjectAclRequest{Bucket: at, Key: of, Acl: oss.ObjectACLPublicRead})
		require.NoError(t, err)
		acl, err = c.GetObjectAcl(ctx, &oss.GetObjectAclRequest{Bucket: at, Key: of})
		require.NoError(t, err)
		require.Equal(t, "public-read", *acl.ACL)
		require.Equal(t, srv.Account().Id(), *acl.Owner.ID)
		_, err = c.GetObjectAcl(ctx, &oss.GetObjectAclRequest{Bucket: at, Key: oss.Ptr("none")})
		requireOSSV2Error(t, err, 404, "NoSuchKey")
	})
}

func TestAlibabaCloudOSSGoSDKv2_Buckets(t *testing.T) {
	t.Parallel()
	eachOSSV2(t, func(t *testing.T, srv *mediatest.Server, c *oss.Client) {
		ctx := t.Context()
		_, err := c.PutBucket(ctx, &oss.PutBucketRequest{Bucket: oss.Ptr("made-here")})
		require.NoError(t, err)
		list, err := c.ListBuckets(ctx, &oss.ListBucketsRequest{Prefix: oss.Ptr("made")})
		require.NoError(t, err)
		require.Len(t, list.Buckets, 1)
		require.Equal(t, "oss-"+region, *list.Buckets[0].Location)
		info, err := c.GetBucketInfo(ctx, &oss.GetBucketInfoRequest{Bucket: oss.Ptr("made-here")})
		require.NoError(t, err)
		require.Equal(t, "private", *info.BucketInfo.ACL)
		where, err := c.GetBucketLocation(ctx, &oss.GetBucketLocationRequest{Bucket: oss.Ptr("made-here")})
		require.NoError(t, err)
		require.Equal(t, "oss-"+region, *where.LocationConstraint)
		srv.PutObject("made-here", "a", nil)
		_, err = c.DeleteBucket(ctx, &oss.DeleteBucketRequest{Bucket: oss.Ptr("made-here")})
		requireOSSV2Error(t, err, 409, "BucketNotEmpty")
		_, err = c.DeleteObject(ctx, &oss.DeleteObjectRequest{Bucket: oss.Ptr("made-here"), Key: oss.Ptr("a")})
		require.NoError(t, err)
		_, err = c.DeleteBucket(ctx, &oss.DeleteBucketRequest{Bucket: oss.Ptr("made-here")})
		require.NoError(t, err)
		there, err := c.IsBucketExist(ctx, "made-here")
		require.NoError(t, err)
		require.False(t, there)
	})
}

func TestAlibabaCloudOSSGoSDKv2_Presign(t *testing.T) {
	t.Parallel()
	eachOSSV2(t, func(t *testing.T, srv *mediatest.Server, c *oss.Client) {
		send := func(request any, body string) *http.Response {
			signed, err := c.Presign(t.Context(), request, oss.PresignExpires(time.Minute))
			require.NoError(t, err)
			r, err := http.NewRequestWithContext(t.Context(), signed.Method, signed.URL, strings.NewReader(body))
			require.NoError(t, err)
			for name, value := range signed.SignedHeaders {
				r.Header.Set(name, value)
			}
			resp, err := srv.HTTPClient().Do(r)
			require.NoError(t, err)
			return resp
		}
		at := oss.Ptr(bucket)
		resp := send(&oss.PutObjectRequest{Bucket: at, Key: oss.Ptr(oddKey), ContentType: oss.Ptr("text/plain"), Metadata: map[string]string{"owner": "me"}, ContentLength: oss.Ptr(int64(7))}, "content")
		require.Equal(t, 200, resp.StatusCode, string(readAll(t, resp.Body, nil)))
		require.Equal(t, "me", srv.ObjectHeader(bucket, oddKey).Get("x-oss-meta-owner"))
		resp = send(&oss.GetObjectRequest{Bucket: at, Key: oss.Ptr(oddKey), ResponseContentType: oss.Ptr("text/csv")}, "")
		require.Equal(t, "content", string(readAll(t, resp.Body, nil)))
		require.Equal(t, "text/csv", resp.Header.Get("Content-Type"))
		resp = send(&oss.HeadObjectRequest{Bucket: at, Key: oss.Ptr(oddKey)}, "")
		require.Equal(t, 200, resp.StatusCode)

		resp = send(&oss.InitiateMultipartUploadRequest{Bucket: at, Key: oss.Ptr("parts")}, "")
		require.Equal(t, 200, resp.StatusCode, string(readAll(t, resp.Body, nil)))
		id := oss.Ptr(srv.Uploads()[0].UploadId)
		resp = send(&oss.UploadPartRequest{Bucket: at, Key: oss.Ptr("parts"), UploadId: id, PartNumber: 1, ContentLength: oss.Ptr(int64(4))}, "part")
		require.Equal(t, 200, resp.StatusCode, string(readAll(t, resp.Body, nil)))
		resp = send(&oss.CompleteMultipartUploadRequest{Bucket: at, Key: oss.Ptr("parts"), UploadId: id, CompleteAll: oss.Ptr("yes")}, "")
		require.Equal(t, 200, resp.StatusCode, string(readAll(t, resp.Body, nil)))
		data, _ := srv.Object(bucket, "parts")
		require.Equal(t, "part", string(data))
	})
}
