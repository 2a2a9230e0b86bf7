package mediatest_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
)

func TestAPI_SignedInQueryOrForm(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	title := "a b*c~d+接口 & = /"
	for _, form := range []bool{false, true} {
		c := callerOf(srv, vodVersion)
		c.form = form
		id := c.ok(t, "CreateUploadVideo", "FileName", "a.MP4", "Title", title).str("VideoId")
		m, ok := srv.Media(id)
		require.True(t, ok)
		require.Equal(t, title, m.Title)
	}
}

// Whatever part of a signed request is changed on its way, it is refused.
func TestAPI_TamperedRequests(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	flip := func(s string) string { // the last byte
		b := []byte(s)
		if b[len(b)-1] ^= 1; b[len(b)-1] < ' ' {
			b[len(b)-1] = 'x'
		}
		return string(b)
	}
	flipHeader := func(name string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, flip(r.Header.Get(name))) }
	}
	tests := map[string]struct {
		change func(*http.Request)
		form   bool
		token  bool
		status int
		code   string
	}{
		"method":        {change: func(r *http.Request) { r.Method = http.MethodGet }},
		"host":          {change: func(r *http.Request) { r.Host = "127.0.0.2" }},
		"query value":   {change: func(r *http.Request) { r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "Title=t", "Title=u", 1) }},
		"query name":    {change: func(r *http.Request) { r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "Title=", "Titlf=", 1) }},
		"new parameter": {change: func(r *http.Request) { r.URL.RawQuery += "&z=" }},
		"path":          {change: func(r *http.Request) { r.URL.Path = "/x" }},
		"action":        {change: flipHeader("x-acs-action")},
		"nonce":         {change: flipHeader("x-acs-signature-nonce")},
		"signature":     {change: flipHeader("Authorization")},
		"content hash":  {change: flipHeader("x-acs-content-sha256")},
		"date": {change: func(r *http.Request) {
			r.Header.Set("x-acs-date", time.Now().UTC().Add(time.Second).Format("2006-01-02T15:04:05Z"))
		}},
		"version":      {change: func(r *http.Request) { r.Header.Set("x-acs-version", iceVersion) }},
		"body":         {form: true, change: func(r *http.Request) { replaceBody(r, "FileName=a.mp4&Title=u") }},
		"content type": {form: true, change: func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded;") }},
		"token":        {token: true, change: flipHeader("x-acs-security-token"), code: "InvalidSecurityToken.MismatchWithAccessKey"},
		"no token": {token: true, code: "MissingSecurityToken", change: func(r *http.Request) {
			r.Header.Del("x-acs-security-token")
		}},
		"token with another key": {code: "InvalidSecurityToken.MismatchWithAccessKey", change: func(r *http.Request) {
			r.Header.Set("x-acs-security-token", srv.IssueCredentials().SecurityToken)
		}},
		"unknown key": {status: 404, code: "InvalidAccessKeyId.NotFound", change: func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "Credential=L", "Credential=M", 1))
		}},
		"unsigned header": {code: "IncompleteSignature", change: func(r *http.Request) { r.Header.Set("x-acs-extra", "1") }},
		"no nonce":        {code: "IncompleteSignature", change: func(r *http.Request) { r.Header.Del("x-acs-signature-nonce") }},
		"fewer signed headers": {code: "IncompleteSignature", change: func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "host;", "", 1))
		}},
		"other scheme":     {code: "IncompleteSignature", change: func(r *http.Request) { r.Header.Set("Authorization", "OSS a:b") }},
		"no pairs":         {code: "IncompleteSignature", change: func(r *http.Request) { r.Header.Set("Authorization", "ACS3-HMAC-SHA256 x") }},
		"no authorization": {code: "MissingAuthorization", change: func(r *http.Request) { r.Header.Del("Authorization") }},
		"unknown version":  {code: "InvalidVersion", change: func(r *http.Request) { r.Header.Set("x-acs-version", "2016-01-01") }},
		"bad date":         {code: "InvalidTimeStamp.Format", change: func(r *http.Request) { r.Header.Set("x-acs-date", "yesterday") }},
		"delete":           {status: 405, code: "UnsupportedHTTPMethod", change: func(r *http.Request) { r.Method = http.MethodDelete }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := callerOf(srv, vodVersion)
			c.form, c.after = test.form, test.change
			if test.token {
				c.keys = srv.IssueCredentials()
			}
			status, code := test.status, test.code
			if code == "" {
				code = "SignatureDoesNotMatch"
			}
			if status == 0 {
				status = 400
			}
			a := c.fails(t, status, code, "CreateUploadVideo", "FileName", "a.mp4", "Title", "t")
			if code == "SignatureDoesNotMatch" {
				require.Contains(t, a.str("Message"), "server string to sign is: ACS3-HMAC-SHA256\n")
				require.Contains(t, a.str("Message"), "\nx-acs-action:")
			}
		})
	}
	t.Cleanup(func() { require.Empty(t, srv.Medias()) })
}

