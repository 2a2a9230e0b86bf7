package hls

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHLS_B39_Parse(t *testing.T) {
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
		{"multivariant", "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",URI=\"audio/en\"\n#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow\n#EXT-X-I-FRAME-STREAM-INF:URI=\"i\"\n#EXT-X-IMAGE-STREAM-INF:URI=\"j\"\n#EXT-X-SESSION-KEY:URI=\"k\"\n#EXT-X-SESSION-DATA:URI=\"d.json\"\nslice\n",
			[]string{"2 audio/en", "2 low", "2 i", "2 j", "1 k", "5 d.json", "0 slice"}},
		{"by extension", "#EXTM3U\na.M3U8?x=y.ts\nb.m3u\nc.ts?x.m3u8\n", []string{"2 a.M3U8?x=y.ts", "2 b.m3u", "0 c.ts?x.m3u8"}},
		{"byte ranges", "#EXTM3U\n#EXT-X-BYTERANGE:10@5\na.ts\n#EXT-X-BYTERANGE:7\na.ts\n#EXT-X-BYTERANGE:1@0\na.ts\nb.ts\n#EXT-X-BYTERANGE:8@0\nb.ts\n",
			[]string{"0 a.ts 15", "0 a.ts 22", "0 a.ts 1", "0 b.ts", "0 b.ts 8"}},
		{"gap", "#EXTM3U\n#EXT-X-GAP\n#EXTINF:1,\nlost.ts\na.ts\n", []string{"0 a.ts"}},
		{"live", "#EXTM3U\n#EXT-X-PART:DURATION=1,URI=\"p.ts\",BYTERANGE=\"5@5\"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"q.ts\"\n#EXT-X-RENDITION-REPORT:URI=\"r.m3u8\"\n", []string{"0 p.ts 10", "7 ", "7 "}},
		{"braces without variables", "#EXTM3U\n{$a}.ts\n", []string{"0 {$a}.ts"}},
	} {
		p, err := Parse([]byte(tt.text))
		require.NoError(t, err, tt.name)
		var got []string
		for _, ref := range p.References {
			text := fmt.Sprintf("%d %s", ref.Role, ref.URI)
			if ref.MinSize > 0 {
				text += fmt.Sprint(" ", ref.MinSize)
			}
			got = append(got, text)
			if ref.Role != RoleDropped {
				require.Equal(t, ref.URI, string(p.text[ref.start:ref.end]), tt.name)
				require.Contains(t, strings.Split(string(p.text), "\n")[ref.Line-1], ref.URI, tt.name)
			}
		}
		require.Equal(t, tt.want, got, tt.name)
	}
}

func TestHLS_B39_ParseRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                            `playlist "p": the file is empty`,
		"\ufeff":                      `playlist "p": the file is empty`,
		"\n#EXTM3U":                   `playlist "p" line 1: the playlist does not begin with #EXTM3U`,
		"#EXTM3U8\na.ts":              "line 1: the playlist does not begin",
		"<html>":                      "line 1: the playlist does not begin",
		"#EXTM3U\rold\rmac":           "line 1: the playlist does not begin",
		"\xff\xfe#\x00E\x00":          "not UTF-8",
		"#EXTM3U\nf\xfcr.ts":          "not UTF-8",
		"#EXTM3U\n#EXT-X-MAP:URI":     "line 2: an attribute has no value",
		"#EXTM3U\n#EXT-X-MAP:URI=\"a": "line 2: a quoted attribute value does not end",
		"#EXTM3U\n#EXT-X-MAP:URI=\"a\",BYTERANGE=\"x\"":                                   "line 2: the byte range is not valid",
		"#EXTM3U\n#EXT-X-BYTERANGE:5\na.ts":                                               "line 3: a byte range without an offset does not follow",
		"#EXTM3U\n#EXT-X-BYTERANGE:5@0\na.ts\n#EXT-X-BYTERANGE:5\nb.ts":                   "line 5: a byte range without an offset does not follow",
		"#EXTM3U\n#EXT-X-BYTERANGE:5@0\na.ts\na.ts\n#EXT-X-BYTERANGE:5\na.ts":             "line 6: a byte range without an offset does not follow",
		"#EXTM3U\n#EXT-X-BYTERANGE:-1@0\na.ts":                                            "line 2: the byte range is not valid",
		"#EXTM3U\n#EXT-X-BYTERANGE:1@-1\na.ts":                                            "line 2: the byte range is not valid",
		"#EXTM3U\n#EXT-X-BYTERANGE:1@\na.ts":                                              "line 2: the byte range is not valid",
		"#EXTM3U\n#EXT-X-BYTERANGE:9223372036854775807@9223372036854775807\na.ts":         "line 2: the byte range is not valid",
		fmt.Sprintf("#EXTM3U\n#EXT-X-BYTERANGE:%d@1\na.ts", maxFileSize):                  "line 3: the byte range is not valid",
		"#EXTM3U\n#EXT-X-DEFINE:NAME=\"a\",VALUE=\"b\"\n{$a}.ts":                          "line 3: a URI contains a variable",
		"#EXTM3U\n#EXT-X-DEFINE:NAME=\"a\",VALUE=\"b\"\n#EXT-X-KEY:URI=\"{$a}\"":          "line 3: a URI contains a variable",
		"#EXTM3U\n" + strings.Repeat("a\n", maxReferences+1):                              "line 262146: the playlist has more than 262144 references",
		"#EXTM3U\n" + strings.Repeat("a\n", maxReferences+1):                              "line 262146: the playlist has more than 262144 references",
		"#EXTM3U\n" + strings.Repeat("#", MaxPlaylistSize):                                "longer than 16777216 bytes",
		"#EXTM3U\n#EXT-X-MEDIA:" + strings.Repeat("A=\"b\",", 1000) + "\x00=\"" + "\n\"x": "line 2: a quoted attribute value does not end",
	} {
		p, err := Parse([]byte(text))
		require.Nil(t, p)
		var e *Error
		require.ErrorAs(t, err, &e, "%.60q", text)
		e.Playlist = "p"
		require.ErrorContains(t, err, want, "%.60q", text)
	}
}

func TestHLS_B39_Rewrite(t *testing.T) {
	t.Parallel()
	text := "\ufeff#EXTM3U\r\n#EXT-X-VERSION:7\r\n" +
		"#EXT-X-MAP:URI=\"in it.mp4\",BYTERANGE=\"1@0\"\r\n#EXT-X-KEY:METHOD=AES-128,URI=k,IV=0x1\n\n" +
		"\t a.ts?token=x\t\r\n#EXT-X-PRELOAD-HINT:URI=\"next.ts\"\n#EXTINF:3,\na.ts?token=x\n#EXT-X-ENDLIST"
	p, err := Parse([]byte(text))
	require.NoError(t, err)
	var asked []int
	got := p.Rewrite(func(i int, _ Reference) string { asked = append(asked, i); return fmt.Sprintf("<%d>", i) })
	require.Equal(t, "#EXTM3U\r\n#EXT-X-VERSION:7\r\n"+
		"#EXT-X-MAP:URI=\"<0>\",BYTERANGE=\"1@0\"\r\n#EXT-X-KEY:METHOD=AES-128,URI=<1>,IV=0x1\n\n"+
		"\t <2>\t\r\n#EXTINF:3,\n<4>\n#EXT-X-ENDLIST", string(got))
	require.Equal(t, []int{0, 1, 2, 4}, asked)
}
