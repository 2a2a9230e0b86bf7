package ossobject

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/credentials"
)

// captured is a transport that keeps the request and sends nothing.
type captured struct{ request *http.Request }

var errCaptured = errors.New("captured")

func (c *captured) RoundTrip(r *http.Request) (*http.Response, error) {
	c.request = r
	return nil, errCaptured
}

func FuzzSign_AgreesWithTheVendor(f *testing.F) {
	f.Add("https://oss-cn-shanghai.aliyuncs.com", "movie.mp4", "KeySecret", "", "0004B9894A22E5B1888A1E29F8236E2D", 7, int64(1732237200))
	f.Add("https://oss-cn-beijing-internal.aliyuncs.com", "a b/c+d%e*f~g/é/电影 ?#&=.mp4", "秘密", "CAIS8gF1q6Ft5B2yfSjIr5", "", 0, int64(0))
	f.Add("http://127.0.0.1:8080", ".hidden//double/./dots", "s", "t", "a/b+c==", 10000, int64(4102444799))
	f.Add("https://[::1]", "x", "s", "", "u", 1, int64(951782400))
	f.Fuzz(func(t *testing.T, endpoint, key, secret, token, uploadID string, number int, seconds int64) {
		endpoint, err := ParseEndpoint(endpoint)
		if err != nil || CheckName("some-bucket", key) != nil || secret == "" || !utf8.ValidString(token+uploadID) {
			return
		}
		for _, c := range []byte(token) {
			if c <= ' ' || c >= 0x7f {
				return // no header
			}
		}
		now := time.Unix(seconds&(1<<32-1), 0)
		keys := credentials.Credentials{AccessKeyId: "id", AccessKeySecret: secret, SecurityToken: token}
		a := Address{Endpoint: endpoint, Bucket: "some-bucket", Key: key}
		parameters := []parameter{{"partNumber", strconv.Itoa(number)}, {"uploadId", uploadID}, {"uploads", ""}}
		theirQuery := map[string]any{"uploadId": uploadID, "partNumber": strconv.Itoa(number), "uploads": nil}
		further := map[string]string{"X-Oss-Meta-A": "1", "X-Oss-Meta-A-B": "2", "Content-Language": "de"}

		var theirs captured
		client, err := oss.New(endpoint, "id", secret, oss.HTTPClient(&http.Client{Transport: &theirs}), oss.SecurityToken(token),
			oss.AuthVersion(oss.AuthV4), oss.Region("cn-shanghai"), oss.EnableCRC(false), oss.ForcePathStyle(IsLoopback(a.Host())))
		require.NoError(t, err)
		bucket, err := client.Bucket("some-bucket")
		require.NoError(t, err)
		_, err = bucket.Do("PUT", key, theirQuery, []oss.Option{
			oss.SetHeader("X-Oss-Date", now.UTC().Format(dateFormat)), oss.ContentType("video/mp4"),
			oss.SetHeader("X-Oss-Meta-A", "1"), oss.SetHeader("X-Oss-Meta-A-B", "2"), oss.SetHeader("Content-Language", "de"),
		}, nil, nil)
		require.ErrorIs(t, err, errCaptured)

		s := &signer{credentials: keys, region: "cn-shanghai"}
		rawURL, path := bucketURL(a)+"/"+escapePath(key), "/some-bucket/"+escapePath(key)
		text := query(parameters)
		ours := s.sign("PUT", path, text, "video/mp4", further, now)
		require.Equal(t, theirs.request.Header.Get("Authorization"), ours["Authorization"])
		for name, value := range ours {
			require.Equal(t, theirs.request.Header.Get(name), value, name)
		}
		u, err := url.ParseRequestURI(rawURL + "?" + text)
		require.NoError(t, err)
		require.Equal(t, theirs.request.URL.Host, u.Host)
		require.Equal(t, theirs.request.URL.Path, u.Path)
		require.Equal(t, theirs.request.URL.Query(), u.Query())
		require.True(t, strings.HasSuffix(path, u.EscapedPath()), "the URL holds what was signed")
	})
}

func TestSigner_KeyOfTheDay(t *testing.T) {
	t.Parallel()
	s := &signer{credentials: credentials.Credentials{AccessKeyId: "id", AccessKeySecret: "secret"}, region: "cn-shanghai"}
	day := time.Date(2026, 2, 28, 23, 59, 59, 0, time.UTC)
	first := s.sign("GET", "/b/k", "", "", nil, day)["Authorization"]
	next := s.sign("GET", "/b/k", "", "", nil, day.Add(time.Second))["Authorization"]
	fresh := &signer{credentials: s.credentials, region: s.region}
	require.Equal(t, fresh.sign("GET", "/b/k", "", "", nil, day.Add(time.Second))["Authorization"], next, "the key is not yesterday's")
	require.NotEqual(t, first, next)
	require.Equal(t, first, s.sign("GET", "/b/k", "", "", nil, day.In(time.FixedZone("", 8*3600)))["Authorization"])
}
