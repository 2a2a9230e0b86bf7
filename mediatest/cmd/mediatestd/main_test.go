package main_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

// binary is the command as users have it.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "mediatestd-*")
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "mediatestd.exe")
	out, err := exec.Command("go", "build", "-o", name, ".").CombinedOutput()
	if err != nil {
		_, _ = os.Stderr.Write(out)
	}
	return name, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if name, err := binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(name))
	}
	os.Exit(code)
}

func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	name, err := binary()
	require.NoError(t, err)
	return exec.CommandContext(t.Context(), name, args...)
}

// daemon is a running mediatestd.
type daemon struct {
	cmd    *exec.Cmd
	env    map[string]string
	stderr *bytes.Buffer
}

var export = regexp.MustCompile(`^export ([A-Z_]+)=(\S+)$`)

func start(t *testing.T, args ...string) *daemon {
	t.Helper()
	d := &daemon{cmd: command(t, append([]string{"-addr", "127.0.0.1:0"}, args...)...), env: map[string]string{}, stderr: new(bytes.Buffer)}
	d.cmd.Stderr = d.stderr
	out, err := d.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, d.cmd.Start())
	t.Cleanup(func() { _ = d.cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	for d.env["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] == "" {
		require.True(t, lines.Scan(), "it ended: %s", d.stderr)
		if m := export.FindStringSubmatch(lines.Text()); m != nil {
			d.env[m[1]] = m[2]
		} else {
			require.True(t, strings.HasPrefix(lines.Text(), "# "), lines.Text())
		}
	}
	return d
}

func (d *daemon) config() alimedia.Config {
	return alimedia.Config{
		Region: d.env["ALIBABA_CLOUD_REGION_ID"], Endpoint: d.env["MEDIATEST_URL"],
		Credentials: credentials.Static(d.env["ALIBABA_CLOUD_ACCESS_KEY_ID"], d.env["ALIBABA_CLOUD_ACCESS_KEY_SECRET"], ""),
	}
}

// ask makes a request of the control API.
func (d *daemon) ask(t *testing.T, method, path, body string) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, d.env["MEDIATEST_URL"]+path, strings.NewReader(body))
	require.NoError(t, err)
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	var answer map[string]any
	require.NoError(t, json.Unmarshal(text, &answer), "%s", text)
	return resp.StatusCode, answer
}

// end sends a signal and returns the exit code.
func (d *daemon) end(t *testing.T, signal os.Signal) int {
	t.Helper()
	require.NoError(t, d.cmd.Process.Signal(signal))
	done := make(chan struct{})
	go func() { _ = d.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("it does not end")
	}
	return d.cmd.ProcessState.ExitCode()
}

func TestMediatestd_ServesClientsAndControl(t *testing.T) {
	t.Parallel()
	d := start(t, "-processing", "1h", "-memory", "100", "-log", "-region", "cn-beijing", "-access-key-id", "mine", "-access-key-secret", "own-secret")
	require.Equal(t, "cn-beijing", d.env["ALIBABA_CLOUD_REGION_ID"])
	require.Equal(t, "mine", d.env["ALIBABA_CLOUD_ACCESS_KEY_ID"])
	ctx := t.Context()
	video, err := vod.New(d.config())
	require.NoError(t, err)
	up, err := upload.New(upload.Config{VOD: video})
	require.NoError(t, err)

	status, _ := d.ask(t, http.MethodPost, "/_mediatest/faults", `{"Operation": "PutObject", "Status": 503, "Code": "ServiceUnavailable"}`)
	require.Equal(t, http.StatusOK, status)
	data := strings.Repeat("movie", 1000)
	res, err := up.Upload(ctx, upload.Reader("movie.mp4", strings.NewReader(data), int64(len(data))), upload.VODVideo{Title: "Launch"})
	require.NoError(t, err)
	info, err := video.GetVideoInfo(ctx, vod.GetVideoInfoRequest{VideoId: res.MediaId})
	require.NoError(t, err)
	require.Equal(t, "Transcoding", info.Video.Status)

	status, clock := d.ask(t, http.MethodPost, "/_mediatest/clock", `{"Advance": "2h"}`)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "2h0m0s", clock["Ahead"])
	info, err = video.GetVideoInfo(ctx, vod.GetVideoInfoRequest{VideoId: res.MediaId})
	require.NoError(t, err)
	require.Equal(t, "Normal", info.Video.Status)

	_, state := d.ask(t, http.MethodGet, "/_mediatest/state", "")
	media := state["Medias"].([]any)[0].(map[string]any)
	require.Equal(t, "Launch", media["Title"])
	require.Equal(t, res.MediaId, media["MediaId"])
	require.EqualValues(t, len(data), state["FileBytes"])
	require.NotContains(t, mustJSON(t, state), "own-secret")

	_, user := d.ask(t, http.MethodPost, "/_mediatest/users", `{"Policy": {"Statement": [{"Effect": "Allow", "Action": "vod:Get*"}]}}`)
	cfg := d.config()
	cfg.Credentials = credentials.Static(user["AccessKeyId"].(string), user["AccessKeySecret"].(string), "")
	reader, err := vod.New(cfg)
	require.NoError(t, err)
	_, err = reader.GetVideoInfo(ctx, vod.GetVideoInfoRequest{VideoId: res.MediaId})
	require.NoError(t, err)
	_, err = reader.DeleteVideo(ctx, vod.DeleteVideoRequest{VideoIds: []string{res.MediaId}})
	require.True(t, alimedia.HasCode(err, "NoPermission"), "%v", err)

	// A request that waits for ever does not keep the process.
	d.ask(t, http.MethodPost, "/_mediatest/faults", `{"Operation": "GetVideoList", "Delay": "forever"}`)
	go func() { _, _ = video.GetVideoList(ctx, vod.GetVideoListRequest{}) }()
	require.Eventually(t, func() bool {
		_, s := d.ask(t, http.MethodGet, "/_mediatest/faults", "")
		for _, f := range s["Faults"].([]any) {
			if f.(map[string]any)["Seen"] == 1.0 && f.(map[string]any)["Operation"] == "GetVideoList" {
				return true
			}
		}
		return false
	}, 10*time.Second, 5*time.Millisecond)
	require.Zero(t, d.end(t, syscall.SIGTERM))
	require.Contains(t, d.stderr.String(), "PutObject 503 ServiceUnavailable\n")
	require.NotContains(t, d.stderr.String(), "own-secret")
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

