package mediatest_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/alibabacloud-go/tea/tea"
	"github.com/aliyun/aliyun-oss-go-sdk/oss"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/mediatest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	iceVersion = "2020-11-09"
	vodVersion = "2017-03-21"
)

// answer is what came back of an API call.
type answer struct {
	status int
	header http.Header
	body   map[string]any
	raw    string
}

func (a answer) str(name string) string { s, _ := a.body[name].(string); return s }
func (a answer) code() string           { return a.str("Code") }

// caller makes API calls, signed by Alibaba's own signer. The hooks bend a
// request before and after it is signed.
type caller struct {
	srv     *mediatest.Server
	version string
	keys    credentials.Credentials
	url     string // in place of the server's
	form    bool   // parameters go into the body
	hash    string // in place of the body's
	now     func() time.Time
	before  func(*http.Request)
	after   func(*http.Request)
}

func callerOf(srv *mediatest.Server, version string) caller {
	return caller{srv: srv, version: version, keys: srv.Credentials(), now: time.Now}
}

// params makes url.Values of name, value, name, value...
func params(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

func (c caller) request(t testing.TB, action string, p url.Values) *http.Request {
	t.Helper()
	var body []byte
	target := cmp.Or(c.url, c.srv.URL) + "/"
	if c.form {
		body = []byte(p.Encode())
	} else if len(p) > 0 {
		target += "?" + strings.ReplaceAll(p.Encode(), "+", "%20")
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, target, bytes.NewReader(body))
	require.NoError(t, err)
	if c.form {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	hash := cmp.Or(c.hash, hexHash(body))
	r.Header.Set("x-acs-action", action)
	r.Header.Set("x-acs-version", c.version)
	r.Header.Set("x-acs-date", c.now().UTC().Format("2006-01-02T15:04:05Z"))
	r.Header.Set("x-acs-signature-nonce", *utils.GetNonce())
	r.Header.Set("x-acs-content-sha256", hash)
	if c.keys.SecurityToken != "" {
		r.Header.Set("x-acs-security-token", c.keys.SecurityToken)
	}
	if c.before != nil {
		c.before(r)
	}
	signed := &dara.Request{Method: tea.String(r.Method), Pathname: tea.String("/"), Query: map[string]*string{}, Headers: map[string]*string{"host": tea.String(r.URL.Host)}}
	for name := range r.Header {
		signed.Headers[strings.ToLower(name)] = tea.String(r.Header.Get(name))
	}
	if !c.form {
		for name := range p {
			signed.Query[name] = tea.String(p.Get(name))
		}
	}
	r.Header.Set("Authorization", *utils.GetAuthorization(signed, tea.String("ACS3-HMAC-SHA256"), &hash, &c.keys.AccessKeyId, &c.keys.AccessKeySecret))
	if c.after != nil {
		c.after(r)
	}
	return r
}

func (c caller) call(t testing.TB, action string, pairs ...string) answer {
	t.Helper()
	a, err := c.try(t, action, pairs...)
	require.NoError(t, err)
	return a
}

func (c caller) try(t testing.TB, action string, pairs ...string) (answer, error) {
	t.Helper()
	resp, err := c.srv.HTTPClient().Do(c.request(t, action, params(pairs...)))
	if err != nil {
		return answer{}, err
	}
	return read(t, resp), nil
}

// ok makes a call that must succeed.
func (c caller) ok(t testing.TB, action string, pairs ...string) answer {
	t.Helper()
	a := c.call(t, action, pairs...)
	require.Equal(t, http.StatusOK, a.status, a.raw)
	require.NotEmpty(t, a.str("RequestId"))
	return a
}

// fails makes a call that must be refused.
func (c caller) fails(t testing.TB, status int, code, action string, pairs ...string) answer {
	t.Helper()
	a := c.call(t, action, pairs...)
	require.Equal(t, code, a.code(), a.raw)
	require.Equal(t, status, a.status)
	for _, name := range []string{"RequestId", "HostId", "Message", "Recommend"} {
		require.NotEmpty(t, a.str(name), name)
	}
	require.Equal(t, a.str("RequestId"), a.header.Get("x-acs-request-id"))
	return a
}

// target is a decoded UploadAddress and UploadAuth.
type target struct {
	Endpoint, Bucket, FileName, ObjectPrefix    string
	AccessKeyId, AccessKeySecret, SecurityToken string
	Expiration, ExpireUTCTime, Region           string
}

func targetOf(t testing.TB, a answer) target {
	t.Helper()
	var d target
	for _, name := range []string{"UploadAddress", "UploadAuth"} {
		text, err := base64.StdEncoding.DecodeString(a.str(name))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &d))
	}
	return d
}

func (d target) keys() credentials.Credentials {
	return credentials.Credentials{AccessKeyId: d.AccessKeyId, AccessKeySecret: d.AccessKeySecret, SecurityToken: d.SecurityToken}
}

// ossBucket is Alibaba's OSS client of one bucket.
func ossBucket(t testing.TB, srv *mediatest.Server, bucket string, keys credentials.Credentials, opts ...oss.ClientOption) *oss.Bucket {
	t.Helper()
	opts = append([]oss.ClientOption{
		oss.HTTPClient(srv.HTTPClient()), oss.SecurityToken(keys.SecurityToken),
		oss.AuthVersion(oss.AuthV4), oss.Region("cn-shanghai"),
	}, opts...)
	client, err := oss.New(srv.URL, keys.AccessKeyId, keys.AccessKeySecret, opts...)
	require.NoError(t, err)
	b, err := client.Bucket(bucket)
	require.NoError(t, err)
	return b
}

func requireOSSError(t testing.TB, err error, status int, code string) oss.ServiceError {
	t.Helper()
	var e oss.ServiceError
	require.ErrorAs(t, err, &e)
	require.Equal(t, code, e.Code, e.RawMessage)
	require.Equal(t, status, e.StatusCode)
	return e
}

func hexHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func read(t testing.TB, resp *http.Response) answer {
	t.Helper()
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	a := answer{status: resp.StatusCode, header: resp.Header, raw: string(text)}
	_ = json.Unmarshal(text, &a.body) // an HTML page stays raw
	return a
}

func dump(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}
