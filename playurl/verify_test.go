package playurl

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func TestVerify_Expires(t *testing.T) {
	t.Parallel()
	for _, typ := range allTypes {
		signed, err := at(t, typ, noon).Sign("https://h/a.mp4?x=1")
		require.NoError(t, err)
		ttl := func(c *Config) { c.TTL = time.Hour }
		_, err = at(t, typ, noon.Add(time.Hour), ttl).Verify(signed)
		require.NoError(t, err, "the last second")
		_, err = at(t, typ, noon.Add(time.Hour+time.Second), ttl).Verify(signed)
		require.ErrorIs(t, err, ErrExpired)
		_, err = at(t, typ, noon.Add(DefaultTTL+time.Second)).Verify(signed)
		require.ErrorIs(t, err, ErrExpired)
	}
}

func TestVerify_TimesAhead(t *testing.T) {
	t.Parallel()
	for _, typ := range allTypes {
		signed, err := at(t, typ, noon.Add(10*time.Minute)).Sign("https://h/a.mp4")
		require.NoError(t, err)
		_, err = at(t, typ, noon).Verify(signed)
		require.NoError(t, err, "as the CDN does")
		_, err = at(t, typ, noon, func(c *Config) { c.MaxAhead = 10 * time.Minute }).Verify(signed)
		require.NoError(t, err)
		_, err = at(t, typ, noon, func(c *Config) { c.MaxAhead = 5 * time.Minute }).Verify(signed)
		require.ErrorIs(t, err, ErrAhead)
	}
}

// Every byte of the signature and of the path is proved.
func TestVerify_Forged(t *testing.T) {
	t.Parallel()
	for _, typ := range allTypes {
		s := at(t, typ, noon)
		signed, err := s.Sign("https://h/video/a.mp4")
		require.NoError(t, err)
		for i := len("https://h"); i < len(signed); i++ {
			for _, c := range []byte("0f") {
				changed := signed[:i] + string(c) + signed[i+1:]
				v, err := s.Verify(changed)
				if changed != signed {
					require.Error(t, err, "%s: byte %d", typ, i)
					require.Nil(t, v)
				}
			}
		}
		_, err = at(t, typ, noon, func(c *Config) { c.Keys = []alimedia.Secret{"anotherkey123456"} }).Verify(signed)
		require.ErrorIs(t, err, ErrForged)
		_, err = s.Verify(strings.Replace(signed, "a.mp4", "b.mp4", 1))
		require.ErrorIs(t, err, ErrForged)
	}
}

// An expired URL that is also forged says nothing about its time.
func TestVerify_ProvesTheSignatureBeforeTheTime(t *testing.T) {
	t.Parallel()
	for _, typ := range allTypes {
		signed, err := at(t, typ, noon).Sign("https://h/a.mp4")
		require.NoError(t, err)
		_, err = at(t, typ, noon.Add(24*time.Hour), func(c *Config) { c.Keys = []alimedia.Secret{"anotherkey123456"} }).Verify(signed)
		require.ErrorIs(t, err, ErrForged)
	}
}

func TestVerify_NamesTheTypeItFound(t *testing.T) {
	t.Parallel()
	for _, signs := range allTypes {
		signed, err := at(t, signs, noon).Sign("https://h/a.mp4?x=1")
		require.NoError(t, err)
		for _, verifies := range allTypes {
			if signs == verifies {
				continue
			}
			_, err := at(t, verifies, noon).Verify(signed)
			require.ErrorIs(t, err, ErrUnsigned)
			require.ErrorContains(t, err, "type "+string(signs)+" instead of "+string(verifies))
		}
		_, err = at(t, signs, noon).Verify("https://h/a.mp4?x=1")
		require.Equal(t, ErrUnsigned, err)
	}
}

func TestVerify_OldAndNewKey(t *testing.T) {
	t.Parallel()
	const old, fresh = "oldkey1234567890", "newkey1234567890"
	keys := func(list ...alimedia.Secret) func(*Config) { return func(c *Config) { c.Keys = list } }
	for _, typ := range allTypes {
		before, err := at(t, typ, noon, keys(old)).Sign("https://h/a.mp4")
		require.NoError(t, err)
		both := at(t, typ, noon, keys(fresh, old))
		after, err := both.Sign("https://h/a.mp4")
		require.NoError(t, err)
		v, err := both.Verify(before)
		require.NoError(t, err)
		require.Equal(t, 1, v.Key)
		v, err = both.Verify(after)
		require.NoError(t, err)
		require.Equal(t, 0, v.Key)
		_, err = at(t, typ, noon, keys(fresh)).Verify(before)
		require.ErrorIs(t, err, ErrForged)
		_, err = at(t, typ, noon, keys(fresh)).Verify(after)
		require.NoError(t, err)
	}
}

