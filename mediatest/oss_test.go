package mediatest_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc64"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

var crcTable = crc64.MakeTable(crc64.ECMA)

// bothSignatures runs a test with OSS V1 and V4 signatures.
func bothSignatures(t *testing.T, test func(*testing.T, oss.ClientOption)) {
	for _, auth := range []oss.AuthVersionType{oss.AuthV1, oss.AuthV4} {
		t.Run(string(auth), func(t *testing.T) {
			t.Parallel()
			test(t, oss.AuthVersion(auth))
		})
	}
}

func TestOSS_Objects(t *testing.T) {
	t.Parallel()
	bothSignatures(t, func(t *testing.T, auth oss.ClientOption) {
		srv := mediatest.New(t)
		srv.CreateBucket("own")
		b := ossBucket(t, srv, "own", srv.Credentials(), auth, oss.EnableMD5(true))
		data := []byte("hello, 世界")
		for _, key := range []string{"a.mp4", "dir/sub dir/b+c%20&=?#~*'(世界).mp4", ".dot", "no-extension", "UPPER.MP4", "a//b", strings.Repeat("長", 341)} {
			var header http.Header
			require.NoError(t, b.PutObject(key, bytes.NewReader(data), oss.ContentType("video/mp4"), oss.Meta("who", "me"), oss.GetResponseHeader(&header)), key)
			sum := md5.Sum(data)
			require.Equal(t, `"`+strings.ToUpper(hex.EncodeToString(sum[:]))+`"`, header.Get("ETag"))
			require.Equal(t, strconv.FormatUint(crc64.Checksum(data, crcTable), 10), header.Get("x-oss-hash-crc64ecma"))
			require.NotEmpty(t, header.Get("x-oss-request-id"))
			require.NotEmpty(t, header.Get("Date"))
			got, ok := srv.Object("own", key)
			require.True(t, ok)
			require.Equal(t, data, got)

			body, err := b.GetObject(key)
			require.NoError(t, err)
			require.Equal(t, data, readAll(t, body))
			body, err = b.GetObject(key, oss.Range(1, 3))
			require.NoError(t, err)
			require.Equal(t, data[1:4], readAll(t, body))
			body, err = b.GetObject(key, oss.NormalizedRange("7-"))
			require.NoError(t, err)
			require.Equal(t, data[7:], readAll(t, body))

			head, err := b.GetObjectDetailedMeta(key)
			require.NoError(t, err)
			require.Equal(t, strconv.Itoa(len(data)), head.Get("Content-Length"))
			require.Equal(t, "video/mp4", head.Get("Content-Type"))
			require.Equal(t, "Normal", head.Get("x-oss-object-type"))
			require.NotEmpty(t, head.Get("Last-Modified"))

			require.NoError(t, b.DeleteObject(key))
			require.NoError(t, b.DeleteObject(key)) // not an error
			_, err = b.GetObject(key)
			requireOSSError(t, err, 404, "NoSuchKey")
			_, err = b.GetObjectMeta(key)
			requireOSSError(t, err, 404, "NoSuchKey") // from the header: HEAD has no body
		}
		require.Empty(t, srv.Objects("own"))
	})
}

func readAll(t testing.TB, r io.ReadCloser) []byte {
	t.Helper()
	defer r.Close()
	data, err := io.ReadAll(r)
	require.NoError(t, err)
	return data
}

func TestOSS_Refusals(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.CreateBucket("own")
	srv.PutObject("own", "a", []byte("old"))
	b := ossBucket(t, srv, "own", srv.Credentials())
	put := func(opts ...oss.Option) error { return b.PutObject("a", strings.NewReader("new"), opts...) }

	requireOSSError(t, put(oss.ContentMD5("rL0Y20zC+Fzt72VPzMSk2A==")), 400, "InvalidDigest")
	requireOSSError(t, put(oss.ForbidOverWrite(true)), 409, "FileAlreadyExists")
	requireOSSError(t, b.PutObject("/a", strings.NewReader("x")), 400, "InvalidObjectName")
	requireOSSError(t, b.PutObject(strings.Repeat("a", 1024), strings.NewReader("x")), 400, "InvalidObjectName")
	requireOSSError(t, ossBucket(t, srv, "nobody", srv.Credentials()).PutObject("a", strings.NewReader("x")), 404, "NoSuchBucket")
	requireOSSError(t, b.PutSymlink("l", "a"), 501, "NotImplemented")
	requireOSSError(t, b.RestoreObject("a"), 501, "NotImplemented")
	data, _ := srv.Object("own", "a")
	require.Equal(t, "old", string(data))

	require.NoError(t, put(oss.ContentMD5(md5Base64("new"))))
}

