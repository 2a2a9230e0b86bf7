package upload

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload/internal/hls"
	"github.com/alimedia/alimedia-go/upload/internal/mediatype"
)

// site serves files by host and path.
func site(files map[string]string, types map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		data, ok := files[r.Host+r.URL.Path]
		if to, redirect := strings.CutPrefix(data, "-> "); redirect {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
			return
		}
		if !ok {
			w.WriteHeader(404)
			return
		}
		if t := types[r.Host+r.URL.Path]; t != "" {
			w.Header().Set("Content-Type", t)
		} else {
			w.Header().Set("Content-Type", "application/octet-stream")
		}
		_, _ = w.Write([]byte(data))
	}
}

// beside is the objects beside the one of res, by name.
func (r *rig) beside(t *testing.T, res *Result) folder {
	t.Helper()
	f := folder{}
	for _, key := range r.Objects(res.Bucket) {
		data, ok := r.Object(res.Bucket, key)
		require.True(t, ok)
		f[strings.TrimPrefix(key, path.Dir(res.Key)+"/")] = string(data)
	}
	f["index.m3u8"] = f[path.Base(res.Key)]
	delete(f, path.Base(res.Key))
	return f
}

// The playlist of a URL comes with its segments, wherever redirects lead.
func TestUpload_B39_URL(t *testing.T) {
	t.Parallel()
	const media = "#EXTM3U\n#EXTINF:4,\nseg/1.ts?x=1\n#EXTINF:4,\n/abs/2.ts\n#EXTINF:4,\nhttp://cdn.test/v2/3.ts\n#EXT-X-ENDLIST\n"
	files := map[string]string{
		"a.test/film/index.m3u8":    "-> http://cdn.test/v2/index.m3u8",
		"a.test/film/playlist.php":  media,
		"a.test/film/list":          media,
		"a.test/film/seg/1.ts":      "wrong",
		"a.test/abs/2.ts":           "2",
		"cdn.test/v2/index.m3u8":    media,
		"cdn.test/v2/seg/1.ts":      "1",
		"cdn.test/abs/2.ts":         "2",
		"cdn.test/v2/3.ts":          "3",
		"a.test/film/master.m3u8":   "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nvariant.php?x=1\n",
		"a.test/film/variant.php":   "-> /other/variant",
		"a.test/other/variant":      "#EXTM3U\n#EXTINF:4,\nseg/1.ts\n",
		"a.test/other/seg/1.ts":     "other 1",
		"a.test/film/elsewhere.m3u": "#EXTM3U\nhttp://cdn.test/v2/3.ts\n",
		"a.test/film/named.ts":      media,
	}
	types := map[string]string{"a.test/film/playlist.php": "application/x-mpegURL; charset=utf-8"}
	for name, tt := range map[string]struct {
		url  string
		opts []URLOption
		want folder
		err  error
	}{
		"redirected":     {"http://a.test/film/index.m3u8?token=t", nil, folder{"index.m3u8": "#EXTM3U\n#EXTINF:4,\n1.ts\n#EXTINF:4,\n2.ts\n#EXTINF:4,\n3.ts\n#EXT-X-ENDLIST\n", "1.ts": "1", "2.ts": "2", "3.ts": "3"}, nil},
		"nested":         {"http://a.test/film/master.m3u8", nil, folder{"index.m3u8": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nvariant.m3u8\n", "variant.m3u8": "#EXTM3U\n#EXTINF:4,\n1.ts\n", "1.ts": "other 1"}, nil},
		"by type":        {"http://a.test/film/playlist.php", []URLOption{URLPlaylist(KeepRemote())}, folder{"index.m3u8": "#EXTM3U\n#EXTINF:4,\n1.ts\n#EXTINF:4,\n2.ts\n#EXTINF:4,\nhttp://cdn.test/v2/3.ts\n#EXT-X-ENDLIST\n", "1.ts": "wrong", "2.ts": "2"}, nil},
		"by first bytes": {"http://a.test/film/list", []URLOption{URLPlaylist(FetchRemote())}, folder{"index.m3u8": "#EXTM3U\n#EXTINF:4,\n1.ts\n#EXTINF:4,\n2.ts\n#EXTINF:4,\n3.ts\n#EXT-X-ENDLIST\n", "1.ts": "wrong", "2.ts": "2", "3.ts": "3"}, nil},
		"elsewhere":      {"http://a.test/film/elsewhere.m3u", nil, nil, ErrRemote},
		"not named so":   {"http://a.test/film/named.ts", nil, nil, ErrRemote},
	} {
		for _, target := range []Target{VODVideo{}, ICEMedia{}} {
			t.Run(fmt.Sprintf("%s %T", name, target), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					o := newOrigin(t, site(files, types))
					r := newRig(t, nil, mediatest.InMemory())
					opts := append(tt.opts, o.here)
					if len(tt.opts) > 0 && name == "by first bytes" {
						opts = []URLOption{o.here, URLPlaylist(FetchRemote(o.here))}
					}
					res, err := r.Upload(ctx, URL(tt.url, opts...), target)
					if tt.err != nil {
						failed(t, res, err)
						require.ErrorIs(t, err, tt.err)
						require.ErrorContains(t, err, "line ")
						require.Empty(t, r.Requests(), "nothing was created")
						return
					}
					require.NoError(t, err)
					require.Equal(t, tt.want, r.beside(t, res))
					require.True(t, hls.IsPlaylistName(res.Key))
					for _, key := range r.Objects(res.Bucket) {
						if hls.IsPlaylistName(key) {
							require.Equal(t, mediatype.Playlist, r.contentType(t, key))
						}
					}
				})
			})
		}
	}
}

