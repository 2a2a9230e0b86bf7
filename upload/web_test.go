package upload

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/stretchr/testify/require"
)

// The name is known before anything is created, and is what the user says.
func TestUpload_B43_NameOfTheUpload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t, site(map[string]string{"a.test/download.php": "-> /files/movie.mp4", "a.test/files/movie.mp4": "1"}, nil))
		r := newEnv(t, nil, mediatest.InMemory())
		for want, src := range map[string]Source{
			"movie.mp4": URL("http://a.test/download.php?id=7", o.here),
			"mine.mov":  URL("http://a.test/download.php?id=7", o.here, URLName("mine.mov")),
			"other.mkv": Named(URL("http://a.test/download.php?id=7", o.here), "other.mkv"),
			"电影.mp4":    Named(bytesSource("x", []byte("1")), "电影.mp4"),
		} {
			res, err := r.Upload(ctx, src, VODVideo{})
			require.NoError(t, err)
			media, _ := r.Media(res.MediaId)
			require.Equal(t, want, media.Params.Get("FileName"))
		}
		for _, name := range []string{"a/b.mp4", "a\x00.mp4", "\xff.mp4"} {
			_, err := r.Upload(ctx, URL("http://a.test/files/movie.mp4", o.here, URLName(name)), VODVideo{})
			require.Error(t, err, "%q", name)
		}
	})
}

// A name that no service can keep is refused before anything is created.
func TestUpload_B43_NamesNotUTF8(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil, mediatest.InMemory())
	r.CreateBucket("mine-1")
	bad := "\xb5\xe7\xd3\xb0.mp4"
	sources := map[string]func() Source{
		"ReaderAt": func() Source { return bytesSource(bad, []byte("1")) },
		"Reader":   func() Source { return Reader(bad, strings.NewReader("1"), 1) },
	}
	if runtime.GOOS == "linux" {
		file := writeFile(t, bad, []byte("1"))
		sources["File"] = func() Source { return File(file) }
	}
	for name, src := range sources {
		for _, target := range []Target{VODVideo{}, VODImage{}, ICEMedia{}, YikeAsset{MediaType: "video"}, Bucket{Name: "mine-1", Region: "cn-shanghai"}} {
			res, err := r.Upload(ctx, src(), target)
			require.Equal(t, StageOpen, failed(t, res, err).Stage)
			require.ErrorIs(t, err, ErrName, "%s %T", name, target)
		}
		_, err := r.Upload(ctx, Named(src(), "good.mp4"), VODVideo{})
		require.NoError(t, err)
	}
	require.Equal(t, len(sources), r.Calls("CreateUploadVideo"))
	require.Zero(t, r.Calls("CreateUploadMedia")+r.Calls("CreateYikeAssetUpload")+r.Calls("CreateUploadImage"))
}

// A page instead of the file is refused.
func TestUpload_B43_Pages(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		opts    []URLOption
		refused bool
	}{
		{"movie.mp4", nil, true}, {"movie", []URLOption{URLName("movie.mp4")}, true}, {"movie.mp4", []URLOption{AnyContentType()}, false}, {"page.html", nil, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			o := newOrigin(t, site(map[string]string{"a.test/" + tt.name: "<html>sign in</html>"}, map[string]string{"a.test/" + tt.name: "text/html"}))
			r := newEnv(t, nil, mediatest.InMemory())
			r.CreateBucket("mine-1")
			res, err := r.Upload(ctx, URL("http://a.test/"+tt.name, append(tt.opts, o.here)...), Bucket{Name: "mine-1", Region: "cn-shanghai"})
			if !tt.refused {
				require.NoError(t, err, tt.name)
				return
			}
			failed(t, res, err)
			require.ErrorIs(t, err, ErrPage, tt.name)
			require.Empty(t, r.Requests())
		})
	}
	// A file that begins as a playlist is one, whatever the server states.
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t, site(map[string]string{"a.test/v.m3u8": "#EXTM3U\n1.ts\n", "a.test/1.ts": "1"}, map[string]string{"a.test/v.m3u8": "text/html"}))
		r := newEnv(t, nil, mediatest.InMemory())
		_, err := r.Upload(ctx, URL("http://a.test/v.m3u8", o.here), VODVideo{})
		require.NoError(t, err)
	})
	// A page instead of a segment is refused.
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t, site(map[string]string{"a.test/v.m3u8": "#EXTM3U\n1.ts\n", "a.test/1.ts": "<html>"}, map[string]string{"a.test/1.ts": "text/html"}))
		r := newEnv(t, nil, mediatest.InMemory())
		res, err := r.Upload(ctx, URL("http://a.test/v.m3u8", o.here), VODVideo{})
		require.False(t, failed(t, res, err).Uploaded)
		require.ErrorIs(t, err, ErrPage)
	})
}

// No verb prints what a URL holds, wherever the source stands.
func TestUpload_B60_FormatOfURL(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t"
	src := URL("https://me:"+secret+"@h.test/a.mp4?sig="+secret, URLHeader(http.Header{"X": {secret}}))
	inside := struct {
		A Source
		B []Source
		C map[string]Source
		d Source
	}{src, []Source{src}, map[string]Source{"x": src}, src}
	list := URL("https://me:"+secret+"@h.test/a.m3u8", URLPlaylist(FetchRemote(URLHeader(http.Header{"X": {secret}}, "https://h.test"))))
	remote := HLS("x.m3u8", FetchRemote(URLHeader(http.Header{"X": {secret}}, "https://h.test")))
	for _, v := range []any{src, inside, &inside, []Source{src, list, remote}, list, remote, Named(src, "x.mp4"), Named(remote, "x")} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%c", "%U", "%e", "%p", "%b", "%o", "%w", "%z"} {
			text := fmt.Sprintf(verb, v)
			require.NotContains(t, text, secret, "%s of %T", verb, v)
			require.NotContains(t, text, fmt.Sprintf("%x", secret), "%s of %T", verb, v)
			require.NotContains(t, text, fmt.Sprintf("%d", []byte(secret))[1:10], "%s of %T", verb, v)
		}
		text, err := json.Marshal(v)
		require.NoError(t, err)
		require.NotContains(t, string(text), secret)
	}
	require.Equal(t, "https://h.test/a.mp4", fmt.Sprintf("%d", src))
}
