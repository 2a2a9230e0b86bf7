package credentials

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestURI(t *testing.T) {
	t.Parallel()
	expires := time.Now().Add(time.Hour).Truncate(time.Second).UTC()
	temporary := Credentials{AccessKeyId: testId, AccessKeySecret: testSecret, SecurityToken: testToken, Expires: expires, Source: "URI"}
	tests := map[string]struct {
		response http.HandlerFunc
		path     string
		want     Credentials
		err      string
	}{
		"temporary":    {answering(keysJSON(expires)), "", temporary, ""},
		"without Code": {answering(strings.Replace(keysJSON(expires), `"Code":"Success",`, "", 1)), "", temporary, ""},
		"long-lived": {
			answering(`{"AccessKeyId":"` + testId + `","AccessKeySecret":"` + testSecret + `"}`), "",
			Credentials{AccessKeyId: testId, AccessKeySecret: testSecret, Source: "URI"}, "",
		},
		"refused": {
			status(http.StatusForbidden, `{"Code":"Denied","Message":"bad key `+testOIDC+` in ?key=`+testOIDC+`","RequestId":"R-4"}`), "/?key=" + testOIDC,
			Credentials{}, "credentials: URI: refused with code Denied (HTTP 403): bad key *** in ?*** [request id R-4]",
		},
		"failure with status 200": {
			answering(`{"Code":"Failed","Message":"no keys","AccessKeySecret":"` + testSecret + `"}`), "",
			Credentials{}, "credentials: URI: refused with code Failed (HTTP 200): no keys",
		},
		"no JSON": {answering(testSecret), "", Credentials{}, "the response is not the JSON document it should be"},
		"nothing": {answering(""), "", Credentials{}, "the response is not the JSON document it should be"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.0.1/", http.StatusFound)
		}, "", Credentials{}, "refused (HTTP 302)"},
		"too long": {answering(strings.Repeat("x", maxResponse+1)), "", Credentials{}, "the response is longer than 64 KiB"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, tt.response)
			c, err := URI(server.URL+tt.path, URIOptions{}).Credentials(t.Context())
			require.Equal(t, tt.want, c)
			if tt.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.err)
			requireNoSecret(t, err.Error())
		})
	}
}

func TestURI_NoErrorQuotesTheURI(t *testing.T) {
	t.Parallel()
	for _, uri := range []string{
		"file:///" + testSecret, testSecret, "http:///" + testSecret, "http://" + testSecret + "\x7f/", "http://%zz" + testSecret,
		"http://user:" + testSecret + "@127.0.0.1:1/?key=" + testOIDC, // refuses connections
	} {
		_, err := URI(uri, URIOptions{}).Credentials(t.Context())
		require.Error(t, err)
		requireNoSecret(t, err.Error())
	}
}

func TestURI_Environment(t *testing.T) {
	_, err := URI("", URIOptions{}).Credentials(t.Context())
	require.EqualError(t, err, "credentials: URI: set ALIBABA_CLOUD_CREDENTIALS_URI, or give the URI")

	server := serve(t, answering(keysJSON(time.Now().Add(time.Hour))))
	t.Setenv("ALIBABA_CLOUD_CREDENTIALS_URI", server.URL)
	_, err = URI("", URIOptions{}).Credentials(t.Context())
	require.NoError(t, err)
}

func TestURI_RefreshesInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		client := transport(func(*http.Request) (*http.Response, error) {
			asked++
			return reply(http.StatusOK, keysJSON(time.Now().Add(time.Hour))), nil
		}).client()
		p := URI("http://127.0.0.1/keys", URIOptions{HTTPClient: client})
		for range 10 * 60 {
			c, err := p.Credentials(t.Context())
			require.NoError(t, err)
			require.Greater(t, time.Until(c.Expires), margin)
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		require.InDelta(t, 11, asked, 1)
	})
}
