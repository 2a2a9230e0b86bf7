package checkpoint

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// requireFilled fails if a field is zero, so that no field is forgotten in a
// golden file.
func requireFilled(t *testing.T, v any) {
	t.Helper()
	s := reflect.ValueOf(v)
	for i := range s.NumField() {
		require.False(t, s.Field(i).IsZero(), "%T.%s is not in the golden file", v, s.Type().Field(i).Name)
		require.NotEmpty(t, s.Type().Field(i).Tag.Get("json"), "%T.%s has no name on disk", v, s.Type().Field(i).Name)
	}
}

var everything = Identity{Source: "/data/movie.mp4", Query: "q", Size: 250000, Modified: "2026-01-02T03:04:05.000000006Z", ETag: `"e"`, Files: "f"}

// TestCheckpoint_B52_FormatOfCheckpoints: the format of a checkpoint must not
// change without another version.
func TestCheckpoint_B52_FormatOfCheckpoints(t *testing.T) {
	t.Parallel()
	s := State{
		Version: version, Step: Sending, Source: everything, Created: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), Token: "0123456789abcdef0123456789abcdef",
		MediaID: "media-1", FileURL: "https://outin-1.oss-cn-shanghai.aliyuncs.com/sv/movie.mp4", MediaURL: "https://example.com/movie.mp4", RequestID: "R-1",
		Address: address, UploadID: "UPLOAD", Initiated: time.Date(2026, 1, 2, 3, 4, 7, 0, time.UTC), PartSize: 102400, LostIDs: true,
		ETag: `"all"`, Size: 250000, CRC64: 1<<64 - 1, AlreadyRegistered: true, Asked: time.Date(2026, 1, 2, 3, 5, 0, 0, time.UTC), PartCount: 2,
	}
	parts := []Part{{Number: 1, ETag: `"A"`, Size: 102400, CRC64: 1<<64 - 1}, {Number: 3, ETag: `"C"`, Size: 45200, CRC64: 3}}
	requireFilled(t, s)
	requireFilled(t, s.Source)
	requireFilled(t, s.Address)
	requireFilled(t, parts[0])
	text, err := Format(s, parts)
	require.NoError(t, err)
	golden(t, "checkpoint.upload", text)
	got, gotParts, err := Parse(text, anyAddress)
	require.NoError(t, err)
	require.Equal(t, s, got)
	require.Equal(t, map[int]Part{1: parts[0], 3: parts[1]}, gotParts)
}

// TestCheckpoint_B52_FormatOfTheIndex: the format of the completed index must
// not change, or everything would be uploaded again.
func TestCheckpoint_B52_FormatOfTheIndex(t *testing.T) {
	t.Parallel()
	d := openDir(t, t.TempDir())
	done := Result{
		MediaId: "media-1", FileURL: "https://outin-1.oss-cn-shanghai.aliyuncs.com/sv/movie.mp4", MediaURL: "https://example.com/movie.mp4", RequestId: "R-1",
		Bucket: "outin-1", Key: "sv/movie.mp4", ETag: `"all"`, Size: 250000, CRC64: 1<<64 - 1, Status: "Normal", AlreadyRegistered: true, AlreadyUploaded: true,
	}
	requireFilled(t, done)
	for _, key := range []Key{movieKey, {Owner: movieKey.Owner, Target: "VODVideo", UserKey: "order-4711"}} {
		e := newEntry(key, everything)
		e.Result = done
		require.NoError(t, NewIndex(discard).add(d, e))
	}
	text, err := os.ReadFile(d.file(IndexName))
	require.NoError(t, err)
	golden(t, "finished.jsonl", text)

	f, err := Open(d, movieKey, Options{Source: everything, Index: NewIndex(discard), Logger: discard, CheckAddress: anyAddress})
	require.NoError(t, err)
	defer f.Close(true)
	got, err := f.Completed()
	require.NoError(t, err)
	require.Equal(t, &done, got)
}

// TestCheckpoint_B52_FormatOfKeys: what is hashed into the names of files must
// not change without another version, or everything would be uploaded again.
func TestCheckpoint_B52_FormatOfKeys(t *testing.T) {
	t.Parallel()
	k := Key{
		Version: keyVersion, Owner: "account:1234567890123456", Target: "Bucket", Region: "cn-shanghai", App: "app-1000000", Storage: "s", Asset: "a", Use: "HD",
		ReferenceID: "r", Bucket: "b", Object: "o.mp4", Registration: "RegisterMediaInfo", UserKey: "order-4711", Source: "/data/movie.mp4", Query: "q",
	}
	requireFilled(t, k)
	text, err := json.Marshal(k)
	require.NoError(t, err)
	golden(t, "key.json", append(text, '\n'))
	require.Equal(t, "6aa8c93a3a87dbe8279dc23101c60648", Key{Owner: "account:1", Target: "VODVideo", Region: "cn-shanghai", App: "app-1000000", Source: "/a.mp4"}.Name())
	require.Equal(t, "0753145af25d24706023812cb40c11db", k.Name())
}

// TestCheckpoint_B39_FormatOfSegments: the list of stored segments.
func TestCheckpoint_B39_FormatOfSegments(t *testing.T) {
	t.Parallel()
	d := openDir(t, t.TempDir())
	interrupted(t, d)
	for range 2 { // the second run keeps the lines of the first
		f := openFile(t, d)
		s, err := f.Segments("media-1", "sv/movie/")
		require.NoError(t, err)
		if _, ok := s.Stored(12); !ok {
			require.NoError(t, s.Add(12, 1<<64-1))
			require.NoError(t, s.Add(3, 3))
		}
		s.Close()
		f.Close(false)
	}
	text, err := os.ReadFile(d.file(movieKey.Name() + segmentsEnd))
	require.NoError(t, err)
	golden(t, "checkpoint.segments", text)
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"checkpoint":2,"step":"sending","mediaId":"a","uploadId":"U","partSize":102400}` + "\n" + `{"part":1,"etag":"E","size":1,"crc64":2}` + "\n"))
	f.Add([]byte(`{"checkpoint":1}` + "\n"))
	f.Add([]byte(`{"checkpoint":2,"step":"done","source":{"source":"/a","size":5},"created":"2026-01-02T03:04:05Z","token":"t","fileURL":"u","address":{"Endpoint":"https://oss-cn-shanghai.aliyuncs.com","Bucket":"bucket","FileName":"a/b.mp4"},"size":5,"crc64":18446744073709551615,"asked":"2026-01-02T03:04:05.6Z"}` + "\n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		s, parts, err := Parse(data, anyAddress)
		if err != nil {
			return
		}
		require.Equal(t, version, s.Version)
		text, err := Format(s, slices.Collect(maps.Values(parts)))
		require.NoError(t, err)
		s.PartCount = len(parts)
		s2, parts2, err := Parse(text, anyAddress)
		require.NoError(t, err, "%s", text)
		require.Equal(t, s, s2)
		require.Equal(t, parts, parts2)
		require.LessOrEqual(t, len(parts), MaxParts)
		if s.UploadID != "" {
			require.GreaterOrEqual(t, s.PartSize, int64(MinPartSize))
		}
	})
}
