package upload

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUpload_B39_Parse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		want       []string // role uri [bytes needed]
	}{
		{"media", "#EXTM3U\n#EXTINF:4,\na.ts\n#EXTINF:4,\n\n  b/c.ts \n#EXT-X-ENDLIST", []string{"0 a.ts", "0 b/c.ts"}},
		{"BOM and CRLF", "\ufeff#EXTM3U\r\n#EXTINF:4,title\r\na.ts\r\n", []string{"0 a.ts"}},
		{"no newline at the end", "#EXTM3U\na.ts", []string{"0 a.ts"}},
		{"comments", "#EXTM3U\n# a.ts\n#b.ts\n#ext:URI=\"c.ts\"\n", nil},
		{"map and key", "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\",BYTERANGE=\"100@20\"\n#EXT-X-KEY:METHOD=AES-128,URI=\"k,1.key\",IV=0x1\na.m4s\n#EXT-X-KEY:METHOD=NONE\nb.m4s\n",
			[]string{"0 init.mp4 120", "1 k,1.key", "0 a.m4s", "0 b.m4s"}},
		{"value like its tag", "#EXTM3U\n#EXT-X-KEY:URI=URI,X=KEY\n#EXT-X-KEY:URI=\"#EXT-X-KEY:URI=\"\n", []string{"1 URI", "1 #EXT-X-KEY:URI="}},
		{"loose attributes", "#EXTM3U\n\t#EXT-X-MAP: BYTERANGE=\"5\" , URI=\"i.mp4\" ,\n#EXT-X-KEY:URI=a b ,IV=1\n#EXT-X-MEDIA:URI=\"\"\n", []string{"0 i.mp4 5", "1 a b"}},
		{"master", "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",URI=\"audio/en\"\n#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow\n#EXT-X-I-FRAME-STREAM-INF:URI=\"i\"\n#EXT-X-IMAGE-STREAM-INF:URI=\"j\"\n#EXT-X-SESSION-KEY:URI=\"k\"\n#EXT-X-SESSION-DATA:URI=\"d.json\"\nslice\n",
			[]string{"2 audio/en", "2 low", "2 i", "2 j", "1 k", "5 d.json", "0 slice"}},
		{"by extension", "#EXTM3U\na.M3U8?x=y.ts\nb.m3u\nc.ts?x.m3u8\n", []string{"2 a.M3U8?x=y.ts", "2 b.m3u", "0 c.ts?x.m3u8"}},
		{"byte ranges", "#EXTM3U\n#EXT-X-BYTERANGE:10@5\na.ts\n#EXT-X-BYTERANGE:7\na.ts\n#EXT-X-BYTERANGE:1@0\na.ts\nb.ts\n#EXT-X-BYTERANGE:8@0\nb.ts\n",
			[]string{"0 a.ts 15", "0 a.ts 22", "0 a.ts 1", "0 b.ts", "0 b.ts 8"}},
		{"gap", "#EXTM3U\n#EXT-X-GAP\n#EXTINF:1,\nlost.ts\na.ts\n", []string{"0 a.ts"}},
		{"live", "#EXTM3U\n#EXT-X-PART:DURATION=1,URI=\"p.ts\",BYTERANGE=\"5@5\"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"q.ts\"\n#EXT-X-RENDITION-REPORT:URI=\"r.m3u8\"\n", []string{"0 p.ts 10", "7 ", "7 "}},
		{"braces without variables", "#EXTM3U\n{$a}.ts\n", []string{"0 {$a}.ts"}},
	} {
		p, err := parsePlaylist([]byte(tt.text))
		require.NoError(t, err, tt.name)
		var got []string
		for _, ref := range p.refs {
			text := fmt.Sprintf("%d %s", ref.role, ref.uri)
			if ref.least > 0 {
				text += fmt.Sprint(" ", ref.least)
			}
			got = append(got, text)
			if ref.role != dropped {
				require.Equal(t, ref.uri, string(p.text[ref.start:ref.end]), tt.name)
				require.Contains(t, strings.Split(string(p.text), "\n")[ref.line-1], ref.uri, tt.name)
			}
		}
		require.Equal(t, tt.want, got, tt.name)
	}
}

