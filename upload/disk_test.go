package upload

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

// TestUpload_B31_DiskFull lets a process write a few bytes only.
func TestUpload_B31_DiskFull(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		limit   int64
		created int // assets when the checkpoint is required
	}{
		"from the start":   {100, 0},
		"while parts come": {1800, 1}, // a record of 1,000 bytes, and 80 for each part
	} {
		for _, optional := range []bool{true, false} {
			t.Run(map[bool]string{true: "optional ", false: "required "}[optional]+name, func(t *testing.T) {
				t.Parallel()
				r, j := newJobEnv(t, "ICEMedia")
				data := random(3000 * kib)
				j.File = writeFile(t, "movie.mp4", data)
				j.Optional, j.FileLimit = optional, tt.limit
				out := j.start(t).outcome(t)
				if optional {
					require.Empty(t, out.Error)
					require.Contains(t, out.Log, "checkpoint not written")
					r.stored(t, out.Result, data)
					require.Empty(t, checkpoints(t, j.Dir))
					return
				}
				require.True(t, out.Checkpoint, out.Error)
				require.Contains(t, out.Error, ErrCheckpoint.Error())
				require.Contains(t, out.Error, "file too large")
				require.Len(t, r.Medias(), tt.created)
				require.Empty(t, r.Uploads(), "parts that no checkpoint knows of")
				if tt.created > 0 {
					require.Positive(t, r.Calls("UploadPart"))
				}
				require.Less(t, r.Calls("UploadPart"), 30, "it ends with the first part that is not recorded")
				j.FileLimit = 0
				out = j.start(t).outcome(t)
				require.Empty(t, out.Error)
				r.stored(t, out.Result, data)
				require.Len(t, r.Medias(), 1)
			})
		}
	}
}

func TestUpload_B31_ReadOnlyDirectory(t *testing.T) {
	t.Parallel()
	for _, optional := range []bool{true, false} {
		t.Run(map[bool]string{true: "optional", false: "required"}[optional], func(t *testing.T) {
			t.Parallel()
			r, j := newJobEnv(t, "ICEMedia")
			require.NoError(t, os.Mkdir(j.Dir, 0o500))
			require.NoError(t, os.Chmod(filepath.Dir(j.Out), 0o777))
			require.NoError(t, os.Chmod(filepath.Dir(filepath.Dir(j.Out)), 0o755))
			require.NoError(t, os.Chmod(j.File, 0o644))
			j.Optional, j.ObeyModes = optional, true
			out := j.start(t).outcome(t)
			if optional {
				require.Empty(t, out.Error)
				require.Contains(t, out.Log, "checkpoint not written")
				require.Contains(t, out.Log, "permission denied")
				r.stored(t, out.Result, random(600*kib))
				return
			}
			require.True(t, out.Checkpoint, out.Error)
			require.Contains(t, out.Error, "permission denied")
			require.Empty(t, r.Medias())
		})
	}
}

func TestUpload_B24_B31_DirectoryVanishes(t *testing.T) {
	t.Parallel()
	for _, required := range []bool{false, true} {
		t.Run(map[bool]string{true: "required", false: "optional"}[required], func(t *testing.T) {
			t.Parallel()
			var logged lines
			r := newEnv(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&logged, nil)) })
			data, dir := random(600*kib), filepath.Join(t.TempDir(), "checkpoints")
			r.Fault(mediatest.Fault{Operation: "UploadPart", Delay: 1, Match: func(mediatest.Request) bool {
				_ = os.RemoveAll(dir)
				return true
			}})
			opts := []Option{WithCheckpoint(dir)}
			if required {
				opts = append(opts, WithCheckpointRequired())
			}
			res, err := r.Upload(ctx, File(writeFile(t, "movie.mp4", data)), VODVideo{}, opts...)
			if !required {
				require.NoError(t, err)
				r.stored(t, res, data)
				require.Contains(t, logged.String(), "checkpoint not written")
				return
			}
			e := failed(t, res, err)
			require.ErrorIs(t, err, ErrCheckpoint)
			require.Equal(t, r.Medias()[0].MediaId, e.MediaId)
			require.Empty(t, r.Uploads())
		})
	}
}

// TestUpload_B31_NotWrittenAfterStored: a required checkpoint that cannot be
// written after the object is stored, or registered, stays. The next run
// resumes the upload and creates no second asset.
func TestUpload_B31_NotWrittenAfterStored(t *testing.T) {
	t.Parallel()
	for operation, target := range map[string]Target{
		"CompleteMultipartUpload":    VODVideo{},
		"RegisterYikeAssetMediaInfo": YikeAsset{},
	} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			r := newEnv(t, nil)
			dir, data := t.TempDir(), random(600*kib)
			file := writeFile(t, "movie.mp4", data)
			inTheWay := ""
			r.Fault(mediatest.Fault{Operation: operation, Delay: time.Millisecond, Match: func(mediatest.Request) bool {
				if names := checkpoints(t, dir); inTheWay == "" && len(names) == 1 {
					inTheWay = names[0] + ".tmp"
					_ = os.MkdirAll(filepath.Join(inTheWay, "x"), 0o700)
				}
				return true
			}})
			res, err := r.Upload(ctx, File(file), target, WithCheckpoint(dir), WithCheckpointRequired())
			failed(t, res, err)
			require.ErrorIs(t, err, ErrCheckpoint)
			require.Len(t, checkpoints(t, dir), 1)
			require.NoError(t, os.RemoveAll(inTheWay))
			r.ClearFaults()
			sent := r.Calls("UploadPart")
			res, err = r.Upload(ctx, File(file), target, WithCheckpoint(dir), WithCheckpointRequired())
			require.NoError(t, err)
			r.stored(t, res, data)
			require.Len(t, r.Medias(), 1)
			require.Equal(t, sent, r.Calls("UploadPart"))
			require.Empty(t, checkpoints(t, dir))
		})
	}
}
