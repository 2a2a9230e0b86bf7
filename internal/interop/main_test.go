package interop

import (
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

const (
	region = "cn-shanghai"
	bucket = "own"
)

func TestMain(m *testing.M) {
	trustTestServers()
	os.Exit(m.Run())
}

// serverWithBucket starts a server that has the bucket "own".
func serverWithBucket(t *testing.T, opts ...mediatest.Option) *mediatest.Server {
	t.Helper()
	srv := mediatest.New(t, opts...)
	srv.CreateBucket(bucket)
	return srv
}

// localhost is the endpoint under which buckets are names of hosts.
func localhost(srv *mediatest.Server) string {
	return strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
}

// noise makes n bytes, the same ones each time, that do not repeat.
func noise(n int) []byte {
	data := make([]byte, n)
	source := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)})
	_, _ = source.Read(data) // never fails
	return data
}

// fetch gets a URL as a browser would. The body is read and closed.
func fetch(t *testing.T, srv *mediatest.Server, address string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	resp, err := srv.HTTPClient().Do(req)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp
}
