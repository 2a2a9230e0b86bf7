package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

func (d *daemon) vod(t *testing.T) *vod.Client {
	t.Helper()
	client, err := vod.New(d.config())
	require.NoError(t, err)
	return client
}

func TestMediatestd_GoesOnWithItsState(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "world.state")
	d := start(t, "-state", name, "-processing", "1h")
	up, err := upload.New(upload.Config{VOD: d.vod(t)})
	require.NoError(t, err)
	data := strings.Repeat("movie", 1000)
	res, err := up.Upload(t.Context(), upload.Reader("movie.mp4", strings.NewReader(data), int64(len(data))), upload.VODVideo{Title: "Launch"})
	require.NoError(t, err)
	require.Zero(t, d.end(t, syscall.SIGTERM))
	file, err := os.Stat(name)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, file.Mode().Perm())
	require.NotContains(t, d.stderr.String(), "not saved")

	// Killed, it has what was written last.
	d = start(t, "-state", name, "-save-every", "10ms", "-access-key-id", "others", "-access-key-secret", "other-secret")
	info, err := d.vod(t).GetVideoInfo(t.Context(), vod.GetVideoInfoRequest{VideoId: res.MediaId})
	require.NoError(t, err)
	require.Equal(t, "Launch", info.Video.Title)
	require.Equal(t, "Transcoding", info.Video.Status)
	_, err = d.vod(t).CreateUploadVideo(t.Context(), vod.CreateUploadVideoRequest{Title: "second", FileName: "b.mp4"})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(name)
		return err == nil && bytes.Contains(text, []byte(`"second"`))
	}, 10*time.Second, 5*time.Millisecond)
	require.Equal(t, -1, d.end(t, os.Kill))

	d = start(t, "-state", name)
	list, err := d.vod(t).GetVideoList(t.Context(), vod.GetVideoListRequest{})
	require.NoError(t, err)
	require.EqualValues(t, 2, list.Total)
	require.Zero(t, d.end(t, os.Interrupt))
	left, err := os.ReadDir(filepath.Dir(name))
	require.NoError(t, err)
	require.Len(t, left, 1, "temporary files are left")
}

func TestMediatestd_RefusesADamagedState(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "world.state")
	require.NoError(t, os.WriteFile(name, []byte("mediatest state 1 1000\n{"), 0o600))
	cmd := command(t, "-addr", "127.0.0.1:0", "-state", name)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 1, exit.ExitCode())
	require.Contains(t, string(out), "it is cut off")
	require.Contains(t, string(out), "remove the file to begin anew")
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "mediatest state 1 1000\n{", string(text))

	d := start(t, "-state", filepath.Join(t.TempDir(), "gone", "world.state"))
	require.Equal(t, 1, d.end(t, syscall.SIGTERM))
	require.Contains(t, d.stderr.String(), "the state is not saved")
}
