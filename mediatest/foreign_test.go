package mediatest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

// putOwn sends one PutObject of Alibaba's client and returns the raw answer.
func putOwn(t testing.TB, srv *mediatest.Server, key string, options ...oss.Option) (http.Header, error) {
	t.Helper()
	var h http.Header
	err := ossBucket(t, srv, "own", srv.Credentials(), oss.EnableCRC(false)).PutObject(key, strings.NewReader("data"), append(options, oss.GetResponseHeader(&h))...)
	return h, err
}

func TestFault_Foreign(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]mediatest.Option{"sockets": nil, "pipes": {mediatest.InMemory()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := mediatest.New(t, opts...)
			srv.CreateBucket("own")
			for name, a := range map[string]mediatest.Response{
				"page":  {Body: "<html><title>Login</title></html>"},
				"error": {Body: "<Error><Code>AccessDenied</Code></Error>", Header: http.Header{"Content-Type": {"application/xml"}}},
				"empty": {},
			} {
				srv.Fault(mediatest.Fault{Operation: "PutObject", Foreign: &a})
				h, err := putOwn(t, srv, name)
				require.NoError(t, err, "status 200")
				require.Empty(t, h.Get("ETag"))
				require.Empty(t, h.Get("x-oss-hash-crc64ecma"))
				require.Empty(t, h.Get("x-oss-request-id"))
				require.Empty(t, srv.Objects("own"), "not carried out")
			}
			srv.Fault(mediatest.Fault{Operation: "PutObject", Foreign: &mediatest.Response{}, AfterEffect: true})
			h, err := putOwn(t, srv, "a")
			require.NoError(t, err)
			require.Empty(t, h.Get("ETag"))
			require.Len(t, srv.Objects("own"), 1, "carried out")
			last := srv.Requests()[srv.Calls("PutObject")-1]
			require.Equal(t, 200, last.Status)

			// Of the API.
			c := callerOf(srv, vodVersion)
			for _, body := range []string{"{}", "null", "", `{"Success":false,"Code":"Forbidden"}`} {
				srv.Fault(mediatest.Fault{Operation: "CreateUploadVideo", Foreign: &mediatest.Response{Status: 200, Body: body}})
				a := c.call(t, "CreateUploadVideo", "Title", "a", "FileName", "a.mp4")
				require.Equal(t, 200, a.status)
				require.Equal(t, body, a.raw)
			}
			require.Empty(t, srv.Medias())
		})
	}
}

func TestFault_Edit(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.CreateBucket("own")
	srv.Fault(mediatest.Fault{Operation: "PutObject", Edit: func(r mediatest.Request, a *mediatest.Response) {
		a.Header.Del("ETag")
		a.Header.Set("x-oss-hash-crc64ecma", "1")
		a.Header["Date"] = nil
		a.Header.Set("X-Key", r.Key)
	}})
	h, err := putOwn(t, srv, "a")
	require.NoError(t, err)
	require.Len(t, srv.Objects("own"), 1)
	require.Empty(t, h.Get("ETag"))
	require.Equal(t, "1", h.Get("x-oss-hash-crc64ecma"))
	require.NotEmpty(t, h.Get("x-oss-request-id"), "the rest is as it was")
	require.NotContains(t, h, "Date")
	require.Equal(t, "a", h.Get("X-Key"))

	c := callerOf(srv, vodVersion)
	srv.Fault(mediatest.Fault{Operation: "CreateUploadVideo", Edit: func(_ mediatest.Request, a *mediatest.Response) {
		a.Body = strings.Replace(a.Body, "VideoId", "VideoID2", 1)
	}})
	a := c.call(t, "CreateUploadVideo", "Title", "a", "FileName", "a.mp4")
	require.Len(t, srv.Medias(), 1)
	require.Equal(t, srv.Medias()[0].MediaId, a.str("VideoID2"))

	// An error is edited too, and was not carried out.
	srv.Fault(mediatest.Fault{Operation: "CreateUploadVideo", Throttling: true, Edit: func(_ mediatest.Request, a *mediatest.Response) {
		a.Status = 429
		a.Body = ""
	}})
	a = c.call(t, "CreateUploadVideo", "Title", "a", "FileName", "a.mp4")
	require.Equal(t, 429, a.status)
	require.Empty(t, a.raw)
	require.Len(t, srv.Medias(), 1)

	// A body that is cut off.
	srv.Fault(mediatest.Fault{Operation: "GetVideoList", Edit: func(_ mediatest.Request, a *mediatest.Response) {
		a.Body = a.Body[:4]
		a.Header.Set("Content-Length", "400")
	}})
	resp, err := srv.HTTPClient().Do(c.request(t, "GetVideoList", nil))
	require.NoError(t, err)
	_, err = io.ReadAll(resp.Body)
	require.NoError(t, resp.Body.Close())
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)

	// HEAD has headers only.
	srv.Fault(mediatest.Fault{Operation: "HeadObject", Edit: func(_ mediatest.Request, a *mediatest.Response) { a.Header.Set("ETag", `"other"`) }})
	meta, err := ossBucket(t, srv, "own", srv.Credentials()).GetObjectDetailedMeta("a")
	require.NoError(t, err)
	require.Equal(t, `"other"`, meta.Get("ETag"))
	require.Equal(t, "4", meta.Get("Content-Length"))
}

