package upload

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc64"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload/internal/hls"
	"github.com/alimedia/alimedia-go/upload/internal/webtest"
)

// folder is the files of a playlist by their path.
type folder map[string]string

func (f folder) write(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, data := range f {
		name = filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
		require.NoError(t, os.WriteFile(name, []byte(data), 0o600))
	}
	return dir
}

func (f folder) fs() fstest.MapFS {
	m := fstest.MapFS{}
	for name, data := range f {
		m[name] = &fstest.MapFile{Data: []byte(data)}
	}
	return m
}

// with is f and other files.
func (f folder) with(more folder) folder {
	all := folder{}
	for _, m := range []folder{f, more} {
		for name, data := range m {
			all[name] = data
		}
	}
	return all
}

func (f folder) size() (n int64) {
	for _, data := range f {
		n += int64(len(data))
	}
	return n
}

// film is a master playlist with all that one can have, and its files.
var film = folder{
	"index.m3u8": "\ufeff#EXTM3U\r\n" +
		"#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"en\",URI=\"audio/en/index.m3u8\"\r\n" +
		"#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"c\",NAME=\"cc\",INSTREAM-ID=\"CC1\"\r\n" +
		"#EXT-X-SESSION-KEY:METHOD=AES-128,URI=\"keys/one.key\"\r\n" +
		"#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=\"video/low/iframes.m3u8\"\r\n" +
		"#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\"\r\n" +
		"video/low/index.m3u8?session=1\r\n" +
		"#EXT-X-STREAM-INF:BANDWIDTH=2,AUDIO=\"a\"\r\n" +
		"./video/high/index.m3u8\r\n" +
		"#EXT-X-STREAM-INF:BANDWIDTH=3,AUDIO=\"b\"\r\n" +
		"video/../video/high/index.m3u8\r\n",
	"audio/en/index.m3u8": "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:4,\n1.m4s\n#EXT-X-ENDLIST",
	"audio/en/init.mp4":   "audio init",
	"audio/en/1.m4s":      "audio 1",
	"video/low/index.m3u8": "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\",BYTERANGE=\"4@0\"\n#EXT-X-KEY:METHOD=AES-128,URI=\"../../keys/one.key\",IV=0x1\n" +
		"#EXTINF:4,\n1.m4s?token=abc\n#EXTINF:4,\nsub%20dir/2.m4s\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:4,\n第3段.m4s\n#EXT-X-ENDLIST\n",
	"video/low/init.mp4":      "low init",
	"video/low/1.m4s":         "low 1",
	"video/low/sub dir/2.m4s": "low 2",
	"video/low/第3段.m4s":       "low 3",
	"video/low/iframes.m3u8":  "#EXTM3U\n#EXT-X-I-FRAMES-ONLY\n#EXT-X-BYTERANGE:2@1\n1.m4s\n#EXT-X-BYTERANGE:2\n1.m4s\n",
	"video/high/index.m3u8": "#EXTM3U\n#EXT-X-MAP:URI=\"all.mp4\",BYTERANGE=\"10@0\"\n" +
		"#EXT-X-BYTERANGE:5@10\nall.mp4\n#EXT-X-BYTERANGE:5\nall.mp4\n#EXT-X-BYTERANGE:5@0\n./all.mp4\n1.m4s\n",
	"video/high/all.mp4": strings.Repeat("high ", 4),
	"video/high/1.m4s":   "high 1",
	"keys/one.key":       "0123456789abcdef",
}

// play follows the stored playlist as a player does and returns what it finds,
// by the path in the folder that the same steps lead to.
func (r *rig) play(t *testing.T, res *Result, source folder, top string) folder {
	t.Helper()
	found := folder{}
	get := func(key string) string {
		data, ok := r.Object(res.Bucket, key)
		require.True(t, ok, "object %s", key)
		return string(data)
	}
	var walk func(key, name string)
	walk = func(key, name string) {
		stored, err := hls.Parse([]byte(get(key)))
		require.NoError(t, err)
		was, err := hls.Parse([]byte(source[name]))
		require.NoError(t, err)
		require.Len(t, stored.References, len(was.References))
		found[name] = source[name]
		for i, ref := range stored.References {
			uri, err := url.Parse(ref.URI)
			require.NoError(t, err)
			require.Equal(t, uri.Path, ref.URI, "it reads the same with and without escapes")
			names, err := hls.LocalPaths(path.Dir(name), was.References[i].URI)
			require.NoError(t, err)
			require.Equal(t, was.References[i].MinSize, ref.MinSize)
			at, key := names[0], path.Join(path.Dir(key), uri.Path)
			if ref.Role == hls.RolePlaylist {
				walk(key, at)
			} else {
				require.Equal(t, source[at], get(key), "%s at %s", at, key)
				found[at] = source[at]
			}
		}
	}
	walk(res.Key, top)
	return found
}

