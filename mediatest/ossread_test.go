package mediatest_test

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

func TestOSS_RangesAndConditions(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.PutObject("own", "a", []byte("0123456789"))
	w := wireOf(srv)
	const whole, refused = 200, 416
	for _, test := range []struct {
		text             string
		status, standard int
		want             string
	}{
		{"bytes=2-4", 206, 206, "234"},
		{"bytes=7-", 206, 206, "789"},
		{"bytes=-3", 206, 206, "789"},
		{"bytes=5-20", whole, 206, "56789"},
		{"bytes=10-20", whole, refused, ""},
		{"bytes=10-", whole, refused, ""},
		{"bytes=-20", whole, 206, "0123456789"},
		{"bytes=4-2", whole, whole, ""},
		{"bytes=-0", whole, whole, ""},
		{"bytes=0-1,4-5", whole, whole, ""},
		{"lines=1-2", whole, whole, ""},
	} {
		for standard, status := range map[string]int{"": test.status, "standard": test.standard} {
			a := w.send(t, "GET", "own/a", "", "", "Range", test.text, "x-oss-range-behavior", standard)
			require.Equal(t, status, a.status, "%s %s", test.text, a.raw)
			switch status {
			case whole:
				require.Equal(t, "0123456789", a.raw)
			case refused:
				require.Equal(t, "InvalidRange", element(t, a, "Code"))
			default:
				require.Equal(t, test.want, a.raw)
			}
		}
	}

	head := w.send(t, "HEAD", "own/a", "", "", "Range", "bytes=2-4")
	require.Equal(t, []string{"10", "bytes"}, []string{head.header.Get("Content-Length"), head.header.Get("Accept-Ranges")})
	etag, modified := head.header.Get("ETag"), head.header.Get("Last-Modified")
	earlier := time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)
	for _, method := range []string{"GET", "HEAD"} {
		ask := func(name, value string) int { return w.send(t, method, "own/a", "", "", name, value).status }
		require.Equal(t, []int{200, 412, 412}, []int{ask("If-Match", etag), ask("If-Match", `"x"`), ask("If-Unmodified-Since", earlier)})
		require.Equal(t, []int{304, 304, 200, 200}, []int{ask("If-None-Match", etag), ask("If-Modified-Since", modified), ask("If-Modified-Since", earlier), ask("If-None-Match", `"x"`)})
	}
	w.refuses(t, 412, "PreconditionFailed", "GET", "own/a", "", "If-Match", `"x"`)
	require.Empty(t, w.send(t, "GET", "own/a", "", "", "If-None-Match", etag).raw)
}

func TestOSS_GetObjectMetaAndOverrides(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.CreateBucket("own")
	w := wireOf(srv)
	w.send(t, "PUT", "own/a", "", "content", "x-oss-meta-owner", "me", "Content-Type", "text/plain")
	meta := w.send(t, "HEAD", "own/a", "objectMeta", "")
	require.Equal(t, 200, meta.status)
	require.Equal(t, "7", meta.header.Get("Content-Length"))
	require.NotEmpty(t, meta.header.Get("Last-Modified"))
	require.NotEmpty(t, meta.header.Get("ETag"))
	require.Empty(t, meta.header.Get("x-oss-meta-owner"))
	require.Equal(t, 1, srv.Calls("GetObjectMeta"))
	require.Equal(t, "text/csv", w.send(t, "GET", "own/a", "response-content-type="+url.QueryEscape("text/csv"), "").header.Get("Content-Type"))
}

func TestOSS_Append(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]mediatest.Option{"memory": nil, "discard": {mediatest.Discard()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := mediatest.New(t, opts...)
			srv.CreateBucket("own")
			w := wireOf(srv)
			w.refuses(t, 409, "PositionNotEqualToLength", "POST", "own/log", "append&position=1")
			a := w.send(t, "POST", "own/log", "append&position=0", "one ", "x-oss-meta-owner", "me")
			require.Equal(t, 200, a.status, a.raw)
			require.Equal(t, "4", a.header.Get("x-oss-next-append-position"))
			a = w.send(t, "POST", "own/log", "append&position=4", "two", "x-oss-meta-owner", "ignored")
			require.Equal(t, "7", a.header.Get("x-oss-next-append-position"))
			size, _, _ := srv.ObjectInfo("own", "log")
			require.EqualValues(t, 7, size)
			require.Equal(t, "me", srv.ObjectHeader("own", "log").Get("x-oss-meta-owner"))
			head := w.send(t, "HEAD", "own/log", "", "")
			require.Equal(t, "Appendable", head.header.Get("x-oss-object-type"))
			require.Equal(t, a.header.Get("x-oss-hash-crc64ecma"), head.header.Get("x-oss-hash-crc64ecma"))
			w.send(t, "PUT", "own/copy", "", "one two")
			require.Equal(t, w.send(t, "HEAD", "own/copy", "", "").header.Get("x-oss-hash-crc64ecma"), a.header.Get("x-oss-hash-crc64ecma"))
			held := srv.Held()
			w.refuses(t, 409, "PositionNotEqualToLength", "POST", "own/log", "append&position=3")
			require.Equal(t, 409, w.send(t, "POST", "own/log", "append&position=9", "lost").status)
			require.Equal(t, held, srv.Held(), "what is refused is not kept")
			w.refuses(t, 409, "ObjectNotAppendable", "POST", "own/copy", "append&position=7")
			for _, wrong := range []string{"-1", "x", "", "99999999999999999999"} {
				w.refuses(t, 400, "InvalidArgument", "POST", "own/log", "append&position="+wrong)
			}
		})
	}
}

