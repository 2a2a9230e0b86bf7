package playurl

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/alimedia/alimedia-go"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const documentedKey = "aliyuncdnexp1234" // of the samples in the documentation

// at signs at a fixed time.
func at(t *testing.T, typ Type, now time.Time, change ...func(*Config)) *Signer {
	t.Helper()
	cfg := Config{Type: typ, Keys: []alimedia.Secret{documentedKey}, Now: func() time.Time { return now }, Random: func() string { return "0" }}
	for _, c := range change {
		c(&cfg)
	}
	s, err := New(cfg)
	require.NoError(t, err)
	return s
}

var allTypes = []Type{A, B, C, CQuery}

// The digests are those of the samples in the documentation of Alibaba Cloud CDN.
func TestSign_DocumentedVectors(t *testing.T) {
	t.Parallel()
	august := time.Date(2015, 8, 15, 8, 0, 59, 0, chinaTime)
	for _, c := range []struct {
		typ       Type
		now       time.Time
		url, want string
	}{
		{A, time.Unix(1444435200, 0), "http://cdn.example.com/video/standard/1K.html",
			"http://cdn.example.com/video/standard/1K.html?auth_key=1444435200-0-0-80cd3862d699b7118eed99103f2a3a4f"},
		{B, august, "http://cdn.example.com/4/44/44c0909bcfc20a01afaf256ca99a8b8b.mp3",
			"http://cdn.example.com/201508150800/9044548ef1527deadafa49a890a377f0/4/44/44c0909bcfc20a01afaf256ca99a8b8b.mp3"},
	} {
		s := at(t, c.typ, c.now)
		got, err := s.Sign(c.url)
		require.NoError(t, err)
		require.Equal(t, c.want, got)
		v, err := s.Verify(got)
		require.NoError(t, err)
		require.Equal(t, c.url, v.URL)
	}
	// The samples of type C have upper-case digits.
	s := at(t, C, time.Unix(0x55CE8100, 0))
	v, err := s.Verify("http://cdn.example.com/a37fa50a5fb8f71214b1e7c95ec7a1bd/55CE8100/test.flv")
	require.NoError(t, err)
	require.Equal(t, "http://cdn.example.com/test.flv", v.URL)
	require.Equal(t, time.Unix(0x55CE8100, 0), v.Time)
	q := at(t, CQuery, time.Unix(0x55CE8100, 0))
	v, err = q.Verify("http://cdn.example.com/test.flv?KEY1=a37fa50a5fb8f71214b1e7c95ec7a1bd&KEY2=55CE8100")
	require.NoError(t, err)
	require.Equal(t, "http://cdn.example.com/test.flv", v.URL)
}

func TestSign_EscapesWhatAURLCannotHaveAndKeepsTheRest(t *testing.T) {
	t.Parallel()
	now := time.Unix(1700000000, 0)
	for in, want := range map[string]string{
		"https://h/片头.mp4":                  "https://h/%E7%89%87%E5%A4%B4.mp4",
		"https://h/%E7%89%87%E5%A4%B4.mp4":  "https://h/%E7%89%87%E5%A4%B4.mp4",
		"https://h/a%2fb.mp4":               "https://h/a%2fb.mp4",
		"https://h/a b+c=d.mp4":             "https://h/a%20b+c=d.mp4",
		"https://h/a%20b%2Bc.mp4":           "https://h/a%20b%2Bc.mp4",
		"https://h/{\"x\"}|\\^`<>.mp4":      "https://h/%7B%22x%22%7D%7C%5C%5E%60%3C%3E.mp4",
		"HTTPS://h:8443/a.mp4?x=1&y=片&z=?/": "https://h:8443/a.mp4?x=1&y=%E7%89%87&z=?/",
		"http://h":                          "http://h/",
		"http://h?x=1":                      "http://h/?x=1",
		"http://[::1]:80//a//b.mp4":         "http://[::1]:80//a//b.mp4",
		"http://h/a...b/..c.mp4":            "http://h/a...b/..c.mp4",
	} {
		for _, typ := range allTypes {
			s := at(t, typ, now)
			signed, err := s.Sign(in)
			require.NoError(t, err, in)
			v, err := s.Verify(signed)
			require.NoError(t, err, in)
			require.Equal(t, want, v.URL, "%s: type %s", in, typ)
		}
	}
}

func TestSignObject_TakesTheKeyAsItIs(t *testing.T) {
	t.Parallel()
	s := at(t, A, time.Unix(1700000000, 0))
	for _, base := range []string{"play.example.com", "https://play.example.com/"} {
		signed, err := s.SignObject(base, "videos/片头 100%+a=b?#%41.mp4")
		require.NoError(t, err)
		v, err := s.Verify(signed)
		require.NoError(t, err)
		require.Equal(t, "https://play.example.com/videos/%E7%89%87%E5%A4%B4%20100%25%2Ba%3Db%3F%23%2541.mp4", v.URL)
	}
	for _, c := range [][2]string{{"play.example.com", ""}, {"play.example.com", "/a"}, {"play.example.com/x", "a"}, {"play.example.com?x=1", "a"}, {"ftp://h", "a"}, {"", "a"}, {"h", "a/../b"}} {
		_, err := s.SignObject(c[0], c[1])
		require.Error(t, err, "%v", c)
	}
}

