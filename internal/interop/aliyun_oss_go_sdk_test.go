package interop

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/mediatest"
)

// ossV1Bucket opens a bucket by the OSS SDK for Go, version 1.
func ossV1Bucket(t *testing.T, endpoint string, keys credentials.Credentials, opts ...oss.ClientOption) *oss.Bucket {
	t.Helper()
	opts = append([]oss.ClientOption{oss.Region(region), oss.SecurityToken(keys.SecurityToken)}, opts...)
	client, err := oss.New(endpoint, keys.AccessKeyId, keys.AccessKeySecret, opts...)
	require.NoError(t, err)
	b, err := client.Bucket(bucket)
	require.NoError(t, err)
	return b
}

// eachOSSV1 runs a test with either version of the signature, with a security
// token and without, by path and by virtual host.
func eachOSSV1(t *testing.T, test func(*testing.T, *mediatest.Server, *oss.Bucket)) {
	for _, version := range []oss.AuthVersionType{oss.AuthV1, oss.AuthV4} {
		for _, kind := range []string{"keys", "token", "virtual host"} {
			t.Run(string(version)+" "+kind, func(t *testing.T) {
				t.Parallel()
				srv := serverWithBucket(t)
				endpoint, keys := srv.URL, srv.Credentials()
				switch kind {
				case "token":
					keys = srv.IssueCredentials()
				case "virtual host":
					endpoint = localhost(srv)
				}
				test(t, srv, ossV1Bucket(t, endpoint, keys, oss.AuthVersion(version), oss.HTTPClient(srv.HTTPClient())))
			})
		}
	}
}

func requireOSSV1Error(t *testing.T, err error, status int, code string) {
	t.Helper()
	var e oss.ServiceError
	require.ErrorAs(t, err, &e)
	require.Equal(t, code, e.Code, e.RawMessage)
	require.Equal(t, status, e.StatusCode)
	require.NotEmpty(t, e.RequestID)
}

func readAll(t *testing.T, body io.ReadCloser, err error) []byte {
	t.Helper()
	require.NoError(t, err)
	defer func() { _ = body.Close() }()
	data, err := io.ReadAll(body)
	require.NoError(t, err)
	return data
}

const oddKey = "a dir/ü+&=%20?'#.bin"

func TestAliyunOSSGoSDK_PutGetHead(t *testing.T) {
	t.Parallel()
	eachOSSV1(t, func(t *testing.T, srv *mediatest.Server, b *oss.Bucket) {
		data := noise(2<<20 + 17)
		require.NoError(t, b.PutObject(oddKey, bytes.NewReader(data), oss.ContentType("video/mp4"), oss.Meta("Owner", "me"), oss.ContentDisposition("attachment")))
		stored, ok := srv.Object(bucket, oddKey)
		require.True(t, ok)
		require.True(t, bytes.Equal(data, stored))

		body, err := b.GetObject(oddKey) // checks the CRC-64 at the end
		require.True(t, bytes.Equal(data, readAll(t, body, err)))
		for _, r := range []struct {
			option oss.Option
			want   []byte
		}{
			{oss.Range(100, 199), data[100:200]},
			{oss.NormalizedRange("2000000-"), data[2000000:]},
			{oss.NormalizedRange("-10"), data[len(data)-10:]},
		} {
			body, err := b.GetObject(oddKey, r.option)
			require.True(t, bytes.Equal(r.want, readAll(t, body, err)))
		}
		// Out of range: the whole object, unless the behavior of the standard is asked for.
		body, err = b.GetObject(oddKey, oss.Range(1<<30, 1<<30+1))
		require.True(t, bytes.Equal(data, readAll(t, body, err)))
		_, err = b.GetObject(oddKey, oss.Range(1<<30, 1<<30+1), oss.RangeBehavior("standard"))
		requireOSSV1Error(t, err, 416, "InvalidRange")

		meta, err := b.GetObjectDetailedMeta(oddKey)
		require.NoError(t, err)
		require.Equal(t, "video/mp4", meta.Get("Content-Type"))
		require.Equal(t, "me", meta.Get("X-Oss-Meta-Owner"))
		require.Equal(t, "2097169", meta.Get("Content-Length"))
		require.Equal(t, "Normal", meta.Get("X-Oss-Object-Type"))
		meta, err = b.GetObjectMeta(oddKey)
		require.NoError(t, err)
		require.Equal(t, "2097169", meta.Get("Content-Length"))
		require.NotEmpty(t, meta.Get("ETag"))
		require.Empty(t, meta.Get("X-Oss-Meta-Owner"), "GetObjectMeta tells less")
		there, err := b.IsObjectExist(oddKey)
		require.NoError(t, err)
		require.True(t, there)
		there, err = b.IsObjectExist("none")
		require.NoError(t, err)
		require.False(t, there)
		there, err = b.Client.IsBucketExist(bucket)
		require.NoError(t, err)
		require.True(t, there)
		_, err = b.GetObject("none")
		requireOSSV1Error(t, err, 404, "NoSuchKey")
		_, err = b.GetObjectDetailedMeta("none")
		require.ErrorContains(t, err, "404")
	})
}

