package rpc

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alibabacloud-go/tea/tea"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
)

func TestCall_B59_HostsComeFromATableOrTheUser(t *testing.T) {
	svc := Service{Product: "vod", Version: "2017-03-21", Hosts: map[string]string{
		"cn-shanghai": "vod.cn-shanghai.aliyuncs.com", "cn-hangzhou": "vod.cn-shanghai.aliyuncs.com", "cn-qingdao": "vod.aliyuncs.com",
	}, VPCHosts: map[string]string{"cn-shanghai": "vod-vpc.cn-shanghai.aliyuncs.com"}}
	keys := credentials.Static("a", "b", "")
	tests := []struct {
		name   string
		cfg    alimedia.Config
		want   string
		hasErr string
	}{
		{"regional", alimedia.Config{Region: "cn-shanghai"}, "https://vod.cn-shanghai.aliyuncs.com/", ""},
		{"central", alimedia.Config{Region: "cn-qingdao"}, "https://vod.aliyuncs.com/", ""},
		{"vpc", alimedia.Config{Region: "cn-shanghai", Network: alimedia.NetworkVPC}, "https://vod-vpc.cn-shanghai.aliyuncs.com/", ""},
		{"blanks around it", alimedia.Config{Region: " cn-shanghai\n"}, "https://vod.cn-shanghai.aliyuncs.com/", ""},
		{"served by another region's host", alimedia.Config{Region: "cn-hangzhou"}, "https://vod.cn-shanghai.aliyuncs.com/", ""},
		{"no host in a VPC", alimedia.Config{Region: "cn-qingdao", Network: alimedia.NetworkVPC}, "", `no endpoint inside a VPC is known in region "cn-qingdao" (they are in cn-shanghai): leave`},
		{"nor of the other region's host", alimedia.Config{Region: "cn-hangzhou", Network: alimedia.NetworkVPC}, "", "or set Config.Endpoint"},
		{"endpoint in a VPC", alimedia.Config{Region: "cn-qingdao", Network: alimedia.NetworkVPC, Endpoint: "vod-vpc.cn-qingdao.example.com"},
			"https://vod-vpc.cn-qingdao.example.com/", ""},
		{"region with a host in it", alimedia.Config{Region: "evil.com/x"}, "", "Config.Region"},
		{"region with a host in it, endpoint given", alimedia.Config{Region: "evil.com/x", Endpoint: "h"}, "", "Config.Region"},
		{"region in upper case", alimedia.Config{Region: "CN-SHANGHAI"}, "", "Config.Region"},
		{"endpoint with blanks around it", alimedia.Config{Endpoint: " h\t"}, "https://h/", ""},
		{"endpoint of blanks", alimedia.Config{Endpoint: "  ", Region: "cn-shanghai"}, "https://vod.cn-shanghai.aliyuncs.com/", ""},
		{"port that is none", alimedia.Config{Endpoint: "h:0"}, "", "Config.Endpoint"},
		{"explicit host", alimedia.Config{Region: "cn-shanghai", Endpoint: "proxy.example.com:8443"}, "https://proxy.example.com:8443/", ""},
		{"explicit http", alimedia.Config{Endpoint: "http://127.0.0.1:1234"}, "http://127.0.0.1:1234/", ""},
		{"misspelt", alimedia.Config{Region: "cn-shangai"}, "", `not known to be offered in region "cn-shangai" (it is in cn-shanghai): check`},
		{"none", alimedia.Config{}, "", "set Config.Region"},
		{"network", alimedia.Config{Region: "cn-shanghai", Network: "vpn"}, "", "Config.Network"},
		{"path", alimedia.Config{Endpoint: "https://h/x"}, "", "Config.Endpoint"},
		{"scheme", alimedia.Config{Endpoint: "ftp://h"}, "", "Config.Endpoint"},
		{"password in it", alimedia.Config{Endpoint: "https://u:p@h"}, "", "Config.Endpoint"},
	}
	t.Setenv("ALIBABA_CLOUD_REGION_ID", "")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.cfg.Credentials = keys
			c, err := New(svc, tt.cfg)
			if tt.hasErr != "" {
				require.ErrorContains(t, err, tt.hasErr)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, c.base.String())
		})
	}
	t.Setenv("ALIBABA_CLOUD_REGION_ID", "cn-shanghai")
	c, err := New(svc, alimedia.Config{Credentials: keys})
	require.NoError(t, err)
	require.Equal(t, "cn-shanghai", c.Region())
	t.Setenv("ALIBABA_CLOUD_REGION_ID", "cn-shanghai \n")
	c, err = New(svc, alimedia.Config{Credentials: keys, Region: " "})
	require.NoError(t, err)
	require.Equal(t, "cn-shanghai", c.Region())
}

func TestWith_BadSettingIsTheErrorOfTheCall(t *testing.T) {
	t.Parallel()
	c, s := scripted(t, ok())
	bad := c.With(func(cfg *alimedia.Config) { cfg.Region = "nowhere" })
	require.ErrorContains(t, bad.Do(context.Background(), readOp, nil, nil), "nowhere")
	require.NoError(t, c.Do(context.Background(), readOp, nil, nil))
	require.Len(t, s.seen, 1)
}