func TestOSS_DeleteMultipleObjects(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	for _, key := range []string{"a&b", "b", "c", "d"} {
		srv.PutObject("own", key, []byte(key))
	}
	w := wireOf(srv)
	list := func(quiet string, keys ...string) string {
		return "<Delete><Quiet>" + quiet + "</Quiet><Object><Key>" + strings.Join(keys, "</Key></Object><Object><Key>") + "</Key></Object></Delete>"
	}
	a := w.send(t, "POST", "own/", "delete&encoding-type=url", list("false", "a&amp;b", "none"))
	require.Equal(t, 200, a.status, a.raw)
	require.Contains(t, a.raw, "<Deleted><Key>a%26b</Key></Deleted><Deleted><Key>none</Key></Deleted>")
	a = w.send(t, "POST", "own/", "delete", list("true", "b"))
	require.Equal(t, []any{200, ""}, []any{a.status, a.raw})
	require.Equal(t, []string{"c", "d"}, srv.Objects("own"))
	for _, wrong := range []string{"", "<Delete></Delete>", "<Delete><Object><Key>c</Key></Object>", list("false", "c", ""), list("false", make([]string, 1001)...)} {
		a = w.send(t, "POST", "own/", "delete", wrong)
		require.Equal(t, 400, a.status)
		require.Equal(t, "MalformedXML", element(t, a, "Code"))
	}
	a = w.send(t, "POST", "own/", "delete", list("false", "c"), "Content-MD5", "rL0Y20zC+Fzt72VPzMSk2A==")
	require.Equal(t, "InvalidDigest", element(t, a, "Code"))
	require.Len(t, srv.Objects("own"), 2)
}

func TestOSS_ListsOwnersAndUploadsBelowADelimiter(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	w := wireOf(srv)
	srv.PutObject("own", "a", []byte("content"))
	owner := "<Owner><ID>" + srv.Account().Id() + "</ID>"
	require.Contains(t, w.send(t, "GET", "own/", "", "").raw, owner)
	require.NotContains(t, w.send(t, "GET", "own/", "list-type=2", "").raw, owner)
	require.Contains(t, w.send(t, "GET", "own/", "list-type=2&fetch-owner=true", "").raw, owner)

	for _, key := range []string{"x/1", "x/1", "x/b/2", "x/b/3", "x/c/4", "y"} {
		w.send(t, "POST", "own/"+key, "uploads", "")
	}
	var keys, prefixes []string
	for marker, id, more := "", "", true; more; {
		page := w.send(t, "GET", "own/", "uploads&max-uploads=1&prefix=x/&delimiter=/&key-marker="+marker+"&upload-id-marker="+id, "")
		if strings.Contains(page.raw, "<Upload>") {
			keys = append(keys, element(t, page, "Key"))
		} else {
			prefixes = append(prefixes, element(t, page, "CommonPrefixes"))
		}
		marker, id, more = element(t, page, "NextKeyMarker"), element(t, page, "NextUploadIdMarker"), element(t, page, "IsTruncated") == "true"
	}
	require.Equal(t, []string{"x/1", "x/1"}, keys)
	require.Equal(t, []string{"<Prefix>x/b/</Prefix>", "<Prefix>x/c/</Prefix>"}, prefixes)
	require.Equal(t, 2, strings.Count(w.send(t, "GET", "own/", "uploads&prefix=x/&delimiter=/", "").raw, "<CommonPrefixes>"))
}

func TestOSS_VirtualHosts(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.PutObject("own", "a/b", []byte("content"))
	_, port, err := net.SplitHostPort(strings.TrimPrefix(srv.URL, "http://"))
	require.NoError(t, err)
	w := wireOf(srv)
	w.host = "own.localhost:" + port
	require.Equal(t, "content", w.send(t, "GET", "own/a/b", "", "").raw)
	require.Contains(t, w.send(t, "GET", "own/", "", "").raw, "<Key>a/b</Key>")
	w.host = "nobody.localhost:" + port
	w.refuses(t, 404, "NoSuchBucket", "GET", "nobody/a/b", "")
	require.Equal(t, "own", srv.Requests()[0].Bucket)
	address := "http://localhost:" + port + "/own/a/b" // no bucket is called localhost
	require.Equal(t, 403, get(t, srv, address))
	require.Equal(t, "own", srv.Requests()[3].Bucket)
}

func get(t testing.TB, srv *mediatest.Server, address string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	resp, err := srv.HTTPClient().Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode
}
