package hls

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// A playlist that cannot be uploaded as a whole is an error of the scan.
func TestHLS_B39_FoundBeforehand(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(folder{"secret.ts": "secret"}.write(t), "secret.ts")
	list := func(lines string) folder { return folder{"index.m3u8": "#EXTM3U\n" + lines, "a.ts": "1234"} }
	for name, tt := range map[string]struct {
		folder folder
		want   error
		text   string
	}{
		"missing segment":      {list("a.ts\nb/c.ts?token=x\n"), fs.ErrNotExist, `playlist "index.m3u8" line 3: "b/c.ts": `},
		"missing segments":     {list("a.ts\nb.ts\nb.ts\nc.ts\n#EXT-X-KEY:URI=\"k\"\n"), fs.ErrNotExist, `line 3: "b.ts": b.ts: file does not exist, and 3 more`},
		"missing map":          {list("#EXT-X-MAP:URI=\"i.mp4\"\na.ts\n"), fs.ErrNotExist, `line 2: "i.mp4"`},
		"missing in a nested":  {list("v/v.m3u8").with(folder{"v/v.m3u8": "#EXTM3U\n\n\na.ts"}), fs.ErrNotExist, `playlist "v/v.m3u8" line 4: "a.ts"`},
		"missing playlist":     {list("v.m3u8"), fs.ErrNotExist, `line 2: "v.m3u8"`},
		"broken playlist":      {list("v.m3u8").with(folder{"v.m3u8": "<html>"}), nil, `playlist "v.m3u8" line 1: the playlist does not begin`},
		"no segment":           {list("#EXT-X-ENDLIST"), ErrEmpty, "it references no file"},
		"empty segment":        {list("b.ts").with(folder{"b.ts": ""}), ErrEmpty, `line 2: "b.ts"`},
		"empty playlist":       {folder{"index.m3u8": ""}, ErrEmpty, ""},
		"directory":            {list("v").with(folder{"v/a.ts": "x"}), nil, "is a directory"},
		"the folder":           {list("."), nil, "is a directory"},
		"byte range":           {list("#EXT-X-BYTERANGE:2@3\na.ts"), ErrTooShort, "its byte range ends at 5, the file has 4 bytes"},
		"byte range again":     {list("a.ts\n#EXT-X-BYTERANGE:2@3\na.ts"), ErrTooShort, "line 4"},
		"itself":               {list("index.m3u8"), ErrLoop, `line 2: "index.m3u8"`},
		"loop":                 {list("v/v.m3u8").with(folder{"v/v.m3u8": "#EXTM3U\nw.m3u8", "v/w.m3u8": "#EXTM3U\n./v.m3u8"}), ErrLoop, `playlist "v/w.m3u8" line 2`},
		"loop to the first":    {list("v/v.m3u8").with(folder{"v/v.m3u8": "#EXTM3U\n../index.m3u8"}), ErrLoop, `playlist "v/v.m3u8" line 2`},
		"playlist and segment": {list("#EXT-X-STREAM-INF:A=1\nv.ts\nv.ts").with(folder{"v.ts": "#EXTM3U\na.ts"}), nil, "both as a playlist and as a segment"},
		"segment and playlist": {list("v.ts\n#EXT-X-STREAM-INF:A=1\nv.ts").with(folder{"v.ts": "#EXTM3U\na.ts"}), nil, "both as a playlist and as a segment"},
		"climbs":               {list("../secret.ts"), ErrOutside, `line 2: "../secret.ts"`},
		"climbs far":           {list("a/../../../../etc/passwd"), ErrOutside, ""},
		"climbs from a nested": {list("v/v.m3u8").with(folder{"v/v.m3u8": "#EXTM3U\n../../secret.ts"}), ErrOutside, `playlist "v/v.m3u8" line 2`},
		"climbs in escapes":    {list("%2e%2e/secret.ts"), ErrOutside, ""},
		"key climbs":           {list("#EXT-X-KEY:METHOD=AES-128,URI=\"../../.ssh/id_ed25519\"\na.ts"), ErrOutside, ""},
		"absolute":             {list("/etc/passwd"), ErrOutside, ""},
		"file URL":             {list("file:///etc/passwd"), ErrOutside, ""},
		"file URL of a key":    {list("#EXT-X-KEY:METHOD=AES-128,URI=\"FILE:///etc/passwd\"\na.ts"), ErrOutside, ""},
		"drive":                {list(`C:\secret.ts`), ErrOutside, ""},
		"drive of a key":       {list(`#EXT-X-KEY:URI="c:/secret.ts"` + "\na.ts"), ErrOutside, ""},
		"link":                 {list("link.ts"), nil, "escapes"},
		"link to a folder":     {list("linked/secret.ts"), nil, "escapes"},
		"other scheme":         {list("ftp://h/a.ts"), nil, `"ftp"`},
		"remote segment":       {list("a.ts\nhttps://user:pass@h/a.ts?token=x"), ErrRemote, `line 3: "https://h/a.ts": the file is on a web server`},
		"remote without":       {list("//h/a.ts"), ErrRemote, ""},
		"remote playlist":      {list("http://h/a.m3u8"), ErrRemote, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := tt.folder.write(t)
			require.NoError(t, os.Symlink(outside, filepath.Join(dir, "link.ts")))
			require.NoError(t, os.Symlink(filepath.Dir(outside), filepath.Join(dir, "linked")))
			_, err := scanFile(t, filepath.Join(dir, "index.m3u8"), Options{})
			require.ErrorContains(t, err, tt.text)
			if tt.want != nil {
				require.ErrorIs(t, err, tt.want)
			}
			var at *Error
			require.ErrorAs(t, err, &at)
			require.NotContains(t, err.Error(), "token")
			require.NotContains(t, err.Error(), "pass@")
		})
	}
}

