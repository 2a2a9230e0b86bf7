package mediatest_test

import (
	"crypto"
	"crypto/md5"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

// receiver is a server that OSS calls back, and checks the signature as the
// documentation says.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []string // bodies
	kinds  []string
	hosts  []string
	status int
	answer string
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{status: http.StatusOK, answer: `{"Status":"OK"}`}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err == nil {
			err = verifyCallback(req, body)
		}
		if err != nil {
			t.Errorf("callback: %v", err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got, r.kinds, r.hosts = append(r.got, string(body)), append(r.kinds, req.Header.Get("Content-Type")), append(r.hosts, req.Host)
		w.WriteHeader(r.status)
		_, _ = io.WriteString(w, r.answer) // the client is this test's
	}))
	t.Cleanup(r.Close)
	return r
}

func verifyCallback(req *http.Request, body []byte) error {
	address, err := base64.StdEncoding.DecodeString(req.Header.Get("x-oss-pub-key-url"))
	if err != nil {
		return err
	}
	resp, err := http.Get(string(address))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return errors.New("no public key")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return err
	}
	signature, err := base64.StdEncoding.DecodeString(req.Header.Get("Authorization"))
	if err != nil {
		return err
	}
	path, err := url.PathUnescape(req.URL.EscapedPath())
	if err != nil {
		return err
	}
	if req.URL.RawQuery != "" {
		path += "?" + req.URL.RawQuery
	}
	sum := md5.Sum([]byte(path + "\n" + string(body)))
	return rsa.VerifyPKCS1v15(key.(*rsa.PublicKey), crypto.MD5, sum[:], signature)
}

func (r *receiver) last() (body, kind, host string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got[len(r.got)-1], r.kinds[len(r.kinds)-1], r.hosts[len(r.hosts)-1]
}

func (r *receiver) answers(status int, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status, r.answer = status, text
}

func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func TestOSS_UploadCallback(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.CreateBucket("own")
	b := ossBucket(t, srv, "own", srv.Credentials())
	r := newReceiver(t)
	var answer []byte
	form := b64(`{"callbackUrl":"` + r.URL + `/a%20b?c=d","callbackHost":"app.example.com","callbackBody":"bucket=${bucket}&object=${object}&size=${size}&type=${mimeType}&mine=${x:mine}&none=${unknown}&etag=${etag}"}`)
	with := []oss.Option{oss.Callback(form), oss.CallbackVar(b64(`{"x:mine":"a&b"}`)), oss.ContentType("video/mp4"), oss.CallbackResult(&answer)}
	require.NoError(t, b.PutObject("a b/影.mp4", strings.NewReader("movie"), with...))
	require.Equal(t, `{"Status":"OK"}`, string(answer))
	body, kind, host := r.last()
	require.Equal(t, "bucket=own&object="+url.QueryEscape("a b/影.mp4")+"&size=5&type=video%2Fmp4&mine=a%26b&none=&etag="+strings.ToUpper(hexMD5("movie")), body)
	require.Equal(t, "application/x-www-form-urlencoded", kind)
	require.Equal(t, "app.example.com", host)

	// JSON, at the end of a multipart upload, by the second of two URLs.
	json := b64(`{"callbackUrl":"http://127.0.0.1:1/;` + r.URL + `","callbackBodyType":"application/json","callbackBody":"{\"size\":${size},\"object\":${object},\"op\":${operation},\"mine\":${x:mine},\"none\":${x:none}}"}`)
	u, err := b.InitiateMultipartUpload(`quote".mp4`)
	require.NoError(t, err)
	part, err := b.UploadPart(u, strings.NewReader("movie"), 5, 1)
	require.NoError(t, err)
	_, err = b.CompleteMultipartUpload(u, []oss.UploadPart{part}, oss.Callback(json), oss.CallbackVar(b64(`{"x:mine":"a"}`)), oss.CallbackResult(&answer))
	require.NoError(t, err)
	body, kind, _ = r.last()
	require.JSONEq(t, `{"size":5,"object":"quote\".mp4","op":"CompleteMultipartUpload","mine":"a","none":""}`, body)
	require.Equal(t, "application/json", kind)

	// The callback stands in a presigned URL.
	signed, err := b.SignURL("signed", oss.HTTPPut, 60, oss.AddParam("callback", form), oss.AddParam("callback-var", b64(`{"x:mine":"c"}`)))
	require.NoError(t, err)
	req, err := http.NewRequest(http.MethodPut, signed, strings.NewReader("movie"))
	require.NoError(t, err)
	resp, err := srv.HTTPClient().Do(req)
	require.NoError(t, err)
	got := read(t, resp)
	require.Equal(t, http.StatusOK, got.status, got.raw)
	require.Equal(t, "OK", got.str("Status"))
	body, _, _ = r.last()
	require.Contains(t, body, "object=signed&size=5&type=&mine=c")
}

func TestOSS_UploadCallbackFails(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.CreateBucket("own")
	b := ossBucket(t, srv, "own", srv.Credentials())
	r := newReceiver(t)
	at := func(address string) oss.Option {
		return oss.Callback(b64(`{"callbackUrl":"` + address + `","callbackBody":"a=b"}`))
	}
	for name, c := range map[string]struct {
		status  int
		answer  string
		address string
		says    string
	}{
		"refused":     {500, `{}`, r.URL, "Error status : 500."},
		"no JSON":     {200, "fine", r.URL, "not valid json"},
		"unreachable": {200, `{}`, "http://127.0.0.1:1", "connection failed"},
		"far away":    {200, `{}`, "https://www.example.com", "mediatest.EventClient"},
	} {
		r.answers(c.status, c.answer)
		err := b.PutObject(name, strings.NewReader("movie"), at(c.address))
		e := requireOSSError(t, err, http.StatusNonAuthoritativeInfo, "CallbackFailed")
		require.Contains(t, e.Message, c.says)
		require.Contains(t, srv.Objects("own"), name, "the object is stored all the same")
	}
	u, err := b.InitiateMultipartUpload("parts")
	require.NoError(t, err)
	part, err := b.UploadPart(u, strings.NewReader("movie"), 5, 1)
	require.NoError(t, err)
	_, err = b.CompleteMultipartUpload(u, []oss.UploadPart{part}, at("http://127.0.0.1:1"))
	requireOSSError(t, err, http.StatusNonAuthoritativeInfo, "CallbackFailed")
	require.Contains(t, srv.Objects("own"), "parts")
	require.Empty(t, srv.Uploads())

	for name, text := range map[string]string{
		"no Base64": "{}", "no JSON": b64("a"), "no body": b64(`{"callbackUrl":"` + r.URL + `"}`), "no URL": b64(`{"callbackBody":"a"}`),
		"odd URL": b64(`{"callbackUrl":"ftp://a","callbackBody":"a"}`), "odd type": b64(`{"callbackUrl":"` + r.URL + `","callbackBody":"a","callbackBodyType":"text/plain"}`),
		"many": b64(`{"callbackUrl":"` + strings.Repeat(r.URL+";", 6) + `","callbackBody":"a"}`),
	} {
		requireOSSError(t, b.PutObject("broken", strings.NewReader("movie"), oss.Callback(text)), 400, "InvalidArgument")
		require.NotContains(t, srv.Objects("own"), "broken", name)
	}
	requireOSSError(t, b.PutObject("broken", strings.NewReader("movie"), at(r.URL), oss.CallbackVar(b64(`{"Mine":"a"}`))), 400, "InvalidArgument")
}

func hexMD5(text string) string { return fmt.Sprintf("%x", md5.Sum([]byte(text))) }