func TestFault_Slow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory())
		c := callerOf(srv, vodVersion)
		srv.Fault(mediatest.Fault{Operation: "GetVideoList", Drip: time.Second})
		start := time.Now()
		a := c.ok(t, "GetVideoList")
		require.Equal(t, time.Duration(len(a.raw))*time.Second, time.Since(start))

		srv.Fault(mediatest.Fault{Operation: "CreateUploadVideo", ResponseDelay: time.Minute})
		start = time.Now()
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.ok(t, "CreateUploadVideo", "Title", "a", "FileName", "a.mp4")
		}()
		synctest.Wait()
		require.Len(t, srv.Medias(), 1, "carried out before the wait")
		<-done
		require.Equal(t, time.Minute, time.Since(start))

		// The answer that never comes, and the one that never ends.
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		srv.Fault(mediatest.Fault{Operation: "GetVideoList", ResponseDelay: mediatest.Forever})
		_, err := srv.HTTPClient().Do(c.request(t, "GetVideoList", nil).WithContext(ctx))
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestFault_Endless(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	c := callerOf(srv, vodVersion)
	srv.Fault(mediatest.Fault{Operation: "GetVideoList", Foreign: &mediatest.Response{Body: strings.Repeat(" ", 1<<10), Endless: true}})
	resp, err := srv.HTTPClient().Do(c.request(t, "GetVideoList", nil))
	require.NoError(t, err)
	n, err := io.CopyN(io.Discard, resp.Body, 16<<20)
	require.NoError(t, err)
	require.EqualValues(t, 16<<20, n)
	require.NoError(t, resp.Body.Close())

	srv.CreateBucket("own")
	b := ossBucket(t, srv, "own", srv.Credentials())
	u, err := b.InitiateMultipartUpload("a")
	require.NoError(t, err)
	srv.Fault(mediatest.Fault{Operation: "ListParts", Times: mediatest.Always, Edit: mediatest.EndlessList})
	marker := 0
	for range 5 {
		page, err := b.ListUploadedParts(u, oss.PartNumberMarker(marker))
		require.NoError(t, err)
		require.True(t, page.IsTruncated)
		marker++
		require.Equal(t, strconv.Itoa(marker), page.NextPartNumberMarker)
	}
}

func TestFault_ForeignMisuse(t *testing.T) {
	t.Parallel()
	b := &tb{}
	srv := mediatest.New(b)
	defer srv.Close()
	srv.Fault(mediatest.Fault{Foreign: &mediatest.Response{Status: 42}})
	require.Equal(t, 500, callerOf(srv, vodVersion).call(t, "GetVideoList").status)
	require.Len(t, b.errors, 1)
}

