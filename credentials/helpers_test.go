package credentials

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// The secrets of the tests. None may turn up in a text.
const (
	testId     = "LTAI5tExampleKeyId00"
	testSecret = "canary-secret-8f2e1c"
	testToken  = "canary-token/9d+7a=="
	testOIDC   = "canary-oidc.eyJhbGci.Zm9v"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "as-program" {
		program(os.Args[2])
		return
	}
	// A developer's own settings must not decide what the tests see.
	for _, setting := range os.Environ() {
		if name, _, _ := strings.Cut(setting, "="); strings.HasPrefix(name, "ALIBABA_CLOUD_") {
			_ = os.Unsetenv(name)
		}
	}
	goleak.VerifyTestMain(m)
}

// source is a Provider made of a function.
type source func(context.Context) (Credentials, error)

func (s source) Credentials(ctx context.Context) (Credentials, error) { return s(ctx) }

// transport responses requests without a socket.
type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) { return t(req) }

func (t transport) client() *http.Client { return &http.Client{Transport: t} }

// reply is a response of a server whose clock is right.
func reply(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status,
		Header:     http.Header{"Date": {time.Now().UTC().Format(http.TimeFormat)}},
		Body:       io.NopCloser(strings.NewReader(body)),
	}
}

// keysJSON is what the metadata service and credentials URIs answer.
func keysJSON(expires time.Time) string {
	return fmt.Sprintf(`{"Code":"Success","AccessKeyId":%q,"AccessKeySecret":%q,"SecurityToken":%q,"Expiration":%q,"LastUpdated":"2026-01-01T00:00:00Z"}`,
		testId, testSecret, testToken, expires.UTC().Format(time.RFC3339))
}

// stsJSON is what STS answers.
func stsJSON(id string, expires time.Time) string {
	return fmt.Sprintf(`{"RequestId":"11111111-AAAA-4444-8888-222222222222","AssumedRoleUser":{"Arn":"acs:ram::1:role/r/s"},`+
		`"Credentials":{"AccessKeyId":%q,"AccessKeySecret":%q,"SecurityToken":%q,"Expiration":%q}}`,
		id, testSecret, testToken, expires.UTC().Format(time.RFC3339))
}

func serve(t testing.TB, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

func writeFile(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// requireNoSecret fails when text holds one of the tests' secrets.
func requireNoSecret(t testing.TB, text string) {
	t.Helper()
	for _, secret := range []string{testSecret, testToken, testOIDC} {
		require.NotContains(t, text, secret)
		require.NotContains(t, text, escape(secret))
	}
}

// counted counts the calls of ask.
func counted(n *atomic.Int64, ask fetch) fetch {
	return func(ctx context.Context) (Credentials, error) {
		n.Add(1)
		return ask(ctx)
	}
}
