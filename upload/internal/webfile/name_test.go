package webfile

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestFileName_B43_Order(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ disposition, first, last, want string }{
		{"", "/a/b.mp4", "/c.mov", "b.mp4"},
		{"", "/get", "/c.mov", "c.mov"},
		{"", "/get", "/", "get"},
		{"", "/", "/", "download"},
		{"", "", "", "download"},
		{"", "/..", "/...", "download"},
		{`attachment; filename="film.mkv"`, "/b.mp4", "/b.mp4", "film.mkv"},
		{`attachment; filename="../../etc/film.mkv"`, "/b.mp4", "/b.mp4", "film.mkv"},
		{`attachment; filename="C:\\dir\\film.mkv"`, "/b.mp4", "/b.mp4", "film.mkv"},
		{`attachment; filename*=UTF-8''%E7%94%B5%E5%BD%B1.mp4`, "/b.mp4", "/b.mp4", "电影.mp4"},
		{`attachment; filename*=UTF-8''a%00%0Ab.mp4`, "/b.mp4", "/b.mp4", "ab.mp4"},
		{`attachment; filename="noextension"`, "/b.mp4", "/b.mp4", "b.mp4"},
		{`attachment; filename="noextension"`, "/x", "/y", "noextension"},
		{`attachment; filename=".."`, "/x", "/y", "x"},
		{`attach"ment`, "/b.mp4", "/b.mp4", "b.mp4"},
		{`attachment; filename="` + strings.Repeat("a", 300) + `.mp4"`, "/", "/", strings.Repeat("a", 251) + ".mp4"},
	} {
		require.Equal(t, tt.want, fileName(tt.disposition, "", &url.URL{Path: tt.first}, &url.URL{Path: tt.last}), "%q %q %q", tt.disposition, tt.first, tt.last)
	}
}

func TestFileName_B43_Names(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("电", 200)
	for _, tt := range []struct{ disposition, mediaType, first, last, want string }{
		// Headers as servers send them.
		{`attachment; filename=my movie.mp4`, "", "/x", "/x", "my movie.mp4"},
		{"attachment; filename=\"\xb5\xe7\xd3\xb0.mp4\"", "", "/film.mp4", "/film.mp4", "film.mp4"},
		{"attachment; filename=\"\xb5\xe7\xd3\xb0.mp4\"", "video/mp4", "/download.php", "/download.php", "download.mp4"},
		{`filename="movie.mp4"`, "", "/x", "/x", "movie.mp4"},
		{"attachment; filename=电影.mp4", "", "/x", "/x", "电影.mp4"},
		{`inline; filename="a.mp4"; filename*=UTF-8''%E7%94%B5.mp4`, "", "/x", "/x", "电.mp4"},
		{`inline; filename*=UTF-8''%E7%94%B5.mp4; filename="a.mp4"`, "", "/x", "/x", "电.mp4"},
		{`attachment; filename*=ISO-8859-1'en'Pel%EDcula.mp4`, "", "/x", "/x", "Película.mp4"},
		{`attachment; filename*=GBK''%B5%E7.mp4; filename=plain.mp4`, "", "/x", "/x", "plain.mp4"},
		{`attachment; filename*=UTF-8''%B5%E7.mp4`, "", "/b.mp4", "/x", "b.mp4"},
		{`attachment; filename*=UTF-8''%zz.mp4; filename="ok.mp4"`, "", "/x", "/x", "ok.mp4"},
		{`attachment; filename*0="long "; filename*1="name.mp4"`, "", "/x", "/x", "long name.mp4"},
		{`attachment; filename*0*=UTF-8''%E7%94; filename*1*=%B5; filename*2=".mp4"`, "", "/x", "/x", "电.mp4"},
		{`attachment; filename="%E7%94%B5%E5%BD%B1.mp4"`, "", "/x", "/x", "电影.mp4"},
		{`attachment; filename="100%.mp4"`, "", "/x", "/x", "100%.mp4"},
		{`attachment; filename="=?UTF-8?B?55S15b2xLm1wNA==?="`, "", "/x", "/x", "电影.mp4"},
		{`attachment; filename="=?gbk?B?tefTsC5tcDQ=?="`, "", "/b.mp4", "/x", "b.mp4"},
		{`ATTACHMENT; FILENAME = "A;b.MP4" ; size=1`, "", "/x", "/x", "A;b.MP4"},
		{`attachment; filename="a\"b.mp4"`, "", "/x", "/x", `a"b.mp4`},
		{`attachment; filename="C:\dir\film.mkv"`, "", "/x", "/x", "film.mkv"},
		{`attachment; filename="unterminated.mp4`, "", "/x", "/x", "unterminated.mp4"},
		{`attachment;filename=a.mp4;`, "", "/x", "/x", "a.mp4"},
		{`attachment; name="x"; notfilename="no.mp4"`, "", "/b.mp4", "/x", "b.mp4"},
		{`attachment; filename="` + "a\u202e4pm.exe.mp4" + `"`, "", "/x", "/x", "a4pm.exe.mp4"},
		{`attachment; filename="CON.mp4"`, "", "/x", "/x", "_CON.mp4"},
		{`attachment; filename="lpt1"`, "video/mp4", "/x", "/x", "_lpt1.mp4"},
		{`attachment; filename=".htaccess"`, "", "/b.mp4", "/x", "b.mp4"},
		{`attachment; filename="..\..\x.mp4. "`, "", "/x", "/x", "x.mp4"},
		{`attachment; filename="` + long + `.mp4"`, "", "/x", "/x", strings.Repeat("电", 83) + ".mp4"},
		// Paths.
		{"", "", "/download.php", "/files/movie.mp4", "movie.mp4"},
		{"", "text/plain", "/get", "/files/movie.MP4", "movie.MP4"},
		{"", "", "/movie.mp4", "/objects/0af3", "movie.mp4"},
		{"", "video/mp4", "/download.php", "/download.php", "download.mp4"},
		{"", "video/quicktime; x=y", "/watch", "/v2.0", "watch.mov"},
		{"", "application/vnd.apple.mpegurl", "/list.php", "/list.php", "list.m3u8"},
		{"", "", "/a.php", "/b.cgi", "a.php"},
		{"", "video/mp4", "/", "", "download.mp4"},
		{"", "", "/\xb5\xe7.mp4", "/x.mp4", "x.mp4"},
	} {
		require.Equal(t, tt.want, fileName(tt.disposition, tt.mediaType, &url.URL{Path: tt.first}, &url.URL{Path: tt.last}), "%q %q %q", tt.disposition, tt.first, tt.last)
	}
}

func FuzzFileName_B43_Disposition(f *testing.F) {
	for _, text := range []string{`attachment; filename="a.mp4"`, "filename*0*=UTF-8''%E7; filename*1=x", `x; filename="a\"b`, "filename=\xff", `filename*=utf-8''%41`, `;;=;"`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name := fileName(text, "video/mp4", &url.URL{Path: "/x"}, &url.URL{Path: text})
		require.NotEmpty(t, name)
		require.LessOrEqual(t, len(name), maxName)
		require.Equal(t, name, CleanName(name))
		require.NotContains(t, name, "/")
		require.True(t, utf8.ValidString(name))
	})
}
