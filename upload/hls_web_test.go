package upload

import (
	"fmt"
	"net/http"
	"path"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload/internal/hls"
	"github.com/alimedia/alimedia-go/upload/internal/mediatype"
	"github.com/stretchr/testify/require"
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
func (r *env) beside(t *testing.T, res *Result) folder {
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

// contentType is what an object was stored with.
func (r *env) contentType(t *testing.T, key string) string {
	t.Helper()
	for _, q := range r.Requests() {
		if (q.Operation == "PutObject" || q.Operation == "InitiateMultipartUpload") && q.Key == key {
			return q.Header.Get("Content-Type")
		}
	}
	t.Fatalf("object %s was not stored", key)
	return ""
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
					r := newEnv(t, nil, mediatest.InMemory())
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

func TestUpload_B39_FetchRemote(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		segment := string(random(250 * kib))
		remote := map[string]string{
			"cdn.test/hd/v.m3u8":     "#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"../k\"\n1.ts?n=1\n1.ts?n=2\n/other/1.ts\n//more.test/2.ts\n",
			"cdn.test/hd/1.ts":       segment,
			"cdn.test/other/1.ts":    "other",
			"more.test/2.ts":         "more",
			"plain.test/%E7%AC%AC.x": "x",
		}
		o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
			data, ok := remote[r.Host+r.URL.EscapedPath()]
			if !ok {
				w.WriteHeader(404)
				return
			}
			if r.URL.RawQuery == "n=2" {
				data = "second"
			}
			if r.Host == "more.test" {
				_ = http.NewResponseController(w).Flush() // of unknown size
			}
			_, _ = w.Write([]byte(data))
		})
		local := folder{
			"index.m3u8": "#EXTM3U\n#EXT-X-STREAM-INF:A=1\nhttp://cdn.test/hd/v.m3u8?token=x#f\nl.m3u8\n",
			"l.m3u8":     "#EXTM3U\na.ts\nhttp://plain.test/%E7%AC%AC.x\nhttp://cdn.test/other/1.ts\n",
			"a.ts":       "a",
		}
		r := newEnv(t, nil, mediatest.InMemory())
		res, err := r.Upload(ctx, HLSFS(local.fs(), "index.m3u8", FetchRemote(o.here)), VODVideo{})
		require.NoError(t, err)
		get := func(name string) string {
			data, ok := r.Object(res.Bucket, path.Dir(res.Key)+"/"+name)
			require.True(t, ok, name)
			return string(data)
		}
		require.Equal(t, "#EXTM3U\n#EXT-X-STREAM-INF:A=1\nv.m3u8\nl.m3u8\n", get(path.Base(res.Key)))
		require.Equal(t, "#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"http://cdn.test/k\"\n1.ts\n1-2.ts\n1-3.ts\n2.ts\n", get("v.m3u8"))
		require.Equal(t, "#EXTM3U\na.ts\n_.x\n1-3.ts\n", get("l.m3u8"))
		require.True(t, segment == get("1.ts"))
		require.Equal(t, "second other more x a", strings.Join([]string{get("1-2.ts"), get("1-3.ts"), get("2.ts"), get("_.x"), get("a.ts")}, " "))
		var all int64
		for _, key := range r.Objects(res.Bucket) {
			data, _ := r.Object(res.Bucket, key)
			all += int64(len(data))
		}
		require.Equal(t, all, res.Size)

		// The rules of URL hold.
		for list, want := range map[string]error{"http://10.0.0.1/a.ts": ErrNotPublic, "http://127.0.0.1/v.m3u8": ErrNotPublic, "http://cdn.test/gone.m3u8": nil, "http://cdn.test/gone.ts": nil} {
			res, err := r.Upload(ctx, HLSFS(folder{"index.m3u8": "#EXTM3U\n" + list}.fs(), "index.m3u8", FetchRemote(o.here)), VODVideo{})
			e := failed(t, res, err)
			require.ErrorContains(t, err, list)
			if want != nil {
				require.ErrorIs(t, err, want)
			}
			require.Equal(t, hls.IsPlaylistName(list), e.MediaId == "", "a playlist is read beforehand")
		}
	})
}

// A user and password fetch the files, and get into no playlist.
func TestUpload_B39_FetchWithPassword(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
			if user, password, _ := r.BasicAuth(); user+password != "meS3cret" {
				w.WriteHeader(401)
				return
			}
			_, _ = w.Write([]byte("#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\na.ts\n"))
		})
		r := newEnv(t, nil, mediatest.InMemory())
		f := folder{"index.m3u8": "#EXTM3U\nhttps://me:S3cret@cdn.test/v.m3u8\n"}
		_, err := r.Upload(ctx, HLSFS(f.fs(), "index.m3u8", FetchRemote(o.here)), VODVideo{})
		require.ErrorContains(t, err, "https://cdn.test/v.m3u8", "no TLS here")
		require.NotContains(t, err.Error(), "S3cret")
		f["index.m3u8"] = strings.Replace(f["index.m3u8"], "https", "http", 1)
		res, err := r.Upload(ctx, HLSFS(f.fs(), "index.m3u8", FetchRemote(o.here)), VODVideo{})
		require.NoError(t, err)
		require.Len(t, r.Objects(res.Bucket), 3)
		for _, key := range r.Objects(res.Bucket) {
			data, _ := r.Object(res.Bucket, key)
			require.NotContains(t, string(data), "S3cret")
		}
	})
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
				r := newEnv(t, nil, mediatest.InMemory())
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
	r := newEnv(t, nil)
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
	r := newEnv(t, nil)
	res, err := r.Upload(ctx, HLSFS(folder{"index.m3u8": "#EXTM3U\nhttps://me:S3cret@cdn.test/a.ts\n"}.fs(), "index.m3u8", KeepRemote()), VODVideo{})
	failed(t, res, err)
	require.ErrorContains(t, err, "would be public")
	require.NotContains(t, err.Error(), "S3cret")

	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t, site(map[string]string{"a.test/x": "-> http://a.test/y/v.m3u8", "a.test/y/v.m3u8": "#EXTM3U\n1.ts\nhttp://a.test/2.ts\n", "a.test/y/1.ts": "1", "a.test/2.ts": "2"}, nil))
		r := newEnv(t, nil, mediatest.InMemory())
		_, err := r.Upload(ctx, URL("http://me:pw123@a.test/x", o.here), VODVideo{})
		require.NoError(t, err)
		require.Len(t, o.Requests(), 4)
		for _, ask := range o.Requests() {
			user, password, _ := ask.BasicAuth()
			require.Equal(t, "me pw123", user+" "+password, ask.URL.Path)
		}
	})
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
		r := newEnv(t, nil, mediatest.InMemory())
		res, err := r.Upload(ctx, URL("http://a.test/v.m3u8", o.here), VODVideo{})
		failed(t, res, err)
		require.ErrorContains(t, err, "more than 4096 playlists are referenced")
		require.LessOrEqual(t, len(o.Requests()), 4096+1)
	})
}
