package mediatest_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
)

func TestRAM_UsersMayWhatTheirPolicyAllows(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	c := callerOf(srv, vodVersion)
	c.keys = srv.NewUser(`{"Version":"1","Statement":[{"Effect":"Allow","Action":["vod:Get*","vod:SearchMedia"],"Resource":"*"},{"Effect":"Deny","Action":"vod:GetPlayInfo","Resource":"*"}]}`)
	c.ok(t, "GetVideoList")
	c.ok(t, "SearchMedia")
	for action, kind := range map[string]string{"DeleteVideo": "ImplicitDeny", "GetPlayInfo": "ExplicitDeny"} {
		a := c.fails(t, 403, "NoPermission", action, "VideoIds", "a", "VideoId", "a")
		detail := a.body["AccessDeniedDetail"].(map[string]any)
		require.Equal(t, "vod:"+action, detail["AuthAction"])
		require.Equal(t, kind, detail["NoPermissionType"])
	}
	ice := c
	ice.version = iceVersion
	ice.fails(t, 403, "NoPermission", "GetMediaInfo", "MediaId", "a")
	document, err := alimedia.RAMPolicy("vod:CreateUploadVideo")
	require.NoError(t, err)
	c.keys = srv.NewUser(document)
	c.ok(t, "CreateUploadVideo", "FileName", "a.mp4", "Title", "a")
	c.fails(t, 403, "NoPermission", "GetVideoList")
}

func TestThrottle_RefusesBeyondTheRateAndSaysWhenToCome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv := mediatest.New(t, mediatest.InMemory(), mediatest.Throttle(map[string]float64{"GetVideoList": 2}))
		cfg := srv.Config()
		cfg.Retry.MaxAttempts = 1
		client, err := vod.New(cfg)
		require.NoError(t, err)
		list := func() error {
			_, err := client.GetVideoList(t.Context(), vod.GetVideoListRequest{})
			return err
		}
		require.NoError(t, list())
		require.NoError(t, list())
		err = list()
		require.True(t, alimedia.IsThrottled(err), "%v", err)
		time.Sleep(time.Second)
		require.NoError(t, list())
		_, err = client.SearchMedia(t.Context(), vod.SearchMediaRequest{})
		require.NoError(t, err, "other operations are not limited")
		raw := callerOf(srv, vodVersion)
		raw.ok(t, "GetVideoList")
		a := raw.fails(t, 400, "Throttling.User", "GetVideoList")
		require.Equal(t, "501", a.header.Get("x-acs-retry-after"), "milliseconds")
	})
}

// rpcSigned signs parameters by the older method, with code of its own.
func rpcSigned(method, id, secret string, p url.Values) url.Values {
	p.Set("AccessKeyId", id)
	p.Set("SignatureMethod", "HMAC-SHA1")
	p.Set("SignatureVersion", "1.0")
	encode := func(s string) string {
		return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(url.QueryEscape(s))
	}
	var parts []string
	for name := range p {
		parts = append(parts, encode(name)+"="+encode(p.Get(name)))
	}
	slices.Sort(parts)
	h := hmac.New(sha1.New, []byte(secret+"&"))
	_, _ = io.WriteString(h, method+"&%2F&"+encode(strings.Join(parts, "&")))
	p.Set("Signature", base64.StdEncoding.EncodeToString(h.Sum(nil)))
	return p
}