func TestAliyunOSSGoSDK_Conditions(t *testing.T) {
	t.Parallel()
	eachOSSV1(t, func(t *testing.T, srv *mediatest.Server, b *oss.Bucket) {
		require.NoError(t, b.PutObject("a.txt", strings.NewReader("content")))
		meta, err := b.GetObjectMeta("a.txt")
		require.NoError(t, err)
		etag := meta.Get("ETag")
		modified, err := http.ParseTime(meta.Get("Last-Modified"))
		require.NoError(t, err)
		body, err := b.GetObject("a.txt", oss.IfMatch(etag), oss.IfUnmodifiedSince(modified))
		require.Equal(t, "content", string(readAll(t, body, err)))
		_, err = b.GetObject("a.txt", oss.IfMatch(`"other"`))
		requireOSSV1Error(t, err, 412, "PreconditionFailed")
		_, err = b.GetObject("a.txt", oss.IfUnmodifiedSince(modified.Add(-1e10)))
		requireOSSV1Error(t, err, 412, "PreconditionFailed")
		_, err = b.GetObject("a.txt", oss.IfNoneMatch(etag))
		require.ErrorContains(t, err, "304")
		_, err = b.GetObject("a.txt", oss.IfModifiedSince(modified))
		require.ErrorContains(t, err, "304")
		err = b.PutObject("a.txt", strings.NewReader("other"), oss.ForbidOverWrite(true))
		requireOSSV1Error(t, err, 409, "FileAlreadyExists")
	})
}

func TestAliyunOSSGoSDK_Lists(t *testing.T) {
	t.Parallel()
	eachOSSV1(t, func(t *testing.T, srv *mediatest.Server, b *oss.Bucket) {
		all := []string{"a/1 x.txt", "a/2+y.txt", "a/b/3.txt", "a/c/4.txt", "z.txt"}
		for _, key := range all {
			require.NoError(t, b.PutObject(key, strings.NewReader(key)))
		}
		var keys, prefixes []string
		for marker, more := "", true; more; {
			page, err := b.ListObjects(oss.MaxKeys(1), oss.Marker(marker), oss.Prefix("a/"), oss.Delimiter("/"))
			require.NoError(t, err)
			for _, o := range page.Objects {
				keys = append(keys, o.Key)
				require.EqualValues(t, len(o.Key), o.Size)
			}
			prefixes = append(prefixes, page.CommonPrefixes...)
			marker, more = page.NextMarker, page.IsTruncated
		}
		require.Equal(t, all[:2], keys)
		require.Equal(t, []string{"a/b/", "a/c/"}, prefixes)

		keys = nil
		for token, more := "", true; more; {
			page, err := b.ListObjectsV2(oss.MaxKeys(2), oss.ContinuationToken(token), oss.FetchOwner(true))
			require.NoError(t, err)
			for _, o := range page.Objects {
				keys = append(keys, o.Key)
				require.Equal(t, srv.Account().Id(), o.Owner.ID)
			}
			token, more = page.NextContinuationToken, page.IsTruncated
		}
		require.Equal(t, all, keys)
		page, err := b.ListObjectsV2(oss.StartAfter("a/2+y.txt"), oss.Delimiter("/"), oss.Prefix("a/"))
		require.NoError(t, err)
		require.Empty(t, page.Objects)
		require.Equal(t, []string{"a/b/", "a/c/"}, page.CommonPrefixes)
		require.Equal(t, "a/2+y.txt", page.StartAfter)
	})
}