// contentType is what an object was stored with.
func (r *rig) contentType(t *testing.T, key string) string {
	t.Helper()
	for _, q := range r.Requests() {
		if (q.Operation == "PutObject" || q.Operation == "InitiateMultipartUpload") && q.Key == key {
			return q.Header.Get("Content-Type")
		}
	}
	t.Fatalf("object %s was not stored", key)
	return ""
}

// An asset whose segments are nowhere is not a success.
func TestUpload_B39_NowhereIsRefused(t *testing.T) {
	t.Parallel()
	const text = "#EXTM3U\n#EXTINF:4,\na.ts\n"
	r := newRig(t, nil, mediatest.InMemory())
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
	r := newRig(t, nil, mediatest.InMemory())
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

// A reference whose first segment has a colon is not a scheme.
func TestUpload_B39_ColonInKey(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil, mediatest.InMemory())
	r.CreateBucket("mine-1")
	f := folder{"index.m3u8": "#EXTM3U\na.ts\n", "a.ts": "1"}
	for _, key := range []string{"shows/Show: Part 1.m3u8", "Show: Part 1.m3u8", "a/b:c"} {
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

// A header goes to its origin only, a password too, whatever a playlist names
// and wherever it redirects.
func TestUpload_B59_HeadersOfPlaylists(t *testing.T) {
	t.Parallel()
	const list = "#EXTM3U\n#EXTINF:4,\n1.ts\n#EXTINF:4,\nhttp://EVIL.test/2.ts\n#EXTINF:4,\nhttp://good.test:8080/3.ts\n#EXTINF:4,\nHTTP://Good.Test:80/4.ts\n#EXTINF:4,\n5.ts\n"
	files := map[string]string{
		"good.test/v.m3u8": list, "good.test/1.ts": "1", "EVIL.test/2.ts": "2", "evil.test/2.ts": "2", "good.test:8080/3.ts": "3", "good.test/4.ts": "4", "Good.Test:80/4.ts": "4", "Good.Test/4.ts": "4",
		"good.test/5.ts": "-> http://evil.test/5.ts", "evil.test/5.ts": "5",
	}
	header := http.Header{"Authorization": {"Bearer s3cr3t-token"}, "Cookie": {"session=c00kie"}}
	local := folder{"index.m3u8": "#EXTM3U\n#EXT-X-STREAM-INF:A=1\nhttp://good.test/v.m3u8\n"}
	for name, source := range map[string]func(o *origin) Source{
		"URL": func(o *origin) Source {
			return URL("http://good.test/v.m3u8", o.here, URLHeader(header), URLPlaylist(FetchRemote(o.here)))
		},
		"with another header": func(o *origin) Source {
			return URL("http://Good.test:80/v.m3u8", o.here, URLHeader(header), URLPlaylist(FetchRemote(o.here, URLHeader(http.Header{"X": {"y"}}, "http://other.test"))))
		},
		"FetchRemote": func(o *origin) Source {
			return HLSFS(local.fs(), "index.m3u8", FetchRemote(o.here, URLHeader(header, "http://GOOD.test")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				all := map[string]string{}
				for k, v := range files {
					all[strings.ToLower(strings.Replace(k, ":80/", "/", 1))] = v
				}
				o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
					r2 := *r
					r2.Host = strings.TrimSuffix(strings.ToLower(r.Host), ":80")
					site(all, nil)(w, &r2)
				})
				r := newRig(t, nil, mediatest.InMemory())
				res, err := r.Upload(ctx, source(o), VODVideo{})
				require.NoError(t, err)
				require.GreaterOrEqual(t, len(r.Objects(res.Bucket)), 6)
				for _, ask := range o.Requests() {
					host := strings.TrimSuffix(strings.ToLower(ask.Host), ":80")
					require.Equal(t, host == "good.test", ask.Header.Get("Authorization") != "", "%s %s", ask.Host, ask.URL)
					require.Equal(t, host == "good.test", ask.Header.Get("Cookie") != "", "%s", ask.Host)
					require.Empty(t, ask.Header.Get("Referer"))
				}
			})
		})
	}
	// Without an origin a header would go to whom the playlist says.
	r := newRig(t, nil)
	for _, opt := range []URLOption{URLHeader(header), URLHeader(header, "good.test"), URLHeader(header, "ftp://good.test")} {
		_, err := r.Upload(ctx, HLSFS(local.fs(), "index.m3u8", FetchRemote(opt)), VODVideo{})
		require.ErrorContains(t, err, "origin")
		require.NotContains(t, err.Error(), "s3cr3t")
	}
	require.Empty(t, r.Requests())
}