func replaceBody(r *http.Request, text string) {
	r.Body = io.NopCloser(strings.NewReader(text))
	r.ContentLength = int64(len(text))
	r.GetBody = nil
}

func TestAPI_NonceIsGoodOnce(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	c := callerOf(srv, vodVersion)
	c.before = func(r *http.Request) { r.Header.Set("x-acs-signature-nonce", "once") }
	c.ok(t, "GetVideoList")
	c.fails(t, 400, "SignatureNonceUsed", "GetVideoList")
	// A refused signature spends nothing.
	c.before = func(r *http.Request) { r.Header.Set("x-acs-signature-nonce", "twice") }
	c.after = func(r *http.Request) { r.Header.Set("Authorization", r.Header.Get("Authorization")+"0") }
	c.fails(t, 400, "SignatureDoesNotMatch", "GetVideoList")
	c.after = nil
	c.ok(t, "GetVideoList")
}

// A hash of other bytes is refused although it is signed.
func TestAPI_ContentHash(t *testing.T) {
	t.Parallel()
	c := callerOf(mediatest.New(t), vodVersion)
	c.form = true
	other := hexHash([]byte("other bytes"))
	c.hash = other
	c.fails(t, 400, "SignatureDoesNotMatch", "GetVideoList", "PageNo", "1")
	c.hash = ""
	c.before = func(r *http.Request) { r.Header.Set("x-acs-content-sha256", other) } // in the header only
	c.fails(t, 400, "SignatureDoesNotMatch", "GetVideoList", "PageNo", "1")
}

func TestAPI_Clock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory())
		c := callerOf(srv, vodVersion)
		for _, test := range []struct {
			off time.Duration
			ok  bool
		}{{0, true}, {15 * time.Minute, true}, {-15 * time.Minute, true}, {15*time.Minute + time.Second, false}, {-15*time.Minute - time.Second, false}} {
			c.now = func() time.Time { return time.Now().Add(test.off) }
			if test.ok {
				c.ok(t, "GetVideoList")
				continue
			}
			a := c.fails(t, 400, "InvalidTimeStamp.Expired", "GetVideoList")
			date, err := http.ParseTime(a.header.Get("Date"))
			require.NoError(t, err)
			require.True(t, date.Equal(time.Now()))
		}
		// The server's clock runs ahead: its Date says how far.
		srv.SetClockSkew(time.Hour)
		c.now = time.Now
		a := c.fails(t, 400, "InvalidTimeStamp.Expired", "GetVideoList")
		date, err := http.ParseTime(a.header.Get("Date"))
		require.NoError(t, err)
		require.Equal(t, time.Hour, time.Until(date))
		c.now = func() time.Time { return date }
		c.ok(t, "GetVideoList")
	})
}

