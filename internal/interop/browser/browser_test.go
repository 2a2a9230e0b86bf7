// Package browser runs what others wrote for browsers against mediatest, on a
// page in Chromium.
package browser

import (
	"context"
	"crypto/rand"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

// size is that of the uploaded file: four parts and a short one.
const size = 1<<20 + 12345

// TestRealHosts uploads as in production: the page, VOD and OSS have their real
// names and TLS, and Chromium finds them all at the front.
func TestRealHosts(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t, mediatest.EncodeUpload(endpoint("https://"+ossHost)))
	f := newFront(t, srv, application(t, srv))
	run(t, "upload.test.js",
		"INTEROP_APP=https://"+appHost,
		"INTEROP_FRONT="+f.address,
		"INTEROP_PIN="+f.pin,
		"INTEROP_FILE="+movie(t),
	)
	bucket := srv.StorageBucket() + "." + ossHost
	seen := f.requests()
	require.Positive(t, seen["OPTIONS "+bucket], "the bucket is of another origin: the browser asks first")
	require.Equal(t, 2, seen["GET "+vodHost], "the uploader calls VOD in STS mode")
	require.Equal(t, 4, srv.Calls("CompleteMultipartUpload"))
	require.Len(t, srv.Medias(), 5)
}

// TestLocalhost uploads as users' own tests do: with no more than mediatest and
// an endpoint that names localhost. The bucket is in the host name, which every
// browser finds on loopback.
func TestLocalhost(t *testing.T) {
	t.Parallel()
	var srv *mediatest.Server
	localhost := func() string { return strings.Replace(srv.URL, "127.0.0.1", "localhost", 1) }
	srv = mediatest.New(t, mediatest.EncodeUpload(func(address, auth map[string]any) (string, string) {
		return endpoint(localhost())(address, auth)
	}))
	srv.CreateBucket("own")
	app := httptest.NewServer(application(t, srv))
	t.Cleanup(app.Close)
	for _, script := range []string{"upload.test.js", "ali-oss.test.js"} {
		run(t, script,
			"INTEROP_APP="+app.URL,
			"INTEROP_OSS="+localhost(),
			"INTEROP_BUCKET=own",
			"INTEROP_FILE="+movie(t),
		)
	}
	require.Len(t, srv.Medias(), 3)
}

// endpoint makes the address of an upload name a host that browsers reach.
func endpoint(url string) func(address, auth map[string]any) (string, string) {
	return func(address, auth map[string]any) (string, string) {
		address["Endpoint"] = url
		return mediatest.EncodeBase64(address), mediatest.EncodeBase64(auth)
	}
}

func movie(t *testing.T) string {
	t.Helper()
	data := make([]byte, size)
	_, _ = rand.Read(data) // never fails
	path := filepath.Join(t.TempDir(), "holiday.mp4")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

// run runs a file of tests of Node, which drives Chromium, and shows what it
// wrote if it fails. Pictures of the pages go to $INTEROP_SCREENSHOTS.
func run(t *testing.T, script string, env ...string) {
	t.Helper()
	require.DirExists(t, "node_modules", `run "npm ci" in this folder first`)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "--test", "--test-reporter=spec", script)
	cmd.Env = append(append(os.Environ(), "INTEROP_CHROMIUM="+chromium(t)), env...)
	cmd.WaitDelay = 5 * time.Second // Chromium holds the pipes a little longer
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", script, out)
	t.Logf("%s", out)
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	require.FailNow(t, "Chromium is not installed; Debian's package is chromium")
	return ""
}
