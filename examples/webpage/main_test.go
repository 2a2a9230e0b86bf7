package main

import (
	"context"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const testKey = "0123456789abcdef0123456789abcdef"

// visitor is a client with cookies on a page of the fake.
func visitor(t *testing.T, s settings) (address string, client *http.Client) {
	t.Helper()
	on, err := openFake(testKey)
	require.NoError(t, err)
	t.Cleanup(on.close)
	handler, err := newApp(s, on)
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client = server.Client()
	client.Jar, err = cookiejar.New(nil)
	require.NoError(t, err)
	return server.URL, client
}

func get(t *testing.T, client *http.Client, address string) (*http.Response, string) {
	t.Helper()
	r, err := client.Get(address)
	require.NoError(t, err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return r, string(b)
}

// The page takes the uploader from a CDN by its hash, and nothing from elsewhere.
func TestWebpage_Page(t *testing.T) {
	t.Parallel()
	address, client := visitor(t, settings{maxSize: 2 << 30, partSize: 1 << 20})
	r, page := get(t, client, address)
	require.Equal(t, http.StatusOK, r.StatusCode)
	csp := r.Header.Get("Content-Security-Policy")
	require.Contains(t, csp, "default-src 'none'; script-src 'self' https://cdn.jsdelivr.net; style-src 'self'; ")
	require.Regexp(t, `connect-src 'self' http://\*\.localhost:\d+; media-src http://127\.0\.0\.1:\d+; `, csp)
	require.NotContains(t, csp, "unsafe")
	text := html.UnescapeString(page)
	require.Contains(t, text, `<script src="`+ossURL+`" integrity="`+ossHash+`" crossorigin="anonymous" defer>`)
	require.Contains(t, text, `<script src="`+uploaderURL+`" integrity="`+uploaderHash+`" crossorigin="anonymous" defer>`)
	require.Contains(t, text, "up to 2.1 GB")
	for _, file := range []string{"page.js", "upload.js", "backend.js", "memory.js", "words.js", "alias.js", "style.css"} {
		r, _ := get(t, client, address+"/"+file)
		require.Equal(t, http.StatusOK, r.StatusCode, file)
	}
	r, _ = get(t, client, address+"/sdk/"+ossFile)
	require.Equal(t, http.StatusNotFound, r.StatusCode, "there is no local copy")
}

// A session is signed: a name that a visitor makes up is nobody.
func TestWebpage_Session(t *testing.T) {
	t.Parallel()
	address, client := visitor(t, settings{maxSize: 100})
	r, _ := get(t, client, address+"/videos")
	require.Equal(t, http.StatusUnauthorized, r.StatusCode)
	_, _ = get(t, client, address)
	r, list := get(t, client, address+"/videos")
	require.Equal(t, http.StatusOK, r.StatusCode)
	require.JSONEq(t, "[]", list)
	made := post(t, client, address+"/uploads", `{"FileName":"a.mp4","FileSize":5}`)
	require.NotEmpty(t, made["VideoId"])
	require.Equal(t, "TypeNotAllowed", post(t, client, address+"/uploads", `{"FileName":"a.txt","FileSize":5}`)["code"])
	require.Equal(t, "FileTooLarge", post(t, client, address+"/uploads", `{"FileName":"a.mp4","FileSize":101}`)["code"])

	at, err := url.Parse(address)
	require.NoError(t, err)
	cookies := client.Jar.Cookies(at)
	require.Len(t, cookies, 1)
	_, mac, _ := strings.Cut(cookies[0].Value, ".")
	client.Jar.SetCookies(at, []*http.Cookie{{Name: session, Value: "another." + mac, Path: "/"}})
	require.Equal(t, "Unauthorized", post(t, client, address+"/uploads", `{"FileName":"a.mp4","FileSize":5}`)["code"])
}

func post(t *testing.T, client *http.Client, address, body string) map[string]any {
	t.Helper()
	r, err := client.Post(address, "application/json", strings.NewReader(body))
	require.NoError(t, err)
	defer r.Body.Close()
	var out map[string]any
	require.NoError(t, json.NewDecoder(r.Body).Decode(&out))
	return out
}

func TestWebpage_LiveWithoutCredentialsSaysWhatToDo(t *testing.T) {
	for _, name := range []string{"ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_CREDENTIALS_URI"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("USERPROFILE", t.TempDir())
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
	err := run(context.Background(), settings{addr: "localhost:0", live: true, region: "cn-shanghai"})
	require.ErrorContains(t, err, "-live needs credentials")
	require.ErrorContains(t, err, "ALIBABA_CLOUD_ACCESS_KEY_ID")
}

func TestWebpage_AddressInUse(t *testing.T) {
	t.Parallel()
	taken := httptest.NewServer(http.NotFoundHandler())
	defer taken.Close()
	err := run(t.Context(), settings{addr: strings.TrimPrefix(taken.URL, "http://")})
	require.ErrorContains(t, err, "choose another address with -addr")
}
