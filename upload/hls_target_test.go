package upload

import (
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload/internal/mediatype"
	"github.com/stretchr/testify/require"
)

// What is no playlist for a target is a file like any other.
func TestUpload_B39_Targets(t *testing.T) {
	t.Parallel()
	text := "#EXTM3U\nmissing.ts\n"
	name := writeFile(t, "a.M3U8", []byte(text))
	r := newEnv(t, nil, mediatest.InMemory())
	r.CreateBucket("mine-1")
	res, err := r.Upload(ctx, File(name), Bucket{Name: "mine-1", Region: "cn-shanghai"})
	require.NoError(t, err)
	r.stored(t, res, []byte(text))
	res, err = r.Upload(ctx, bytesSource("a.m3u8", []byte(text)), Bucket{Name: "mine-1", Region: "cn-shanghai", Key: "b.m3u8"})
	require.NoError(t, err)
	r.stored(t, res, []byte(text))

	res, err = r.Upload(ctx, File(name), VODVideo{})
	failed(t, res, err)
	require.ErrorIs(t, err, fs.ErrNotExist)
	for _, target := range []Target{VODImage{}, &VODAttachedMedia{}, YikeAsset{}} {
		res, err = r.Upload(ctx, HLS(name), target)
		e := failed(t, res, err)
		require.Equal(t, StageOpen, e.Stage)
		require.ErrorContains(t, err, "takes no playlists")
	}
	for _, src := range []Source{HLS(""), HLS(t.TempDir()), HLSFS(nil, "a.m3u8"), FS(nil, filepath.Join(film.write(t), "index.m3u8")), HLSFS(fstest.MapFS{}, "../a.m3u8"), HLS(filepath.Join(t.TempDir(), "a.m3u8"))} {
		res, err = r.Upload(ctx, src, VODVideo{})
		require.Equal(t, StageOpen, failed(t, res, err).Stage)
	}
}

// CreateUploadStream names no place for segments.
func TestUpload_B39_NoPrefix(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil)
	id := r.AddMedia(mediatest.Media{Service: "ice"})
	res, err := r.Upload(ctx, HLSFS(film.fs(), "index.m3u8"), ICEStream{MediaId: id, Definition: "HD"})
	e := failed(t, res, err)
	require.ErrorIs(t, err, ErrNoPrefix)
	require.Equal(t, id, e.MediaId)
	require.Equal(t, StageCreate, e.Stage)
	require.Zero(t, r.Calls("PutObject")+r.Calls("InitiateMultipartUpload"))

	// All is on a server: there are no segments to destination.
	remote := folder{"index.m3u8": "#EXTM3U\nhttps://cdn.test/a.ts?x\n#EXT-X-KEY:METHOD=AES-128,URI=\"skd://key\"\n"}
	res, err = r.Upload(ctx, HLSFS(remote.fs(), "index.m3u8", KeepRemote()), ICEStream{MediaId: id, Definition: "HD"})
	require.NoError(t, err)
	r.stored(t, res, []byte(remote["index.m3u8"]))
}

func TestUpload_B39_UnusablePrefix(t *testing.T) {
	t.Parallel()
	for prefix, text := range map[string]string{"/abs/": "begins with a slash", strings.Repeat("x", 1100): "at most 1023"} {
		r := newEnv(t, nil, mediatest.EncodeUpload(func(address, auth map[string]any) (string, string) {
			address["ObjectPrefix"] = prefix
			return mediatest.EncodeBase64(address), mediatest.EncodeBase64(auth)
		}))
		res, err := r.Upload(ctx, HLSFS(film.fs(), "index.m3u8"), VODVideo{})
		e := failed(t, res, err)
		require.ErrorIs(t, err, ErrAddress)
		require.ErrorContains(t, err, text)
		require.NotEmpty(t, e.MediaId)
		require.Zero(t, r.Calls("PutObject"))
	}
	// A segment must not take the place of the playlist.
	var name atomic.Value
	r := newEnv(t, nil, mediatest.EncodeUpload(func(address, auth map[string]any) (string, string) {
		key := address["FileName"].(string)
		address["ObjectPrefix"] = strings.TrimSuffix(key, "m3u8")
		name.Store(key)
		return mediatest.EncodeBase64(address), mediatest.EncodeBase64(auth)
	}))
	res, err := r.Upload(ctx, HLSFS(folder{"index.m3u8": "#EXTM3U\nm3u8\n", "m3u8": "x"}.fs(), "index.m3u8", AllowFiles(func(string) bool { return true })), VODVideo{})
	failed(t, res, err)
	require.ErrorIs(t, err, ErrAddress)
	_, ok := r.Object(r.StorageBucket(), name.Load().(string))
	require.False(t, ok)
}

