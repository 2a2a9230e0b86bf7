package checkpoint

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSegments_B39_Lines(t *testing.T) {
	t.Parallel()
	const head = `{"source":{"source":"s","size":1},"mediaId":"m","prefix":"p"}` + "\n"
	for lines, want := range map[string]string{"": "", "1 a\n20 b\n": "1 a\n20 b\n", "1 a\n2 b": "1 a\n", "1 a\nx b\n2 c\n": "1 a\n", "1 a\n\n2 b\n": "1 a\n", "7 a": "", "1\n": "", "1 x\n": ""} {
		var s Segments
		h := segmentsHead{Source: Identity{Source: "s", Size: 1}, MediaID: "m", Prefix: "p"}
		require.Equal(t, want, string(s.parse([]byte(head+lines), &h)), "%q", lines)
		require.Len(t, s.stored, strings.Count(want, "\n"))
	}
}

// TestSegments_B39_NextRun: a later run knows the stored segments of the same
// asset, and their prefix.
func TestSegments_B39_NextRun(t *testing.T) {
	t.Parallel()
	d := openDir(t, t.TempDir())
	interrupted(t, d)
	f := openFile(t, d)
	s, err := f.Segments("media-1", "sv/movie/")
	require.NoError(t, err)
	require.NoError(t, s.Add(7, 70))
	s.Close()
	require.NoError(t, s.Add(8, 80), "it is closed")
	f.Close(false)
	for name, tt := range map[string]struct {
		asset, prefix, want string
		stored              bool
	}{
		"same":           {"media-1", "sv/movie/", "sv/movie/", true},
		"unknown prefix": {"media-1", "", "sv/movie/", true},
		"other asset":    {"media-2", "sv/movie/", "sv/movie/", false},
		"other prefix":   {"media-1", "other/", "other/", false},
	} {
		path := d.file(movieKey.Name() + segmentsEnd)
		was, err := os.ReadFile(path)
		require.NoError(t, err)
		f := openFile(t, d)
		s, err := f.Segments(tt.asset, tt.prefix)
		require.NoError(t, err)
		require.Equal(t, tt.want, s.Prefix(), name)
		sum, ok := s.Stored(7)
		require.Equal(t, tt.stored, ok, name)
		if ok {
			require.EqualValues(t, 70, sum)
		}
		s.Close()
		f.Close(false)
		require.NoError(t, os.WriteFile(path, was, 0o600))
	}
}

// TestSegments_B39_CheckpointOfASegment: a segment that is sent in parts is
// resumed if it is the same file for the same object.
func TestSegments_B39_CheckpointOfASegment(t *testing.T) {
	t.Parallel()
	d := openDir(t, t.TempDir())
	interrupted(t, d)
	f := openFile(t, d)
	source, asset := Identity{Source: "a.ts", Size: 1 << 20}, Asset{MediaID: "media-1", Address: address}
	c, replaced, err := f.Segment(3, source, asset)
	require.NoError(t, err)
	require.Nil(t, replaced)
	_, ok := c.Load()
	require.False(t, ok)
	require.NoError(t, c.Started("SEGMENT", MinPartSize, false))
	c.Close(false)

	c, replaced, err = f.Segment(3, source, asset)
	require.NoError(t, err)
	require.Nil(t, replaced)
	m, ok := c.Load()
	require.True(t, ok)
	require.Equal(t, "SEGMENT", m.UploadID)
	c.Close(false)

	source.Size++
	c, replaced, err = f.Segment(3, source, asset)
	require.NoError(t, err)
	require.Equal(t, "SEGMENT", replaced.UploadID)
	_, ok = c.Load()
	require.False(t, ok)
	require.NoError(t, c.Started("SECOND", MinPartSize, false))
	c.Close(false)

	var aborted []string
	require.True(t, f.HasSegments())
	f.DropSegments(func(s State) { aborted = append(aborted, s.UploadID) })
	require.Equal(t, []string{"SECOND"}, aborted)
	require.False(t, f.HasSegments())
	s, err := f.Segments("media-1", "")
	require.NoError(t, err)
	s.Close()
	f.ForgetSegments()
	f.Close(true)
	require.Empty(t, names(t, d))
}
