package mediatest_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

func TestFault_NthAndTimes(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	c := callerOf(srv, vodVersion)
	c.ok(t, "GetVideoList") // before the fault is set: not counted
	srv.Fault(
		mediatest.Fault{Operation: "GetVideoList", Nth: 2, Times: 2, Status: 503, Code: "ServiceUnavailable", Message: "busy"},
		mediatest.Fault{Operation: "GetVideoList", Nth: 3, Status: 500},                                             // counts too, is late for its only call
		mediatest.Fault{Operation: "GetVideoList", Nth: 5, Times: mediatest.Always, Code: "Forbidden", Status: 403}, // from the 5th on
	)
	var codes []string
	for range 8 {
		codes = append(codes, c.call(t, "GetVideoList").code())
	}
	require.Equal(t, []string{"", "ServiceUnavailable", "ServiceUnavailable", "", "Forbidden", "Forbidden", "Forbidden", "Forbidden"}, codes)
	c.fails(t, 404, "InvalidVideo.NotFound", "GetVideoInfo", "VideoId", "x") // another operation
	srv.ClearFaults()
	c.ok(t, "GetVideoList")
	require.Equal(t, 10, srv.Calls("GetVideoList"))

	srv.Fault(mediatest.Fault{})
	c.ok(t, "GetVideoList") // an empty fault does nothing
	srv.Fault(mediatest.Fault{Status: 500, Match: func(r mediatest.Request) bool { return r.Params.Get("PageNo") == "2" }})
	c.ok(t, "GetVideoList")
	c.fails(t, 500, "InternalError", "GetVideoList", "PageNo", "2") // any operation, this parameter
	c.ok(t, "GetVideoList", "PageNo", "2")
}

func TestFault_API(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]mediatest.Option{"sockets": nil, "pipes": {mediatest.InMemory()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := mediatest.New(t, opts...)
			c := callerOf(srv, vodVersion)
			create := func() (answer, error) {
				return c.try(t, "CreateUploadVideo", "FileName", "a.mp4", "Title", "t")
			}
			once := func(f mediatest.Fault) {
				f.Operation = "CreateUploadVideo"
				srv.Fault(f)
			}

			once(mediatest.Fault{Throttling: true, RetryAfter: 1500 * time.Millisecond})
			a, err := create()
			require.NoError(t, err)
			require.Equal(t, 400, a.status)
			require.Equal(t, "Throttling.User", a.code())
			require.Equal(t, "1500", a.header.Get("x-acs-retry-after"))
			require.NotEmpty(t, a.header.Get("x-acs-request-id"))

			once(mediatest.Fault{ExpiredToken: true})
			a, err = create()
			require.NoError(t, err)
			require.Equal(t, "InvalidSecurityToken.Expired", a.code())

			once(mediatest.Fault{Foreign: &mediatest.Response{Status: 502, Body: "<html><body>Bad Gateway</body></html>"}})
			a, err = create()
			require.NoError(t, err)
			require.Equal(t, 502, a.status)
			require.Equal(t, "<html><body>Bad Gateway</body></html>", a.raw)
			require.Contains(t, a.header.Get("Content-Type"), "text/html")
			require.Empty(t, srv.Medias())

			once(mediatest.Fault{Reset: true})
			_, err = create()
			requireCut(t, err)
			require.Empty(t, srv.Medias())
			last := srv.Requests()[srv.Calls("CreateUploadVideo")-1]
			require.Zero(t, last.Status)

			once(mediatest.Fault{AfterEffect: true})
			_, err = create()
			requireCut(t, err)
			require.Len(t, srv.Medias(), 1) // done, but nobody was told

			once(mediatest.Fault{AfterEffect: true, Status: 504, Code: "GatewayTimeout"})
			a, err = create()
			require.NoError(t, err)
			require.Equal(t, 504, a.status)
			require.Equal(t, "GatewayTimeout", a.code())
			require.NotEmpty(t, a.header.Get("x-acs-request-id"))
			require.Len(t, srv.Medias(), 2)

			a, err = create()
			require.NoError(t, err)
			require.Equal(t, 200, a.status)
		})
	}
}

func requireCut(t testing.TB, err error) {
	t.Helper()
	require.Error(t, err)
	require.True(t, errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.ErrClosedPipe) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), "server closed"), err)
}

