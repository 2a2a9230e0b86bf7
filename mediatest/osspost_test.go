package mediatest_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/mediatest"
)

// postForm is a form as a page sends it.
type postForm struct {
	keys       credentials.Credentials
	v4         bool
	region     string
	expires    time.Duration
	conditions string
	fields     [][2]string
	data       string
	after      func(fields *[][2]string) // bends what was signed
}

func hmacOf(key, text string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return string(h.Sum(nil))
}

// signed are the fields of the signature, made as the documentation says.
func (f postForm) signed() [][2]string {
	fields := f.fields
	now := time.Now().UTC()
	conditions := f.conditions
	credential := f.keys.AccessKeyId + "/" + now.Format("20060102") + "/" + f.region + "/oss/aliyun_v4_request"
	date := now.Format("20060102T150405Z")
	if f.v4 {
		conditions += fmt.Sprintf(`,{"x-oss-signature-version":"OSS4-HMAC-SHA256"},{"x-oss-credential":%q},{"x-oss-date":%q}`, credential, date)
	}
	policy := b64(fmt.Sprintf(`{"expiration":%q,"conditions":[%s]}`, now.Add(f.expires).Format("2006-01-02T15:04:05.000Z"), strings.TrimPrefix(conditions, ",")))
	fields = append(fields, [2]string{"policy", policy})
	if f.keys.SecurityToken != "" {
		fields = append(fields, [2]string{"x-oss-security-token", f.keys.SecurityToken})
	}
	if f.v4 {
		key := hmacOf(hmacOf(hmacOf(hmacOf("aliyun_v4"+f.keys.AccessKeySecret, now.Format("20060102")), f.region), "oss"), "aliyun_v4_request")
		return append(fields, [2]string{"x-oss-signature-version", "OSS4-HMAC-SHA256"}, [2]string{"x-oss-credential", credential},
			[2]string{"x-oss-date", date}, [2]string{"x-oss-signature", hex.EncodeToString([]byte(hmacOf(key, policy)))})
	}
	h := hmac.New(sha1.New, []byte(f.keys.AccessKeySecret))
	h.Write([]byte(policy))
	return append(fields, [2]string{"OSSAccessKeyId", f.keys.AccessKeyId}, [2]string{"Signature", base64.StdEncoding.EncodeToString(h.Sum(nil))})
}

func (f postForm) post(t *testing.T, srv *mediatest.Server) (*http.Response, answer) {
	t.Helper()
	fields := f.signed()
	if f.after != nil {
		f.after(&fields)
	}
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, field := range fields {
		require.NoError(t, w.WriteField(field[0], field[1]))
	}
	file, err := w.CreateFormFile("file", `C:\films\movie.mp4`)
	require.NoError(t, err)
	_, err = file.Write([]byte(f.data))
	require.NoError(t, err)
	require.NoError(t, w.WriteField("submit", "Upload"))
	require.NoError(t, w.Close())
	req, err := http.NewRequest(http.MethodPost, srv.URL+"/own/", &body)
	require.NoError(t, err)
	req.Header.Set("Content-Type", w.FormDataContentType())
	resp, err := srv.HTTPClient().Do(req)
	require.NoError(t, err)
	return resp, read(t, resp)
}

func formOf(srv *mediatest.Server) postForm {
	return postForm{
		keys: srv.Credentials(), region: "cn-shanghai", expires: time.Hour, data: "movie", fields: [][2]string{{"key", "films/${filename}"}},
		conditions: `{"bucket":"own"},["starts-with","$key","films/"],["content-length-range",1,10]`,
	}
}

func TestOSS_PostObject(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.CreateBucket("own")
	for name, change := range map[string]func(*postForm){
		"V1":            func(*postForm) {},
		"V4":            func(f *postForm) { f.v4 = true },
		"V1 with token": func(f *postForm) { f.keys = srv.IssueCredentials() },
		"V4 with token": func(f *postForm) { f.v4, f.keys = true, srv.IssueCredentials() },
	} {
		f := formOf(srv)
		f.fields = append(f.fields, [2]string{"x-oss-meta-a", "b"}, [2]string{"Content-Disposition", "attachment"}, [2]string{"success_action_status", "201"}, [2]string{"x-oss-content-type", "video/mp4"})
		change(&f)
		resp, got := f.post(t, srv)
		require.Equal(t, http.StatusCreated, resp.StatusCode, "%s: %s", name, got.raw)
		require.Contains(t, got.raw, "<PostResponse><Bucket>own</Bucket><Location>"+srv.URL+"/own/films/movie.mp4</Location><Key>films/movie.mp4</Key><ETag>")
		require.Equal(t, `"`+strings.ToUpper(hexMD5("movie"))+`"`, resp.Header.Get("ETag"))
		data, ok := srv.Object("own", "films/movie.mp4")
		require.True(t, ok)
		require.Equal(t, "movie", string(data))
		h := srv.ObjectHeader("own", "films/movie.mp4")
		require.Equal(t, []string{"b", "attachment", "video/mp4"}, []string{h.Get("x-oss-meta-a"), h.Get("Content-Disposition"), h.Get("Content-Type")})
	}
	last := srv.Requests()[len(srv.Requests())-1]
	require.Equal(t, "PostObject", last.Operation)
	require.Equal(t, "films/movie.mp4", last.Key)

	f := formOf(srv)
	resp, _ := f.post(t, srv)
	require.Equal(t, http.StatusNoContent, resp.StatusCode)
	f.fields = append(f.fields, [2]string{"success_action_redirect", "https://www.example.com/done?a=b"})
	resp, _ = f.post(t, srv)
	require.Equal(t, http.StatusSeeOther, resp.StatusCode)
	require.Contains(t, resp.Header.Get("Location"), "https://www.example.com/done?a=b&bucket=own&etag=")

	r := newReceiver(t)
	f = formOf(srv)
	f.fields = append(f.fields, [2]string{"callback", b64(`{"callbackUrl":"` + r.URL + `","callbackBody":"key=${object}&mine=${x:mine}"}`)}, [2]string{"x:mine", "c"})
	resp, got := f.post(t, srv)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, "OK", got.str("Status"))
	body, _, _ := r.last()
	require.Equal(t, "key=films%2Fmovie.mp4&mine=c", body)
}