func TestSign_RefusesWithoutTellingTheURL(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]error{
		"":                               errScheme,
		"/path":                          errScheme,
		"ftp://h/secret":                 errScheme,
		"rtmp://h/secret":                errScheme,
		"javascript:alert(1)":            errScheme,
		"https:///secret":                errHost,
		"https://:80/secret":             errHost,
		"https://a b/secret":             errHost,
		"https://h\\@x/secret":           errUser,
		"https://user:secret@h/p":        errUser,
		"https://h/secret#t=1":           errFragment,
		"https://h/a/../secret":          errDots,
		"https://h/a/%2E./secret":        errDots,
		"https://h/./secret":             errDots,
		"https://h/secret%":              errEscape,
		"https://h/secret%zz":            errEscape,
		"https://h/a?secret=%4":          errEscape,
		"https://h/secret\r\nX: y":       errControl,
		"https://h/a?secret=\x00":        errControl,
		"https://h/" + secretLong(16384): errLong,
	} {
		for _, typ := range allTypes {
			_, err := at(t, typ, time.Unix(1700000000, 0)).Sign(in)
			require.ErrorIs(t, err, want, in)
			require.NotContains(t, err.Error(), "secret")
		}
	}
}

func secretLong(n int) string { return strings.Repeat("secret", n/6) }

func TestSign_RefusesASignedURL(t *testing.T) {
	t.Parallel()
	for _, typ := range allTypes {
		s := at(t, typ, time.Unix(1700000000, 0))
		signed, err := s.Sign("https://h/a.mp4?x=1")
		require.NoError(t, err)
		_, err = s.Sign(signed)
		require.ErrorContains(t, err, "already")
	}
	_, err := at(t, A, time.Unix(1700000000, 0)).Sign("https://h/a.mp4?auth_key=x")
	require.ErrorContains(t, err, "already")
}

func TestSignUntil_EndsAtTheTime(t *testing.T) {
	t.Parallel()
	now := time.Unix(1700000000, 0)
	for _, typ := range allTypes {
		for _, life := range []time.Duration{2 * time.Minute, DefaultTTL, 24 * time.Hour} {
			s := at(t, typ, now)
			signed, err := s.SignUntil("https://h/a.mp4", now.Add(life))
			require.NoError(t, err)
			v, err := s.Verify(signed)
			require.NoError(t, err)
			require.LessOrEqual(t, v.Expires, now.Add(life))
			if typ == B {
				require.Greater(t, v.Expires, now.Add(life-time.Minute))
			} else {
				require.Equal(t, now.Add(life), v.Expires)
			}
		}
		_, err := at(t, typ, now).SignUntil("https://h/a.mp4", now)
		require.ErrorContains(t, err, "has passed")
		_, err = at(t, typ, now).SignUntil("https://h/a.mp4", time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC))
		require.ErrorContains(t, err, "cannot have this time")
	}
}

func TestSign_RandomPartsDiffer(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Type: A, Keys: []alimedia.Secret{documentedKey}, UserId: "42"})
	require.NoError(t, err)
	one, err := s.Sign("https://h/a.mp4")
	require.NoError(t, err)
	two, err := s.Sign("https://h/a.mp4")
	require.NoError(t, err)
	require.NotEqual(t, one, two)
	v, err := s.Verify(one)
	require.NoError(t, err)
	require.Equal(t, "42", v.UserId)
	require.Regexp(t, `^[0-9a-f]{32}$`, v.Random)
	require.WithinDuration(t, time.Now().Add(DefaultTTL), v.Expires, 2*time.Second)

	s = at(t, A, time.Now(), func(c *Config) { c.Random = func() string { return "a-b" } })
	_, err = s.Sign("https://h/a.mp4")
	require.ErrorContains(t, err, "Config.Random")
}

func TestNew_RefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	masked := alimedia.Secret("***")
	for want, cfg := range map[string]Config{
		"Config.Type":            {Keys: []alimedia.Secret{documentedKey}},
		"Config.Keys is empty":   {Type: A},
		"Config.Keys[0]":         {Type: A, Keys: []alimedia.Secret{""}},
		"Config.Keys[1]":         {Type: A, Keys: []alimedia.Secret{documentedKey, masked}},
		"Config.Keys[0] is":      {Type: A, Keys: []alimedia.Secret{"a key with blanks"}},
		"Config.TTL":             {Type: A, Keys: []alimedia.Secret{documentedKey}, TTL: -1},
		"Config.UserId":          {Type: A, Keys: []alimedia.Secret{documentedKey}, UserId: "a-b"},
		"Config.MaxAhead is neg": {Type: A, Keys: []alimedia.Secret{documentedKey}, MaxAhead: -1},
	} {
		_, err := New(cfg)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), documentedKey)
	}
}

func TestSigner_PrintsNoKey(t *testing.T) {
	t.Parallel()
	s := at(t, A, time.Now())
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		for _, value := range []any{s, *s, s.cfg, struct{ S *Signer }{s}, struct{ s Signer }{*s}, Signer{}, (*Signer)(nil), fmt.Errorf("x %w", errors.New(fmt.Sprint(s)))} {
			require.NotContains(t, fmt.Sprintf(verb, value), documentedKey)
		}
	}
}
