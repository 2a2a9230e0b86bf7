//go:build unix

package upload

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
)

// TestUpload_B61_DirectoryOfOthers: an upload does not use a directory that
// others can write to. It says so and continues without it, or fails.
func TestUpload_B61_DirectoryOfOthers(t *testing.T) {
	t.Parallel()
	var logged lines
	r := newEnv(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&logged, nil)) })
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o777))
	file := writeFile(t, "movie.mp4", random(kib))
	for range 2 {
		res, err := r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir))
		require.NoError(t, err)
		require.False(t, res.AlreadyUploaded)
	}
	require.Contains(t, logged.String(), checkpoint.ErrUntrusted.Error())
	require.Empty(t, files(t, dir))
	res, err := r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir), WithCheckpointRequired())
	failed(t, res, err)
	require.ErrorIs(t, err, ErrCheckpoint)
	require.Equal(t, 2, r.Calls("CreateUploadVideo"))
}

// TestUpload_B61_FilesOfOthers: an upload does not use a file that is a link,
// whichever file it stands for.
func TestUpload_B61_FilesOfOthers(t *testing.T) {
	t.Parallel()
	for _, end := range []string{".upload", ".upload.tmp", ".lock", checkpoint.IndexName} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			var logged lines
			b := breakOff(t, VODVideo{}, stopAt("UploadPart", 4))
			b.Uploader.log = slog.New(slog.NewTextHandler(&logged, nil))
			path := checkpoints(t, b.dir)[0]
			was, err := os.ReadFile(path)
			require.NoError(t, err)
			outside := filepath.Join(t.TempDir(), "outside")
			require.NoError(t, os.WriteFile(outside, was, 0o600))
			if path = strings.TrimSuffix(path, ".upload") + end; end == checkpoint.IndexName {
				path = filepath.Join(b.dir, end)
			}
			_ = os.Remove(path)
			require.NoError(t, os.Symlink(outside, path))
			res, err := b.Upload(ctx, File(b.file), VODVideo{}, WithCheckpoint(b.dir), WithCheckpointRequired())
			failed(t, res, err)
			require.ErrorIs(t, err, ErrCheckpoint)
			require.ErrorIs(t, err, checkpoint.ErrUntrusted)
			res, err = b.Upload(ctx, File(b.file), VODVideo{}, WithCheckpoint(b.dir))
			require.NoError(t, err)
			if end != checkpoint.IndexName {
				require.NotEqual(t, b.fail.MediaId, res.MediaId)
			}
			got, _ := b.Object(res.Bucket, res.Key)
			require.True(t, bytes.Equal(b.data, got))
			require.Contains(t, logged.String(), checkpoint.ErrUntrusted.Error())
			now, err := os.ReadFile(outside)
			require.NoError(t, err)
			require.Equal(t, string(was), string(now), "a file outside of the directory is not written")
		})
	}
}
