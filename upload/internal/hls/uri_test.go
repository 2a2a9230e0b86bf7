package hls

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHLS_B39_LocalPaths(t *testing.T) {
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
		got, err := LocalPaths(tt.dir, tt.uri)
		require.NoError(t, err, tt.uri)
		require.Equal(t, tt.want, strings.Join(got, " "), tt.uri)
	}
	for _, uri := range []string{
		"/a.ts", "/etc/passwd", "..", "../a.ts", "x/../../a.ts", "%2e%2e/a.ts", "..%2fa.ts", "%2Fetc/passwd", `..\a.ts`, `\a.ts`, `x\..\..\a.ts`,
		"%2e%2e%5ca.ts", "../../../../etc/passwd", "a/b/../../..", ".%2e/a",
	} {
		_, err := LocalPaths(".", uri)
		require.ErrorIs(t, err, ErrOutside, uri)
	}
	_, err := LocalPaths("hd", "../../a.ts")
	require.ErrorIs(t, err, ErrOutside)
	for _, uri := range []string{"", "a%00.ts", "\x00"} {
		_, err := LocalPaths(".", uri)
		require.ErrorIs(t, err, fs.ErrInvalid, "%q", uri)
	}
}

func TestHLS_B39_Schemes(t *testing.T) {
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
		require.Equal(t, want, displayURI(uri), uri)
	}
}

func TestHLS_B39_RelativeURI(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string]string{"a/b": "a/b", "a:b/c": "./a:b/c", "Show: 1/": "./Show: 1/", "a/b:c": "a/b:c", "": ""} {
		require.Equal(t, want, RelativeURI(uri))
	}
}