func TestUpload_B39_ParseRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                            `playlist "p": the source is empty`,
		"\ufeff":                      `playlist "p": the source is empty`,
		"\n#EXTM3U":                   `playlist "p" line 1: does not begin with #EXTM3U`,
		"#EXTM3U8\na.ts":              "line 1: does not begin",
		"<html>":                      "line 1: does not begin",
		"#EXTM3U\rold\rmac":           "line 1: does not begin",
		"\xff\xfe#\x00E\x00":          "not UTF-8",
		"#EXTM3U\nf\xfcr.ts":          "not UTF-8",
		"#EXTM3U\n#EXT-X-MAP:URI":     "line 2: an attribute without a value",
		"#EXTM3U\n#EXT-X-MAP:URI=\"a": "line 2: a quote that does not end",
		"#EXTM3U\n#EXT-X-MAP:URI=\"a\",BYTERANGE=\"x\"":                                   "line 2: not a byte range",
		"#EXTM3U\n#EXT-X-BYTERANGE:5\na.ts":                                               "line 3: a byte range without an offset",
		"#EXTM3U\n#EXT-X-BYTERANGE:5@0\na.ts\n#EXT-X-BYTERANGE:5\nb.ts":                   "line 5: a byte range without an offset",
		"#EXTM3U\n#EXT-X-BYTERANGE:5@0\na.ts\na.ts\n#EXT-X-BYTERANGE:5\na.ts":             "line 6: a byte range without an offset",
		"#EXTM3U\n#EXT-X-BYTERANGE:-1@0\na.ts":                                            "line 2: not a byte range",
		"#EXTM3U\n#EXT-X-BYTERANGE:1@-1\na.ts":                                            "line 2: not a byte range",
		"#EXTM3U\n#EXT-X-BYTERANGE:1@\na.ts":                                              "line 2: not a byte range",
		"#EXTM3U\n#EXT-X-BYTERANGE:9223372036854775807@9223372036854775807\na.ts":         "line 2: not a byte range",
		fmt.Sprintf("#EXTM3U\n#EXT-X-BYTERANGE:%d@1\na.ts", int64(maxObject)):             "line 3: not a byte range",
		"#EXTM3U\n#EXT-X-DEFINE:NAME=\"a\",VALUE=\"b\"\n{$a}.ts":                          "line 3: a URI with variables",
		"#EXTM3U\n#EXT-X-DEFINE:NAME=\"a\",VALUE=\"b\"\n#EXT-X-KEY:URI=\"{$a}\"":          "line 3: a URI with variables",
		"#EXTM3U\n" + strings.Repeat("a\n", maxReferences+1):                              "line 262146: more than 262144 files",
		"#EXTM3U\n" + strings.Repeat("a\n", maxReferences+1):                              "line 262146: more than 262144 files",
		"#EXTM3U\n" + strings.Repeat("#", maxPlaylist):                                    "longer than 16777216 bytes",
		"#EXTM3U\n#EXT-X-MEDIA:" + strings.Repeat("A=\"b\",", 1000) + "\x00=\"" + "\n\"x": "line 2: a quote that does not end",
	} {
		p, err := parsePlaylist([]byte(text))
		require.Nil(t, p)
		var e *PlaylistError
		require.ErrorAs(t, err, &e, "%.60q", text)
		e.Playlist = "p"
		require.ErrorContains(t, err, want, "%.60q", text)
	}
}

