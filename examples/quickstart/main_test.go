package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The whole tour on the fake, with what a reader is told at each step.
func TestQuickstart(t *testing.T) {
	out := captured(t, func() error {
		return onFake(t.Context(), "", filepath.Join("..", "testdata", "clip.mp4"))
	})
	require.Regexp(t, `1\. Upload a file.*\n.*clip\.mp4 +100 % +196\.3/196\.3 kB`, out)
	require.Regexp(t, `VideoId +[0-9a-f]{32}`, out)
	require.Regexp(t, `2\. Register a stream(.*\n)+.*MediaId +[0-9a-f]{32}`, out)
	require.Contains(t, out, `title    "Launch, final cut"`)
	require.Contains(t, out, "refused  alimedia: UpdateMediaInfo: not sent: MediaId or InputURL: one is required; Title: at most 128 bytes, has 129")
	require.Regexp(t, `4\. Register a Yike asset(.*\n)+.*MediaId +[0-9a-f]{32}`, out)
	require.Regexp(t, `ok +\S+/vod/one\.mp4 is [0-9a-f]{32} \(new: true\)`, out)
	require.Regexp(t, `failed +\S+/vod/two\.mp4`, out)
}

func TestQuickstart_LiveWithoutCredentialsSaysWhatToDo(t *testing.T) {
	for _, name := range []string{"ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_CREDENTIALS_URI"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("USERPROFILE", t.TempDir())
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
	err := onService(context.Background(), "cn-shanghai", "movie.mp4")
	require.ErrorContains(t, err, "-live needs credentials")
	require.ErrorContains(t, err, "ALIBABA_CLOUD_ACCESS_KEY_ID")
}

func captured(t *testing.T, run func() error) string {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	stdout := os.Stdout
	os.Stdout = w
	text := make(chan string)
	go func() {
		b, _ := io.ReadAll(r)
		text <- string(b)
	}()
	err = run()
	os.Stdout = stdout
	w.Close()
	out := <-text
	require.NoError(t, err, out)
	return out
}