func TestDo_APIError(t *testing.T) {
	t.Parallel()
	c, _ := scripted(t, response(409, `{"RequestId":"R-9","HostId":"ice.cn-shanghai.aliyuncs.com","Code":"MediaAlreadyExist","Message":"exists","Recommend":"https://api.aliyun.com/x"}`))
	out, err := call(t, c, Op{Action: "RegisterMediaInfo"}, nil)
	require.Nil(t, out)
	var e *alimedia.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, alimedia.Error{Product: "ice", Action: "RegisterMediaInfo", Code: "MediaAlreadyExist", Message: "exists", RequestId: "R-9",
		HostId: "ice.cn-shanghai.aliyuncs.com", Recommend: "https://api.aliyun.com/x", StatusCode: 409}, *e)
	require.True(t, alimedia.IsAlreadyExists(err))
	require.EqualError(t, err, "alimedia: RegisterMediaInfo: MediaAlreadyExist (HTTP 409): exists [request id R-9]")
	var sdk *tea.SDKError
	require.ErrorAs(t, err, &sdk)
	require.Equal(t, "MediaAlreadyExist", *sdk.Code)
	require.Equal(t, 409, *sdk.StatusCode)
}

func TestDo_B60_BodiesThatAreNotTheEnvelope(t *testing.T) {
	t.Parallel()
	page := "<html>\n<head><title>\n502 Bad &amp; Gateway</title></head><body>private" + strings.Repeat("ü", 4000) + "</body></html>"
	tests := map[string]struct {
		status     int
		kind, body string
		want       string
	}{
		"HTML 404":         {404, "text/html; charset=utf-8", page, `unexpected response (HTTP 404): the response is no document of the service: text/html, 8084 bytes, titled "502 Bad & Gateway" [`},
		"HTML with 200":    {200, "", "<html>private</html>", "unexpected response (HTTP 200): the response is no document of the service: text/html, 20 bytes ["},
		"empty 403":        {403, "", "", "unexpected response (HTTP 403): the response has no body ["},
		"empty 200":        {200, "", "", "unexpected response (HTTP 200): the response has no body ["},
		"JSON of others":   {400, "application/json", `{"error":"private"}`, "no document of the service: application/json, 19 bytes ["},
		"list with 200":    {200, "application/json", `["private"]`, "the response is a JSON list and not an object ["},
		"text with 200":    {200, "application/json", `"private"`, "the response is a JSON string and not an object ["},
		"null with 200":    {200, "", "null", "no document of the service: text/plain, 4 bytes ["},
		"words with 200":   {200, "nonsense/", "private words", "no document of the service: text/plain, 13 bytes ["},
		"redirect":         {302, "", "", "unexpected response (HTTP 302)"},
		"broken envelope":  {400, "", `{"Code":"X","Message":"cut o`, "X (HTTP 400): cut o ["},
		"numbers as codes": {400, "", `{"Code":403,"Message":7}`, "403 (HTTP 400): 7 ["},
		"half a response":  {200, "", `{"MediaId":"private`, "the response is not JSON: syntax error at byte 19 ["},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := response(tt.status, tt.body)
			st.header = map[string]string{"x-acs-request-id": "R-H", "Location": "https://elsewhere.example", "Content-Type": tt.kind}
			c, s := scripted(t, st)
			_, err := call(t, c, unsafeOp, nil)
			var e *alimedia.Error
			require.ErrorAs(t, err, &e)
			require.ErrorContains(t, err, tt.want)
			require.Equal(t, "R-H", e.RequestId)
			require.NotContains(t, err.Error(), "private")
			require.Len(t, s.seen, 1, "redirects are not followed")
		})
	}
}

func TestDo_ResponseSizeIsCapped(t *testing.T) {
	t.Parallel()
	c, _ := scripted(t, response(200, `{"MediaId":"`+strings.Repeat("x", 2000)+`"}`))
	c = c.With(func(cfg *alimedia.Config) { cfg.MaxResponseBytes = 1000 })
	_, err := call(t, c, readOp, nil)
	require.ErrorContains(t, err, "larger than Config.MaxResponseBytes (1000 bytes)")
	require.True(t, alimedia.HasCode(err, "ResponseTooLarge"))
}

func TestDo_TransportErrorHasNoURL(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }))
	defer server.Close()
	c, err := New(testService, alimedia.Config{Endpoint: server.URL, Credentials: credentials.Static("LTAI", "very-secret", "the-token"),
		HTTPClient: server.Client(), Retry: alimedia.Retry{MaxAttempts: 1}})
	require.NoError(t, err)
	err = c.Do(context.Background(), unsafeOp, map[string]string{"Title": "private-title"}, nil)
	require.ErrorIs(t, err, io.EOF)
	require.ErrorContains(t, err, "alimedia: CreateUploadMedia: 127.0.0.1")
	for _, hidden := range []string{"private-title", "very-secret", "the-token", "http://"} {
		require.NotContains(t, err.Error(), hidden)
	}
}

