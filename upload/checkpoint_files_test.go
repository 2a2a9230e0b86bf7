package upload

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
)

// TestUpload_B61_RecordedSizeMustFit: what is recorded must fit the source.
func TestUpload_B61_RecordedSizeMustFit(t *testing.T) {
	t.Parallel()
	b := breakOff(t, VODVideo{}, stopAt("UploadPart", 4))
	b.edit(t, func(r *checkpoint.State, _ map[int]checkpoint.Part) {
		r.Step, r.Size, r.UploadID = checkpoint.Registered, 5, ""
	})
	res, err := b.Upload(ctx, File(b.file), VODVideo{}, WithCheckpoint(b.dir))
	require.NoError(t, err)
	require.NotEqual(t, b.fail.MediaId, res.MediaId)
	got, _ := b.Object(res.Bucket, res.Key)
	require.True(t, bytes.Equal(b.data, got))
}

// TestUpload_B61_TimesAreClamped: a clock that was set back makes nothing wait
// until then, and nothing live longer.
func TestUpload_B61_TimesAreClamped(t *testing.T) {
	t.Parallel()
	b := breakOff(t, VODVideo{}, stopAt("UploadPart", 4))
	future := time.Now().Add(1000 * time.Hour)
	b.edit(t, func(r *checkpoint.State, _ map[int]checkpoint.Part) {
		r.Created, r.Initiated, r.Asked = future, future, future
	})
	require.Equal(t, b.fail.MediaId, b.resume(t, VODVideo{}).MediaId)
}

// states are the files of a checkpoint as they follow each other while an
// upload goes on.
func states(t *testing.T, upTo string) (*broken, []byte, []byte) {
	t.Helper()
	b := breakOff(t, VODVideo{}, stopAt(upTo, 1))
	path := checkpoints(t, b.dir)[0]
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var first []byte
	b.edit(t, func(r *checkpoint.State, parts map[int]checkpoint.Part) {
		*r = checkpoint.State{Version: r.Version, Step: checkpoint.Creating, Source: r.Source, Created: r.Created, Token: r.Token}
		clear(parts)
	})
	first, err = os.ReadFile(path)
	require.NoError(t, err)
	return b, first, text
}

// TestUpload_B58_NotRenamedYet: a file that was written when the process died
// has what the service told, also where its last lines are missing.
func TestUpload_B58_NotRenamedYet(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"InitiateMultipartUpload", "UploadPart", "CompleteMultipartUpload"} {
		for _, older := range []bool{true, false} {
			t.Run(fmt.Sprint(at, " ", older), func(t *testing.T) {
				t.Parallel()
				b, first, text := states(t, at)
				path := checkpoints(t, b.dir)[0]
				require.NoError(t, os.Remove(path))
				if older {
					require.NoError(t, os.WriteFile(path, first, 0o600))
				}
				require.NoError(t, os.WriteFile(path+".tmp", text, 0o600))
				res := b.resume(t, VODVideo{})
				require.Equal(t, b.fail.MediaId, res.MediaId)
				require.Len(t, b.Medias(), 1)
				require.LessOrEqual(t, b.Calls("InitiateMultipartUpload"), 2)
				require.Equal(t, []string{checkpoint.IndexName}, files(t, b.dir))
			})
		}
	}
}

// TestUpload_B58_ListBeforeCheckpoint: the list counts, and what it tells is
// removed.
func TestUpload_B58_ListBeforeCheckpoint(t *testing.T) {
	t.Parallel()
	// A process may die after it has listed the upload and before it removed
	// the checkpoint, and before it has listed it.
	b := breakOff(t, VODVideo{}, stopAt("UploadPart", 4))
	path := checkpoints(t, b.dir)[0]
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	res := b.resume(t, VODVideo{})
	require.NoError(t, os.WriteFile(path, text, 0o600))
	again, err := b.Upload(ctx, File(b.file), VODVideo{}, WithCheckpoint(b.dir))
	require.NoError(t, err)
	require.Equal(t, old(res), again)
	require.Empty(t, checkpoints(t, b.dir), "what the list has is of no more use")
}