func TestUpload_B39_Rewrite(t *testing.T) {
	t.Parallel()
	text := "\ufeff#EXTM3U\r\n#EXT-X-VERSION:7\r\n" +
		"#EXT-X-MAP:URI=\"in it.mp4\",BYTERANGE=\"1@0\"\r\n#EXT-X-KEY:METHOD=AES-128,URI=k,IV=0x1\n\n" +
		"\t a.ts?token=x\t\r\n#EXT-X-PRELOAD-HINT:URI=\"next.ts\"\n#EXTINF:3,\na.ts?token=x\n#EXT-X-ENDLIST"
	p, err := parsePlaylist([]byte(text))
	require.NoError(t, err)
	var asked []int
	got := p.rewrite(func(i int, _ reference) string { asked = append(asked, i); return fmt.Sprintf("<%d>", i) })
	require.Equal(t, "#EXTM3U\r\n#EXT-X-VERSION:7\r\n"+
		"#EXT-X-MAP:URI=\"<0>\",BYTERANGE=\"1@0\"\r\n#EXT-X-KEY:METHOD=AES-128,URI=<1>,IV=0x1\n\n"+
		"\t <2>\t\r\n#EXTINF:3,\n<4>\n#EXT-X-ENDLIST", string(got))
	require.Equal(t, []int{0, 1, 2, 4}, asked)
}

func TestUpload_B39_LocalPaths(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ dir, uri, want string }{
		{".", "a.ts", "a.ts"},
		{".", "./x/../a.ts", "a.ts"},
		{"video/hd", "a.ts", "video/hd/a.ts"},
		{"video/hd", "../../audio/a.ts", "audio/a.ts"},
		{".", "a.ts?token=/../x#y", "a.ts"},
		{".", "a.ts?v=1", "a.ts a.ts?v=1"},
		{".", "a%20b.ts", "a b.ts a%20b.ts"},
		{".", "a%20b.ts?v=1#f", "a b.ts a%20b.ts a%20b.ts?v=1#f"},
		{".", "100%.ts", "100%.ts"},
		{".", "%E7%AC%AC.ts", "第.ts %E7%AC%AC.ts"},
		{".", "第.ts", "第.ts"},
		{".", "12:30.ts", "12:30.ts"},
		{".", "?a.ts", "?a.ts"},
		{".", "..a.ts", "..a.ts"},
		{".", `a\b.ts`, `a\b.ts`},
	} {
		got, err := localPaths(tt.dir, tt.uri)
		require.NoError(t, err, tt.uri)
		require.Equal(t, tt.want, strings.Join(got, " "), tt.uri)
	}
	for _, uri := range []string{
		"/a.ts", "/etc/passwd", "..", "../a.ts", "x/../../a.ts", "%2e%2e/a.ts", "..%2fa.ts", "%2Fetc/passwd", `..\a.ts`, `\a.ts`, `x\..\..\a.ts`,
		"%2e%2e%5ca.ts", "../../../../etc/passwd", "a/b/../../..", ".%2e/a",
	} {
		_, err := localPaths(".", uri)
		require.ErrorIs(t, err, ErrOutside, uri)
	}
	_, err := localPaths("hd", "../../a.ts")
	require.ErrorIs(t, err, ErrOutside)
	for _, uri := range []string{"", "a%00.ts", "\x00"} {
		_, err := localPaths(".", uri)
		require.ErrorIs(t, err, fs.ErrInvalid, "%q", uri)
	}
}

func TestUpload_B39_Schemes(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string]string{
		"a.ts": "", "http://h/a": "http", "HTTPS://h/a": "https", "file:///etc/passwd": "file", "FILE:/etc/passwd": "file", "//h/a": "//",
		`C:\a.ts`: "c", "data:,x": "data", "skd://x": "skd", "a/b:c": "", "1:2": "", "": "", ":a": "", "a+b-c.d:x": "a+b-c.d", "ä:b": "", "?a:b": "",
	} {
		require.Equal(t, want, schemeOf(uri), uri)
	}
	for uri, want := range map[string]string{
		"a b.ts?token=s#f": "a b.ts", "http://u:p@h/a%20b?s#f": "http://h/a%20b", "//u:p@h/a?s": "//h/a", "http://u:p@h:/x": "http://h:/x", "http://u:p@[/": "...", " http://u:p@h/": "...",
		"http://h": "http://h",
	} {
		require.Equal(t, want, shown(uri), uri)
	}
}