// A playlist of an untrusted party includes media files and keys only.
func TestHLS_B59_StrangersPlaylist(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("k", 16)
	files := folder{
		"a.ts": "1", ".ssh/id_ed25519": key, ".ssh/x.ts": "1", "v/.hidden.ts": "1", "v/a.ts": "1", "id_rsa": key, "notes.txt": "x", "passwords.json": `{"a":1}`, "backup.sql": "x", "wallet.dat": "x",
		"v/.list.m3u8": "#EXTM3U\na.ts\n", "one.key": key, "long.key": key + "\n", "pem.key": "-----BEGIN PRIVATE KEY-----", "two.bin": key + key, "..ts": "1",
		"evil.m3u8": "not a list: secret\n",
	}
	for name, tt := range map[string]struct {
		lines string
		want  error
		line  int
	}{
		"hidden folder":      {".ssh/id_ed25519", ErrNotAllowed, 2},
		"hidden with media":  {".ssh/x.ts", ErrNotAllowed, 2},
		"hidden missing":     {".ssh/gone.ts", ErrNotAllowed, 2},
		"hidden by escapes":  {"%2Essh/id_ed25519", ErrNotAllowed, 2},
		"hidden by a detour": {"v/../.ssh/x.ts", ErrNotAllowed, 2},
		"hidden file":        {"v/.hidden.ts", ErrNotAllowed, 2},
		"hidden key":         {"a.ts\n#EXT-X-KEY:METHOD=AES-128,URI=\".ssh/id_ed25519\"", ErrNotAllowed, 3},
		"hidden playlist":    {"v/.list.m3u8", ErrNotAllowed, 2},
		"private key":        {"#EXT-X-KEY:METHOD=AES-128,URI=\"pem.key\"\na.ts", ErrNotAllowed, 2},
		"key with a newline": {"#EXT-X-KEY:METHOD=AES-128,URI=\"long.key\"\na.ts", ErrNotAllowed, 2},
		"no extension":       {"id_rsa", ErrNotAllowed, 2},
		"text":               {"a.ts\nnotes.txt", ErrNotAllowed, 3},
		"dump":               {"backup.sql", ErrNotAllowed, 2},
		"map":                {"#EXT-X-MAP:URI=\"wallet.dat\"\na.ts", ErrNotAllowed, 2},
		"session data":       {"#EXT-X-SESSION-DATA:DATA-ID=\"x\",URI=\"passwords.json\"\na.ts", ErrNotAllowed, 2},
		"asset list":         {"#EXT-X-DATERANGE:ID=\"x\",X-ASSET-LIST=\"passwords.json\"\na.ts", nil, 1},
		"vendor":             {"#EXT-X-VENDOR:X-URI=\"notes.txt\"\na.ts", ErrNotAllowed, 2},
		"link to hidden":     {"link.ts", ErrNotAllowed, 2},
		"link to text":       {"text.ts", ErrNotAllowed, 2},
		"link into hidden":   {"into.ts", ErrNotAllowed, 2},
		"key":                {"#EXT-X-KEY:METHOD=AES-128,URI=\"one.key\"\na.ts\n#EXT-X-KEY:METHOD=AES-256,URI=\"two.bin\"\na.ts", nil, 0},
		"absolute link":      {"absolute.ts", nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := files.with(folder{"index.m3u8": "#EXTM3U\n" + tt.lines + "\n"}).write(t)
			require.NoError(t, os.Symlink(".ssh/id_ed25519", filepath.Join(dir, "link.ts")))
			require.NoError(t, os.Symlink("notes.txt", filepath.Join(dir, "text.ts")))
			require.NoError(t, os.Symlink(".ssh/x.ts", filepath.Join(dir, "into.ts")))
			require.NoError(t, os.Symlink(filepath.Join(dir, "v", "a.ts"), filepath.Join(dir, "absolute.ts")))
			_, err := scanFile(t, filepath.Join(dir, "index.m3u8"), Options{})
			if tt.line == 0 {
				require.NoError(t, err)
				return
			}
			var at *Error
			require.ErrorAs(t, err, &at)
			require.Equal(t, tt.line, at.Line, "%v", err)
			if tt.want == nil {
				return
			}
			require.ErrorIs(t, err, tt.want)
			if strings.Contains(tt.lines, "gone") {
				return
			}
			var asked []string
			_, err = scanFile(t, filepath.Join(dir, "index.m3u8"), Options{Allow: func(path string) bool {
				asked = append(asked, path)
				return true
			}})
			require.NoError(t, err, "permitted by the user")
			require.NotEmpty(t, asked)
		})
	}
}