func TestOSS_Credentials(t *testing.T) {
	t.Parallel()
	bothSignatures(t, func(t *testing.T, auth oss.ClientOption) {
		srv := mediatest.New(t)
		srv.CreateBucket("own")
		to := targetOf(t, callerOf(srv, vodVersion).ok(t, "CreateUploadVideo", "FileName", "a.m3u8", "Title", "t"))
		keys := to.keys()
		data := func() io.Reader { return strings.NewReader("x") }
		put := func(bucket, key string, change func(target) target) error {
			return ossBucket(t, srv, bucket, change(to).keys(), auth).PutObject(key, data())
		}
		same := func(d target) target { return d }

		// One object, and what lies beside it for a playlist.
		require.NoError(t, put(to.Bucket, to.FileName, same))
		require.NoError(t, put(to.Bucket, to.ObjectPrefix+"slice-1.ts", same))
		requireOSSError(t, put(to.Bucket, "other.mp4", same), 403, "AccessDenied")
		requireOSSError(t, put("own", to.FileName, same), 403, "AccessDenied")
		requireOSSError(t, put("nobody", to.FileName, same), 403, "AccessDenied")
		_, err := ossBucket(t, srv, to.Bucket, keys, auth).ListMultipartUploads()
		requireOSSError(t, err, 403, "AccessDenied")
		single := targetOf(t, callerOf(srv, vodVersion).ok(t, "CreateUploadVideo", "FileName", "a.mp4", "Title", "t"))
		require.Empty(t, single.ObjectPrefix)
		requireOSSError(t, ossBucket(t, srv, single.Bucket, single.keys(), auth).PutObject(single.FileName+"x", data()), 403, "AccessDenied")

		// Keys that are not what they seem.
		requireOSSError(t, put(to.Bucket, to.FileName, func(d target) target { d.AccessKeyId = "STS.nobody"; return d }), 403, "InvalidAccessKeyId")
		requireOSSError(t, put(to.Bucket, to.FileName, func(d target) target { d.SecurityToken = ""; return d }), 403, "InvalidAccessKeyId")
		requireOSSError(t, put(to.Bucket, to.FileName, func(d target) target { d.SecurityToken += "x"; return d }), 403, "InvalidSecurityToken")
		e := requireOSSError(t, put(to.Bucket, to.FileName, func(d target) target { d.AccessKeySecret += "x"; return d }), 403, "SignatureDoesNotMatch")
		require.Contains(t, e.RawMessage, "<StringToSign>")

		srv.ExpireCredentials()
		e = requireOSSError(t, put(to.Bucket, to.FileName, same), 403, "SecurityTokenExpired")
		require.Contains(t, e.RawMessage, "<SecurityToken>"+to.SecurityToken+"</SecurityToken>")
		require.Equal(t, "0002-00000007", e.Ec)

		fresh := targetOf(t, callerOf(srv, vodVersion).ok(t, "RefreshUploadVideo", "VideoId", srv.Medias()[0].MediaId))
		require.Equal(t, to.FileName, fresh.FileName)
		require.NotEqual(t, to.AccessKeyId, fresh.AccessKeyId)
		require.NoError(t, ossBucket(t, srv, to.Bucket, fresh.keys(), auth).PutObject(to.FileName, data()))
	})
}

