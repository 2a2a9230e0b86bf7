package mediatest_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

func TestOSS_DeletesSeveralObjectsAtOnce(t *testing.T) {
	t.Parallel()
	for _, version := range []oss.AuthVersionType{oss.AuthV1, oss.AuthV4} {
		srv := mediatest.New(t)
		b := vendorBucket(t, srv, "own", version)
		keys := []string{"a+b c.txt", "d/ü&'<>.txt", "none"}
		for _, key := range append(keys[:2:2], "kept") {
			srv.PutObject("own", key, []byte("x"))
		}
		out, err := b.DeleteObjects(keys)
		require.NoError(t, err)
		require.Equal(t, keys, out.DeletedObjects, "what was not there counts as deleted")
		require.Equal(t, []string{"kept"}, srv.Objects("own"))

		out, err = b.DeleteObjects([]string{"kept"}, oss.DeleteObjectsQuiet(true))
		require.NoError(t, err)
		require.Empty(t, out.DeletedObjects)
		require.Empty(t, srv.Objects("own"))

		_, err = b.DeleteObjects(make([]string, 1001))
		requireOSSError(t, err, 400, "MalformedXML")
	}
}

func TestOSS_DeleteMultipleObjectsChecksItsBody(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	srv.PutObject("own", "a b", []byte("x"))
	keys := srv.Credentials()
	send := func(query, body, digest string) int {
		date := time.Now().UTC().Format(http.TimeFormat)
		h := hmac.New(sha1.New, []byte(keys.AccessKeySecret))
		_, _ = h.Write([]byte("POST\n" + digest + "\n\n" + date + "\n/own/?delete"))
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/own/?delete"+query, strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Date", date)
		r.Header.Set("Content-MD5", digest)
		r.Header.Set("Authorization", "OSS "+keys.AccessKeyId+":"+base64.StdEncoding.EncodeToString(h.Sum(nil)))
		resp, err := srv.HTTPClient().Do(r)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode
	}
	require.Equal(t, 400, send("", "<Delete><Object><Key>a b</Key></Object></Delete>", "AAAAAAAAAAAAAAAAAAAAAA=="))
	require.Equal(t, 400, send("", "<Delete></Delete>", ""))
	require.Equal(t, 400, send("", "no XML", ""))
	require.NotEmpty(t, srv.Objects("own"))
	require.Equal(t, 200, send("&encoding-type=url2", "<Delete><Object><Key>a%20b</Key></Object></Delete>", ""))
	require.Empty(t, srv.Objects("own"))
}