func TestDo_CancelledContextIsInTheChain(t *testing.T) {
	t.Parallel()
	c, _ := scripted(t, ok())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, c.Do(ctx, readOp, nil, nil), context.Canceled)
}

func TestDo_CredentialsFailure(t *testing.T) {
	t.Parallel()
	c, s := scripted(t, ok())
	cause := errors.New("no keys here")
	c = c.With(func(cfg *alimedia.Config) { cfg.Credentials = broken{cause} })
	err := c.Do(context.Background(), readOp, nil, nil)
	require.ErrorIs(t, err, cause)
	require.EqualError(t, err, "alimedia: GetMediaInfo: credentials: rpc.broken: no keys here")
	require.Empty(t, s.seen)
}

func TestDo_RateLimitPacesEveryAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, s := scripted(t, ok(), failure(400, "SignatureNonceUsed"), ok())
		c = c.With(func(cfg *alimedia.Config) {
			cfg.RateLimit = alimedia.NewRateLimit(map[string]float64{"GetMediaInfo": 0.5})
		})
		start := time.Now()
		for range 2 {
			require.NoError(t, c.Do(t.Context(), readOp, nil, nil))
		}
		require.Len(t, s.seen, 3)
		require.Equal(t, 4*time.Second, time.Since(start).Round(time.Millisecond))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := c.Do(ctx, readOp, nil, nil)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "alimedia: GetMediaInfo: waiting for the rate limit")
	})
}

type broken struct{ error }

func (b broken) Credentials(context.Context) (credentials.Credentials, error) {
	return credentials.Credentials{}, b.error
}

func TestDo_SignatureMismatchNamesTheLine(t *testing.T) {
	t.Parallel()
	canonical := "POST\n/\nInputURL=oss%3A%2F%2Fb%2Fk\nhost:ice.cn-shanghai.aliyuncs.com\nx-acs-action:RegisterMediaStream\n" +
		"x-acs-security-token:the-token\nx-acs-version:2020-11-09\n"
	body := func(text string) step {
		return response(400, `{"Code":"SignatureDoesNotMatch","Message":"Specified signature does not match our calculation. server string to sign is:`+
			strings.ReplaceAll(text, "\n", `\n`)+`","RequestId":"R"}`)
	}
	c, _ := scripted(t, body(strings.Replace(canonical, "b%2Fk", "b%252Fk", 1)))
	c = c.With(func(cfg *alimedia.Config) { cfg.Credentials = credentials.Static("LTAI", "very-secret", "the-token") })
	_, err := call(t, c, Op{Action: "RegisterMediaStream"}, map[string]string{"InputURL": "oss://b/k"})
	require.ErrorContains(t, err, "signed another query than we did")
	require.NotContains(t, err.Error(), "the-token")
	require.NotContains(t, err.Error(), "b%252Fk")
}

func TestDo_RequestOfAnErrorNamesWhatToDo(t *testing.T) {
	t.Parallel()
	c, _ := scripted(t, failure(403, "Forbidden.RAM"), failure(404, "InvalidApi.NotFound"))
	_, err := call(t, c, Op{Action: "RegisterMediaStream"}, nil)
	require.True(t, alimedia.IsAccessDenied(err))
	require.ErrorContains(t, err, "RAM action ice:RegisterMediaStream")
	_, err = call(t, c, Op{Action: "RegisterMediaStream"}, nil)
	require.ErrorContains(t, err, "ice.cn-shanghai.aliyuncs.com")
	require.False(t, alimedia.IsNotFound(err))
}

func TestDo_SecretsEchoedByTheServiceAreRedacted(t *testing.T) {
	t.Parallel()
	c, _ := scripted(t, response(400, `{"Code":"X","Message":"your token the-token and very-secret"}`), response(500, "trace: the-token"))
	c = c.With(func(cfg *alimedia.Config) { cfg.Credentials = credentials.Static("LTAI", "very-secret", "the-token") })
	for range 2 {
		_, err := call(t, c, unsafeOp, nil)
		require.NotContains(t, err.Error(), "the-token")
		require.NotContains(t, err.Error(), "very-secret")
	}
}

func TestDo_LogsOneRecordPerAttemptWithoutParameters(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	c, _ := scripted(t, failure(400, "Throttling.User"), ok())
	c = c.With(func(cfg *alimedia.Config) {
		cfg.Logger = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
		cfg.Retry.BaseDelay = 1
	})
	_, err := call(t, c, Op{Action: "RegisterMediaStream"}, map[string]string{"UserData": "private"})
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(logged.String()), "\n")
	require.Len(t, lines, 2)
	require.Contains(t, lines[0], "action=RegisterMediaStream region=cn-shanghai status=400 attempt=1")
	require.Contains(t, lines[0], "code=Throttling.User")
	require.Contains(t, lines[1], "attempt=2")
	for _, hidden := range []string{"private", "very-secret", "Signature", "LTAI"} {
		require.NotContains(t, logged.String(), hidden)
	}
}
