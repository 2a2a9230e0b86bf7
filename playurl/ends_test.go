package playurl

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

const digest = "0123456789abcdef0123456789abcdef"

func TestEndOf(t *testing.T) {
	t.Parallel()
	asked := time.Unix(1700000000, 0)
	never, unknown := end{}, end{unknown: true}
	in := func(d time.Duration) end { return end{at: asked.Add(d)} }
	for name, c := range map[string]struct {
		url  string
		ttl  time.Duration
		want end
	}{
		"unsigned":                  {"http://h/a.mp4?x=1", 0, never},
		"unsigned, TTL":             {"http://h/a.mp4", time.Hour, never},
		"A, end in the future":      {"http://h/a.mp4?auth_key=1700003600-0-0-" + digest, 0, in(time.Hour)},
		"A, TTL":                    {"http://h/a.mp4?auth_key=1700003600-0-0-" + digest, 30 * time.Minute, in(90 * time.Minute)},
		"A, time of signing":        {"http://h/a.mp4?auth_key=1700000001-0-0-" + digest, 0, unknown},
		"A, time of signing, TTL":   {"http://h/a.mp4?auth_key=1700000001-0-0-" + digest, time.Hour, in(time.Hour + time.Second)},
		"auth_key of another form":  {"http://h/a.mp4?auth_key=abc", time.Hour, unknown},
		"B, TTL":                    {"http://h/202311150613/" + digest + "/a.mp4", time.Hour, in(time.Hour - 20*time.Second)},
		"C, TTL":                    {"http://h/" + digest + "/6553f110/a.mp4", time.Hour, in(time.Hour + 16*time.Second)},
		"C in the query, TTL":       {"http://h/a.mp4?KEY1=" + digest + "&KEY2=6553f110", time.Hour, in(time.Hour + 16*time.Second)},
		"a path like C":             {"http://h/" + digest + "/20240101/a.mp4", time.Hour, never},
		"OSS V1":                    {"http://b.oss-cn-shanghai.aliyuncs.com/a?OSSAccessKeyId=x&Expires=1700000060&Signature=y", time.Hour, in(time.Minute)},
		"OSS V1 without an end":     {"http://b.oss-cn-shanghai.aliyuncs.com/a?OSSAccessKeyId=x&Signature=y", 0, unknown},
		"OSS V4":                    {"http://h/a?x-oss-date=20231114T221320Z&x-oss-expires=60&x-oss-signature=y", 0, in(time.Minute)},
		"OSS V4, end out of bounds": {"http://h/a?x-oss-date=20231114T221320Z&x-oss-expires=99999999999&x-oss-signature=y", 0, unknown},
		"no URL":                    {"rtmp://h/a", 0, unknown},
	} {
		got := endOf(c.url, asked, c.ttl)
		require.Equal(t, c.want.unknown, got.unknown, name)
		require.True(t, c.want.at.Equal(got.at), "%s: %v instead of %v", name, got.at, c.want.at)
	}
}

func TestEnds_TheEarliestCounts(t *testing.T) {
	t.Parallel()
	asked := time.Unix(1700000000, 0)
	hour, signed := "http://h/a.mp4?auth_key=1700003600-0-0-"+digest, "http://h/a.mp4?auth_key=1700000000-0-0-"+digest
	require.Equal(t, end{}, ends([]string{"", "http://h/a"}, asked, 0, 0))
	require.Equal(t, end{at: asked.Add(time.Hour)}, ends([]string{"http://h/a", hour}, asked, 0, 0))
	require.Equal(t, end{at: asked.Add(time.Minute)}, ends([]string{hour}, asked, 60, 0))
	require.Equal(t, end{at: asked.Add(time.Hour)}, ends([]string{hour}, asked, 7200, 0))
	require.Equal(t, end{at: asked.Add(time.Hour), unknown: true}, ends([]string{hour, signed}, asked, 0, 0))
	require.Equal(t, end{at: asked.Add(time.Minute)}, ends([]string{signed}, asked, 60, 0), "the documented validity")
	require.Equal(t, end{at: asked.Add(time.Second)}, ends([]string{signed, hour}, asked, 60, time.Second))
	require.False(t, ends([]string{hour}, asked, 1<<62, 0).at.Before(asked))
}

func TestPlayAuthEnd(t *testing.T) {
	t.Parallel()
	encode := func(text string) alimedia.Secret {
		return alimedia.Secret(base64.StdEncoding.EncodeToString([]byte(text)))
	}
	at, ok := playAuthEnd(encode(`{"AuthInfo":"{\"ExpireTime\":\"2026-11-25T12:01:40Z\"}"}`))
	require.True(t, ok)
	require.Equal(t, noon.Add(100*time.Second), at.UTC())
	for _, auth := range []alimedia.Secret{"", "%", encode("x"), encode(`{"AuthInfo":{}}`), encode(`{"AuthInfo":"{}"}`), encode(`{"AuthInfo":"{\"ExpireTime\":\"soon\"}"}`)} {
		_, ok := playAuthEnd(auth)
		require.False(t, ok)
	}
}