// A password that a playlist's URL has goes to its server and to no file.
func TestUpload_B59_PasswordInPlaylist(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	res, err := r.Upload(ctx, HLSFS(folder{"index.m3u8": "#EXTM3U\nhttps://me:S3cret@cdn.test/a.ts\n"}.fs(), "index.m3u8", KeepRemote()), VODVideo{})
	failed(t, res, err)
	require.ErrorContains(t, err, "would be public")
	require.NotContains(t, err.Error(), "S3cret")

	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t, site(map[string]string{"a.test/x": "-> http://a.test/y/v.m3u8", "a.test/y/v.m3u8": "#EXTM3U\n1.ts\nhttp://a.test/2.ts\n", "a.test/y/1.ts": "1", "a.test/2.ts": "2"}, nil))
		r := newRig(t, nil, mediatest.InMemory())
		_, err := r.Upload(ctx, URL("http://me:pw123@a.test/x", o.here), VODVideo{})
		require.NoError(t, err)
		require.Len(t, o.Requests(), 4)
		for _, ask := range o.Requests() {
			user, password, _ := ask.BasicAuth()
			require.Equal(t, "me pw123", user+" "+password, ask.URL.Path)
		}
	})
}

// The name is known before anything is created, and is what the user says.
func TestUpload_B43_NameOfTheUpload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t, site(map[string]string{"a.test/download.php": "-> /files/movie.mp4", "a.test/files/movie.mp4": "1"}, nil))
		r := newRig(t, nil, mediatest.InMemory())
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
	r := newRig(t, nil, mediatest.InMemory())
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
			r := newRig(t, nil, mediatest.InMemory())
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
		r := newRig(t, nil, mediatest.InMemory())
		_, err := r.Upload(ctx, URL("http://a.test/v.m3u8", o.here), VODVideo{})
		require.NoError(t, err)
	})
	// A page instead of a segment is refused.
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t, site(map[string]string{"a.test/v.m3u8": "#EXTM3U\n1.ts\n", "a.test/1.ts": "<html>"}, map[string]string{"a.test/1.ts": "text/html"}))
		r := newRig(t, nil, mediatest.InMemory())
		res, err := r.Upload(ctx, URL("http://a.test/v.m3u8", o.here), VODVideo{})
		require.False(t, failed(t, res, err).Uploaded)
		require.ErrorIs(t, err, ErrPage)
	})
}