// A named pipe is refused before it is opened: opening would wait for a writer.
func TestHLS_B59_NamedPipe(t *testing.T) {
	t.Parallel()
	fsys := folder{"index.m3u8": "#EXTM3U\npipe.ts\n"}.fs()
	fsys["pipe.ts"] = &fstest.MapFile{Mode: fs.ModeNamedPipe | 0o600}
	_, err := scanFS(fsys, Options{})
	require.ErrorContains(t, err, `line 2: "pipe.ts": "pipe.ts" is not a regular file`)
}

// Absolute paths and links that stay in the folder are in the folder.
func TestHLS_B39_AbsoluteInside(t *testing.T) {
	t.Parallel()
	dir := folder{"a b.ts": "1", "v/b.ts": "2"}.write(t)
	text := "#EXTM3U\n" + dir + "/v/b.ts\n" + (&url.URL{Scheme: "file", Path: dir + "/a b.ts"}).String() + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "index.m3u8"), []byte(text), 0o600))
	top := filepath.Join(dir, "index.m3u8")
	got, err := scanFile(t, top, Options{})
	require.NoError(t, err)
	require.Equal(t, folder{"index.m3u8": "#EXTM3U\nb.ts\na_b.ts\n", "b.ts": "2", "a_b.ts": "1"}, got)
	for _, uri := range []string{dir + "/../x.ts", "file://other" + dir + "/v/b.ts", "file:" + dir + "x/b.ts", dir + "/.x.ts"} {
		require.NoError(t, os.WriteFile(top, []byte("#EXTM3U\n"+uri+"\n"), 0o600))
		_, err := scanFile(t, top, Options{})
		require.True(t, errors.Is(err, ErrOutside) || errors.Is(err, ErrNotAllowed), "%s: %v", uri, err)
	}
}

func TestHLS_B39_Nesting(t *testing.T) {
	t.Parallel()
	deep := folder{"a.ts": "x", "9.m3u8": "#EXTM3U\na.ts\n"}
	for i := range 9 {
		deep[fmt.Sprintf("%d.m3u8", i)] = fmt.Sprintf("#EXTM3U\n%d.m3u8\na.ts\n", i+1)
	}
	_, err := Scan(t.Context(), &Folder{FS: deep.fs()}, "0.m3u8", Options{})
	require.ErrorContains(t, err, "more than 8 playlists are nested")
	b, err := Scan(t.Context(), &Folder{FS: deep.fs()}, "1.m3u8", Options{})
	require.NoError(t, err)

	// A level has the files that reference files of lower levels only.
	var order []string
	for _, level := range b.Levels() {
		var names []string
		for _, f := range level {
			names = append(names, f.Name)
		}
		order = append(order, strings.Join(names, " "))
	}
	require.Equal(t, []string{"a.ts", "9.m3u8", "8.m3u8", "7.m3u8", "6.m3u8", "5.m3u8", "4.m3u8", "3.m3u8", "2.m3u8"}, order)
	require.EqualValues(t, len(b.Top.Text)+1+len(deep["9.m3u8"])+7*len(deep["2.m3u8"]), b.Size(b.Top.Size))
}

