package mediatest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/playurl"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

const playKey = "aliyuncdnexp1234"

// fetch returns status, body and reason.
func fetch(t *testing.T, srv *mediatest.Server, url string, header ...string) (int, string, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := srv.HTTPClient().Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(body), resp.Header.Get("X-Tengine-Error")
}

func TestPlayDomain_ServesWhatIsSigned(t *testing.T) {
	t.Parallel()
	for _, typ := range []playurl.Type{playurl.A, playurl.B, playurl.C, playurl.CQuery} {
		for _, memory := range []bool{false, true} {
			t.Run(fmt.Sprint(typ, memory), func(t *testing.T) {
				t.Parallel()
				opts := []mediatest.Option{mediatest.PlayDomain("play.localhost", mediatest.URLSigning{Type: string(typ)[:1], Key: "newkey1234567890", Old: playKey, TTL: time.Hour})}
				if memory {
					opts = append(opts, mediatest.InMemory())
				}
				srv := mediatest.New(t, opts...)
				const key = "films/片头 100%+a=b.mp4"
				srv.PutObject("films", key, []byte("the film"))
				for _, secret := range []alimedia.Secret{playKey, "newkey1234567890"} {
					signer, err := playurl.New(playurl.Config{Type: typ, Keys: []alimedia.Secret{secret}, TTL: time.Hour})
					require.NoError(t, err)
					base := strings.TrimSuffix(srv.PlayURL(""), "/")
					signed, err := signer.SignObject(base, key)
					require.NoError(t, err)
					status, body, _ := fetch(t, srv, signed)
					require.Equal(t, 200, status)
					require.Equal(t, "the film", body)
					status, body, _ = fetch(t, srv, signed, "Range: bytes=4-7")
					require.Equal(t, 206, status)
					require.Equal(t, "film", body)

					status, _, reason := fetch(t, srv, srv.PlayURL(key))
					require.Equal(t, 403, status)
					want := "invalid signature"
					if typ == playurl.A {
						want = "no url arg auth_key"
					}
					require.Equal(t, "denied by req auth: "+want, reason)
					other, err := playurl.New(playurl.Config{Type: typ, Keys: []alimedia.Secret{"keythatnobodyhas"}})
					require.NoError(t, err)
					forged, err := other.SignObject(base, key)
					require.NoError(t, err)
					status, body, reason = fetch(t, srv, forged)
					require.Equal(t, 403, status)
					require.Empty(t, body)
					require.Equal(t, "denied by req auth: invalid md5hash", reason)
					missing, err := signer.SignObject(base, "missing.mp4")
					require.NoError(t, err)
					status, _, _ = fetch(t, srv, missing)
					require.Equal(t, 404, status)
				}
				signer, err := playurl.New(playurl.Config{Type: typ, Keys: []alimedia.Secret{playKey}, TTL: time.Hour})
				require.NoError(t, err)
				signed, err := signer.Sign(srv.PlayURL(key))
				require.NoError(t, err)
				srv.Clock().Advance(time.Hour - 2*time.Minute)
				status, _, _ := fetch(t, srv, signed)
				require.Equal(t, 200, status)
				srv.Clock().Advance(2*time.Minute + time.Second)
				status, _, reason := fetch(t, srv, signed)
				require.Equal(t, 403, status)
				require.Equal(t, "denied by req auth: expired timestamp", reason)
				require.Equal(t, 403, srv.Requests()[len(srv.Requests())-1].Status)
			})
		}
	}
}

func TestPlayDomain_WithoutSigning(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t, mediatest.PlayDomain("play.localhost", mediatest.URLSigning{}))
	srv.PutObject("films", "a.mp4", []byte("the film"))
	status, body, _ := fetch(t, srv, srv.PlayURL("a.mp4"))
	require.Equal(t, 200, status)
	require.Equal(t, "the film", body)
	resp, err := srv.HTTPClient().Post(srv.PlayURL("a.mp4"), "text/plain", strings.NewReader("x"))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 405, resp.StatusCode)
	require.Empty(t, mediatest.New(t).PlayURL("a.mp4"))
}

// GetPlayInfo signs by itself, and the URL plays until AuthTimeout.
func TestPlayDomain_GetPlayInfo(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t, mediatest.PlayDomain("play.localhost", mediatest.URLSigning{Key: playKey}))
	video, err := vod.New(srv.Config())
	require.NoError(t, err)
	up, err := upload.New(upload.Config{VOD: video})
	require.NoError(t, err)
	res, err := up.Upload(t.Context(), upload.Reader("film.mp4", strings.NewReader("the film"), 8), upload.VODVideo{Title: "Launch", TemplateGroupId: vod.NoTranscode})
	require.NoError(t, err)
	out, err := video.GetPlayInfo(t.Context(), vod.GetPlayInfoRequest{VideoId: res.MediaId, AuthTimeout: 7200, ReAuthInfo: vod.ReAuthInfo{Uid: "42", Rand: "7"}})
	require.NoError(t, err)
	signed := out.PlayInfoList.PlayInfo[0].PlayURL
	status, body, _ := fetch(t, srv, signed)
	require.Equal(t, 200, status)
	require.Equal(t, "the film", body)
	signer, err := playurl.New(playurl.Config{Type: playurl.A, Keys: []alimedia.Secret{playKey}})
	require.NoError(t, err)
	v, err := signer.Verify(signed)
	require.NoError(t, err)
	require.Equal(t, "42", v.UserId)
	require.Equal(t, "7", v.Random)
	require.WithinDuration(t, time.Now().Add(2*time.Hour), v.Expires, 5*time.Second)
	srv.Clock().Advance(2*time.Hour + time.Second)
	status, _, _ = fetch(t, srv, signed)
	require.Equal(t, 403, status)
}

// Faults reach the CDN, too.
func TestPlayDomain_Fault(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t, mediatest.PlayDomain("play.localhost", mediatest.URLSigning{}))
	srv.PutObject("films", "a.mp4", []byte("the film"))
	srv.Fault(mediatest.Fault{Operation: "Play", Status: 504, Code: "GatewayTimeout"})
	status, _, reason := fetch(t, srv, srv.PlayURL("a.mp4"))
	require.Equal(t, 504, status)
	require.Equal(t, "GatewayTimeout", reason)
	require.Equal(t, 1, srv.Calls("Play"))
}
