package mediatest_test

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
)

// The vectors of the documentation: the page shows Test123 and was computed
// with test123.
func TestCallback_Signed(t *testing.T) {
	t.Parallel()
	for key, want := range map[alimedia.Secret]string{
		"Test123": "c587b80d2d0ede300e8967937da7219b",
		"test123": "c72b60894140fa98920f1279219b7ed4",
	} {
		for service, header := range map[string]string{"vod": "X-Vod-", "ice": "X-Ice-"} {
			c := mediatest.Callback{Service: service, URL: "https://www.example.com/your/callback", Body: `{"a":1}`, Time: time.Unix(1519375990, 0)}
			req, err := c.Request()
			require.NoError(t, err)
			require.Equal(t, http.Header{"Content-Type": {"application/json"}}, req.Header, "not signed without a key")

			c.AuthKey = key
			req, err = c.Request()
			require.NoError(t, err)
			require.Equal(t, http.MethodPost, req.Method)
			require.Equal(t, c.URL, req.URL.String())
			require.Equal(t, []string{"1519375990"}, req.Header[header+"Timestamp"])
			require.Equal(t, []string{want}, req.Header[header+"Signature"])
			body, err := io.ReadAll(req.Body)
			require.NoError(t, err)
			require.Equal(t, c.Body, string(body))
			require.NotContains(t, fmt.Sprintf("%+v", c), string(key))
		}
	}
}

func TestCallback_SentNow(t *testing.T) {
	t.Parallel()
	before := time.Now().Unix()
	req, err := mediatest.Callback{Service: "vod", URL: "https://example.com", AuthKey: "k"}.Request()
	require.NoError(t, err)
	sent, err := strconv.ParseInt(req.Header.Get("X-VOD-TIMESTAMP"), 10, 64)
	require.NoError(t, err)
	require.GreaterOrEqual(t, sent, before)
	require.LessOrEqual(t, sent, time.Now().Unix())
}

func TestCallback_Refuses(t *testing.T) {
	t.Parallel()
	_, err := mediatest.Callback{Service: "live", URL: "https://example.com"}.Request()
	require.ErrorContains(t, err, "Callback.Service")
	_, err = mediatest.Callback{Service: "vod", URL: "https://example.com/%zz"}.Request()
	require.ErrorContains(t, err, "Callback.URL")
}
