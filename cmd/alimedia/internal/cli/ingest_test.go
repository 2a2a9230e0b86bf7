package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/ingest"
	"github.com/alimedia/alimedia-go/mediatest"
)

// ingestEnv is a machine with a queue, in front of the simulator.
type ingestEnv struct {
	*mediatest.Server
	dir string
	env map[string]string
}

func newIngestEnv(t *testing.T) *ingestEnv {
	t.Helper()
	e := &ingestEnv{Server: mediatest.New(t), dir: t.TempDir()}
	keys := e.Credentials()
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", keys.AccessKeyId)
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", string(keys.AccessKeySecret))
	e.env = map[string]string{"ALIMEDIA_STATE_DIR": filepath.Join(e.dir, "state"), "HOME": e.dir}
	s, err := ingest.Serve(ingest.ServerConfig{Dir: filepath.Join(e.dir, "state", "ingest"), Listen: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return e
}

// run runs a command line of ingest.
func (e *ingestEnv) run(input string, args ...string) (code int, out, errs string) {
	var o, x bytes.Buffer
	a := newApp(strings.NewReader(input), &o, &x, func(name string) string { return e.env[name] })
	code = a.run(append([]string{"--endpoint", e.URL, "--region", "cn-shanghai", "ingest"}, args...))
	return code, o.String(), x.String()
}

// TestIngest_Commands uses the queue as an operator does.
func TestIngest_Commands(t *testing.T) {
	e := newIngestEnv(t)
	movies := filepath.Join(e.dir, "movies")
	require.NoError(t, os.MkdirAll(movies, 0o700))
	for i := range 5 {
		require.NoError(t, os.WriteFile(filepath.Join(movies, fmt.Sprintf("%d.mp4", i)), []byte("movie"), 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(movies, "empty.mp4"), nil, 0o600))
	for i := range 12 {
		e.PutObject("own-bucket", fmt.Sprintf("in/%02d.mp4", i), []byte("movie"))
	}

	code, out, errs := e.run("", "submit", movies, "--tags", "a,b")
	require.Zero(t, code, errs)
	require.Equal(t, movies+": 6 queued, 0 in the queue before, 0 done before, 0 dead, 0 not valid\n", out)
	code, out, errs = e.run("", "submit", "oss://own-bucket/in/", "--target", "register-vod", "--template-group", "none", "--json")
	require.Zero(t, code, errs)
	require.JSONEq(t, `{"source":"oss://own-bucket/in/","submission":{"queued":12,"waiting":0,"done":0,"dead":0,"invalid":0}}`, out)
	code, out, errs = e.run("https://me:hunter2222@example.com/a.mp4\nhttps://example.com/b.mp4?token=hunter2222\n", "submit", "-", "--target", "ice")
	require.Equal(t, exitPartial, code)
	require.Contains(t, out, "-: 0 queued, 0 in the queue before, 0 done before, 0 dead, 2 not valid")
	require.Contains(t, errs, "https://example.com/a.mp4: invalid job: the URL contains a credential")
	require.NotContains(t, out+errs, "hunter2222")

	code, out, errs = e.run("", "status")
	require.Zero(t, code, errs)
	require.Equal(t, "ingest: 18 waiting, 0 running, 0 finished, 0 dead\n", out)
	code, _, errs = e.run("", "work", "--root", movies, "--bucket", "own-bucket", "--idle", "1s")
	require.Zero(t, code, errs)
	require.Len(t, e.Medias(), 17)
	require.Equal(t, 2, e.Calls("RegisterMedia"))
	tagged := 0
	for _, m := range e.Medias() {
		if m.Params.Get("Tags") == "a,b" {
			tagged++
		}
	}
	require.Equal(t, 5, tagged)

	code, out, errs = e.run("", "status", "--json")
	require.Zero(t, code, errs)
	var status ingest.Status
	require.NoError(t, json.Unmarshal([]byte(out), &status))
	require.EqualValues(t, 17, status.Finished)
	require.EqualValues(t, 1, status.Dead)
	code, out, errs = e.run("", "dead")
	require.Zero(t, code, errs)
	require.Contains(t, out, "Empty")
	require.Contains(t, out, "the source is empty")
	code, out, errs = e.run("", "report")
	require.Zero(t, code, errs)
	require.Equal(t, 18, strings.Count(out, "\n"))
	for line := range strings.Lines(out) {
		var r ingest.Record
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		require.NotEmpty(t, r.Key)
	}
	require.Contains(t, errs, "1 dead      0 waiting  Empty: ")
	code, out, _ = e.run("", "report", "--summary")
	require.Zero(t, code)
	require.Contains(t, out, "done     17\n")

	require.NoError(t, os.WriteFile(filepath.Join(movies, "empty.mp4"), []byte("movie"), 0o600))
	code, _, errs = e.run("", "requeue")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "say which")
	code, _, _ = e.run("", "requeue", "--code", "Nothing")
	require.Equal(t, exitNotFound, code)
	code, out, errs = e.run("", "requeue", "--code", "Empty")
	require.Zero(t, code, errs)
	require.Equal(t, "1 requeued\n", out)
	code, _, errs = e.run("", "work", "--root", movies, "--idle", "1s")
	require.Zero(t, code, errs)
	require.Len(t, e.Medias(), 18)
	code, out, _ = e.run("", "submit", "oss://own-bucket/in/", "--target", "register-vod", "--template-group", "none")
	require.Zero(t, code)
	require.Contains(t, out, "0 queued, 0 in the queue before, 12 done before")
	code, _, errs = e.run("", "discard", "--all")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "--yes")
}

// TestIngest_Usage: what is wrong is said before anything is sent.
func TestIngest_Usage(t *testing.T) {
	e := newIngestEnv(t)
	for _, args := range [][]string{
		{"submit"}, {"submit", e.dir, "--target", "x"}, {"submit", e.dir, "--target", "stream"}, {"submit", e.dir, "--definition", "HD"},
		{"submit", e.dir, "--target", "register-vod"}, {"submit", e.dir, "--category", "x"}, {"submit", e.dir, "--user-data", "x"},
		{"submit", "oss://UPPER/x", "--target", "register-vod"}, {"serve", "--listen", "0.0.0.0:0"}, {"status", "--nats-token-file", "/dev/null"},
		{"serve", "--tls-cert", "missing.pem"}, {"requeue"},
	} {
		code, out, errs := e.run("", args...)
		require.Equal(t, exitUsage, code, "%v: %s", args, errs)
		require.Empty(t, out)
	}
	delete(e.env, "ALIMEDIA_STATE_DIR")
	code, _, errs := e.run("", "status")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "alimedia ingest serve")
	code, _, errs = e.run("", "status", "--nats", "nats://me:hunter2222@127.0.0.1:1")
	require.Equal(t, exitUnavailable, code)
	require.NotContains(t, errs, "hunter2222")
}