func TestAPI_TemporaryCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory(), mediatest.CredentialLife(time.Hour))
		c := callerOf(srv, iceVersion)
		c.keys = srv.IssueCredentials()
		require.True(t, c.keys.Expires.Equal(time.Now().Add(time.Hour)))
		time.Sleep(time.Hour - time.Nanosecond)
		c.ok(t, "ListMediaBasicInfos")
		time.Sleep(time.Nanosecond)
		c.fails(t, 400, "InvalidSecurityToken.Expired", "ListMediaBasicInfos")
		c.keys = srv.IssueCredentials()
		c.ok(t, "ListMediaBasicInfos")
		srv.ExpireCredentials()
		c.fails(t, 400, "InvalidSecurityToken.Expired", "ListMediaBasicInfos")
		c.keys = srv.Credentials()
		c.ok(t, "ListMediaBasicInfos")
	})
}

func TestAPI_UnknownOperation(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	a := callerOf(srv, vodVersion).fails(t, 404, "InvalidApi.NotFound", "NoSuchAction")
	require.Contains(t, a.str("Recommend"), "InvalidApi.NotFound")
	callerOf(srv, vodVersion).fails(t, 404, "InvalidApi.NotFound", "RegisterMediaStream") // one of ICE's
	callerOf(srv, iceVersion).fails(t, 404, "InvalidApi.NotFound", "CreateUploadVideo")   // one of VOD's
}

func TestAPI_RequiredParameters(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	for action, version := range map[string]string{
		"CreateUploadVideo": vodVersion, "RefreshUploadVideo": vodVersion, "CreateUploadImage": vodVersion, "CreateUploadAttachedMedia": vodVersion,
		"RegisterMedia": vodVersion, "GetVideoInfo": vodVersion, "GetMezzanineInfo": vodVersion, "GetUploadDetails": vodVersion, "DeleteVideo": vodVersion,
		"RefreshUploadMedia": iceVersion, "CreateYikeAssetUpload": iceVersion, "RegisterYikeAssetMediaInfo": iceVersion, "RegisterMediaInfo": iceVersion,
		"RegisterMediaStream": iceVersion, "UpdateMediaInfo": iceVersion, "GetMediaInfo": iceVersion, "BatchGetMediaInfos": iceVersion, "DeleteMediaInfos": iceVersion,
	} {
		a := callerOf(srv, version).fails(t, 400, "MissingParameter", action)
		require.Contains(t, a.str("Message"), "mandatory")
	}
	require.Empty(t, srv.Medias())
}

func TestAPI_RealHostNames(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t, mediatest.InMemory())
	create := func(version, action, host string) answer {
		c := callerOf(srv, version)
		c.url = "https://" + host
		return c.call(t, action, "FileName", "a.mp4", "Title", "t")
	}
	require.Equal(t, 200, create(iceVersion, "CreateUploadMedia", "ice.cn-beijing.aliyuncs.com").status)
	require.Equal(t, 200, create(iceVersion, "CreateUploadMedia", "ice-vpc.cn-shenzhen.aliyuncs.com").status)
	require.Equal(t, 200, create(vodVersion, "CreateUploadVideo", "vod.ap-southeast-1.aliyuncs.com").status)
	require.Equal(t, 200, create(vodVersion, "CreateUploadVideo", "vod.aliyuncs.com").status)
	require.Equal(t, "InvalidApi.NotFound", create(iceVersion, "CreateUploadMedia", "ice.us-west-1.aliyuncs.com").code())
	require.Equal(t, "InvalidVersion", create(iceVersion, "CreateUploadMedia", "vod.cn-shanghai.aliyuncs.com").code())
}

func TestAPI_UploadRegions(t *testing.T) {
	t.Parallel()
	for region, offered := range map[string]bool{"cn-shanghai": true, "cn-beijing": true, "cn-shenzhen": true, "cn-hangzhou": false, "us-west-1": false} {
		srv := mediatest.New(t, mediatest.Region(region))
		require.Equal(t, region, srv.Config().Region)
		for _, action := range []string{"CreateUploadMedia", "CreateUploadStream"} {
			if offered {
				callerOf(srv, iceVersion).ok(t, action)
			} else {
				callerOf(srv, iceVersion).fails(t, 404, "InvalidApi.NotFound", action)
			}
		}
	}
}

func TestAPI_BodyIsBounded(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	c := callerOf(srv, vodVersion)
	c.form = true
	c.fails(t, http.StatusRequestEntityTooLarge, "RequestBodyTooLarge", "GetVideoList", "x", strings.Repeat("a", 4<<20))
}

