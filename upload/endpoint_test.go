package upload

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

// TestUpload_B47_WhereTokensGo looks at every request that carries a token.
func TestUpload_B47_WhereTokensGo(t *testing.T) {
	t.Parallel()
	const (
		given    = "oss-cn-shanghai.aliyuncs.com"
		internal = "oss-cn-shanghai-internal.aliyuncs.com"
	)
	hosts := func(hosts ...string) func(*Config) { return func(c *Config) { c.OSSHosts = hosts } }
	for name, tt := range map[string]struct {
		change func(*Config)
		given  []string // Endpoint in UploadAddress, the last one for all that follow
		host   string
	}{
		"as given":                 {nil, []string{given}, given},
		"a refresh names another":  {nil, []string{given, "oss-cn-shanghai.example.com"}, given},
		"localhost is only a part": {hosts("*.example.com"), []string{"http://localhost.example.com"}, "localhost.example.com"},
		"loopback is only a part":  {hosts("127.0.0.1.example.com"), []string{"http://127.0.0.1.example.com"}, "127.0.0.1.example.com"},
		"plain port":               {nil, []string{"http://" + given + ":80"}, given},
		"own domain":               {func(c *Config) { c.OSSRegion, c.OSSHosts = "cn-shanghai", []string{"Media.example.com"} }, []string{"media.example.com"}, "media.example.com"},
		"own domain has no twin": {func(c *Config) {
			c.OSSRegion, c.OSSInternal, c.OSSHosts = "cn-shanghai", true, []string{"media.example.com"}
		}, []string{"media.example.com"}, "media.example.com"},
		"own domain has no twin in a region": {func(c *Config) {
			c.OSSRegion, c.LocalRegion, c.OSSHosts = "cn-shanghai", "cn-shanghai", []string{"media.example.com"}
		}, []string{"media.example.com"}, "media.example.com"},
		"looks like the store":                {func(c *Config) { c.OSSInternal, c.OSSHosts = true, []string{given + ".example.com"} }, []string{given + ".example.com"}, given + ".example.com"},
		"twin":                                {func(c *Config) { c.OSSInternal = true }, []string{given}, internal},
		"twin, a refresh names another":       {func(c *Config) { c.OSSInternal = true }, []string{given, "oss-cn-beijing.aliyuncs.com"}, internal},
		"configured":                          {func(c *Config) { c.OSSEndpoint = "oss-accelerate.aliyuncs.com" }, []string{given}, "oss-accelerate.aliyuncs.com"},
		"configured without TLS, not locally": {func(c *Config) { c.OSSEndpoint = "http://oss-accelerate.aliyuncs.com" }, []string{given}, "oss-accelerate.aliyuncs.com"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			issued := 0
			var r *env
			var mu sync.Mutex
			seen := map[string]int{}
			watch := func(base http.RoundTripper) http.RoundTripper {
				return roundTripper(func(q *http.Request) (*http.Response, error) {
					if q.Header.Get("X-Oss-Security-Token") != "" || strings.Contains(q.URL.RawQuery, "security-token") {
						mu.Lock()
						seen[q.URL.Scheme+"://"+strings.TrimPrefix(q.URL.Host, r.StorageBucket()+".")]++
						mu.Unlock()
						// The fake knows a bucket by the names of the service.
						q = q.Clone(q.Context())
						q.URL.Host = r.StorageBucket() + "." + given
						q.Host = q.URL.Host
					}
					return base.RoundTrip(q)
				})
			}
			inParallel(t, func(t *testing.T, env *env) {
				r = env
				if tt.change != nil {
					cfg := r.cfg
					tt.change(&cfg)
					u, err := New(cfg)
					require.NoError(t, err)
					r.Uploader = u
				}
				r.wrap(func(base http.RoundTripper) http.RoundTripper { return watch(base) })
				r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 20, ExpiredToken: true})
				data := random(4000 * kib)
				res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
				require.NoError(t, err)
				r.stored(t, res, data)
				require.Equal(t, []string{"https://" + tt.host}, slices.Collect(maps.Keys(seen)))
				require.Equal(t, 43, seen["https://"+tt.host])
			}, mediatest.EncodeUpload(func(address, auth map[string]any) (string, string) {
				address["Endpoint"] = tt.given[min(issued, len(tt.given)-1)]
				issued++
				return mediatest.EncodeBase64(address), mediatest.EncodeBase64(auth)
			}))
		})
	}
}

// TestUpload_B47_NamesAreNotHosts: a bucket is a label of the host that the
// token goes to.
func TestUpload_B47_NamesAreNotHosts(t *testing.T) {
	t.Parallel()
	for _, bucket := range []string{"evil.example.com/", "evil.example.com#", "evil.example.com?", "me@evil.example.com", "evil.example.com:443"} {
		t.Run(bucket, func(t *testing.T) {
			t.Parallel()
			inParallel(t, func(t *testing.T, r *env) {
				r.via(func(http.RoundTripper, *http.Request) (*http.Response, error) {
					t.Error("a request was made")
					return nil, http.ErrNotSupported
				})
				res, err := r.Upload(ctx, bytesSource("movie.mp4", random(kib)), VODVideo{})
				failed(t, res, err)
				require.ErrorIs(t, err, ErrAddress)
			}, mediatest.EncodeUpload(func(address, auth map[string]any) (string, string) {
				address["Bucket"] = bucket
				return mediatest.EncodeBase64(address), mediatest.EncodeBase64(auth)
			}))
		})
	}
}