func TestAliyunOSSGoSDK_CopiesAndDeletes(t *testing.T) {
	t.Parallel()
	eachOSSV1(t, func(t *testing.T, srv *mediatest.Server, b *oss.Bucket) {
		srv.CreateBucket("other")
		require.NoError(t, b.PutObject(oddKey, strings.NewReader("content"), oss.Meta("owner", "me"), oss.ContentType("text/plain")))
		meta, err := b.GetObjectMeta(oddKey)
		require.NoError(t, err)
		etag := meta.Get("ETag")
		_, err = b.CopyObject(oddKey, "copy", oss.CopySourceIfMatch(etag))
		require.NoError(t, err)
		_, err = b.CopyObjectTo("other", "copy", oddKey, oss.MetadataDirective(oss.MetaReplace), oss.Meta("owner", "you"))
		require.NoError(t, err)
		require.Equal(t, "me", srv.ObjectHeader(bucket, "copy").Get("x-oss-meta-owner"))
		require.Equal(t, "you", srv.ObjectHeader("other", "copy").Get("x-oss-meta-owner"))
		_, err = b.CopyObjectFrom("other", "copy", "back")
		require.NoError(t, err)
		data, _ := srv.Object(bucket, "back")
		require.Equal(t, "content", string(data))
		_, err = b.CopyObject(oddKey, "copy", oss.CopySourceIfMatch(`"other"`))
		requireOSSV1Error(t, err, 412, "PreconditionFailed")
		_, err = b.CopyObject(oddKey, "copy", oss.CopySourceIfNoneMatch(etag))
		require.ErrorContains(t, err, "304")
		_, err = b.CopyObject("none", "copy")
		requireOSSV1Error(t, err, 404, "NoSuchKey")
		_, err = b.CopyObjectFrom("no-such-bucket", "copy", "back")
		requireOSSV1Error(t, err, 404, "NoSuchBucket")

		require.NoError(t, b.SetObjectMeta("copy", oss.Meta("owner", "they")))
		require.Equal(t, "they", srv.ObjectHeader(bucket, "copy").Get("x-oss-meta-owner"))

		require.NoError(t, b.DeleteObject("back"))
		require.NoError(t, b.DeleteObject("back"))
		deleted, err := b.DeleteObjects([]string{"copy", "none"})
		require.NoError(t, err)
		require.Equal(t, []string{"copy", "none"}, deleted.DeletedObjects)
		deleted, err = b.DeleteObjects([]string{oddKey}, oss.DeleteObjectsQuiet(true))
		require.NoError(t, err)
		require.Empty(t, deleted.DeletedObjects)
		require.Empty(t, srv.Objects(bucket))
	})
}

func TestAliyunOSSGoSDK_Append(t *testing.T) {
	t.Parallel()
	eachOSSV1(t, func(t *testing.T, srv *mediatest.Server, b *oss.Bucket) {
		next, err := b.AppendObject("log.txt", strings.NewReader("one "), 0, oss.Meta("owner", "me"))
		require.NoError(t, err)
		require.EqualValues(t, 4, next)
		next, err = b.AppendObject("log.txt", strings.NewReader("two"), next)
		require.NoError(t, err)
		require.EqualValues(t, 7, next)
		data, _ := srv.Object(bucket, "log.txt")
		require.Equal(t, "one two", string(data))
		_, err = b.AppendObject("log.txt", strings.NewReader("three"), 3)
		requireOSSV1Error(t, err, 409, "PositionNotEqualToLength")
		meta, err := b.GetObjectDetailedMeta("log.txt")
		require.NoError(t, err)
		require.Equal(t, "7", meta.Get("X-Oss-Next-Append-Position"))
		require.Equal(t, "Appendable", meta.Get("X-Oss-Object-Type"))
		require.Equal(t, "me", meta.Get("X-Oss-Meta-Owner"))
		require.NoError(t, b.PutObject("normal.txt", strings.NewReader("one")))
		_, err = b.AppendObject("normal.txt", strings.NewReader("two"), 3)
		requireOSSV1Error(t, err, 409, "ObjectNotAppendable")
	})
}

func TestAliyunOSSGoSDK_SignURL(t *testing.T) {
	t.Parallel()
	eachOSSV1(t, func(t *testing.T, srv *mediatest.Server, b *oss.Bucket) {
		put, err := b.SignURL(oddKey, oss.HTTPPut, 60, oss.ContentType("text/plain"), oss.Meta("owner", "me"))
		require.NoError(t, err)
		require.NoError(t, b.PutObjectWithURL(put, strings.NewReader("content"), oss.ContentType("text/plain"), oss.Meta("owner", "me")))
		require.Equal(t, "me", srv.ObjectHeader(bucket, oddKey).Get("x-oss-meta-owner"))
		err = b.PutObjectWithURL(put, strings.NewReader("content"), oss.ContentType("text/html"), oss.Meta("owner", "me"))
		requireOSSV1Error(t, err, 403, "SignatureDoesNotMatch")

		get, err := b.SignURL(oddKey, oss.HTTPGet, 60, oss.ResponseContentType("text/csv"), oss.ResponseContentDisposition("attachment; filename=a.csv"))
		require.NoError(t, err)
		body, err := b.GetObjectWithURL(get)
		require.Equal(t, "content", string(readAll(t, body, err)))
		resp := fetch(t, srv, get)
		require.Equal(t, 200, resp.StatusCode)
		require.Equal(t, "text/csv", resp.Header.Get("Content-Type"))
		require.Equal(t, "attachment; filename=a.csv", resp.Header.Get("Content-Disposition"))

		imur, err := b.InitiateMultipartUpload("parts")
		require.NoError(t, err)
		part, err := b.SignURL("parts", oss.HTTPPut, 60, oss.AddParam("partNumber", "1"), oss.AddParam("uploadId", imur.UploadID))
		require.NoError(t, err)
		require.NoError(t, b.PutObjectWithURL(part, strings.NewReader("part")))
		require.Len(t, srv.Uploads()[0].Parts, 1)
		srv.SetClockSkew(2 * 60e9)
		require.Equal(t, 403, fetch(t, srv, get).StatusCode)
	})
}
