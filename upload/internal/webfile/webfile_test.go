package webfile

import (
	"context"
	"io"
	"math/rand/v2"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/alimedia/alimedia-go/internal/retry"
	"github.com/alimedia/alimedia-go/upload/internal/webtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const kib = 1 << 10

// to are options that lead all connections to a server; nil for none.
func to(s *webtest.Server) Options {
	o := Options{
		MaxSize: 1 << 40, MaxRedirects: 5, StallTimeout: time.Minute,
		Retry: retry.Policy{MaxAttempts: 10, BaseDelay: time.Millisecond, MaxDelay: 5 * time.Millisecond},
	}
	if s != nil {
		o.Dial = s.Dial
	}
	return o
}

func open(t *testing.T, rawURL string, o Options) (*File, error) {
	t.Helper()
	return openFor(t, t.Context(), rawURL, o)
}

func openFor(t *testing.T, ctx context.Context, rawURL string, o Options) (*File, error) {
	t.Helper()
	u, err := url.Parse(rawURL)
	require.NoError(t, err)
	f, err := Open(ctx, u, o)
	if err == nil {
		t.Cleanup(func() { require.NoError(t, f.Close()) })
	}
	return f, err
}

// read returns all bytes of a file.
func read(t *testing.T, rawURL string, o Options) ([]byte, error) {
	t.Helper()
	f, err := open(t, rawURL, o)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

func random(n int) []byte {
	data := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)}).Read(data)
	return data
}
