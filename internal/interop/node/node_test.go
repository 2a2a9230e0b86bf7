// Package node runs clients that others wrote for Node.js against mediatest.
package node

import (
	"context"
	"encoding/pem"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

const bucket = "own"

// TestNode runs each *.test.js file against a server of its own.
func TestNode(t *testing.T) {
	t.Parallel()
	require.DirExists(t, "node_modules", `run "npm ci" in this folder first`)
	scripts, err := filepath.Glob("*.test.js")
	require.NoError(t, err)
	require.NotEmpty(t, scripts)
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(script, ".test.js"), func(t *testing.T) {
			t.Parallel()
			srv := mediatest.New(t)
			srv.CreateBucket(bucket)
			runScript(t, srv, script)
		})
	}
}

// runScript runs a file of tests of Node and shows what it wrote if it fails.
func runScript(t *testing.T, srv *mediatest.Server, script string) {
	t.Helper()
	keys := srv.Credentials()
	host, authority := behindTLS(t, srv)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "--test", "--test-reporter=spec", script)
	cmd.Env = append(os.Environ(),
		"MEDIATEST_URL="+srv.URL,
		"MEDIATEST_ACCESS_KEY_ID="+keys.AccessKeyId,
		"MEDIATEST_ACCESS_KEY_SECRET="+keys.AccessKeySecret,
		"MEDIATEST_BUCKET="+bucket,
		"MEDIATEST_ACCOUNT="+srv.Account().Id(),
		"MEDIATEST_TLS_HOST="+host,
		"NODE_EXTRA_CA_CERTS="+authority,
	)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", script, out)
	t.Logf("%s", out)
}

// behindTLS serves the server by TLS too, as clients that know nothing else need
// it, and returns the host and the file of the certificate.
func behindTLS(t *testing.T, srv *mediatest.Server) (host, authority string) {
	t.Helper()
	target, err := url.Parse(srv.URL)
	require.NoError(t, err)
	front := httptest.NewTLSServer(&httputil.ReverseProxy{
		Transport: srv.HTTPClient().Transport,
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
	})
	t.Cleanup(front.Close)
	authority = filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw})
	require.NoError(t, os.WriteFile(authority, block, 0o600))
	return front.Listener.Addr().String(), authority
}