func TestMediatestd_EndsBySIGINT(t *testing.T) {
	t.Parallel()
	d := start(t, "-strict", "-quirks", "-throttle", "-discard", "-callbacks", "off")
	require.Equal(t, "mediatest", d.env["ALIBABA_CLOUD_ACCESS_KEY_ID"])
	require.Zero(t, d.end(t, os.Interrupt))
}

func TestMediatestd_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"-addr", taken.Addr().String()}, 1, taken.Addr().String() + " is in use: stop what listens there, or choose another address with -addr"},
		{[]string{"-addr", "127.0.0.1:99999"}, 1, "cannot listen"},
		{[]string{"-bogus"}, 2, "flag provided but not defined: -bogus"},
		{[]string{"extra"}, 2, `unexpected argument "extra"`},
		{[]string{"-region", "$(id)"}, 2, "a region ID has"},
		{[]string{"-access-key-secret", "a b"}, 2, "the AccessKey has other characters"},
		{[]string{"-callbacks", "some"}, 2, "neither local nor all nor off"},
		{[]string{"-credential-life", "0s"}, 2, "-credential-life must be more than zero"},
		{[]string{"-upload-endpoint", "localhost:8620"}, 2, "no URL such as http://localhost:8620"},
		{[]string{"-processing", "-1s"}, 2, "-processing is negative"},
		{[]string{"-memory", "-1"}, 2, "-memory is negative"},
	} {
		cmd := command(t, c.args...)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit, c.args)
		require.Equal(t, c.code, exit.ExitCode(), c.args)
		require.Contains(t, stderr.String(), c.says)
		require.Empty(t, stdout.String())
	}
	help := command(t, "-help")
	require.NoError(t, help.Run())
}

func TestMediatestd_UploadAddressesForBrowsers(t *testing.T) {
	t.Parallel()
	d := start(t, "-upload-endpoint", "http://localhost:8620")
	client, err := vod.New(d.config())
	require.NoError(t, err)
	out, err := client.CreateUploadVideo(t.Context(), vod.CreateUploadVideoRequest{Title: "a", FileName: "a.mp4"})
	require.NoError(t, err)
	text, err := base64.StdEncoding.DecodeString(out.UploadAddress)
	require.NoError(t, err)
	require.Contains(t, string(text), `"Endpoint":"http://localhost:8620"`)
}

var curl = regexp.MustCompile(`(?m)^curl (?:-X (\w+) )?(?:-H 'Content-Type: application/json' -d '([^']*)' )?"?\$MEDIATEST_URL([^" \n]*)"?$`)

// The examples of the README work as they stand there, and show all there is.
func TestMediatestd_README(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	d := start(t)
	examples := curl.FindAllStringSubmatch(string(text), -1)
	require.Len(t, examples, strings.Count(string(text), "\ncurl "))
	require.GreaterOrEqual(t, len(examples), 15)
	for _, e := range examples {
		method := e[1]
		if method == "" {
			method = map[bool]string{true: http.MethodPost, false: http.MethodGet}[e[2] != ""]
		}
		status, answer := d.ask(t, method, e[3], e[2])
		require.Equal(t, http.StatusOK, status, "%s\n%v", e[0], answer)
	}
	help := command(t, "-help")
	out, err := help.CombinedOutput()
	require.NoError(t, err)
	for _, m := range regexp.MustCompile(`(?m)^  (-[a-z-]+)`).FindAllStringSubmatch(string(out), -1) {
		require.Contains(t, string(text), "`"+m[1]+"`", "the README has no flag %s", m[1])
	}
	require.Zero(t, d.end(t, syscall.SIGTERM))
}
