//go:build unix

package ingest

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestHostile_Files: a pipe does not keep a worker busy for ever.
func TestHostile_Files(t *testing.T) {
	t.Parallel()
	e := newEnv(t, nil)
	require.NoError(t, syscall.Mkfifo(filepath.Join(e.dir, "pipe.mp4"), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(e.dir, "folder.mp4"), 0o700))
	e.submit(t, Job{Key: "pipe", Input: Input{Root: e.dir, File: "pipe.mp4"}, Target: video}, Job{Key: "folder", Input: Input{Root: e.dir, File: "folder.mp4"}, Target: video})
	e.work(t, nil)
	require.Equal(t, "InvalidJob", e.result(t, "pipe").Error.Code)
	require.Equal(t, "InvalidJob", e.result(t, "folder").Error.Code)
}