func TestHandle(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	c := callerOf(srv, vodVersion)
	type info struct{ VideoId string }
	srv.Handle("vod", "GetPlayInfo", func(p url.Values) (any, error) {
		srv.Medias() // a handler may use the server
		switch p.Get("VideoId") {
		case "a":
			return info{"a"}, nil
		case "b":
			return nil, &alimedia.Error{StatusCode: 404, Code: "InvalidVideo.NotFound", Message: "gone"}
		case "c":
			return map[string]string{"RequestId": "mine"}, nil
		case "d":
			return []int{1}, nil
		}
		return nil, errors.New("some error")
	})
	require.Equal(t, "a", c.ok(t, "GetPlayInfo", "VideoId", "a").str("VideoId"))
	a := c.fails(t, 404, "InvalidVideo.NotFound", "GetPlayInfo", "VideoId", "b")
	require.Equal(t, "gone", a.str("Message"))
	require.Equal(t, "mine", c.ok(t, "GetPlayInfo", "VideoId", "c").str("RequestId"))
	require.Equal(t, "[1]", c.call(t, "GetPlayInfo", "VideoId", "d").raw)
	a = c.fails(t, 500, "InternalError", "GetPlayInfo")
	require.NotContains(t, a.raw, "some error")

	srv.Handle("vod", "GetVideoList", func(url.Values) (any, error) { return nil, &alimedia.Error{} })
	c.fails(t, 500, "InternalError", "GetVideoList") // in place of the fake's own
	c.after = func(r *http.Request) { r.Header.Del("Authorization") }
	c.fails(t, 400, "MissingAuthorization", "GetPlayInfo")
	srv.Handle("ice", "GetPublicMediaInfo", func(url.Values) (any, error) { return info{"p"}, nil })
	c.version = iceVersion
	require.Equal(t, "p", c.ok(t, "GetPublicMediaInfo").str("VideoId")) // open to all
}

// tb records what a server reports.
type tb struct {
	mu      sync.Mutex
	errors  []string
	cleanup []func()
}

func (*tb) Helper()            {}
func (b *tb) Cleanup(f func()) { b.cleanup = append(b.cleanup, f) }
func (b *tb) Errorf(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.errors = append(b.errors, format)
}

func TestHandle_MisuseIsReported(t *testing.T) {
	t.Parallel()
	b := &tb{}
	srv := mediatest.New(b)
	srv.Handle("vod", "GetPlayInfo", func(url.Values) (any, error) { return func() {}, nil })
	callerOf(srv, vodVersion).fails(t, 500, "InternalError", "GetPlayInfo")
	require.Len(t, b.errors, 1)
	srv.Handle("vod", "GetPlayInfo", func(url.Values) (any, error) { return nil, &alimedia.Error{StatusCode: 42} })
	callerOf(srv, vodVersion).fails(t, 500, "InternalError", "GetPlayInfo")
	require.Len(t, b.errors, 2)
	srv.Handle("oss", "GetPlayInfo", nil)
	require.Len(t, b.errors, 3)
	srv.Fault(mediatest.Fault{Status: 99})
	require.Len(t, b.errors, 4)
	srv.ClearFaults()
	require.Len(t, b.cleanup, 1)
	b.cleanup[0]()
	_, err := callerOf(srv, vodVersion).try(t, "GetVideoList")
	require.Error(t, err)
}

