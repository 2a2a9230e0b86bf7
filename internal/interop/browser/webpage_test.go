package browser

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestWebpage uses examples/webpage as a visitor does: the program that go run
// starts, and Chromium.
func TestWebpage(t *testing.T) {
	t.Parallel()
	page, fake := startWebpage(t)
	run(t, "webpage.test.js",
		"INTEROP_APP="+page,
		"INTEROP_FAKE="+fake,
		"INTEROP_FILE="+playable(t),
	)
}

var (
	pageAddress = regexp.MustCompile(`Open (http://localhost:\d+) `)
	fakeAddress = regexp.MustCompile(`Look inside at (http://\S+)/_mediatest/`)
)

// startWebpage returns the addresses of the page and of the services that it runs on.
func startWebpage(t *testing.T) (page, fake string) {
	t.Helper()
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	binary := filepath.Join(t.TempDir(), "webpage")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./examples/webpage")
	build.Dir, build.Env = root, append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	modules, err := filepath.Abs("node_modules")
	require.NoError(t, err)

	ctx, cancel := context.WithTimeout(context.Background(), 6*time.Minute)
	cmd := exec.CommandContext(ctx, binary, "-addr", "localhost:0", "-sdk", modules, "-part", "102400", "-max", "3000000")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // as Ctrl-C does
	cmd.WaitDelay = 10 * time.Second
	var problems strings.Builder
	cmd.Stderr = &problems
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		require.Zero(t, cmd.ProcessState.ExitCode(), "Ctrl-C ends it: %s", &problems)
		require.NotRegexp(t, `STS\.|[A-Za-z0-9+/=]{100,}`, problems.String(), "no credential is logged")
		t.Logf("%s", &problems)
	})
	lines := bufio.NewScanner(stdout)
	for (page == "" || fake == "") && lines.Scan() {
		if m := pageAddress.FindStringSubmatch(lines.Text()); m != nil {
			page = m[1]
		}
		if m := fakeAddress.FindStringSubmatch(lines.Text()); m != nil {
			fake = m[1]
		}
	}
	require.NotEmpty(t, page, "%s", &problems)
	require.NotEmpty(t, fake)
	return page, fake
}

// The page loads the versions that are tested here.
func TestWebpage_Versions(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("package.json")
	require.NoError(t, err)
	var pack struct{ Dependencies map[string]string }
	require.NoError(t, json.Unmarshal(text, &pack))
	source, err := os.ReadFile("../../../examples/webpage/sdk.go")
	require.NoError(t, err)
	for _, name := range []string{"ali-oss", "aliyun-upload-vod"} {
		require.NotEmpty(t, pack.Dependencies[name])
		require.Contains(t, string(source), "/npm/"+name+"@"+pack.Dependencies[name]+"/dist/")
	}
}

// playable is the sample clip with a box that players skip, so that it has many
// parts.
func playable(t *testing.T) string {
	t.Helper()
	clip, err := os.ReadFile("../../../examples/testdata/clip.mp4")
	require.NoError(t, err)
	box := make([]byte, 1<<20)
	binary.BigEndian.PutUint32(box, uint32(len(box)))
	copy(box[4:], "free")
	path := filepath.Join(t.TempDir(), "holiday.mp4")
	require.NoError(t, os.WriteFile(path, append(clip, box...), 0o600))
	return path
}