func TestUpload_B39_Names(t *testing.T) {
	t.Parallel()
	var names segmentNames
	for _, tt := range [][2]string{
		{"a.ts", "a.ts"}, {"a.ts", "a-2.ts"}, {"a-2.ts", "a-2-2.ts"}, {"a.ts", "a-3.ts"}, {"a-3.ts", "a-3-2.ts"}, {"a.ts", "a-4.ts"},
		{"A.ts", "A.ts"}, {"a b.ts", "a_b.ts"}, {"a_b.ts", "a_b-2.ts"}, {"第1段.ts", "_1_.ts"}, {"a?b=c&d.ts", "a_b_c_d.ts"}, {"a%20b.ts", "a_20b.ts"},
		{"noext", "noext"}, {"noext", "noext-2"}, {".ts", ".ts"}, {".ts", "-2.ts"}, {"..", "_"}, {".", "_-2"}, {"", "_-3"}, {"a\nb", "a_b"},
		{strings.Repeat("x", 200) + ".ts", strings.Repeat("x", 125) + ".ts"}, {strings.Repeat("x", 201) + ".ts", strings.Repeat("x", 125) + "-2.ts"},
		{"x." + strings.Repeat("y", 300), "x." + strings.Repeat("y", 110) + "." + strings.Repeat("y", 15)},
	} {
		require.Equal(t, tt[1], names.give(tt[0]), tt[0])
	}
}

func FuzzUpload_B39_Playlist(f *testing.F) {
	for _, text := range []string{
		"#EXTM3U\na.ts\n", "\ufeff#EXTM3U\r\n#EXT-X-MAP:URI=\"i\",BYTERANGE=\"1@2\"\r\n#EXT-X-BYTERANGE:5@1\r\na.ts?x\r\n#EXT-X-BYTERANGE:5\r\na.ts?x\r\n",
		"#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,URI=\"../%2e%2e/a.m3u8\"\n#EXT-X-STREAM-INF:A=\"b,c\"\nfile:///x\n#EXT-X-PRELOAD-HINT:URI=\"x\"\n",
		"#EXTM3U\n#EXT-X-KEY:URI=a,URI=\"b\"\n#EXT-X-GAP\nx\n \t\ny\x00\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := parsePlaylist(text)
		if err != nil {
			var e *PlaylistError
			require.True(t, errors.As(err, &e))
			return
		}
		// What is left as it is gives the same text, but for what is dropped.
		dropsNone := true
		for _, ref := range p.refs {
			dropsNone = dropsNone && ref.role != dropped
			if ref.role == dropped || schemeOf(ref.uri) != "" {
				continue
			}
			names, err := localPaths("dir", ref.uri)
			if err != nil {
				continue
			}
			for _, name := range names {
				require.True(t, fs.ValidPath(name) && path.Clean(name) == name, "%q", name)
			}
		}
		same := p.rewrite(func(_ int, ref reference) string { return ref.uri })
		require.True(t, !dropsNone || string(same) == string(p.text))
		// A rewritten playlist names the same roles by the new names.
		var names segmentNames
		var given []string
		to := p.rewrite(func(_ int, ref reference) string {
			given = append(given, names.give(path.Base(ref.uri)))
			return given[len(given)-1]
		})
		again, err := parsePlaylist(to)
		var e *PlaylistError
		if errors.As(err, &e) && strings.Contains(e.Error(), "byte range without an offset") {
			return // the same file got two names here
		}
		require.NoError(t, err)
		require.Len(t, again.refs, len(given))
		for i, ref := range again.refs {
			require.Equal(t, given[i], ref.uri)
			found, err := localPaths(".", ref.uri)
			require.NoError(t, err)
			require.Equal(t, []string{ref.uri}, found)
		}
	})
}
