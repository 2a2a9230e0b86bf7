package hls

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/upload/internal/mediatype"
)

func TestHLS_B39_Names(t *testing.T) {
	t.Parallel()
	var names nameSet
	for _, tt := range [][2]string{
		{"a.ts", "a.ts"}, {"a.ts", "a-2.ts"}, {"a-2.ts", "a-2-2.ts"}, {"a.ts", "a-3.ts"}, {"a-3.ts", "a-3-2.ts"}, {"a.ts", "a-4.ts"},
		{"A.ts", "A.ts"}, {"a b.ts", "a_b.ts"}, {"a_b.ts", "a_b-2.ts"}, {"第1段.ts", "_1_.ts"}, {"a?b=c&d.ts", "a_b_c_d.ts"}, {"a%20b.ts", "a_20b.ts"},
		{"noext", "noext"}, {"noext", "noext-2"}, {".ts", ".ts"}, {".ts", "-2.ts"}, {"..", "_"}, {".", "_-2"}, {"", "_-3"}, {"a\nb", "a_b"},
		{strings.Repeat("x", 200) + ".ts", strings.Repeat("x", 125) + ".ts"}, {strings.Repeat("x", 201) + ".ts", strings.Repeat("x", 125) + "-2.ts"},
		{"x." + strings.Repeat("y", 300), "x." + strings.Repeat("y", 110) + "." + strings.Repeat("y", 15)},
	} {
		require.Equal(t, tt[1], names.assign(tt[0]), tt[0])
	}
}

// Segments have the extensions of media files, but for four that no table of
// media types has.
func TestSegmentExtensions(t *testing.T) {
	t.Parallel()
	for ext := range segmentExtensions {
		if ext = strings.TrimPrefix(ext, "."); ext != "m4f" && ext != "mp4v" && ext != "mp4a" && ext != "mpa" {
			require.True(t, mediatype.IsMedia(ext), ext)
		}
	}
}