// The error of a playlist is one bounded line, whatever the playlist contains.
func TestUpload_B60_PlaylistError(t *testing.T) {
	t.Parallel()
	e := &PlaylistError{Playlist: "a\n\x1b[2J", Line: 1, URI: "x\r\n", Err: fmt.Errorf("%s\n\x07%s", "a", strings.Repeat("b", 5000))}
	require.LessOrEqual(t, len(e.Error()), 1024)
	require.NotContains(t, e.Error(), "\n")
	require.NotContains(t, e.Error(), "\x07")
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
	require.Equal(t, "upload.URL(https://h.test/a.mp4)", fmt.Sprintf("%d", src))
}

func TestUpload_B62_EndlessPlaylists(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// Each playlist names two others.
		o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", mediatype.Playlist)
			depth := strings.Count(r.URL.Path, "/")
			if depth > 6 {
				fmt.Fprint(w, "#EXTM3U\n1.ts\n")
				return
			}
			fmt.Fprint(w, "#EXTM3U\n")
			for i := range 30 {
				fmt.Fprintf(w, "%d/v.m3u8\n", i)
			}
		})
		r := newRig(t, nil, mediatest.InMemory())
		res, err := r.Upload(ctx, URL("http://a.test/v.m3u8", o.here), VODVideo{})
		failed(t, res, err)
		require.ErrorContains(t, err, "more than 4096 playlists are referenced")
		require.LessOrEqual(t, len(o.Requests()), 4096+1)
	})
}

// What was recorded of the segments outlives everything that depends on it.
func TestUpload_B58_SegmentsRecordedToTheEnd(t *testing.T) {
	t.Parallel()
	// The directory is copied at each request, as a kill at that moment would leave it.
	f := season(3, kib).with(folder{"big.ts": string(random(250 * kib))})
	f["index.m3u8"] += "big.ts\n"
	dir, checkpoints := f.write(t), t.TempDir()
	r := newRig(t, func(c *Config) { c.Parallel = 1 }, mediatest.InMemory())
	r.CreateBucket("mine-1")
	target := Bucket{Name: "mine-1", Key: "film.m3u8", Register: RegisterMediaInfo{}}
	src := HLS(filepath.Join(dir, "index.m3u8"))
	var left []string
	snap := func() {
		copied := t.TempDir()
		require.NoError(t, os.CopyFS(copied, os.DirFS(checkpoints)))
		left = append(left, copied)
	}
	r.Fault(mediatest.Fault{Match: func(mediatest.Request) bool { snap(); return false }})
	res, err := r.Upload(ctx, src, target, WithCheckpoint(checkpoints))
	require.NoError(t, err)
	require.Greater(t, len(left), 5)
	names, err := os.ReadDir(checkpoints)
	require.NoError(t, err)
	for _, e := range names {
		require.NotContains(t, e.Name(), ".segment")
	}
	last := left[len(left)-1] // at the registration
	before := r.Calls("PutObject") + r.Calls("UploadPart")
	again, err := r.Upload(ctx, src, target, WithCheckpoint(last))
	require.NoError(t, err)
	require.Equal(t, res.MediaId, again.MediaId)
	require.Equal(t, before, r.Calls("PutObject")+r.Calls("UploadPart"), "nothing is sent again")
}

