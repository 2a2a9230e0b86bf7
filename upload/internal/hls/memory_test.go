package hls

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// allocated returns the number of bytes that a function allocates.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A line with millions of attributes, and millions of lines, need memory in
// proportion to their size.
func TestHLS_B62_Playlists(t *testing.T) {
	for name, text := range map[string]string{
		"attributes":      "#EXTM3U\n#EXT-X-MEDIA:" + strings.Repeat("A=,", MaxPlaylistSize/3-20),
		"vendor":          "#EXTM3U\n#EXT-X-VENDOR:" + strings.Repeat(`A="",`, MaxPlaylistSize/5-20),
		"lines":           "#EXTM3U\n" + strings.Repeat("\n", MaxPlaylistSize-10),
		"tags":            "#EXTM3U\n" + strings.Repeat("#EXT-X-X:\n", MaxPlaylistSize/10-10),
		"EXTINF":          "#EXTM3U\n#EXTINF:" + strings.Repeat(`="" `, MaxPlaylistSize/4-10),
		"without a value": "#EXTM3U\n#EXT-X-X:" + strings.Repeat(`,`, MaxPlaylistSize-30),
	} {
		raw := []byte(text)
		start := time.Now()
		var err error
		used := allocated(func() { _, err = Parse(raw) })
		require.NoError(t, err, name)
		require.Less(t, used, uint64(4*len(raw)), name)
		require.Less(t, time.Since(start), 20*time.Second, name)
	}
}