func TestOSS_ExpiryAndSkew(t *testing.T) {
	for _, auth := range []oss.AuthVersionType{oss.AuthV1, oss.AuthV4} {
		synctest.Test(t, func(t *testing.T) {
			srv := mediatest.New(t, mediatest.InMemory())
			to := targetOf(t, callerOf(srv, vodVersion).ok(t, "CreateUploadVideo", "FileName", "a.mp4", "Title", "t"))
			require.Equal(t, "3600", to.Expiration)
			require.Equal(t, time.Now().Add(3000*time.Second).UTC().Format(time.RFC3339), to.ExpireUTCTime)
			require.Equal(t, "cn-shanghai", to.Region)
			b := ossBucket(t, srv, to.Bucket, to.keys(), oss.AuthVersion(auth))
			time.Sleep(2999 * time.Second)
			require.NoError(t, b.PutObject(to.FileName, strings.NewReader("x")))
			time.Sleep(time.Second)
			requireOSSError(t, b.PutObject(to.FileName, strings.NewReader("x")), 403, "SecurityTokenExpired")

			b = ossBucket(t, srv, srv.StorageBucket(), srv.Credentials(), oss.AuthVersion(auth))
			srv.SetClockSkew(-15 * time.Minute)
			require.NoError(t, b.PutObject("x", strings.NewReader("x")))
			srv.SetClockSkew(-15*time.Minute - time.Second)
			e := requireOSSError(t, b.PutObject("x", strings.NewReader("x")), 403, "RequestTimeTooSkewed")
			require.Contains(t, e.RawMessage, "<ServerTime>"+time.Now().Add(-15*time.Minute-time.Second).UTC().Format("2006-01-02T15:04:05"))
		})
	}
}

// A changed byte in any signed part of an OSS request is noticed.
func TestOSS_TamperedRequests(t *testing.T) {
	t.Parallel()
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	tests := map[string]struct {
		change func(*http.Request)
		v1, v4 string // expected code; empty: not covered by that signature
	}{
		"method":       {change: func(r *http.Request) { r.Method = http.MethodDelete }, v1: "SignatureDoesNotMatch", v4: "SignatureDoesNotMatch"},
		"key":          {change: func(r *http.Request) { r.URL.Path += "x" }, v1: "SignatureDoesNotMatch", v4: "SignatureDoesNotMatch"},
		"bucket":       {change: func(r *http.Request) { r.URL.Path = strings.Replace(r.URL.Path, "/own/", "/two/", 1) }, v1: "SignatureDoesNotMatch", v4: "SignatureDoesNotMatch"},
		"content type": {change: header("Content-Type", "text/x"), v1: "SignatureDoesNotMatch", v4: "SignatureDoesNotMatch"},
		"content md5":  {change: header("Content-MD5", "rL0Y20zC+Fzt72VPzMSk2A=="), v1: "SignatureDoesNotMatch", v4: "SignatureDoesNotMatch"},
		"oss header":   {change: header("x-oss-meta-who", "you"), v1: "SignatureDoesNotMatch", v4: "SignatureDoesNotMatch"},
		"new header":   {change: header("x-oss-meta-new", "1"), v1: "SignatureDoesNotMatch", v4: "SignatureDoesNotMatch"},
		"other header": {change: header("Cache-Control", "no-cache")},
		"subresource":  {change: func(r *http.Request) { r.URL.RawQuery = "x-oss-traffic-limit=819200" }, v1: "SignatureDoesNotMatch", v4: "SignatureDoesNotMatch"},
		"parameter":    {change: func(r *http.Request) { r.URL.RawQuery = "other=1" }, v4: "SignatureDoesNotMatch"},
		"date":         {change: header("Date", time.Now().Add(time.Minute).UTC().Format(http.TimeFormat)), v1: "SignatureDoesNotMatch", v4: "SignatureDoesNotMatch"},
		"no date":      {change: header("Date", ""), v1: "AccessDenied", v4: "AccessDenied"},
		"signature": {change: func(r *http.Request) {
			a := []byte(r.Header.Get("Authorization"))
			a[len(a)-2] ^= 1
			r.Header.Set("Authorization", string(a))
		}, v1: "SignatureDoesNotMatch", v4: "SignatureDoesNotMatch"},
		"payload":    {change: header("x-oss-content-sha256", "x"), v1: "SignatureDoesNotMatch", v4: "SignatureDoesNotMatch"},
		"no payload": {change: func(r *http.Request) { r.Header.Del("x-oss-content-sha256") }, v4: "InvalidArgument"},
		"region":     {change: replaceIn("Authorization", "/cn-shanghai/", "/cn-beijing/"), v4: "InvalidArgument"},
		"day":        {change: replaceIn("Authorization", "/20", "/19"), v4: "InvalidArgument"},
		"scope":      {change: replaceIn("Authorization", "/oss/", "/ots/"), v4: "InvalidArgument"},
		"scheme":     {change: header("Authorization", "Basic x"), v1: "InvalidArgument", v4: "InvalidArgument"},
		"half":       {change: header("Authorization", "OSS x"), v1: "InvalidArgument", v4: "InvalidArgument"},
		"anonymous":  {change: func(r *http.Request) { r.Header.Del("Authorization") }, v1: "AccessDenied", v4: "AccessDenied"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for auth, code := range map[oss.AuthVersionType]string{oss.AuthV1: test.v1, oss.AuthV4: test.v4} {
				srv := mediatest.New(t)
				srv.CreateBucket("own")
				srv.CreateBucket("two")
				client := *srv.HTTPClient()
				client.Transport = changing{client.Transport, test.change}
				b := ossBucket(t, srv, "own", srv.Credentials(), oss.AuthVersion(auth), oss.HTTPClient(&client))
				err := b.PutObject("a", strings.NewReader("x"), oss.ContentType("text/plain"), oss.Meta("who", "me"))
				if code == "" {
					require.NoError(t, err, auth)
					continue
				}
				var e oss.ServiceError
				require.ErrorAs(t, err, &e)
				require.Equal(t, code, e.Code, "%s: %s", auth, e.RawMessage)
				require.Empty(t, srv.Objects("own"))
				require.Empty(t, srv.Objects("two"))
			}
		})
	}
}