// The record of segments is there until it is recorded that all is stored.
func TestUpload_B58_KilledBetweenTheRecords(t *testing.T) {
	t.Parallel()
	f := season(5, kib)
	dir, checkpoints := f.write(t), t.TempDir()
	r := newRig(t, func(c *Config) { c.Parallel = 1 }, mediatest.InMemory())
	r.CreateBucket("mine-1")
	src, target := HLS(filepath.Join(dir, "index.m3u8")), Bucket{Name: "mine-1", Key: "film.m3u8", Register: RegisterMediaInfo{}}
	// The playlist is stored; that cannot be recorded any more.
	r.Fault(mediatest.Fault{Operation: "PutObject", Nth: 6, Delay: time.Millisecond, Match: func(q mediatest.Request) bool {
		names, _ := filepath.Glob(filepath.Join(checkpoints, "*.upload"))
		if len(names) == 1 && hls.IsPlaylistName(q.Key) {
			require.NoError(t, os.Mkdir(names[0]+".tmp", 0o700))
			require.NoError(t, os.WriteFile(filepath.Join(names[0]+".tmp", "x"), nil, 0o600))
		}
		return true
	}})
	res, err := r.Upload(ctx, src, target, WithCheckpoint(checkpoints), WithCheckpointRequired())
	failed(t, res, err)
	names, _ := filepath.Glob(filepath.Join(checkpoints, "*.upload.tmp"))
	require.Len(t, names, 1)
	require.NoError(t, os.RemoveAll(names[0]))
	before := r.Calls("PutObject")
	_, err = r.Upload(ctx, src, target, WithCheckpoint(checkpoints))
	require.NoError(t, err)
	require.LessOrEqual(t, r.Calls("PutObject")-before, 1, "no segment is sent again")
}

// A segment that was edited in place, its time put back, is sent again.
func TestUpload_B54_SegmentEditedInPlace(t *testing.T) {
	t.Parallel()
	f := season(8, kib)
	dir, checkpoints := f.write(t), t.TempDir()
	r := newRig(t, func(c *Config) { c.Parallel = 1 }, mediatest.InMemory())
	first := stopped(t, r, dir, checkpoints)
	name := filepath.Join(dir, "s001.ts")
	info, err := os.Stat(name)
	require.NoError(t, err)
	edited := []byte(f["s001.ts"])
	edited[5] ^= 1
	require.NoError(t, os.WriteFile(name, edited, 0o600))
	require.NoError(t, os.Chtimes(name, time.Time{}, info.ModTime()))
	f["s001.ts"] = string(edited)
	before := r.Calls("PutObject")
	res, err := r.Upload(ctx, HLS(filepath.Join(dir, "index.m3u8")), VODVideo{}, WithCheckpoint(checkpoints))
	require.NoError(t, err)
	require.Equal(t, first.MediaId, res.MediaId)
	require.Equal(t, f, r.play(t, res, f, "index.m3u8"))
	require.Equal(t, 6, r.Calls("PutObject")-before, "four that were missing, the edited one, the playlist")
}

// The parts of a large segment are gone on with or removed: nothing stays open
// in an own bucket.
func TestUpload_B58_LargeSegmentAbandoned(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(t *testing.T, dir string){
		"gone on with": func(*testing.T, string) {},
		"segment changed": func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "big.ts"), random(320*kib), 0o600))
		},
		"segment dropped": func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "index.m3u8"), []byte("#EXTM3U\nsmall.ts\n"), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := folder{"index.m3u8": "#EXTM3U\nsmall.ts\nbig.ts\nbig2.ts\n", "small.ts": "s", "big.ts": string(random(450 * kib)), "big2.ts": string(random(350 * kib))}.write(t)
			checkpoints := t.TempDir()
			r := newRig(t, func(c *Config) { c.Parallel = 2 }, mediatest.InMemory())
			r.CreateBucket("mine-1")
			target := Bucket{Name: "mine-1", Key: "film.m3u8", Region: "cn-shanghai"}
			r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 5, Status: 400, Code: "InvalidArgument"})
			src := HLS(filepath.Join(dir, "index.m3u8"))
			res, err := r.Upload(ctx, src, target, WithCheckpoint(checkpoints))
			failed(t, res, err)
			require.NotEmpty(t, r.Uploads(), "kept for the next run")
			change(t, dir)
			_, err = r.Upload(ctx, src, target, WithCheckpoint(checkpoints))
			require.NoError(t, err)
			require.Empty(t, r.Uploads())
			names, err := os.ReadDir(checkpoints)
			require.NoError(t, err)
			for _, e := range names {
				require.NotContains(t, e.Name(), ".segment-")
			}
		})
	}
}