func TestUpload_B39_Film(t *testing.T) {
	t.Parallel()
	dir := film.write(t)
	top := filepath.Join(dir, "index.m3u8")
	for name, tt := range map[string]struct {
		src    Source
		target Target
	}{
		"File to VOD":   {File(top), VODVideo{}},
		"FS to VOD":     {FS(film.fs(), "index.m3u8"), &VODVideo{Title: "t"}},
		"HLS to VOD":    {HLS(top), VODVideo{}},
		"HLSFS to ICE":  {HLSFS(os.DirFS(filepath.Dir(dir)), filepath.Base(dir)+"/index.m3u8"), ICEMedia{}},
		"FS of streams": {HLSFS(streamFS{film.fs()}, "index.m3u8"), ICEMedia{}},
		"HLS to bucket": {HLS(top), Bucket{Name: "mine-1", Key: "films/my film.m3u8", Register: RegisterMediaInfo{}}},
		"named by it":   {HLS(top), &Bucket{Name: "mine-1", Key: "films/", Register: RegisterMediaInfo{}}},
		"no extension":  {HLS(top), Bucket{Name: "mine-1", Key: "film", Region: "cn-shanghai"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil, mediatest.InMemory())
			r.CreateBucket("mine-1")
			var progress []Progress
			res, err := r.Upload(ctx, tt.src, tt.target, WithProgress(func(p Progress) { progress = append(progress, p) }))
			require.NoError(t, err)
			if _, own := tt.target.(Bucket); own && strings.Contains(res.Key, "my film") {
				data, _ := r.Object(res.Bucket, res.Key)
				require.Contains(t, string(data), "\r\nmy%20film/index-2.m3u8\r\n")
			} else {
				require.Equal(t, film, r.play(t, res, film, "index.m3u8"), "all of it is there, and nothing else is named")
			}

			// Each file once, the inner ones first, this one last.
			var order []string
			var sent int64
			for _, q := range r.Requests() {
				if q.Operation == "PutObject" {
					order = append(order, path.Base(q.Key))
					sent += q.Size
				}
			}
			require.Len(t, order, len(film))
			kinds := ""
			for _, name := range order {
				if hls.IsPlaylistName(name) {
					kinds += "p"
				} else {
					kinds += "s"
				}
			}
			if path.Ext(res.Key) == "" {
				kinds = kinds[:len(kinds)-1] + "p"
			}
			require.Equal(t, strings.Repeat("s", 9)+strings.Repeat("p", 5), kinds)
			require.Equal(t, path.Base(res.Key), order[len(order)-1])

			// Count and names are those of the source.
			require.Equal(t, sent, res.Size)
			last := progress[len(progress)-1]
			require.Equal(t, StageDone, last.Stage)
			require.Equal(t, res.Size, last.Sent)
			require.EqualValues(t, 100, last.Percent())
			for _, p := range progress {
				require.Equal(t, res.Size, p.Total, "known from the start")
			}
		})
	}
}

// streamFS has files without ReadAt.
type streamFS struct{ fs.FS }

func (s streamFS) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return struct{ fs.File }{f}, nil
}

func TestUpload_B39_Deterministic(t *testing.T) {
	t.Parallel()
	var before []string
	for range 3 {
		r := newRig(t, nil)
		res, err := r.Upload(ctx, HLSFS(film.fs(), "index.m3u8"), VODVideo{})
		require.NoError(t, err)
		var names []string
		for _, key := range r.Objects(res.Bucket) {
			if key != res.Key {
				data, _ := r.Object(res.Bucket, key)
				names = append(names, path.Base(key)+" "+string(data))
			}
		}
		slices.Sort(names)
		if before != nil {
			require.Equal(t, before, names)
		}
		before = names
	}
	require.Contains(t, before, "init-2.mp4 low init")
	require.Contains(t, before, "_3_.m4s low 3")
}

