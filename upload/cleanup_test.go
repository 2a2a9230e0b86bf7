package upload

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
)

func operationOf(q *http.Request) string {
	query := q.URL.Query()
	switch {
	case query.Has("uploads"):
		return "InitiateMultipartUpload"
	case query.Has("partNumber"):
		return "UploadPart"
	case q.Method == http.MethodPost && query.Has("uploadId"):
		return "CompleteMultipartUpload"
	}
	return ""
}

// TestUpload_B24_CancelledInitiateIsRemembered: with a checkpoint the id is
// kept, and used.
func TestUpload_B24_CancelledInitiateIsRemembered(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil)
	dir, data := t.TempDir(), random(600*kib)
	file := writeFile(t, "movie.mp4", data)
	stopping, cancel := context.WithCancel(ctx)
	defer cancel()
	r.during("InitiateMultipartUpload", cancel)
	res, err := r.Upload(stopping, File(file), VODVideo{}, WithCheckpoint(dir))
	e := failed(t, res, err)
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, r.Uploads(), 1)
	require.Equal(t, r.Uploads()[0].UploadId, e.UploadId)
	require.Zero(t, r.Calls("AbortMultipartUpload"))
	res, err = r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir))
	require.NoError(t, err)
	r.stored(t, res, data)
	require.Equal(t, e.MediaId, res.MediaId)
	require.Equal(t, 1, r.Calls("InitiateMultipartUpload"))
}

// TestUpload_B24_CheckpointThatRemembersNothing: parts that no later run would
// find are removed, though a checkpoint was asked for.
func TestUpload_B24_CheckpointThatRemembersNothing(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, b *broken) (src Source, dir string){
		"a stream": func(_ *testing.T, b *broken) (Source, string) {
			return Reader("movie.mp4", reader(bytes.NewReader(b.data)), UnknownSize), b.dir
		},
		"no directory": func(_ *testing.T, b *broken) (Source, string) {
			return File(b.file), filepath.Join(b.file, "below a file")
		},
		"something else has its name": func(t *testing.T, b *broken) (Source, string) {
			path := checkpoints(t, b.dir)[0]
			require.NoError(t, os.Remove(path))
			require.NoError(t, os.MkdirAll(filepath.Join(path, "folder"), 0o700))
			return File(b.file), b.dir
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := breakOff(t, VODVideo{}, stopAt("InitiateMultipartUpload", 1))
			src, dir := spoil(t, b)
			b.Fault(stopAt("UploadPart", 4))
			res, err := b.Upload(ctx, src, VODVideo{}, WithCheckpoint(dir))
			failed(t, res, err)
			require.True(t, alimedia.HasCode(err, "Stop"))
			require.GreaterOrEqual(t, b.Calls("AbortMultipartUpload"), 1)
			require.Empty(t, b.Uploads())
		})
	}
}

// TestUpload_B25_OldPartsCannotBeRemoved: parts that nobody wants any more hold
// up no later upload.
func TestUpload_B25_OldPartsCannotBeRemoved(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"AccessDenied", "NoSuchUpload"} {
		for name, spoil := range map[string]func(*broken){
			"changed": func(b *broken) {
				require.NoError(t, os.Chtimes(b.file, time.Time{}, time.Now().Add(time.Hour)))
			},
			"too old": func(b *broken) {
				b.edit(t, func(r *checkpoint.State, _ map[int]checkpoint.Part) {
					r.Initiated = r.Initiated.Add(-8 * 24 * time.Hour)
				})
			},
		} {
			b := breakOff(t, VODVideo{}, stopAt("UploadPart", 4))
			spoil(b)
			b.Fault(mediatest.Fault{Operation: "AbortMultipartUpload", Status: 403, Code: code})
			res, err := b.Upload(ctx, File(b.file), VODVideo{}, WithCheckpoint(b.dir))
			require.NoError(t, err, name)
			got, _ := b.Object(res.Bucket, res.Key)
			require.True(t, bytes.Equal(b.data, got))
			require.Equal(t, 1, b.Calls("AbortMultipartUpload"))
		}
	}
}
