package mediatest_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/mediatest"
)

// wire sends OSS requests that no client makes for it, signed by V1.
type wire struct {
	srv  *mediatest.Server
	keys credentials.Credentials
	host string // of the bucket; empty: the server's, with the bucket in the path
}

func wireOf(srv *mediatest.Server) wire { return wire{srv: srv, keys: srv.Credentials()} }

// signedParams are the parameters that a V1 signature covers, as far as tests
// use them.
var signedParams = strings.Fields("acl append bucketInfo delete location objectMeta partNumber position response-content-type tagging uploadId uploads")

// send makes a request of an object, such as "own/a.txt", with headers as name,
// value, name, value...
func (w wire) send(t testing.TB, method, object, query, body string, headers ...string) answer {
	t.Helper()
	address := w.srv.URL + "/" + object
	if w.host != "" {
		_, key, _ := strings.Cut(object, "/")
		address = "http://" + w.host + "/" + key
	}
	r, err := http.NewRequestWithContext(t.Context(), method, address+"?"+query, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w.sign(t, r, object)
	resp, err := w.srv.HTTPClient().Do(r)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answer{status: resp.StatusCode, header: resp.Header, raw: string(text)}
}

func (w wire) sign(t testing.TB, r *http.Request, object string) {
	t.Helper()
	text := r.Method + "\n" + r.Header.Get("Content-MD5") + "\n" + r.Header.Get("Content-Type") + "\n" + r.Header.Get("Date") + "\n"
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if strings.HasPrefix(name, "X-Oss-") {
			text += strings.ToLower(name) + ":" + r.Header.Get(name) + "\n"
		}
	}
	resource, err := url.PathUnescape(object)
	require.NoError(t, err)
	text += "/" + resource
	sep := "?"
	for _, name := range signedParams {
		if values, ok := r.URL.Query()[name]; ok {
			if text += sep + name; values[0] != "" {
				text += "=" + values[0]
			}
			sep = "&"
		}
	}
	h := hmac.New(sha1.New, []byte(w.keys.AccessKeySecret))
	_, _ = io.WriteString(h, text) // a hash takes everything
	r.Header.Set("Authorization", "OSS "+w.keys.AccessKeyId+":"+base64.StdEncoding.EncodeToString(h.Sum(nil)))
}

// element is the text of the first element of that name.
func element(t testing.TB, a answer, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(a.raw, "<"+name+">")
	require.True(t, ok, a.raw)
	text, _, _ := strings.Cut(rest, "</"+name+">")
	return text
}

// refuses makes a request that must be refused.
func (w wire) refuses(t testing.TB, status int, code, method, object, query string, headers ...string) {
	t.Helper()
	a := w.send(t, method, object, query, "", headers...)
	require.Equal(t, status, a.status, a.raw)
	require.Equal(t, code, element(t, a, "Code"))
}

func TestOSS_UploadPartCopy(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.CreateBucket("own")
	srv.PutObject("other", "a dir/source", []byte("0123456789"))
	srv.AddAccount("1234567890123456").CreateBucket("foreign")
	w := wireOf(srv)
	const source = "x-oss-copy-source"
	etag := w.send(t, "HEAD", "other/a%20dir/source", "", "").header.Get("ETag")
	id := element(t, w.send(t, "POST", "own/copy", "uploads", ""), "UploadId")
	part := "partNumber=1&uploadId=" + id
	from := []string{source, "/other/a%20dir/source"}

	a := w.send(t, "PUT", "own/copy", part, "", append(from, source+"-range", "bytes=2-5")...)
	require.Equal(t, 200, a.status, a.raw)
	require.Contains(t, a.raw, "<CopyPartResult>")
	require.Equal(t, srv.Uploads()[0].Parts[0].ETag, a.header.Get("ETag"), "ali-oss reads the header only")
	require.EqualValues(t, 4, srv.Uploads()[0].Parts[0].Size)
	a = w.send(t, "PUT", "own/copy", part, "", append(from, source+"-if-match", etag, source+"-if-unmodified-since", time.Now().UTC().Format(http.TimeFormat))...)
	require.Equal(t, 200, a.status, a.raw)
	require.EqualValues(t, 10, srv.Uploads()[0].Parts[0].Size)

	w.refuses(t, 412, "PreconditionFailed", "PUT", "own/copy", part, append(from, source+"-if-match", `"other"`)...)
	w.refuses(t, 412, "PreconditionFailed", "PUT", "own/copy", part, append(from, source+"-if-unmodified-since", "Sun, 01 Jan 2023 00:00:00 GMT")...)
	require.Equal(t, 304, w.send(t, "PUT", "own/copy", part, "", append(from, source+"-if-none-match", etag)...).status)
	require.Equal(t, 304, w.send(t, "PUT", "own/copy", part, "", append(from, source+"-if-modified-since", time.Now().UTC().Format(http.TimeFormat))...).status)
	for _, wrong := range []string{"bytes=5-2", "bytes=0-10", "0-5", "bytes=-5", "bytes=99999999999999999999-1"} {
		w.refuses(t, 400, "InvalidArgument", "PUT", "own/copy", part, append(from, source+"-range", wrong)...)
	}
	w.refuses(t, 400, "InvalidArgument", "PUT", "own/copy", part, source, "nothing")
	w.refuses(t, 400, "InvalidArgument", "PUT", "own/copy", "partNumber=0&uploadId="+id, from...)
	w.refuses(t, 404, "NoSuchUpload", "PUT", "own/else", part, from...)
	w.refuses(t, 404, "NoSuchKey", "PUT", "own/copy", part, source, "/other/none")
	w.refuses(t, 404, "NoSuchBucket", "PUT", "own/copy", part, source, "/nobody/none")
	w.refuses(t, 403, "AccessDenied", "PUT", "own/copy", part, source, "/foreign/none")
	require.Equal(t, 1, srv.Calls("InitiateMultipartUpload"))
	require.Equal(t, 17, srv.Calls("UploadPartCopy"))
}