func replaceIn(name, old, replacement string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, strings.Replace(r.Header.Get(name), old, replacement, 1)) }
}

// changing alters requests after they were signed.
type changing struct {
	http.RoundTripper
	change func(*http.Request)
}

func (c changing) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	c.change(r)
	return c.RoundTripper.RoundTrip(r)
}

func TestOSS_AdditionalHeadersV4(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.CreateBucket("own")
	change := func(*http.Request) {}
	client := *srv.HTTPClient()
	client.Transport = changing{client.Transport, func(r *http.Request) { change(r) }}
	b := ossBucket(t, srv, "own", srv.Credentials(), oss.HTTPClient(&client), oss.AdditionalHeaders([]string{"cache-control", "host"}))
	put := func() error { return b.PutObject("a", strings.NewReader("x"), oss.CacheControl("no-cache")) }
	require.NoError(t, put())
	change = func(r *http.Request) { r.Header.Set("Cache-Control", "no-store") }
	requireOSSError(t, put(), 403, "SignatureDoesNotMatch")
	change = func(r *http.Request) { r.Host = "127.0.0.2" }
	requireOSSError(t, put(), 403, "SignatureDoesNotMatch")
}

func TestOSS_StorageRegionAndHostNames(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t, mediatest.InMemory(), mediatest.StorageRegion("cn-beijing"))
	to := targetOf(t, callerOf(srv, vodVersion).ok(t, "CreateUploadVideo", "FileName", "a.mp4", "Title", "t"))
	require.Equal(t, "cn-shanghai", to.Region)
	client, err := oss.New("https://oss-cn-beijing.aliyuncs.com", to.AccessKeyId, to.AccessKeySecret, oss.SecurityToken(to.SecurityToken),
		oss.HTTPClient(srv.HTTPClient()), oss.AuthVersion(oss.AuthV4), oss.Region("cn-beijing"))
	require.NoError(t, err)
	b, err := client.Bucket(to.Bucket)
	require.NoError(t, err)
	require.NoError(t, b.PutObject(to.FileName, strings.NewReader("x")))
	m := srv.Medias()[0]
	require.Equal(t, "Normal", m.Status)
	require.Contains(t, m.URL, ".oss-cn-beijing.aliyuncs.com/")
	requireOSSError(t, ossBucket(t, srv, to.Bucket, to.keys(), oss.Region("cn-shanghai")).PutObject(to.FileName, strings.NewReader("x")), 400, "InvalidArgument")
}