// Alibaba's own client sees what it stored.
func TestObjectSettings(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.CreateBucket("own")
	bucket := ossBucket(t, srv, "own", srv.Credentials())
	set := []oss.Option{
		oss.ContentType("video/mp4"), oss.CacheControl("max-age=60"), oss.ContentDisposition(`attachment; filename="a.mp4"`),
		oss.ContentLanguage("de"), oss.ObjectStorageClass("IA"), oss.Meta("origin", "camera 1"),
	}
	tags := oss.SetTagging(oss.Tagging{Tags: []oss.Tag{{Key: "a", Value: "1"}, {Key: "b", Value: "2"}}})

	require.NoError(t, bucket.PutObject("put.mp4", strings.NewReader("data"), append(set, tags, oss.ObjectACL(oss.ACLPublicRead))...))
	u, err := bucket.InitiateMultipartUpload("parts.mp4", append(set, tags)...)
	require.NoError(t, err)
	part, err := bucket.UploadPart(u, strings.NewReader("data"), 4, 1)
	require.NoError(t, err)
	_, err = bucket.CompleteMultipartUpload(u, []oss.UploadPart{part}, oss.ObjectACL(oss.ACLPublicRead))
	require.NoError(t, err)

	for _, key := range []string{"put.mp4", "parts.mp4"} {
		h, err := bucket.GetObjectDetailedMeta(key)
		require.NoError(t, err)
		for name, want := range map[string]string{
			"Content-Type": "video/mp4", "Cache-Control": "max-age=60", "Content-Disposition": `attachment; filename="a.mp4"`,
			"Content-Language": "de", "x-oss-storage-class": "IA", "x-oss-meta-origin": "camera 1", "x-oss-tagging-count": "2",
			"Content-Length": "4", "x-oss-object-acl": "",
		} {
			require.Equal(t, want, h.Get(name), "%s of %s", name, key)
		}
		for _, name := range []string{"ETag", "x-oss-hash-crc64ecma", "x-oss-request-id", "Date", "Last-Modified", "x-oss-object-type"} {
			require.NotEmpty(t, h.Get(name), "%s of %s", name, key)
		}
		stored := srv.ObjectHeader("own", key)
		require.Equal(t, "public-read", stored.Get("x-oss-object-acl"))
		require.Equal(t, "a=1&b=2", stored.Get("x-oss-tagging"))
	}
	require.Nil(t, srv.ObjectHeader("own", "none"))

	// Nothing said.
	require.NoError(t, bucket.PutObject("plain", strings.NewReader("data"), oss.ContentType("")))
	h, err := bucket.GetObjectDetailedMeta("plain")
	require.NoError(t, err)
	require.Equal(t, "Standard", h.Get("x-oss-storage-class"))

	// Not overwritten.
	forbid := oss.ForbidOverWrite(true)
	requireOSSError(t, bucket.PutObject("put.mp4", strings.NewReader("other"), forbid), 409, "FileAlreadyExists")
	_, err = bucket.InitiateMultipartUpload("put.mp4", forbid)
	requireOSSError(t, err, 409, "FileAlreadyExists")
	u, err = bucket.InitiateMultipartUpload("late.mp4", forbid)
	require.NoError(t, err)
	part, err = bucket.UploadPart(u, strings.NewReader("data"), 4, 1)
	require.NoError(t, err)
	srv.PutObject("own", "late.mp4", []byte("first"))
	_, err = bucket.CompleteMultipartUpload(u, []oss.UploadPart{part}, forbid)
	requireOSSError(t, err, 409, "FileAlreadyExists")
	require.NoError(t, bucket.PutObject("new.mp4", strings.NewReader("data"), forbid))

	// Not valid.
	for name, bad := range map[string]oss.Option{
		"class": oss.ObjectStorageClass("Cheap"), "acl": oss.ObjectACL("mine"), "tags": oss.SetHeader("x-oss-tagging", "a=1&a=2"),
		"metadata": oss.Meta("long", strings.Repeat("x", 9<<10)),
	} {
		err := bucket.PutObject("bad", strings.NewReader("data"), bad)
		var e oss.ServiceError
		require.True(t, errors.As(err, &e), name)
		require.Equal(t, 400, e.StatusCode, name)
	}
}

// An asset that was created before gets its object later, whatever became of
// the first try.
func TestVOD_AwaitsObject(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	c := callerOf(srv, vodVersion)
	for _, status := range []string{"Uploading", "UploadFail"} {
		id := srv.AddMedia(mediatest.Media{Status: status, Params: params("ReferenceId", "order-"+status)})
		c.fails(t, 400, "InvalidParameter", "CreateUploadVideo", "Title", "a", "FileName", "a.mp4", "ReferenceId", "order-"+status)
		require.Contains(t, c.ok(t, "GetVideoInfo", "ReferenceId", "order-"+status).raw, `"Status":"`+status+`"`)
		a := c.ok(t, "RefreshUploadVideo", "ReferenceId", "order-"+status)
		require.Equal(t, id, a.str("VideoId"))
		to := targetOf(t, a)
		require.NoError(t, ossBucket(t, srv, to.Bucket, to.keys()).PutObject(to.FileName, strings.NewReader("data")))
		m, _ := srv.Media(id)
		require.Equal(t, "Normal", m.Status)
		require.EqualValues(t, 4, m.Size)

		require.True(t, srv.SetStatus(id, status), "once more")
		m, _ = srv.Media(id)
		require.Equal(t, status, m.Status)
		require.NoError(t, ossBucket(t, srv, to.Bucket, to.keys()).PutObject(to.FileName, strings.NewReader("data")))
		m, _ = srv.Media(id)
		require.Equal(t, "Normal", m.Status)

		require.True(t, srv.SetStatus(id, "UploadSucc"))
		m, _ = srv.Media(id)
		require.Equal(t, "UploadSucc", m.Status)
	}
}

// What the README says of an answer that is not OSS's.
func TestFault_ForeignAnswerIsRepeated(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	video, err := vod.New(srv.Config())
	require.NoError(t, err)
	up, err := upload.New(upload.Config{VOD: video})
	require.NoError(t, err)
	srv.Fault(mediatest.Fault{Operation: "PutObject", Foreign: &mediatest.Response{Body: "<html>Log in</html>"}})
	res, err := up.Upload(t.Context(), upload.Reader("movie.mp4", strings.NewReader("movie"), 5), upload.VODVideo{Title: "Launch"})
	require.NoError(t, err)
	stored, _ := srv.Object(res.Bucket, res.Key)
	require.Equal(t, "movie", string(stored))
	require.Equal(t, 2, srv.Calls("PutObject"))
	require.Len(t, srv.Medias(), 1)
}