func TestHLS_B62_Limits(t *testing.T) {
	t.Parallel()
	_, err := scanFS(folder{"index.m3u8": strings.Repeat("#", MaxPlaylistSize+1)}.fs(), Options{})
	require.ErrorContains(t, err, "longer than 16777216 bytes")

	text := "#EXTM3U\na.ts\na.ts\n"
	fsys := folder{"index.m3u8": text, "a.ts": "1"}.fs()
	for want, s := range map[string]*scanner{
		"":                            {bytes: maxTotalSize - len(text), references: maxReferences - 2, documents: maxDocuments - 1},
		"longer than 67108864 bytes":  {bytes: maxTotalSize - len(text) + 1},
		"more than 262144 references": {references: maxReferences - 1},
		"more than 4096 playlists":    {documents: maxDocuments},
	} {
		s.folder, s.known = &Folder{FS: fsys}, map[string]*File{}
		err := s.read(t.Context(), &File{Path: "index.m3u8"}, RolePlaylist, 0)
		if want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, want)
		}
	}
}

// statFS counts calls of Stat.
type statFS struct {
	fs.FS
	stat func(name string)
}

func (s statFS) Stat(name string) (fs.FileInfo, error) {
	s.stat(name)
	return fs.Stat(s.FS, name)
}

func TestHLS_B39_CanceledScan(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	files := folder{"index.m3u8": "#EXTM3U\na.ts\nb.ts\nc.ts\n", "a.ts": "1", "b.ts": "1", "c.ts": "1"}
	_, err := Scan(ctx, &Folder{FS: statFS{files.fs(), func(name string) {
		if calls++; path.Base(name) == "a.ts" {
			cancel()
		}
	}}}, "index.m3u8", Options{})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 2, calls, "the playlist and a.ts")
}

// TestHLS_B39_PathsThatReturn: an absolute path, a file URI or ".." that leads
// back into the folder is a file of the folder, escaped or not.
func TestHLS_B39_PathsThatReturn(t *testing.T) {
	t.Parallel()
	dir := folder{"my show/a b.ts": "1", "my show/100%25.ts": "2", "my show/sub/v.m3u8": "#EXTM3U\n../../my%20show/a%20b.ts\n"}.write(t)
	dir = filepath.Join(dir, "my show")
	escaped := (&url.URL{Path: filepath.ToSlash(dir)}).EscapedPath()
	for _, uri := range []string{
		dir + "/a b.ts", escaped + "/a%20b.ts", escaped + "/a%20b.ts?x=1", escaped + "/a%20b.ts#t=1", dir + "/100%25.ts",
		"file://" + escaped + "/a%20b.ts", "FILE://LocalHost" + escaped + "/a%20b.ts",
		"../my%20show/a%20b.ts?x=1", "../my show/a b.ts", "sub/../../my%20show/a%20b.ts", "sub/v.m3u8",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "index.m3u8"), []byte("#EXTM3U\n"+uri+"\n"), 0o600))
		f, err := OpenFolder(dir)
		require.NoError(t, err)
		b, err := Scan(t.Context(), f, "index.m3u8", Options{})
		require.NoError(t, err, uri)
		require.NotContains(t, string(b.Top.Text), "show", uri)
		require.NoError(t, f.Close())
	}
	for _, uri := range []string{"../my%20show2/a.ts", "../a.ts", escaped + "/../a.ts", "file://host" + escaped + "/a%20b.ts", "..%2Fmy%20show%2F..%2Fx.ts", "file:a.ts", "../my show"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "index.m3u8"), []byte("#EXTM3U\n"+uri+"\n"), 0o600))
		f, err := OpenFolder(dir)
		require.NoError(t, err)
		_, err = Scan(t.Context(), f, "index.m3u8", Options{})
		require.Error(t, err, uri)
		require.NoError(t, f.Close())
	}
}
