package upload

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMediaTypes: what the services are told a file is goes with the table of
// media types.
func TestMediaTypes(t *testing.T) {
	t.Parallel()
	for ext := range kinds {
		require.NotEqual(t, "other", kindOf(ext))
	}
	for ext, kind := range map[string]string{"avif": "image", "heif": "image", "jxl": "image", "m4s": "video", "cmfv": "video", "cmfa": "audio", "mts": "video", "ogv": "video", "f4v": "video", "mpd": "video", "vtt": "text", "ttml": "text", "srt": "text", "opus": "audio", "weba": "audio", "eac3": "audio", "dts": "audio", "3g2": "video", "mxf": "video", "wmv": "video"} {
		require.Equal(t, kind, kindOf(ext), ext)
	}
}