func TestOSS_PathologicalRequests(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	for _, path := range []string{"/", "/%zz", "//", "/b", "/b/", "/b/%", "/b/k?partNumber=1&uploadId=x", "/b/k?%zz", "/b/k?uploads"} {
		for _, method := range []string{"GET", "PUT", "POST", "HEAD", "DELETE", "PATCH"} {
			r, err := http.NewRequest(method, srv.URL, strings.NewReader("x"))
			require.NoError(t, err)
			r.URL.Opaque = strings.TrimPrefix(srv.URL, "http:") + path
			resp, err := srv.HTTPClient().Do(r)
			require.NoError(t, err, path)
			require.GreaterOrEqual(t, resp.StatusCode, 400, path)
			require.NoError(t, resp.Body.Close())
		}
	}
}

func TestMultipart_Rules(t *testing.T) {
	t.Parallel()
	bothSignatures(t, func(t *testing.T, auth oss.ClientOption) {
		srv := mediatest.New(t)
		srv.CreateBucket("own")
		b := ossBucket(t, srv, "own", srv.Credentials(), auth)
		big, small := bytes.Repeat([]byte("a"), 100<<10), bytes.Repeat([]byte("b"), 100<<10-1)
		start := func(sizes ...[]byte) (oss.InitiateMultipartUploadResult, []oss.UploadPart) {
			imur, err := b.InitiateMultipartUpload("dir/k &.mp4", oss.ContentType("video/mp4"))
			require.NoError(t, err)
			require.Equal(t, "dir/k &.mp4", imur.Key)
			var parts []oss.UploadPart
			for i, data := range sizes {
				p, err := b.UploadPart(imur, bytes.NewReader(data), int64(len(data)), 3*i+1) // sparse numbers are fine
				require.NoError(t, err)
				parts = append(parts, p)
			}
			return imur, parts
		}
		raw := func(imur oss.InitiateMultipartUploadResult, body string) error {
			resp, err := b.Client.Conn.Do("POST", "own", imur.Key, map[string]any{"uploadId": imur.UploadID}, nil, strings.NewReader(body), 0, nil)
			if err == nil {
				err = resp.Body.Close()
			}
			return err
		}
		list := func(parts ...oss.UploadPart) string {
			s := "<CompleteMultipartUpload>"
			for _, p := range parts {
				s += fmt.Sprintf("<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", p.PartNumber, p.ETag)
			}
			return s + "</CompleteMultipartUpload>"
		}

		imur, parts := start(big, big, small)
		requireOSSError(t, raw(imur, list()), 400, "MalformedXML")
		requireOSSError(t, raw(imur, "not xml"), 400, "MalformedXML")
		requireOSSError(t, raw(imur, list(parts[1], parts[0])), 400, "InvalidPartOrder")
		requireOSSError(t, raw(imur, list(parts[0], parts[0])), 400, "InvalidPartOrder")
		requireOSSError(t, raw(imur, list(parts[0], oss.UploadPart{PartNumber: 9, ETag: parts[0].ETag})), 400, "InvalidPart")
		requireOSSError(t, raw(imur, list(oss.UploadPart{PartNumber: 1, ETag: `"0"`})), 400, "InvalidPart")
		require.NoError(t, raw(imur, list(parts...)))
		data, _ := srv.Object("own", "dir/k &.mp4")
		require.Equal(t, bytes.Join([][]byte{big, big, small}, nil), data)
		head, err := b.GetObjectDetailedMeta("dir/k &.mp4")
		require.NoError(t, err)
		require.Equal(t, strconv.FormatUint(crc64.Checksum(data, crcTable), 10), head.Get("x-oss-hash-crc64ecma"))
		require.Equal(t, "Multipart", head.Get("x-oss-object-type"))
		require.Equal(t, "video/mp4", head.Get("Content-Type"))
		require.True(t, strings.HasSuffix(head.Get("ETag"), `-3"`))
		requireOSSError(t, raw(imur, list(parts...)), 404, "NoSuchUpload")
		requireOSSError(t, b.AbortMultipartUpload(imur), 404, "NoSuchUpload")

		imur, parts = start(small, big)
		e := requireOSSError(t, raw(imur, list(parts...)), 400, "EntityTooSmall")
		require.Equal(t, "0042-00000213", e.Ec)
		require.NoError(t, raw(imur, list(parts[1]))) // the others are dropped
		data, _ = srv.Object("own", "dir/k &.mp4")
		require.Len(t, data, len(big))

		imur, _ = start(big, small)
		_, err = b.CompleteMultipartUpload(imur, nil, oss.SetHeader("x-oss-complete-all", "yes"))
		requireOSSError(t, err, 400, "InvalidArgument") // the list is not left out
		resp, err := b.Client.Conn.Do("POST", "own", imur.Key, map[string]any{"uploadId": imur.UploadID}, map[string]string{"x-oss-complete-all": "yes"}, nil, 0, nil)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		data, _ = srv.Object("own", "dir/k &.mp4")
		require.Len(t, data, len(big)+len(small))

		imur, _ = start(big)
		for _, n := range []int{0, -1, 10001} {
			_, err = b.UploadPart(imur, bytes.NewReader(big), int64(len(big)), n)
			requireOSSError(t, err, 400, "InvalidArgument")
		}
		other := imur
		other.Key = "other"
		_, err = b.UploadPart(other, bytes.NewReader(big), int64(len(big)), 1)
		requireOSSError(t, err, 404, "NoSuchUpload")
		_, err = b.UploadPart(imur, bytes.NewReader(big), int64(len(big)), 10000, oss.ContentMD5(base64.StdEncoding.EncodeToString(make([]byte, 16))))
		requireOSSError(t, err, 400, "InvalidDigest")
		again, err := b.UploadPart(imur, bytes.NewReader(small), int64(len(small)), 1)
		require.NoError(t, err) // replaces the first
		require.Equal(t, []mediatest.Part{{Number: 1, Size: int64(len(small)), ETag: again.ETag}}, srv.Uploads()[0].Parts)
		require.NoError(t, b.AbortMultipartUpload(imur))
		require.Empty(t, srv.Uploads())
		_, err = b.ListUploadedParts(imur)
		requireOSSError(t, err, 404, "NoSuchUpload")
	})
}

