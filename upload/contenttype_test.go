package upload

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestContentType(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"sv/a/b.mp4": "video/mp4", "x.M3U8": "application/vnd.apple.mpegurl", "a.b/c": "application/octet-stream", "": "application/octet-stream", "x.unknown": "application/octet-stream",
	} {
		require.Equal(t, want, contentType(key), key)
	}
}
