package interop

import (
	"math/rand/v2"
	"testing"

	"github.com/alimedia/alimedia-go/mediatest"
)

const (
	region = "cn-shanghai"
	bucket = "own"
)

// serverWithBucket starts a server that has the bucket "own".
func serverWithBucket(t *testing.T, opts ...mediatest.Option) *mediatest.Server {
	t.Helper()
	srv := mediatest.New(t, opts...)
	srv.CreateBucket(bucket)
	return srv
}

// noise makes n bytes that no run-length or repetition hides a mistake in.
func noise(n int) []byte {
	data := make([]byte, n)
	source := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)})
	_, _ = source.Read(data) // never fails
	return data
}