func TestRPC_PublishedVector(t *testing.T) {
	t.Parallel()
	p := params("Action", "DescribeRegions", "Version", "2014-05-26", "Format", "XML", "Timestamp", "2016-02-23T12:46:24Z", "SignatureNonce", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf")
	require.Equal(t, "OLeaidS1JvxuMvnyHOwuJ+uX5qY=", rpcSigned(http.MethodGet, "testid", "testsecret", p).Get("Signature"))
}

func TestRPC_TheOlderSignatureIsTakenInQueryAndForm(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	id := srv.AddMedia(mediatest.Media{Title: "a b*c~d+é"})
	keys, nonce := srv.Credentials(), 0
	call := func(method, secret string, change func(url.Values)) (int, map[string]any) {
		nonce++
		p := params("Action", "GetVideoInfo", "Version", vodVersion, "Format", "JSON", "VideoId", id, "Extra", "a b*c~d+é",
			"Timestamp", time.Now().UTC().Format("2006-01-02T15:04:05Z"), "SignatureNonce", strconv.Itoa(nonce))
		p = rpcSigned(method, keys.AccessKeyId, secret, p)
		if change != nil {
			change(p)
		}
		var (
			resp *http.Response
			err  error
		)
		if method == http.MethodGet {
			resp, err = srv.HTTPClient().Get(srv.URL + "/?" + p.Encode())
		} else {
			resp, err = srv.HTTPClient().PostForm(srv.URL+"/", p)
		}
		require.NoError(t, err)
		defer func() { _ = resp.Body.Close() }()
		var body map[string]any
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&body))
		return resp.StatusCode, body
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		status, body := call(method, keys.AccessKeySecret, nil)
		require.Equal(t, 200, status, body)
		nonce--
		_, again := call(method, keys.AccessKeySecret, nil)
		require.Equal(t, "SignatureNonceUsed", again["Code"])
		require.Equal(t, "a b*c~d+é", body["Video"].(map[string]any)["Title"])
		for code, change := range map[string]func(url.Values){
			"SignatureDoesNotMatch":   func(p url.Values) { p.Set("VideoId", "x") },
			"MissingSignatureNonce":   func(p url.Values) { p.Del("SignatureNonce") },
			"InvalidTimeStamp.Format": func(p url.Values) { p.Set("Timestamp", "now") },
		} {
			_, body := call(method, keys.AccessKeySecret, change)
			require.Equal(t, code, body["Code"])
		}
		_, body = call(method, "other", nil)
		require.Equal(t, "SignatureDoesNotMatch", body["Code"])
	}
}

// Alibaba's uploader for browsers signs such requests with STS credentials.
func TestRPC_TimestampMayBeAbsentUnlessStrict(t *testing.T) {
	t.Parallel()
	for want, opts := range map[string][]mediatest.Option{"": nil, "MissingTimestamp": {mediatest.Strict()}} {
		srv := mediatest.New(t, opts...)
		keys := srv.IssueCredentials()
		p := rpcSigned(http.MethodGet, keys.AccessKeyId, keys.AccessKeySecret, params("Action", "CreateUploadVideo", "Version", vodVersion, "Format", "JSON",
			"FileName", "a.mp4", "Title", "a", "SecurityToken", keys.SecurityToken, "SignatureNonce", "1"))
		resp, err := srv.HTTPClient().Get(srv.URL + "/?" + p.Encode())
		require.NoError(t, err)
		var body map[string]any
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&body))
		require.NoError(t, resp.Body.Close())
		code, _ := body["Code"].(string)
		require.Equal(t, want, code, body)
		require.Equal(t, want == "", body["UploadAuth"] != nil)
	}
}

func TestRAM_OSSOperationsHaveTheNamesOfPolicies(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.CreateBucket("own")
	may := func(action string) *oss.Bucket {
		return ossBucket(t, srv, "own", srv.NewUser(`{"Version":"1","Statement":[{"Effect":"Allow","Action":"`+action+`","Resource":"*"}]}`))
	}
	writer, reader, deleter := may("oss:PutObject"), may("oss:GetObject"), may("oss:DeleteObject")
	require.NoError(t, writer.PutObject("a", strings.NewReader("a")))
	u, err := writer.InitiateMultipartUpload("b")
	require.NoError(t, err)
	part, err := writer.UploadPart(u, strings.NewReader("b"), 1, 1)
	require.NoError(t, err)
	_, err = writer.CompleteMultipartUpload(u, []oss.UploadPart{part})
	require.NoError(t, err)
	_, err = writer.GetObjectDetailedMeta("a")
	require.Error(t, err)
	_, err = reader.GetObjectDetailedMeta("a")
	require.NoError(t, err)
	_, err = reader.DeleteObjects([]string{"a"})
	requireOSSError(t, err, 403, "AccessDenied")
	_, err = deleter.DeleteObjects([]string{"a", "b"})
	require.NoError(t, err)
	require.Empty(t, srv.Objects("own"))
}
