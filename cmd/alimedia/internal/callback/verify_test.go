package callback

import (
	"crypto/md5"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

const (
	published = "https://www.example.com/your/callback"
	stamp     = "1519375990"
)

var now = time.Unix(1519375990, 0).Add(time.Minute)

// signed is a pasted request that the service signed for url with key.
func signed(url, timestamp, key string) string {
	return fmt.Sprintf("POST /your/callback HTTP/1.1\r\nHost: www.example.com\r\nX-VOD-TIMESTAMP: %s\r\nX-VOD-SIGNATURE: %x\r\n\r\n%s",
		timestamp, md5.Sum([]byte(url+"|"+timestamp+"|"+key)), `{"EventType":"FileUploadComplete","VideoId":"v1","Status":"success"}`)
}

func verify(t *testing.T, text, url, key string) ([]Line, bool) {
	t.Helper()
	req, err := Parse(text)
	require.NoError(t, err)
	lines, valid := Verify(req, Settings{URL: url, Keys: []alimedia.Secret{alimedia.Secret(key)}, Now: now, Window: 5 * time.Minute})
	for _, line := range lines {
		require.NotContains(t, line.Text, "planted", "no key in %s", line.Name)
		if sum := req.Header.Get("X-Vod-Signature"); sum != "" {
			require.NotContains(t, line.Text, sum, "no signature in %s", line.Name)
		}
	}
	return lines, valid
}

// The vector of the documentation, whose page was computed with test123.
func TestVerify_PublishedVector(t *testing.T) {
	t.Parallel()
	text := "X-VOD-TIMESTAMP: 1519375990\nX-VOD-SIGNATURE: c72b60894140fa98920f1279219b7ed4\n"
	_, valid := verify(t, text, published, "test123")
	require.True(t, valid)
	lines, valid := verify(t, text, published, "Test123")
	require.False(t, valid)
	require.Contains(t, fmt.Sprint(lines), "{key false the key differs: the service's is in lower case")
}

func TestVerify_SaysWhichPartDiffers(t *testing.T) {
	t.Parallel()
	const key = "plantedKey123"
	for name, test := range map[string]struct {
		text, url, key string
		want           string
	}{
		"scheme":       {signed(published, stamp, key), strings.Replace(published, "https", "http", 1), key, "{URL false the request is signed for https://www.example.com/your/callback (https and not http)"},
		"no TLS":       {signed("http://h.com/c", stamp, key), "https://h.com/c", key, "for http://h.com/c (http and not https)"},
		"slash":        {signed(published+"/", stamp, key), published, key, "{URL false the request is signed for https://www.example.com/your/callback/ (with a slash at the end)"},
		"no slash":     {signed(published, stamp, key), published + "/", key, "(without the slash at the end)"},
		"other path":   {signed(published, stamp, key), "https://www.example.com/other", key, "(host and path of the request)"},
		"port":         {signed(published, stamp, key), "https://www.example.com:443/your/callback", key, "(without the port)"},
		"query":        {signed("https://h.com/c", stamp, key), "https://h.com/c?a=1", key, "(without the query)"},
		"key newline":  {signed(published, stamp, key), published, key + "\n", "{key false the key differs: yours has blanks or a line break around it"},
		"key quoted":   {signed(published, stamp, key), published, `"` + key + `"`, "yours has quotes around it"},
		"milliseconds": {strings.Replace(signed(published, stamp, key), "TIMESTAMP: "+stamp, "TIMESTAMP: "+stamp+"123", 1), published, key, "in seconds, and the header is in milliseconds"},
		"other time":   {strings.Replace(signed(published, stamp, key), "TIMESTAMP: "+stamp, "TIMESTAMP: 1519375993", 1), published, key, "{timestamp false the request is signed for another time than its header has: 3 seconds away"},
		"anything":     {signed(published, stamp, "another"), published, key, "{signature false or the request is not from the service"},
	} {
		lines, valid := verify(t, test.text, test.url, test.key)
		require.False(t, valid, name)
		require.Contains(t, fmt.Sprint(lines), test.want, name)
	}
}

func TestVerify_Headers(t *testing.T) {
	t.Parallel()
	const key = "plantedKey123"
	for name, test := range map[string]struct{ text, want string }{
		"none":      {"POST / HTTP/1.1\nHost: h\n", "there are no signature headers"},
		"live":      {"ALI-LIVE-SIGNATURE: x\nALI-LIVE-TIMESTAMP: 1", "those of ApsaraVideo Live"},
		"cut":       {"X-ICE-TIMESTAMP: 1519375990\nX-ICE-SIGNATURE: abcd", "has 4 characters and must have 32"},
		"twice":     {signedTwice(), "X-VOD-TIMESTAMP is there 2 times"},
		"both":      {signed(published, stamp, key)[:1] + signed(published, stamp, key)[1:strings.Index(signed(published, stamp, key), "\r\n\r\n")] + "\r\nX-ICE-TIMESTAMP: 1\r\nX-ICE-SIGNATURE: c72b60894140fa98920f1279219b7ed4", "headers of both services"},
		"no digits": {"X-VOD-TIMESTAMP: yesterday\nX-VOD-SIGNATURE: c72b60894140fa98920f1279219b7ed4", "is no Unix time of 10 digits"},
	} {
		lines, valid := verify(t, test.text, published, key)
		require.False(t, valid, name)
		require.Contains(t, fmt.Sprint(lines), test.want, name)
	}
}

func signedTwice() string {
	return "X-VOD-TIMESTAMP: 1519375990\nX-VOD-TIMESTAMP: 1519375990\nX-VOD-SIGNATURE: c72b60894140fa98920f1279219b7ed4"
}

func TestVerify_Time(t *testing.T) {
	t.Parallel()
	req, err := Parse(signed(published, stamp, "k1"))
	require.NoError(t, err)
	s := Settings{URL: published, Keys: []alimedia.Secret{"k0", "k1"}, Window: 5 * time.Minute}
	s.Now = now.Add(100 * 24 * time.Hour)
	lines, valid := Verify(req, s)
	require.True(t, valid, "an old request is genuine")
	require.Contains(t, fmt.Sprint(lines), "is 100 days old")
	require.Contains(t, fmt.Sprint(lines), "with key 2 of 2")
	s.Now = now.Add(-time.Hour)
	lines, valid = Verify(req, s)
	require.False(t, valid)
	require.Contains(t, fmt.Sprint(lines), "ahead of this machine's clock")
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"> POST /c?x=1 HTTP/1.1\n> Host: h\n> X-Vod-Timestamp: 1\n>\n\n{\"a\":1}",
		"POST /c?x=1 HTTP/1.1\r\nhost: h\r\nX-VOD-TIMESTAMP: 1\r\n\r\n{\"a\":1}\r\n",
		"\n\nPOST /c?x=1\nHost: h\nx-vod-timestamp: 1\n{\"a\":1}",
	} {
		r, err := Parse(text)
		require.NoError(t, err, text)
		require.Equal(t, "/c?x=1", r.Path)
		require.Equal(t, "h", r.Header.Get("Host"))
		require.Equal(t, "1", r.Header.Get("X-VOD-TIMESTAMP"))
		require.Equal(t, `{"a":1}`, string(r.Body), text)
	}
	_, err := Parse("this is no request")
	require.ErrorContains(t, err, "neither a header nor a request line")
}