func TestMultipart_Listing(t *testing.T) {
	t.Parallel()
	bothSignatures(t, func(t *testing.T, auth oss.ClientOption) {
		srv := mediatest.New(t)
		srv.CreateBucket("own")
		b := ossBucket(t, srv, "own", srv.Credentials(), auth)
		imur, err := b.InitiateMultipartUpload("a b")
		require.NoError(t, err)
		for n := 5; n > 0; n-- {
			_, err := b.UploadPart(imur, strings.NewReader("x"), 1, n)
			require.NoError(t, err)
		}
		var numbers []int
		marker, pages := 0, 0
		for more := true; more; pages++ {
			page, err := b.ListUploadedParts(imur, oss.MaxParts(2), oss.PartNumberMarker(marker))
			require.NoError(t, err)
			require.Equal(t, "a b", page.Key)
			for _, p := range page.UploadedParts {
				numbers = append(numbers, p.PartNumber)
				require.EqualValues(t, 1, p.Size)
				require.NotEmpty(t, p.ETag)
				require.False(t, p.LastModified.IsZero())
			}
			more = page.IsTruncated
			marker, _ = strconv.Atoi(page.NextPartNumberMarker)
		}
		require.Equal(t, 3, pages)
		require.Equal(t, []int{1, 2, 3, 4, 5}, numbers)
		_, err = b.ListUploadedParts(imur, oss.MaxParts(1001))
		requireOSSError(t, err, 400, "InvalidArgument")

		for _, key := range []string{"c", "b", "b"} {
			_, err := b.InitiateMultipartUpload(key)
			require.NoError(t, err)
		}
		var keys []string
		keyMarker, idMarker := "", ""
		for more := true; more; {
			page, err := b.ListMultipartUploads(oss.MaxUploads(1), oss.KeyMarker(keyMarker), oss.UploadIDMarker(idMarker))
			require.NoError(t, err)
			for _, u := range page.Uploads {
				keys = append(keys, u.Key)
			}
			more, keyMarker, idMarker = page.IsTruncated, page.NextKeyMarker, page.NextUploadIDMarker
		}
		require.Equal(t, []string{"a b", "b", "b", "c"}, keys)
		page, err := b.ListMultipartUploads(oss.Prefix("b"))
		require.NoError(t, err)
		require.Len(t, page.Uploads, 2)
	})
}