// An asset whose segments are nowhere is not a success.
func TestUpload_B39_NowhereIsRefused(t *testing.T) {
	t.Parallel()
	const text = "#EXTM3U\n#EXTINF:4,\na.ts\n"
	r := newEnv(t, nil, mediatest.InMemory())
	r.CreateBucket("mine-1")
	at := func(name string) Source { return bytesSource(name, []byte(text)) }
	stream := func(name string) Source { return Reader(name, reader(strings.NewReader(text)), UnknownSize) }
	disk := File(writeFile(t, "film.mp4", []byte("\ufeff"+text)))
	for i, tt := range []struct {
		src    Source
		target Target
		want   error
	}{
		{at("a.m3u8"), VODVideo{}, ErrPlaylist}, {stream("a.m3u8"), VODVideo{}, ErrPlaylist}, {stream("a.mp4"), ICEMedia{}, ErrPlaylist}, {at("a.mp4"), &ICEMedia{}, ErrPlaylist},
		{at("a.m3u"), Bucket{Name: "mine-1", Register: RegisterMediaInfo{}}, ErrPlaylist}, {stream("a.ts"), YikeAsset{MediaType: "video"}, ErrPlaylist},
		{Named(at("a.txt"), "a.m3u8"), VODVideo{}, ErrPlaylist},
		{disk, VODVideo{}, fs.ErrNotExist}, {disk, YikeAsset{}, ErrPlaylist}, {HLS("a.m3u8"), VODImage{}, ErrPlaylist},
		{disk, Bucket{Name: "mine-1", Register: RegisterMediaInfo{}}, fs.ErrNotExist},
	} {
		res, err := r.Upload(ctx, tt.src, tt.target)
		require.Equal(t, StageOpen, failed(t, res, err).Stage, i)
		require.ErrorIs(t, err, tt.want, i)
	}
	require.Empty(t, r.Requests())

	// A bucket alone stores what it gets.
	res, err := r.Upload(ctx, at("a.m3u8"), &Bucket{Name: "mine-1", Region: "cn-shanghai"})
	require.NoError(t, err)
	r.stored(t, res, []byte(text))
}

// What begins as a playlist becomes one by its name and type too.
func TestUpload_B39_ByFirstBytes(t *testing.T) {
	t.Parallel()
	dir := folder{"film.mp4": "#EXTM3U\n#EXT-X-STREAM-INF:A=1\nv.txt\n", "v.txt": "#EXTM3U\na.ts\n", "a.ts": "1"}.write(t)
	r := newEnv(t, nil, mediatest.InMemory())
	res, err := r.Upload(ctx, File(filepath.Join(dir, "film.mp4")), VODVideo{})
	require.NoError(t, err)
	require.Equal(t, folder{"index.m3u8": "#EXTM3U\n#EXT-X-STREAM-INF:A=1\nv.m3u8\n", "v.m3u8": "#EXTM3U\na.ts\n", "a.ts": "1"}, r.beside(t, res))
	media, _ := r.Media(res.MediaId)
	require.Equal(t, "film.m3u8", media.Params.Get("FileName"))

	r.CreateBucket("mine-1")
	_, err = r.Upload(ctx, HLS(filepath.Join(dir, "film.mp4")), Bucket{Name: "mine-1", Key: "film", Region: "cn-shanghai"})
	require.NoError(t, err)
	require.Equal(t, mediatype.Playlist, r.contentType(t, "film"))
	res, err = r.Upload(ctx, Named(HLS(filepath.Join(dir, "film.mp4")), "other.m3u8"), Bucket{Name: "mine-1", Key: "x/", Region: "cn-shanghai"})
	require.NoError(t, err)
	require.Equal(t, "x/other.m3u8", res.Key)
	data, _ := r.Object("mine-1", res.Key)
	require.Contains(t, string(data), "\nother/v.m3u8\n")
}

// The stored playlist leads to its segments whatever its key is: a reference
// whose first segment has a colon is not a scheme.
func TestUpload_B39_OddKeys(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil, mediatest.InMemory())
	r.CreateBucket("mine-1")
	f := folder{"index.m3u8": "#EXTM3U\na.ts\n", "a.ts": "1"}
	for _, key := range []string{"shows/Show: Part 1.m3u8", "Show: Part 1.m3u8", "a/b:c", "a/.m3u8", ".m3u8"} {
		res, err := r.Upload(ctx, HLSFS(f.fs(), "index.m3u8"), Bucket{Name: "mine-1", Key: key, Region: "cn-shanghai"})
		require.NoError(t, err)
		data, _ := r.Object(res.Bucket, res.Key)
		base := &url.URL{Scheme: "https", Host: "h", Path: "/" + key}
		to, err := base.Parse(strings.Split(string(data), "\n")[1])
		require.NoError(t, err)
		stored, ok := r.Object(res.Bucket, strings.TrimPrefix(to.Path, "/"))
		require.True(t, ok, "%s leads to %s", data, to)
		require.Equal(t, "1", string(stored))
	}
}

// The error of a playlist is one bounded line, whatever the playlist contains.
func TestUpload_B60_PlaylistError(t *testing.T) {
	t.Parallel()
	e := &PlaylistError{Playlist: "a\n\x1b[2J", Line: 1, URI: "x\r\n", Err: fmt.Errorf("%s\n\x07%s", "a", strings.Repeat("b", 5000))}
	require.LessOrEqual(t, len(e.Error()), 1024)
	require.NotContains(t, e.Error(), "\n")
	require.NotContains(t, e.Error(), "\x07")
}