// Nothing is created for a playlist that cannot be uploaded as a whole. The scan
// has its own tests in package hls.
func TestUpload_B39_B59_B60_FoundBeforehand(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		folder folder
		want   error
		text   string
	}{
		"missing":        {folder{"index.m3u8": "#EXTM3U\nb/c.ts?token=x\nd.ts\n"}, fs.ErrNotExist, `playlist "index.m3u8" line 2: "b/c.ts": b/c.ts: file does not exist, and 1 more`},
		"empty segment":  {folder{"index.m3u8": "#EXTM3U\na.ts\n", "a.ts": ""}, ErrEmpty, `line 2: "a.ts": the file is empty`},
		"empty playlist": {folder{"index.m3u8": "#EXTM3U\nv.m3u8\n", "v.m3u8": ""}, ErrEmpty, `line 2: "v.m3u8": the file is empty`},
		"no segment":     {folder{"index.m3u8": "#EXTM3U\n#EXT-X-ENDLIST\n"}, ErrEmpty, `playlist "index.m3u8": the file is empty: it references no file`},
		"too short":      {folder{"index.m3u8": "#EXTM3U\n#EXT-X-BYTERANGE:2@3\na.ts\n", "a.ts": "1234"}, ErrSize, "its byte range ends at 5, the file has 4 bytes"},
		"loop":           {folder{"index.m3u8": "#EXTM3U\nindex.m3u8\n"}, ErrLoop, "line 2"},
		"outside":        {folder{"index.m3u8": "#EXTM3U\n../a.ts\n"}, ErrOutside, "line 2"},
		"hidden":         {folder{"index.m3u8": "#EXTM3U\n.a.ts\n", ".a.ts": "1"}, ErrNotAllowed, "line 2"},
		"web server":     {folder{"index.m3u8": "#EXTM3U\nhttps://user:pass@h/a.ts?token=x\n"}, ErrRemote, `line 2: "https://h/a.ts": the file is on a web server`},
		"control":        {folder{"index.m3u8": "#EXTM3U\na\x1b\u2028b.ts\n"}, fs.ErrNotExist, "line 2"},
		"pipe":           {folder{"index.m3u8": "#EXTM3U\npipe.ts\n"}, nil, `line 2: "pipe.ts"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := tt.folder.write(t)
			mkfifo(t, filepath.Join(dir, "pipe.ts"))
			r := newRig(t, nil)
			for _, src := range []Source{File(filepath.Join(dir, "index.m3u8")), HLS(filepath.Join(dir, "index.m3u8"))} {
				res, err := r.Upload(ctx, src, VODVideo{})
				require.Equal(t, StageOpen, failed(t, res, err).Stage)
				require.ErrorContains(t, err, tt.text)
				if tt.want != nil {
					require.ErrorIs(t, err, tt.want)
				}
				var at *PlaylistError
				require.ErrorAs(t, err, &at)
				require.NotContains(t, at.Error(), "token")
				require.NotContains(t, at.Error(), "pass@")
				require.Equal(t, strings.Map(func(c rune) rune {
					if c < ' ' || c == '\u2028' {
						return -1
					}
					return c
				}, at.Error()), at.Error(), "one printable line")
				require.Empty(t, r.Requests())
			}
		})
	}
}

func TestUpload_B39_NestedTooDeeply(t *testing.T) {
	t.Parallel()
	deep := folder{"a.ts": "x"}
	for i := range 12 {
		deep[fmt.Sprintf("%d.m3u8", i)] = fmt.Sprintf("#EXTM3U\n%d.m3u8\na.ts\n", i+1)
	}
	deep["12.m3u8"] = "#EXTM3U\na.ts\n"
	r := newRig(t, nil)
	res, err := r.Upload(ctx, HLSFS(deep.fs(), "0.m3u8"), VODVideo{})
	failed(t, res, err)
	require.ErrorContains(t, err, "more than 8 playlists are nested")
	require.Empty(t, r.Requests())
	res, err = r.Upload(ctx, HLSFS(deep.fs(), "4.m3u8"), VODVideo{})
	require.NoError(t, err)
	require.Len(t, r.play(t, res, deep, "4.m3u8"), 10)
	var order []string
	for _, q := range r.Requests() {
		if q.Operation == "PutObject" {
			order = append(order, path.Base(q.Key))
		}
	}
	require.Equal(t, []string{"a.ts", "12.m3u8", "11.m3u8", "10.m3u8", "9.m3u8", "8.m3u8", "7.m3u8", "6.m3u8", "5.m3u8", path.Base(res.Key)}, order)
}

// What is no playlist for a target is a file like any other.
func TestUpload_B39_Targets(t *testing.T) {
	t.Parallel()
	text := "#EXTM3U\nmissing.ts\n"
	name := writeFile(t, "a.M3U8", []byte(text))
	r := newRig(t, nil, mediatest.InMemory())
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

// CreateUploadStream names no place for slices.
func TestUpload_B39_NoPrefix(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	id := r.AddMedia(mediatest.Media{Service: "ice"})
	res, err := r.Upload(ctx, HLSFS(film.fs(), "index.m3u8"), ICEStream{MediaId: id, Definition: "HD"})
	e := failed(t, res, err)
	require.ErrorIs(t, err, ErrNoPrefix)
	require.Equal(t, id, e.MediaId)
	require.Equal(t, StageCreate, e.Stage)
	require.Zero(t, r.Calls("PutObject")+r.Calls("InitiateMultipartUpload"))

	// All is on a server: there are no slices to destination.
	remote := folder{"index.m3u8": "#EXTM3U\nhttps://cdn.test/a.ts?x\n#EXT-X-KEY:METHOD=AES-128,URI=\"skd://key\"\n"}
	res, err = r.Upload(ctx, HLSFS(remote.fs(), "index.m3u8", KeepRemote()), ICEStream{MediaId: id, Definition: "HD"})
	require.NoError(t, err)
	r.stored(t, res, []byte(remote["index.m3u8"]))
}

func TestUpload_B39_UnusablePrefix(t *testing.T) {
	t.Parallel()
	for prefix, text := range map[string]string{"/abs/": "begins with a slash", strings.Repeat("x", 1100): "at most 1023"} {
		r := newRig(t, nil, mediatest.EncodeUpload(func(address, auth map[string]any) (string, string) {
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
	// A slice must not take the place of the playlist.
	var name atomic.Value
	r := newRig(t, nil, mediatest.EncodeUpload(func(address, auth map[string]any) (string, string) {
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

func TestUpload_B39_Keys(t *testing.T) {
	t.Parallel()
	text := "#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"https://keys.test/k?id=1\"\n#EXT-X-MAP:URI=\"data:video/mp4;base64,AAAA\"\na.ts\n" +
		"#EXT-X-KEY:METHOD=SAMPLE-AES,KEYFORMAT=\"com.apple\",URI=\"skd://x\"\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"data:text/plain;base64,AAAA\"\na.ts\n"
	for _, opts := range [][]HLSOption{nil, {KeepRemote()}, {FetchRemote()}} {
		r := newRig(t, nil)
		res, err := r.Upload(ctx, HLSFS(folder{"index.m3u8": text, "a.ts": "1"}.fs(), "index.m3u8", opts...), VODVideo{})
		require.NoError(t, err)
		data, _ := r.Object(res.Bucket, res.Key)
		require.Equal(t, text, string(data))
	}
}

func TestUpload_B39_KeepRemote(t *testing.T) {
	t.Parallel()
	text := "#EXTM3U\n#EXT-X-STREAM-INF:A=1\nhttps://cdn.test/v.m3u8?x=1\n#EXT-X-STREAM-INF:A=1\nv.m3u8\n//cdn.test/a.ts\n"
	r := newRig(t, nil)
	res, err := r.Upload(ctx, HLSFS(folder{"index.m3u8": text, "v.m3u8": "#EXTM3U\nx/a.ts\nhttp://cdn.test/b.ts", "x/a.ts": "1"}.fs(), "index.m3u8", KeepRemote()), VODVideo{})
	require.NoError(t, err)
	data, _ := r.Object(res.Bucket, res.Key)
	require.Equal(t, text, string(data))
	data, _ = r.Object(res.Bucket, path.Dir(res.Key)+"/v.m3u8")
	require.Equal(t, "#EXTM3U\na.ts\nhttp://cdn.test/b.ts", string(data))
}

func TestUpload_B39_FetchRemote(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slice := string(random(250 * kib))
		remote := map[string]string{
			"cdn.test/hd/v.m3u8":     "#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"../k\"\n1.ts?n=1\n1.ts?n=2\n/other/1.ts\n//more.test/2.ts\n",
			"cdn.test/hd/1.ts":       slice,
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
		r := newRig(t, nil, mediatest.InMemory())
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
		require.True(t, slice == get("1.ts"))
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
		r := newRig(t, nil, mediatest.InMemory())
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

// season is a playlist of n slices.
func season(n, size int) folder {
	f := folder{}
	var list strings.Builder
	list.WriteString("#EXTM3U\n")
	for i := range n {
		name := fmt.Sprintf("s%03d.ts", i)
		fmt.Fprintf(&list, "#EXTINF:4,\n%s\n", name)
		f[name] = string(random(size)) + name
	}
	f["index.m3u8"] = list.String()
	return f
}

// A dead credential is replaced once, whoever meets it.
func TestUpload_B39_SharedRefresh(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]Target{"VOD": VODVideo{}, "ICE": ICEMedia{}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(c *Config) { c.Parallel = 8 }, mediatest.InMemory())
				r.Fault(mediatest.Fault{Operation: "PutObject", Nth: 9, Times: 8, Delay: time.Second, ExpiredToken: true},
					mediatest.Fault{Operation: "PutObject", Times: mediatest.Always, Delay: time.Second})
				f := season(40, kib)
				res, err := r.Upload(ctx, HLSFS(f.fs(), "index.m3u8"), target)
				require.NoError(t, err)
				require.Equal(t, f, r.play(t, res, f, "index.m3u8"))
				require.Equal(t, 1, r.Calls("RefreshUploadVideo")+r.Calls("RefreshUploadMedia"))
				require.Equal(t, 49, r.Calls("PutObject"), "only the refused are sent again")
				users := map[string]bool{}
				for _, q := range r.Requests() {
					if q.Operation == "PutObject" {
						users[q.AccessKeyId] = true
					}
				}
				require.Len(t, users, 2)
			})
		})
	}
}

// A credential that lives shorter than the upload is renewed ahead of its end.
func TestUpload_B39_LongUpload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.Parallel = 4 }, mediatest.InMemory(), mediatest.CredentialLife(10*time.Minute))
		r.Fault(mediatest.Fault{Operation: "PutObject", Times: mediatest.Always, Delay: 30 * time.Second})
		f := season(200, kib) // 25 minutes
		res, err := r.Upload(ctx, HLSFS(f.fs(), "index.m3u8"), VODVideo{})
		require.NoError(t, err)
		require.Equal(t, f, r.play(t, res, f, "index.m3u8"))
		require.Equal(t, 5, r.Calls("RefreshUploadVideo"), "each 5 minutes")
		for _, q := range r.Requests() {
			require.Less(t, q.Status, 400)
		}
	})
}

func TestUpload_B39_Parallel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.Parallel = 5 }, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "PutObject", Times: mediatest.Always, Delay: time.Second})
		f := season(50, kib)
		start := time.Now()
		res, err := r.Upload(ctx, HLSFS(f.fs(), "index.m3u8"), VODVideo{})
		require.NoError(t, err)
		r.play(t, res, f, "index.m3u8")
		require.Equal(t, 11*time.Second, time.Since(start).Truncate(time.Second), "five at once, then the playlist")
	})
}

// Slices of all sizes, transient failures, a lost upload: bytes and progress
// are right.
func TestUpload_B39_LargeSlices(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil, mediatest.InMemory())
		r.Fault(
			mediatest.Fault{Operation: "UploadPart", Nth: 3, Times: 2, Status: 503, AfterBytes: 50 * kib},
			mediatest.Fault{Operation: "CompleteMultipartUpload", Nth: 2, AfterEffect: true},
			mediatest.Fault{Operation: "CompleteMultipartUpload", Nth: 4, Status: 404, Code: "NoSuchUpload"},
			mediatest.Fault{Operation: "PutObject", Nth: 2, Reset: true},
			mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, Delay: time.Second},
		)
		f := season(4, 450*kib).with(folder{"small.ts": "small", "stream.ts": string(random(333 * kib))})
		f["index.m3u8"] += "small.ts\nstream.ts\n"
		var progress []Progress
		var mu sync.Mutex
		res, err := r.Upload(ctx, HLSFS(f.fs(), "index.m3u8"), VODVideo{}, WithProgress(func(p Progress) {
			mu.Lock()
			defer mu.Unlock()
			progress = append(progress, p)
		}))
		require.NoError(t, err)
		require.Equal(t, f, r.play(t, res, f, "index.m3u8"))
		require.Equal(t, f.size(), res.Size)
		last := progress[len(progress)-1]
		require.Equal(t, f.size(), last.Sent)
		stages := []Stage{}
		for i, p := range progress {
			require.Equal(t, f.size(), p.Total)
			if i > 0 {
				require.GreaterOrEqual(t, p.Sent, progress[i-1].Sent)
			}
			if len(stages) == 0 || stages[len(stages)-1] != p.Stage {
				stages = append(stages, p.Stage)
			}
		}
		require.Subset(t, []Stage{StageOpen, StageCreate, StageSend, StageFinish, StageDone}, stages)
		require.True(t, slices.IsSortedFunc(stages, func(a, b Stage) int {
			order := []Stage{StageOpen, StageCreate, StageSend, StageFinish, StageDone}
			return slices.Index(order, a) - slices.Index(order, b)
		}), "%v", stages)
		require.Empty(t, r.Uploads())
	})
}

// A playlist that goes in parts is lost and sent again: the slices still count.
func TestUpload_B39_LargePlaylist(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := season(5, 100*kib)
		f["index.m3u8"] += strings.Repeat("#"+strings.Repeat("-", 1000)+"\n", 300)
		r := newRig(t, nil, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "CompleteMultipartUpload", Status: 404, Code: "NoSuchUpload"},
			mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, Delay: time.Second})
		var last Progress
		res, err := r.Upload(ctx, HLSFS(f.fs(), "index.m3u8"), VODVideo{}, WithProgress(func(p Progress) {
			require.Equal(t, f.size(), p.Total)
			last = p
		}))
		require.NoError(t, err)
		require.Equal(t, f, r.play(t, res, f, "index.m3u8"))
		require.Equal(t, 2, r.Calls("InitiateMultipartUpload"))
		require.Equal(t, 5, r.Calls("PutObject"))
		require.Equal(t, f.size(), last.Sent)

		r.Fault(mediatest.Fault{Operation: "CompleteMultipartUpload", Times: 2, Status: 404, Code: "NoSuchUpload"})
		res, err = r.Upload(ctx, HLSFS(f.fs(), "index.m3u8"), VODVideo{})
		require.Equal(t, f.size(), failed(t, res, err).Sent)
	})
}

// Where the store does not let a lost completion be looked at, the slice is
// sent again.
func TestUpload_B39_LostCompletion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "CompleteMultipartUpload", AfterEffect: true},
			mediatest.Fault{Operation: "HeadObject", Times: mediatest.Always, Status: 403, Code: "AccessDenied"})
		f := season(1, 300*kib)
		res, err := r.Upload(ctx, HLSFS(f.fs(), "index.m3u8"), VODVideo{})
		require.NoError(t, err)
		require.Equal(t, f, r.play(t, res, f, "index.m3u8"))
		require.Equal(t, 2, r.Calls("InitiateMultipartUpload"))
	})
}

func TestUpload_B39_SliceFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "PutObject", Nth: 6, Status: 400, Code: "InvalidArgument"},
			mediatest.Fault{Operation: "PutObject", Times: mediatest.Always, Delay: time.Minute})
		start := time.Now()
		res, err := r.Upload(ctx, HLSFS(season(50, kib).fs(), "index.m3u8"), VODVideo{})
		e := failed(t, res, err)
		require.True(t, alimedia.HasCode(err, "InvalidArgument"), "%v", err)
		require.ErrorContains(t, err, ".ts: ")
		require.Equal(t, StageSend, e.Stage)
		require.NotEmpty(t, e.MediaId)
		require.False(t, e.Uploaded)
		require.Less(t, time.Since(start), 2*time.Minute, "the others are cut off")
		media, _ := r.Media(e.MediaId)
		require.Equal(t, "Uploading", media.Status, "without its playlist nothing is complete")
		_, ok := r.Object(media.Bucket, media.Key)
		require.False(t, ok)
	})
}

// What is thrown away again is not counted.
func TestUpload_B39_SliceFailsLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.Parallel = 1 }, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 8, Status: 400, Code: "InvalidArgument"})
		f := season(2, 450*kib)
		res, err := r.Upload(ctx, HLSFS(f.fs(), "index.m3u8"), VODVideo{})
		e := failed(t, res, err)
		require.EqualValues(t, len(f["s000.ts"]), e.Sent)
		require.Empty(t, r.Uploads())
	})
}

func TestUpload_B39_Cancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, Delay: time.Minute})
		ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
		defer cancel()
		start := time.Now()
		res, err := r.Upload(ctx, HLSFS(season(8, 300*kib).fs(), "index.m3u8"), VODVideo{})
		failed(t, res, err)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Less(t, time.Since(start), 95*time.Second)
		require.Empty(t, r.Uploads())
	})
}

// cancelFS ends a context when a file is looked at.
type cancelFS struct {
	fs.FS
	cancel context.CancelFunc
	looks  *int
}

func (c cancelFS) Stat(name string) (fs.FileInfo, error) {
	if *c.looks++; *c.looks == 5 {
		c.cancel()
	}
	return fs.Stat(c.FS, name)
}

func TestUpload_B39_CancelTheScan(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	looks := 0
	res, err := r.Upload(ctx, HLSFS(cancelFS{season(50, 1).fs(), cancel, &looks}, "index.m3u8"), VODVideo{})
	failed(t, res, err)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 5, looks)
}

// What was looked at is what is sent.
func TestUpload_B39_ChangedMeanwhile(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(dir string) error{
		"slice":  func(dir string) error { return os.WriteFile(filepath.Join(dir, "s001.ts"), []byte("other"), 0o600) },
		"time":   func(dir string) error { return os.Chtimes(filepath.Join(dir, "s001.ts"), time.Time{}, time.Unix(1, 0)) },
		"gone":   func(dir string) error { return os.Remove(filepath.Join(dir, "s001.ts")) },
		"nested": func(dir string) error { return os.WriteFile(filepath.Join(dir, "v.m3u8"), []byte("other"), 0o600) },
		"first":  func(dir string) error { return os.WriteFile(filepath.Join(dir, "top.m3u8"), []byte("other"), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := season(3, kib).with(folder{"v.m3u8": "#EXTM3U\ns000.ts\n", "top.m3u8": "#EXTM3U\nindex.m3u8\nv.m3u8\n"})
			dir := f.write(t)
			r := newRig(t, nil)
			r.Fault(mediatest.Fault{Operation: "CreateUploadMedia", Delay: time.Millisecond, Match: func(mediatest.Request) bool {
				require.NoError(t, change(dir))
				return true
			}})
			res, err := r.Upload(ctx, HLS(filepath.Join(dir, "top.m3u8")), ICEMedia{})
			switch name {
			case "nested", "first": // as they were read
				require.NoError(t, err)
				require.Equal(t, f, r.play(t, res, f, "top.m3u8"))
			case "gone":
				failed(t, res, err)
				require.ErrorIs(t, err, fs.ErrNotExist)
			default:
				failed(t, res, err)
				require.ErrorIs(t, err, ErrChanged)
				require.ErrorContains(t, err, "s001.ts")
			}
		})
	}
}

func TestUpload_B39_Fields(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	res, err := r.Upload(ctx, HLSFS(film.fs(), "index.m3u8"), ICEMedia{MediaMetaData: ice.MediaMetaData{Title: "film"}})
	require.NoError(t, err)
	media, _ := r.Media(res.MediaId)
	require.Equal(t, "film", media.Title)
	require.Contains(t, media.Params.Get("FileInfo"), `"Ext":"m3u8"`)
	data, _ := r.Object(res.Bucket, res.Key)
	require.False(t, bytes.HasPrefix(data, []byte("\ufeff")))
	require.Contains(t, string(data), "\r\nindex-3.m3u8\r\n")
	require.Equal(t, res.CRC64, crc64.Checksum(data, crc64.MakeTable(crc64.ECMA)))
}

// A run with a checkpoint goes on with the slices that are not stored yet,
// wherever the one before stopped.
func TestUpload_B39_Resume(t *testing.T) {
	t.Parallel()
	f := season(12, 10*kib).with(folder{"big.ts": string(random(350 * kib)), "top.m3u8": "#EXTM3U\nindex.m3u8\n"})
	f["index.m3u8"] += "big.ts\n"
	for name, target := range map[string]Target{"VOD": VODVideo{}, "ICE": ICEMedia{}, "bucket": Bucket{Name: "mine-1", Key: "film.m3u8", Region: "cn-shanghai"}} {
		for _, stop := range []struct {
			operation string
			nth       int
		}{
			{"PutObject", 1}, {"PutObject", 2}, {"PutObject", 9}, {"PutObject", 13}, {"PutObject", 14},
			{"InitiateMultipartUpload", 1}, {"UploadPart", 2}, {"CompleteMultipartUpload", 1},
		} {
			t.Run(fmt.Sprint(name, stop.operation, stop.nth), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					dir, checkpoints := f.write(t), t.TempDir()
					r := newRig(t, func(c *Config) { c.Parallel = 1 }, mediatest.InMemory())
					r.CreateBucket("mine-1")
					r.Fault(mediatest.Fault{Operation: stop.operation, Nth: stop.nth, Status: 400, Code: "InvalidArgument"})
					src := HLS(filepath.Join(dir, "top.m3u8"))
					res, err := r.Upload(ctx, src, target, WithCheckpoint(checkpoints))
					first := failed(t, res, err)
					before := stored(r)

					var resumed, total int64
					res, err = r.Upload(ctx, src, target, WithCheckpoint(checkpoints), WithProgress(func(p Progress) {
						resumed, total = p.Resumed, p.Total
						if p.Stage == StageDone {
							require.Equal(t, p.Total, p.Sent)
						}
					}))
					require.NoError(t, err)
					require.Equal(t, f, r.play(t, res, f, "top.m3u8"))
					require.Equal(t, first.MediaId, res.MediaId)
					if name != "bucket" {
						require.Equal(t, 1, r.Calls("CreateUploadVideo")+r.Calls("CreateUploadMedia"))
					}
					for key, times := range stored(r) {
						require.Equal(t, 1, times, key)
					}
					sizes := int64(0)
					for key := range before {
						data, _ := r.Object(res.Bucket, key)
						sizes += int64(len(data))
					}
					switch stop.operation { // of the large file, parts
					case "UploadPart":
						sizes += 100 * kib
					case "CompleteMultipartUpload":
						sizes += 350 * kib
					}
					require.Equal(t, sizes, resumed)
					require.Equal(t, 1, r.Calls("InitiateMultipartUpload")-r.count("InitiateMultipartUpload", 400), "its parts are gone on with")
					require.Equal(t, 4, r.Calls("UploadPart")-r.count("UploadPart", 400))
					require.Equal(t, res.Size, total)
					left, err := filepath.Glob(filepath.Join(checkpoints, "*.segment*"))
					require.NoError(t, err)
					require.Empty(t, left)
					require.Empty(t, r.Uploads())
				})
			})
		}
	}
}

// count is how many requests of an operation were answered with a status.
func (r *rig) count(operation string, status int) (n int) {
	for _, q := range r.Requests() {
		if q.Operation == operation && q.Status == status {
			n++
		}
	}
	return n
}

// stored counts how often objects were stored.
func stored(r *rig) map[string]int {
	times := map[string]int{}
	for _, q := range r.Requests() {
		if (q.Operation == "PutObject" || q.Operation == "CompleteMultipartUpload") && q.Status == 200 {
			times[q.Key]++
		}
	}
	return times
}

// stopped begins an upload with a checkpoint and fails at the fifth slice.
func stopped(t *testing.T, r *rig, dir, checkpoints string) *Error {
	t.Helper()
	r.Fault(mediatest.Fault{Operation: "PutObject", Nth: 5, Status: 400, Code: "InvalidArgument"})
	res, err := r.Upload(ctx, HLS(filepath.Join(dir, "index.m3u8")), VODVideo{}, WithCheckpoint(checkpoints))
	return failed(t, res, err)
}

// What changed since is another upload.
func TestUpload_B39_ResumeChanged(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(t *testing.T, dir string){
		"slice": func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "s001.ts"), []byte("x"), 0o600))
		},
		"time": func(t *testing.T, dir string) {
			require.NoError(t, os.Chtimes(filepath.Join(dir, "s001.ts"), time.Time{}, time.Unix(9, 0)))
		},
		"wording": func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "index.m3u8"), []byte(season(8, kib)["index.m3u8"]+"#EXT-X-ENDLIST"), 0o600))
		},
		"playlist": func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "index.m3u8"), []byte("#EXTM3U\ns001.ts"), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, checkpoints := season(8, kib).write(t), t.TempDir()
			r := newRig(t, func(c *Config) { c.Parallel = 1 })
			first := stopped(t, r, dir, checkpoints)
			change(t, dir)
			res, err := r.Upload(ctx, HLS(filepath.Join(dir, "index.m3u8")), VODVideo{}, WithCheckpoint(checkpoints))
			require.NoError(t, err)
			require.NotEqual(t, first.MediaId, res.MediaId)
			r.play(t, res, folderOf(t, dir), "index.m3u8")
		})
	}
}

func folderOf(t *testing.T, dir string) folder {
	f := folder{}
	names, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range names {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		f[e.Name()] = string(data)
	}
	return f
}

// A record that is damaged, or not ours, costs time but no slice.
func TestUpload_B39_ResumeDamaged(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		damage func(data string) string
		puts   int // of slices by the second run
	}{
		"as it was":   {func(data string) string { return data }, 4},
		"cut off":     {func(data string) string { return strings.TrimSuffix(data, "\n") }, 5},
		"cut number":  {func(data string) string { return data + "7" }, 4},
		"garbage":     {func(data string) string { return strings.Replace(data, "\n1 ", "\nx ", 1) + "6 0\n" }, 7},
		"far numbers": {func(data string) string { return data + "99 0\n-1 0\n99999999999999999999 0\n" }, 4},
		"empty":       {func(string) string { return "" }, 8},
		"zeros":       {func(data string) string { return strings.Repeat("\x00", len(data)) }, 8},
		"other asset": {func(data string) string { return strings.Replace(data, `"mediaId":"`, `"mediaId":"x`, 1) }, 8},
		"other files": {func(data string) string { return strings.Replace(data, `"files":"`, `"files":"x`, 1) }, 8},
		"other place": {func(data string) string { return strings.Replace(data, `"prefix":"`, `"prefix":"x`, 1) }, 8},
		"huge":        {func(data string) string { return data + strings.Repeat("1 0\n", 8<<20/4) }, 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := season(8, kib)
			dir, checkpoints := f.write(t), t.TempDir()
			r := newRig(t, func(c *Config) { c.Parallel = 1 })
			first := stopped(t, r, dir, checkpoints)
			names, err := filepath.Glob(filepath.Join(checkpoints, "*.segments"))
			require.NoError(t, err)
			require.Len(t, names, 1)
			info, err := os.Stat(names[0])
			require.NoError(t, err)
			require.Equal(t, fs.FileMode(0o600), info.Mode())
			data, err := os.ReadFile(names[0])
			require.NoError(t, err)
			require.True(t, strings.HasSuffix(string(data), "\n") && strings.Count(string(data), "\n") == 5, "%s", data)
			require.NoError(t, os.WriteFile(names[0], []byte(tt.damage(string(data))), 0o600))

			before := r.Calls("PutObject")
			res, err := r.Upload(ctx, HLS(filepath.Join(dir, "index.m3u8")), VODVideo{}, WithCheckpoint(checkpoints))
			require.NoError(t, err)
			require.Equal(t, first.MediaId, res.MediaId)
			require.Equal(t, f, r.play(t, res, f, "index.m3u8"))
			require.Equal(t, tt.puts+1, r.Calls("PutObject")-before)
		})
	}
}

// What is on a server cannot be recognised again, so there is no checkpoint.
func TestUpload_B39_NoCheckpointOfRemote(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t, webtest.File([]byte("remote")))
		f := season(8, kib)
		f["index.m3u8"] += "http://cdn.test/a.ts\n"
		src, checkpoints := HLS(filepath.Join(f.write(t), "index.m3u8"), FetchRemote(o.here)), t.TempDir()
		r := newRig(t, nil, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "PutObject", Nth: 7, Status: 400, Code: "InvalidArgument"})
		res, err := r.Upload(ctx, src, VODVideo{}, WithCheckpoint(checkpoints))
		failed(t, res, err)
		require.Empty(t, files(t, checkpoints))
	})
}

// The service may leave out the prefix when it renews a credential.
func TestUpload_B39_ResumeWithoutPrefix(t *testing.T) {
	t.Parallel()
	var answers atomic.Int32
	r := newRig(t, func(c *Config) { c.Parallel = 1 }, mediatest.EncodeUpload(func(address, auth map[string]any) (string, string) {
		if answers.Add(1) > 1 {
			delete(address, "ObjectPrefix")
		}
		return mediatest.EncodeBase64(address), mediatest.EncodeBase64(auth)
	}))
	f := season(8, kib)
	dir, checkpoints := f.write(t), t.TempDir()
	stopped(t, r, dir, checkpoints)
	res, err := r.Upload(ctx, HLS(filepath.Join(dir, "index.m3u8")), VODVideo{}, WithCheckpoint(checkpoints))
	require.NoError(t, err)
	require.Equal(t, f, r.play(t, res, f, "index.m3u8"))
	require.EqualValues(t, 2, answers.Load())
}

// The playlist is stored, its registration failed: nothing is sent again.
func TestUpload_B39_ResumeRegistration(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil, mediatest.InMemory())
	r.CreateBucket("mine-1")
	r.Fault(mediatest.Fault{Operation: "RegisterMediaInfo", Status: 403, Code: "Forbidden"})
	f := season(8, kib)
	src, target, checkpoint := HLS(filepath.Join(f.write(t), "index.m3u8")), Bucket{Name: "mine-1", Register: RegisterMediaInfo{}}, WithCheckpoint(t.TempDir())
	res, err := r.Upload(ctx, src, target, checkpoint)
	require.True(t, failed(t, res, err).Uploaded)
	var last Progress
	res, err = r.Upload(ctx, src, target, checkpoint, WithProgress(func(p Progress) { last = p }))
	require.NoError(t, err)
	require.NotEmpty(t, res.MediaId)
	require.Equal(t, 9, r.Calls("PutObject"))
	require.Equal(t, f.size()+int64(8*len("index/")), res.Size)
	require.Equal(t, res.Size, last.Sent)
	require.Equal(t, res.Size, last.Resumed)
}

func TestUpload_B39_CheckpointRequired(t *testing.T) {
	t.Parallel()
	dir, checkpoints := season(8, kib).write(t), t.TempDir()
	r := newRig(t, nil)
	// A folder is in the way of the record, and cannot be removed.
	r.Fault(mediatest.Fault{Operation: "CreateUploadVideo", Times: 2, Delay: time.Millisecond, Match: func(mediatest.Request) bool {
		locks, _ := filepath.Glob(filepath.Join(checkpoints, "*.lock"))
		for _, name := range locks {
			require.NoError(t, os.MkdirAll(strings.TrimSuffix(name, ".lock")+".segments/x", 0o700))
		}
		return true
	}})
	res, err := r.Upload(ctx, HLS(filepath.Join(dir, "index.m3u8")), VODVideo{}, WithCheckpoint(checkpoints), WithCheckpointRequired())
	failed(t, res, err)
	require.ErrorIs(t, err, ErrCheckpoint)
	_, err = r.Upload(ctx, HLS(filepath.Join(dir, "index.m3u8")), VODVideo{}, WithCheckpoint(checkpoints))
	require.NoError(t, err)
}