// As with the real service an abort misses the parts that are still coming in.
func TestMultipart_AbortWhilePartIsComingIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory())
		srv.CreateBucket("own")
		b := ossBucket(t, srv, "own", srv.Credentials())
		imur, err := b.InitiateMultipartUpload("k")
		require.NoError(t, err)

		upload := func(body io.Reader, opts ...oss.Option) chan error {
			done := make(chan error, 1)
			go func() {
				_, err := b.UploadPart(imur, body, 10, 1, opts...)
				done <- err
			}()
			synctest.Wait() // the server waits for the body
			return done
		}
		r, w := io.Pipe()
		done := upload(r)
		require.NoError(t, b.AbortMultipartUpload(imur))
		require.Empty(t, srv.Uploads())
		_, err = w.Write([]byte("0123456789"))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		require.NoError(t, <-done)
		require.Len(t, srv.Uploads(), 1) // an orphan
		require.NoError(t, b.AbortMultipartUpload(imur))
		require.Empty(t, srv.Uploads())

		// A part whose sender hung up is not stored, complete as it may be.
		imur, err = b.InitiateMultipartUpload("k")
		require.NoError(t, err)
		r, w = io.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		done = upload(r, oss.WithContext(ctx))
		require.NoError(t, b.AbortMultipartUpload(imur))
		_, err = w.Write([]byte("0123456789"))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		synctest.Wait()
		require.Empty(t, srv.Uploads())

		// A part that does not arrive leaves nothing.
		imur, err = b.InitiateMultipartUpload("k")
		require.NoError(t, err)
		r, w = io.Pipe()
		done = upload(r)
		require.NoError(t, b.AbortMultipartUpload(imur))
		require.NoError(t, w.CloseWithError(io.ErrUnexpectedEOF))
		require.Error(t, <-done)
		synctest.Wait()
		require.Empty(t, srv.Uploads())
		requireOSSError(t, b.AbortMultipartUpload(imur), 404, "NoSuchUpload")
	})
}

// An upload of any size takes no memory with Discard.
func TestDiscard(t *testing.T) {
	srv := mediatest.New(t, mediatest.Discard())
	to := targetOf(t, callerOf(srv, vodVersion).ok(t, "CreateUploadVideo", "FileName", "a.mp4", "Title", "t"))
	b := ossBucket(t, srv, to.Bucket, to.keys(), oss.EnableCRC(false))
	const parts, size = 8, 4 << 20
	imur, err := b.InitiateMultipartUpload(to.FileName)
	require.NoError(t, err)
	page := bytes.Repeat([]byte("page"), 1000)
	want := crc64.New(crcTable)
	before := heap()
	var done []oss.UploadPart
	for n := 1; n <= parts; n++ {
		_, err := want.Write(page)
		require.NoError(t, err)
		_, err = io.CopyN(want, zeros{}, size-int64(len(page)))
		require.NoError(t, err)
		p, err := b.UploadPart(imur, io.MultiReader(bytes.NewReader(page), zeros{}), size, n)
		require.NoError(t, err)
		done = append(done, p)
		require.Less(t, heap(), before+8<<20)
	}
	_, err = b.CompleteMultipartUpload(imur, done)
	require.NoError(t, err)
	got, crc, ok := srv.ObjectInfo(to.Bucket, to.FileName)
	require.True(t, ok)
	require.EqualValues(t, parts*size, got)
	require.Equal(t, want.Sum64(), crc)
	head, err := b.GetObjectDetailedMeta(to.FileName)
	require.NoError(t, err)
	require.Equal(t, strconv.Itoa(parts*size), head.Get("Content-Length"))
	_, err = b.GetObject(to.FileName)
	requireOSSError(t, err, 403, "InvalidObjectState")

	require.NoError(t, b.PutObject(to.FileName, strings.NewReader("x"), oss.ContentMD5(md5Base64("x"))))
	requireOSSError(t, b.PutObject(to.FileName, strings.NewReader("x"), oss.ContentMD5(md5Base64("y"))), 400, "InvalidDigest")
}

func md5Base64(s string) string {
	sum := md5.Sum([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