// Who may write one object only cannot read another by copying it.
func TestOSS_CopiesOnlyWhatTheKeysMayRead(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	to := targetOf(t, callerOf(srv, vodVersion).ok(t, "CreateUploadVideo", "FileName", "a.mp4", "Title", "t"))
	srv.PutObject(to.Bucket, "secret", []byte("secret"))
	w := wire{srv: srv, keys: to.keys()}
	w.refuses(t, 403, "AccessDenied", "PUT", to.Bucket+"/"+to.FileName, "", "x-oss-copy-source", "/"+to.Bucket+"/secret", "x-oss-security-token", to.SecurityToken)
	_, ok := srv.Object(to.Bucket, to.FileName)
	require.False(t, ok)

	srv.CreateBucket("own")
	srv.PutObject("own", "a", []byte("content"))
	writer := wire{srv: srv, keys: srv.NewUser(`{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:PutObject","Resource":"*"}]}`)}
	require.Equal(t, 200, writer.send(t, "PUT", "own/b", "", "new").status)
	require.Equal(t, 200, writer.send(t, "POST", "own/c", "uploads", "").status, "a multipart upload needs oss:PutObject")
	writer.refuses(t, 403, "AccessDenied", "PUT", "own/b", "", "x-oss-copy-source", "/own/a")
	writer.refuses(t, 403, "AccessDenied", "GET", "own/a", "")
}

func TestOSS_CopiesMetadataAndTags(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.CreateBucket("own")
	w := wireOf(srv)
	require.Equal(t, 200, w.send(t, "PUT", "own/a", "", "content", "x-oss-meta-owner", "me", "x-oss-tagging", "k=v", "x-oss-object-acl", "public-read").status)
	header := func(headers ...string) http.Header {
		require.Equal(t, 200, w.send(t, "PUT", "own/b", "", "", append(headers, "x-oss-copy-source", "/own/a")...).status)
		return srv.ObjectHeader("own", "b")
	}
	h := header("x-oss-meta-owner", "ignored", "x-oss-storage-class", "IA")
	require.Equal(t, []string{"me", "k=v", "", "IA"}, []string{h.Get("x-oss-meta-owner"), h.Get("x-oss-tagging"), h.Get("x-oss-object-acl"), h.Get("x-oss-storage-class")})
	h = header("x-oss-metadata-directive", "REPLACE", "x-oss-meta-owner", "you", "x-oss-object-acl", "private")
	require.Equal(t, []string{"you", "k=v", "private"}, []string{h.Get("x-oss-meta-owner"), h.Get("x-oss-tagging"), h.Get("x-oss-object-acl")})
	h = header("x-oss-tagging-directive", "Replace", "x-oss-tagging", "n=w")
	require.Equal(t, []string{"me", "n=w"}, []string{h.Get("x-oss-meta-owner"), h.Get("x-oss-tagging")})
	w.refuses(t, 409, "FileAlreadyExists", "PUT", "own/b", "", "x-oss-copy-source", "/own/a", "x-oss-forbid-overwrite", "true")
}

// A copy keeps its bytes when its source is gone and its place is taken.
func TestOSS_CopiesOutliveTheirSource(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t, mediatest.MemoryLimit(0))
	srv.CreateBucket("own")
	w := wireOf(srv)
	data := strings.Repeat("source", 1000)
	w.send(t, "PUT", "own/source", "", data)
	id := element(t, w.send(t, "POST", "own/joined", "uploads", ""), "UploadId")
	require.Equal(t, 200, w.send(t, "PUT", "own/joined", "partNumber=1&uploadId="+id, "", "x-oss-copy-source", "/own/source").status)
	require.Equal(t, 200, w.send(t, "PUT", "own/copy", "", "", "x-oss-copy-source", "/own/source").status)
	w.send(t, "DELETE", "own/source", "", "")
	for _, other := range []string{"own/1", "own/2", "own/3"} {
		w.send(t, "PUT", other, "", strings.Repeat("others", 1000))
	}
	require.Equal(t, 200, w.send(t, "POST", "own/joined", "uploadId="+id, "", "x-oss-complete-all", "yes").status)
	for _, key := range []string{"joined", "copy"} {
		got, _ := srv.Object("own", key)
		require.True(t, data == string(got), key)
		w.send(t, "DELETE", "own/"+key, "", "")
	}
	require.EqualValues(t, 3*6000, srv.Held())
}