func TestFault_OSS(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]mediatest.Option{"sockets": nil, "pipes": {mediatest.InMemory()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := mediatest.New(t, opts...)
			to := targetOf(t, callerOf(srv, vodVersion).ok(t, "CreateUploadVideo", "FileName", "a.mp4", "Title", "t"))
			b := ossBucket(t, srv, to.Bucket, to.keys())
			data := bytes.Repeat([]byte("x"), 1<<20) // more than any buffer on the way
			imur, err := b.InitiateMultipartUpload(to.FileName)
			require.NoError(t, err)
			part := func(n int) error {
				_, err := b.UploadPart(imur, bytes.NewReader(data), int64(len(data)), n)
				return err
			}

			srv.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 2, Status: 503, Code: "ServiceUnavailable", RetryAfter: time.Second})
			require.NoError(t, part(1))
			requireOSSError(t, part(2), 503, "ServiceUnavailable")
			require.NoError(t, part(2))

			srv.Fault(mediatest.Fault{Operation: "UploadPart", ExpiredToken: true})
			e := requireOSSError(t, part(3), 403, "SecurityTokenExpired")
			require.Contains(t, e.RawMessage, to.SecurityToken)
			srv.Fault(mediatest.Fault{Operation: "UploadPart", Throttling: true})
			requireOSSError(t, part(3), 503, "QpsLimitExceeded")
			srv.Fault(mediatest.Fault{Operation: "UploadPart", Reset: true})
			requireCut(t, part(3))
			srv.Fault(mediatest.Fault{Operation: "UploadPart", Reset: true, AfterBytes: 300 << 10})
			requireCut(t, part(3))
			require.Len(t, srv.Uploads()[0].Parts, 2)
			srv.Fault(mediatest.Fault{Operation: "UploadPart", AfterEffect: true})
			requireCut(t, part(3))
			require.Len(t, srv.Uploads()[0].Parts, 3) // stored all the same
			srv.Fault(mediatest.Fault{Operation: "HeadObject", Status: 403, Code: "AccessDenied", Times: mediatest.Always})
			_, err = b.GetObjectDetailedMeta(to.FileName)
			requireOSSError(t, err, 403, "AccessDenied")

			// Completed although the client saw the connection die.
			srv.Fault(mediatest.Fault{Operation: "CompleteMultipartUpload", AfterEffect: true})
			complete := func() error {
				list, err := b.ListUploadedParts(imur)
				if err != nil {
					return err
				}
				var parts []oss.UploadPart
				for _, p := range list.UploadedParts {
					parts = append(parts, oss.UploadPart{PartNumber: p.PartNumber, ETag: p.ETag})
				}
				_, err = b.CompleteMultipartUpload(imur, parts)
				return err
			}
			requireCut(t, complete())
			requireOSSError(t, complete(), 404, "NoSuchUpload")
			require.EqualValues(t, 3<<20, srv.Medias()[0].Size)
		})
	}
}

func TestFault_Delay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory())
		srv.CreateBucket("own")
		b := ossBucket(t, srv, "own", srv.Credentials())
		took := func(do func()) time.Duration {
			start := time.Now()
			do()
			return time.Since(start)
		}
		c := callerOf(srv, vodVersion)
		srv.Fault(mediatest.Fault{Operation: "GetVideoList", Delay: time.Minute})
		require.Equal(t, time.Minute, took(func() { c.ok(t, "GetVideoList") }))
		require.Zero(t, took(func() { c.ok(t, "GetVideoList") }))
		srv.Fault(mediatest.Fault{Operation: "GetVideoList", Delay: time.Minute, Throttling: true})
		require.Equal(t, time.Minute, took(func() { c.fails(t, 400, "Throttling.User", "GetVideoList") }))

		// A stall in the middle of a body, seen by the sender.
		srv.Fault(mediatest.Fault{Operation: "PutObject", Delay: time.Minute, AfterBytes: 1 << 20})
		var at []time.Duration
		start := time.Now()
		body := &spy{Reader: bytes.NewReader(make([]byte, 4<<20)), read: func() { at = append(at, time.Since(start)) }}
		require.NoError(t, b.PutObject("a", io.LimitReader(body, 4<<20)))
		require.Zero(t, at[0])
		require.Equal(t, time.Minute, at[len(at)-1])
		size, _, _ := srv.ObjectInfo("own", "a")
		require.EqualValues(t, 4<<20, size)

		// The client gives up.
		srv.Fault(mediatest.Fault{Operation: "GetVideoList", Delay: time.Hour})
		client := *srv.HTTPClient()
		client.Timeout = time.Second
		require.Equal(t, time.Second, took(func() {
			_, err := client.Do(c.request(t, "GetVideoList", nil))
			require.Error(t, err)
		}))
		synctest.Wait()
		require.Zero(t, srv.Requests()[srv.Calls("GetVideoList")+srv.Calls("PutObject")-1].Status)
	})
}

type spy struct {
	io.Reader
	read func()
}

func (s *spy) Read(p []byte) (int, error) {
	s.read()
	return s.Reader.Read(p)
}

// An answer reaches a client that is still sending.
func TestRefusalWhileSending(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]mediatest.Option{"sockets": nil, "pipes": {mediatest.InMemory()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := mediatest.New(t, opts...)
			b := ossBucket(t, srv, "nobody", srv.Credentials())
			for range 5 {
				requireOSSError(t, b.PutObject("a", bytes.NewReader(make([]byte, 3<<20))), 404, "NoSuchBucket")
			}
		})
	}
}

// A body that ends early is not stored.
func TestTruncatedBody(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.CreateBucket("own")
	client := *srv.HTTPClient()
	client.Transport = changing{client.Transport, func(r *http.Request) {
		r.Body = io.NopCloser(io.MultiReader(io.LimitReader(r.Body, 100), failing{}))
	}}
	b := ossBucket(t, srv, "own", srv.Credentials(), oss.HTTPClient(&client))
	require.Error(t, b.PutObject("a", bytes.NewReader(make([]byte, 1000))))
	srv.Close()
	require.Empty(t, srv.Objects("own"))
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
