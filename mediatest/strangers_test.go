package mediatest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

func vendorBucket(t testing.TB, srv *mediatest.Server, name string, version oss.AuthVersionType) *oss.Bucket {
	t.Helper()
	keys := srv.Credentials()
	client, err := oss.New(srv.URL, keys.AccessKeyId, keys.AccessKeySecret, oss.AuthVersion(version), oss.Region("cn-shanghai"), oss.HTTPClient(srv.HTTPClient()))
	require.NoError(t, err)
	b, err := client.Bucket(name)
	require.NoError(t, err)
	return b
}

func TestOSS_ListsCopiesAndPresignedURLsForTheVendorsClient(t *testing.T) {
	t.Parallel()
	for _, version := range []oss.AuthVersionType{oss.AuthV1, oss.AuthV4} {
		t.Run(string(version), func(t *testing.T) {
			t.Parallel()
			srv := mediatest.New(t)
			srv.CreateBucket("own")
			b := vendorBucket(t, srv, "own", version)
			for _, key := range []string{"a/1.txt", "a/2.txt", "a/b/3.txt", "c d+é.txt"} {
				require.NoError(t, b.PutObject(key, strings.NewReader("content of "+key)))
			}
			var keys, prefixes []string
			marker, pages := "", 0
			for {
				out, err := b.ListObjects(oss.MaxKeys(1), oss.Marker(marker), oss.Prefix("a/"), oss.Delimiter("/"))
				require.NoError(t, err)
				pages++
				for _, o := range out.Objects {
					require.Equal(t, srv.Account().Id(), o.Owner.ID)
					keys = append(keys, o.Key)
				}
				prefixes = append(prefixes, out.CommonPrefixes...)
				if !out.IsTruncated {
					break
				}
				marker = out.NextMarker
			}
			require.Equal(t, []string{"a/1.txt", "a/2.txt"}, keys)
			require.Equal(t, []string{"a/b/"}, prefixes)
			require.Equal(t, 3, pages)
			out, err := b.ListObjectsV2(oss.MaxKeys(3))
			require.NoError(t, err)
			require.True(t, out.IsTruncated)
			out, err = b.ListObjectsV2(oss.ContinuationToken(out.NextContinuationToken))
			require.NoError(t, err)
			require.Len(t, out.Objects, 1)
			require.Equal(t, "c d+é.txt", out.Objects[0].Key)
			require.Empty(t, out.Objects[0].Owner.ID)
			out, err = b.ListObjectsV2(oss.FetchOwner(true))
			require.NoError(t, err)
			require.Equal(t, srv.Account().Id(), out.Objects[0].Owner.ID)

			_, err = b.CopyObject("c d+é.txt", "copy.txt")
			require.NoError(t, err)
			data, ok := srv.Object("own", "copy.txt")
			require.True(t, ok)
			require.Equal(t, "content of c d+é.txt", string(data))
			_, err = b.CopyObject("none", "copy.txt")
			requireOSSError(t, err, 404, "NoSuchKey")

			address, err := b.SignURL("c d+é.txt", oss.HTTPGet, 60)
			require.NoError(t, err)
			get := func(address string) (int, string) {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
				require.NoError(t, err)
				req.Header.Set("Range", "bytes=0-6")
				resp, err := srv.HTTPClient().Do(req)
				require.NoError(t, err)
				defer func() { _ = resp.Body.Close() }()
				text, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				return resp.StatusCode, string(text)
			}
			status, text := get(address)
			require.Equal(t, 206, status, text)
			require.Equal(t, "content", text)
			status, _ = get(strings.Replace(address, "c%20d", "c%20e", 1))
			require.Equal(t, 403, status)
			srv.Clock().Advance(2 * time.Minute)
			status, text = get(address)
			require.Equal(t, 403, status)
			require.Contains(t, text, "Request has expired")
		})
	}
}

func TestOSS_AnswersBrowsersOfOtherOrigins(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, srv.URL+"/own/a.txt", nil)
	require.NoError(t, err)
	req.Header.Set("Origin", "https://app.example.com")
	req.Header.Set("Access-Control-Request-Method", "PUT")
	req.Header.Set("Access-Control-Request-Headers", "authorization,x-oss-date")
	resp, err := srv.HTTPClient().Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, "authorization,x-oss-date", resp.Header.Get("Access-Control-Allow-Headers"))
	require.Contains(t, resp.Header.Get("Access-Control-Allow-Methods"), "PUT")

	// An uploader reads the ETag of a part and the code of an error.
	resp, err = srv.HTTPClient().Do(func() *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, srv.URL+"/own/a.txt", strings.NewReader("a"))
		require.NoError(t, err)
		r.Header.Set("Origin", "https://app.example.com")
		return r
	}())
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 403, resp.StatusCode)
	require.Equal(t, "*", resp.Header.Get("Access-Control-Allow-Origin"))
	for _, name := range []string{"ETag", "x-oss-request-id"} {
		require.Contains(t, resp.Header.Get("Access-Control-Expose-Headers"), name)
	}
}
