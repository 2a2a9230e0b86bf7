package upload

import (
	"bytes"
	"fmt"
	"hash/crc64"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload/internal/hls"
	"github.com/stretchr/testify/require"
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
func (r *env) play(t *testing.T, res *Result, source folder, top string) folder {
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
			r := newEnv(t, nil, mediatest.InMemory())
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
		r := newEnv(t, nil)
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
			r := newEnv(t, nil)
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
	r := newEnv(t, nil)
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

func TestUpload_B39_Keys(t *testing.T) {
	t.Parallel()
	text := "#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"https://keys.test/k?id=1\"\n#EXT-X-MAP:URI=\"data:video/mp4;base64,AAAA\"\na.ts\n" +
		"#EXT-X-KEY:METHOD=SAMPLE-AES,KEYFORMAT=\"com.apple\",URI=\"skd://x\"\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"data:text/plain;base64,AAAA\"\na.ts\n"
	for _, opts := range [][]HLSOption{nil, {KeepRemote()}, {FetchRemote()}} {
		r := newEnv(t, nil)
		res, err := r.Upload(ctx, HLSFS(folder{"index.m3u8": text, "a.ts": "1"}.fs(), "index.m3u8", opts...), VODVideo{})
		require.NoError(t, err)
		data, _ := r.Object(res.Bucket, res.Key)
		require.Equal(t, text, string(data))
	}
}

func TestUpload_B39_KeepRemote(t *testing.T) {
	t.Parallel()
	text := "#EXTM3U\n#EXT-X-STREAM-INF:A=1\nhttps://cdn.test/v.m3u8?x=1\n#EXT-X-STREAM-INF:A=1\nv.m3u8\n//cdn.test/a.ts\n"
	r := newEnv(t, nil)
	res, err := r.Upload(ctx, HLSFS(folder{"index.m3u8": text, "v.m3u8": "#EXTM3U\nx/a.ts\nhttp://cdn.test/b.ts", "x/a.ts": "1"}.fs(), "index.m3u8", KeepRemote()), VODVideo{})
	require.NoError(t, err)
	data, _ := r.Object(res.Bucket, res.Key)
	require.Equal(t, text, string(data))
	data, _ = r.Object(res.Bucket, path.Dir(res.Key)+"/v.m3u8")
	require.Equal(t, "#EXTM3U\na.ts\nhttp://cdn.test/b.ts", string(data))
}

func TestUpload_B39_Fields(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil)
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