func TestVerify_TwoSignaturesAreNone(t *testing.T) {
	t.Parallel()
	s := at(t, A, noon)
	signed, err := s.Sign("https://h/a.mp4")
	require.NoError(t, err)
	for _, twice := range []string{signed + "&auth_key=x", strings.Replace(signed, "?", "?auth_key=x&", 1), signed + signed[strings.Index(signed, "?"):]} {
		_, err = s.Verify(twice)
		require.ErrorIs(t, err, ErrUnsigned)
	}
	_, err = s.Verify(signed + "&" + signed[strings.Index(signed, "?")+1:])
	require.ErrorIs(t, err, ErrUnsigned)
	q := at(t, CQuery, noon)
	signed, err = q.Sign("https://h/a.mp4")
	require.NoError(t, err)
	_, err = q.Verify(signed + "&KEY1=x")
	require.ErrorIs(t, err, ErrUnsigned)
}

// An edge verifies the target of a request, whatever its host is called.
func TestVerify_TargetOfARequest(t *testing.T) {
	t.Parallel()
	for _, typ := range allTypes {
		s := at(t, typ, noon)
		edge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			v, err := s.Verify(r.RequestURI)
			if err != nil {
				http.Error(w, "forbidden", http.StatusForbidden)
				return
			}
			w.Header().Set("X-Path", v.Path)
		}))
		defer edge.Close()
		get := func(u string) *http.Response {
			resp, err := edge.Client().Get(u)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			return resp
		}
		signed, err := s.SignObject(edge.URL, "videos/片头 100%+.mp4")
		require.NoError(t, err)
		resp := get(signed)
		require.Equal(t, http.StatusOK, resp.StatusCode, "type %s", typ)
		require.Equal(t, "/videos/%E7%89%87%E5%A4%B4%20100%25%2B.mp4", resp.Header.Get("X-Path"))
		require.Equal(t, http.StatusForbidden, get(edge.URL+"/videos/a.mp4").StatusCode)
	}
	_, err := at(t, A, noon).Verify("//user@evil/a.mp4")
	require.ErrorIs(t, err, ErrUnsigned, "a target that begins with two slashes has no host")
}

func FuzzSignVerify(f *testing.F) {
	for _, url := range []string{"https://h/片 头.mp4?x=1&auth_key", "http://h?KEY1=2", "https://h/201508150800/9044548ef1527deadafa49a890a377f0/4", "http://[::1]/%41%zz", "https://h/a?&&=#"} {
		f.Add(url, int64(1700000000), uint8(0))
	}
	f.Fuzz(func(t *testing.T, url string, unix int64, kind uint8) {
		typ := allTypes[int(kind)%len(allTypes)]
		s := at(t, typ, time.Unix(unix, 0))
		signed, err := s.Sign(url)
		if err != nil {
			return
		}
		v, err := s.Verify(signed)
		require.NoError(t, err, "%q", signed)
		again, err := s.Sign(v.URL)
		require.NoError(t, err)
		require.Equal(t, signed, again, "what Verify returns is what was signed")
		_, err = at(t, typ, time.Unix(unix, 0), func(c *Config) { c.Keys = []alimedia.Secret{"anotherkey123456"} }).Verify(signed)
		require.ErrorIs(t, err, ErrForged)
		_, err = at(t, typ, time.Unix(unix, 0).Add(DefaultTTL+time.Minute)).Verify(signed)
		require.ErrorIs(t, err, ErrExpired)
	})
}

// No URL from outside is valid, or takes the verifier down.
func FuzzVerify(f *testing.F) {
	for _, url := range []string{
		"/a.mp4?auth_key=1444435200-0-0-80cd3862d699b7118eed99103f2a3a4f", "/201508150800/9044548ef1527deadafa49a890a377f0/", "//", "https://h", "",
		"/a37fa50a5fb8f71214b1e7c95ec7a1bd/55CE8100/test.flv", "/?KEY1=a37fa50a5fb8f71214b1e7c95ec7a1bd&KEY2=55CE8100", "/209913319999/9044548ef1527deadafa49a890a377f0/x",
	} {
		f.Add(url)
	}
	f.Fuzz(func(t *testing.T, url string) {
		for _, typ := range allTypes {
			s := at(t, typ, noon, func(c *Config) { c.Keys = []alimedia.Secret{"keythatnobodyhas"} })
			v, err := s.Verify(url)
			require.Error(t, err)
			require.Nil(t, v)
			require.NotContains(t, err.Error(), "keythatnobodyhas")
		}
	})
}