func TestRequests(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	srv := mediatest.New(t, mediatest.Log(&log))
	c := callerOf(srv, vodVersion)
	c.keys = srv.IssueCredentials()
	c.form = true
	c.before = func(r *http.Request) { r.Header.Set("User-Agent", "test/1") }
	a := c.ok(t, "CreateUploadVideo", "FileName", "a.mp4", "Title", "t")
	c.fails(t, 404, "InvalidVideo.NotFound", "GetVideoInfo", "VideoId", "x")
	to := targetOf(t, a)
	require.NoError(t, ossBucket(t, srv, to.Bucket, to.keys()).PutObject(to.FileName, strings.NewReader("12345")))

	require.Equal(t, 1, srv.Calls("CreateUploadVideo"))
	require.Equal(t, 1, srv.Calls("GetVideoInfo"))
	require.Equal(t, 0, srv.Calls("GetVideoList"))
	all := srv.Requests()
	require.Len(t, all, 3)
	require.Equal(t, "vod", all[0].Service)
	require.Equal(t, "CreateUploadVideo", all[0].Operation)
	require.Equal(t, params("FileName", "a.mp4", "Title", "t"), all[0].Params)
	require.Equal(t, 200, all[0].Status)
	require.Empty(t, all[0].Code)
	require.Equal(t, c.keys.AccessKeyId, all[0].AccessKeyId)
	require.Equal(t, "test/1", all[0].Header.Get("User-Agent"))
	require.Equal(t, 404, all[1].Status)
	require.Equal(t, "InvalidVideo.NotFound", all[1].Code)
	require.Equal(t, "oss", all[2].Service)
	require.Equal(t, "PutObject", all[2].Operation)
	require.Equal(t, to.Bucket, all[2].Bucket)
	require.Equal(t, to.FileName, all[2].Key)
	require.EqualValues(t, 5, all[2].Size)
	require.Equal(t, to.AccessKeyId, all[2].AccessKeyId)
	for _, r := range all {
		text := strings.ToLower(dump(t, r))
		for _, secret := range []string{c.keys.SecurityToken, c.keys.AccessKeySecret, to.SecurityToken, to.AccessKeySecret, "signature=", "authorization"} {
			require.NotContains(t, text, strings.ToLower(secret))
		}
	}
	srv.Close() // all lines are written
	require.Equal(t, "CreateUploadVideo 200\nGetVideoInfo 404 InvalidVideo.NotFound\nPutObject 200\n", log.String())

	all[0].Params.Set("Title", "changed")
	require.Equal(t, "t", srv.Requests()[0].Params.Get("Title"))
}

func TestClose(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]mediatest.Option{"sockets": nil, "pipes": {mediatest.InMemory()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := mediatest.Start(opts...)
			srv.CreateBucket("own")
			srv.Fault(mediatest.Fault{Operation: "GetVideoList", Delay: time.Hour}, mediatest.Fault{Operation: "PutObject", Delay: time.Hour})
			failed := make(chan error)
			go func() {
				_, err := callerOf(srv, vodVersion).try(t, "GetVideoList")
				failed <- err
			}()
			go func() { // with a body that nobody reads
				failed <- ossBucket(t, srv, "own", srv.Credentials()).PutObject("a", bytes.NewReader(make([]byte, 8<<20)))
			}()
			require.Eventually(t, func() bool { return srv.Calls("GetVideoList")+srv.Calls("PutObject") == 2 }, time.Minute, time.Millisecond)
			srv.Close()
			require.Error(t, <-failed)
			require.Error(t, <-failed)
			srv.Close() // again
			require.Equal(t, 1, srv.Calls("GetVideoList"))
		})
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t, mediatest.Region("cn-beijing"))
	cfg := srv.Config()
	require.Equal(t, "cn-beijing", cfg.Region)
	require.Equal(t, srv.URL, cfg.Endpoint)
	require.Same(t, srv.HTTPClient(), cfg.HTTPClient)
	keys, err := cfg.Credentials.Credentials(t.Context())
	require.NoError(t, err)
	require.Equal(t, srv.Credentials(), keys)
	require.True(t, keys.Expires.IsZero())
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t, mediatest.InMemory(), mediatest.Log(io.Discard))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				a := callerOf(srv, vodVersion).ok(t, "CreateUploadVideo", "FileName", "a.mp4", "Title", "t")
				put(t, srv, a, "x")
				srv.Requests()
				srv.Medias()
				srv.Uploads()
			}
		})
	}
	wg.Wait()
	require.Len(t, srv.Medias(), 40)
	require.Len(t, srv.Objects(srv.StorageBucket()), 40)
	require.Equal(t, 40, srv.Calls("PutObject"))
}