func TestOSS_PostObjectIsRefused(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.CreateBucket("own")
	set := func(name, value string) func(*[][2]string) {
		return func(fields *[][2]string) {
			for i, f := range *fields {
				if f[0] == name {
					(*fields)[i][1] = value
				}
			}
		}
	}
	for name, c := range map[string]struct {
		change func(*postForm)
		status int
		code   string
		says   string
	}{
		"expired":       {func(f *postForm) { f.expires = -time.Second }, 403, "AccessDenied", "Policy expired"},
		"other key":     {func(f *postForm) { f.after = set("key", "other/a") }, 403, "AccessDenied", `Policy Condition failed: ["starts-with","$key","films/"]`},
		"other bucket":  {func(f *postForm) { f.conditions = `{"bucket":"other"}` }, 403, "AccessDenied", "Policy Condition failed"},
		"too small":     {func(f *postForm) { f.data = "" }, 400, "EntityTooSmall", ""},
		"too large":     {func(f *postForm) { f.data = strings.Repeat("a", 11) }, 400, "EntityTooLarge", ""},
		"not equal":     {func(f *postForm) { f.conditions += `,["eq","$x-oss-meta-a","b"]` }, 403, "AccessDenied", "x-oss-meta-a"},
		"not in":        {func(f *postForm) { f.conditions += `,["in","$content-type",["image/png","image/jpg"]]` }, 403, "AccessDenied", "content-type"},
		"in":            {func(f *postForm) { f.conditions += `,["not-in","$content-type",["application/octet-stream"]]` }, 403, "AccessDenied", "not-in"},
		"odd condition": {func(f *postForm) { f.conditions += `,["like","$key","a"]` }, 400, "InvalidPolicyDocument", "like"},
		"odd range":     {func(f *postForm) { f.conditions += `,["content-length-range",2,1]` }, 400, "InvalidPolicyDocument", ""},
		"no JSON":       {func(f *postForm) { f.conditions = `{` }, 400, "InvalidPolicyDocument", ""},
		"bent policy": {func(f *postForm) {
			f.after = set("policy", b64(`{"expiration":"2099-01-01T00:00:00Z","conditions":[{"bucket":"own"}]}`))
		}, 403, "SignatureDoesNotMatch", ""},
		"bent V4":         {func(f *postForm) { f.v4, f.after = true, set("x-oss-signature", "00") }, 403, "SignatureDoesNotMatch", ""},
		"other region":    {func(f *postForm) { f.v4, f.region = true, "cn-beijing" }, 400, "InvalidArgument", "cn-shanghai"},
		"unknown key":     {func(f *postForm) { f.keys.AccessKeyId = "LTAIunknown" }, 403, "InvalidAccessKeyId", ""},
		"token is absent": {func(f *postForm) { f.keys = srv.IssueCredentials(); f.after = set("x-oss-security-token", "") }, 403, "InvalidAccessKeyId", ""},
		"not allowed":     {func(f *postForm) { f.keys = srv.NewUser(`{"Statement":[{"Effect":"Allow","Action":"oss:Get*"}]}`) }, 403, "AccessDenied", "oss:PutObject"},
		"nobody":          {func(f *postForm) { f.after = func(all *[][2]string) { *all = [][2]string{{"key", "films/a"}} } }, 403, "AccessDenied", ""},
		"no key":          {func(f *postForm) { f.fields = nil }, 400, "InvalidArgument", "key"},
		"long fields":     {func(f *postForm) { f.fields = append(f.fields, [2]string{"x-oss-meta-a", strings.Repeat("a", 70000)}) }, 400, "FieldItemTooLong", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := formOf(srv)
			c.change(&f)
			resp, got := f.post(t, srv)
			require.Equal(t, c.status, resp.StatusCode, got.raw)
			require.Contains(t, got.raw, "<Code>"+c.code+"</Code>")
			require.Contains(t, strings.ReplaceAll(got.raw, "&#34;", `"`), c.says)
			require.Empty(t, srv.Objects("own"))
			require.Zero(t, srv.Held())
		})
	}
	for name, body := range map[string]string{
		"MalformedPOSTRequest":                "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nfilms/a",
		"IncorrectNumberOfFilesInPOSTRequest": "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nfilms/a\r\n--b--\r\n",
	} {
		resp, err := srv.HTTPClient().Post(srv.URL+"/own/", "multipart/form-data; boundary=b", strings.NewReader(body))
		require.NoError(t, err)
		require.Contains(t, read(t, resp).raw, "<Code>"+name+"</Code>")
	}
	f := formOf(srv)
	f.fields = append(f.fields, [2]string{"x-oss-forbid-overwrite", "true"})
	_, _ = f.post(t, srv)
	resp, got := f.post(t, srv)
	require.Equal(t, http.StatusConflict, resp.StatusCode, got.raw)
}
