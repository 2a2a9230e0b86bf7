package endpoint

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRegion(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "  ": "", "cn-shanghai": "cn-shanghai", " cn-shanghai\n": "cn-shanghai", "cn-hangzhou-internal-test-1": "cn-hangzhou-internal-test-1",
	} {
		got, err := Region(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got)
	}
	for _, text := range []string{
		"CN-Shanghai", "cn_shanghai", "cn shanghai", "evil.com/x", "cn-shanghai.evil.com", "x@evil.com", "x#", "x?y", "-cn", "cn-", "cn--shanghai",
		"cn\x00", "cn\u2028shanghai", "сn-shanghai", "..", "a/b", "a:1", strings.Repeat("a", 64),
	} {
		_, err := Region(text)
		require.ErrorIs(t, err, ErrRegion, text)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"vod.cn-shanghai.aliyuncs.com":   "https://vod.cn-shanghai.aliyuncs.com/",
		" vod.aliyuncs.com\n":            "https://vod.aliyuncs.com/",
		"https://VOD.aliyuncs.com/":      "https://vod.aliyuncs.com/",
		"HTTP://127.0.0.1:8080":          "http://127.0.0.1:8080/",
		"http://[::1]:8080":              "http://[::1]:8080/",
		"localhost:65535":                "https://localhost:65535/",
		"my_proxy":                       "https://my_proxy/",
		"https://xn--fiqs8s.example.com": "https://xn--fiqs8s.example.com/",
	} {
		u, err := Parse(text)
		require.NoError(t, err, text)
		require.Equal(t, want, u.String())
	}
	for _, text := range []string{
		"", " ", "https://", "ftp://h", "//h", "h/x", "https://h/x", "https://h?", "https://h?a=b", "https://h#", "https://h/#f", "u@h", "https://u:p@h",
		"h:", "h:0", "h:65536", "h:x", "a b", "h..x", ".h", "h.", "-h", "h-", "h%2e", "h%00", "münchen.de", "a\\b", "[::1", "[fe80::1%25eth0]", "[1.2.3.4]",
		"::1", "https:h", "http:///h", "mailto:a", strings.Repeat("a", 64) + ".com", strings.Repeat("a.", 130) + "com", "h\x7f", "h\nx",
	} {
		u, err := Parse(text)
		require.ErrorIs(t, err, ErrEndpoint, "%q: %v", text, u)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("https://vod.aliyuncs.com")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(u.String())
		require.NoError(t, err)
		require.Equal(t, u, again)
	})
}
