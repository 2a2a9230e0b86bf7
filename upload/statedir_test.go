package upload

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alimedia/alimedia-go/upload/internal/transfer"
	"github.com/stretchr/testify/require"
)

// TestUpload_B61_DirectoryOfOthers: what somebody else can write is not
// believed; the upload says so and runs without, or fails.
func TestUpload_B61_DirectoryOfOthers(t *testing.T) {
	t.Parallel()
	for name, open := range foreignDirs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logged lines
			r := newRig(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&logged, nil)) })
			dir := filepath.Join(t.TempDir(), "checkpoints")
			require.NoError(t, os.Mkdir(dir, 0o700))
			open(t, dir)
			file := writeFile(t, "movie.mp4", random(kib))
			for range 2 {
				res, err := r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir))
				require.NoError(t, err)
				require.False(t, res.AlreadyUploaded)
			}
			require.Contains(t, logged.String(), errForeign.Error())
			require.Empty(t, files(t, dir))
			res, err := r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir), WithCheckpointRequired())
			failed(t, res, err)
			require.ErrorIs(t, err, ErrCheckpoint)
			require.Equal(t, 2, r.Calls("CreateUploadVideo"))
		})
	}
}

// TestUpload_B61_FilesOfOthers: a link, a pipe, a file of another user or with
// another name is neither read nor written, whichever file it stands for, and
// is not waited for.
func TestUpload_B61_FilesOfOthers(t *testing.T) {
	t.Parallel()
	for name, replace := range foreignFiles {
		for _, end := range []string{uploadEnd, tempEnd, lockEnd, ledgerName} {
			t.Run(name+" "+end, func(t *testing.T) {
				t.Parallel()
				var logged lines
				b := breakOff(t, VODVideo{}, stopAt("UploadPart", 4))
				b.Uploader.log = slog.New(slog.NewTextHandler(&logged, nil))
				path := checkpoints(t, b.dir)[0]
				was, err := os.ReadFile(path)
				require.NoError(t, err)
				outside := filepath.Join(t.TempDir(), "outside")
				switch end {
				case tempEnd, lockEnd:
					path = strings.TrimSuffix(path, uploadEnd) + end
					_ = os.Remove(path)
				case ledgerName:
					path = filepath.Join(b.dir, ledgerName)
				case uploadEnd:
					require.NoError(t, os.Remove(path))
				}
				require.NoError(t, os.WriteFile(outside, was, 0o600))
				replace(t, path, outside)
				start := time.Now()
				res, err := b.Upload(ctx, File(b.file), VODVideo{}, WithCheckpoint(b.dir), WithCheckpointRequired())
				failed(t, res, err)
				require.ErrorIs(t, err, ErrCheckpoint)
				require.ErrorIs(t, err, errForeign)
				res, err = b.Upload(ctx, File(b.file), VODVideo{}, WithCheckpoint(b.dir))
				require.NoError(t, err)
				if end != ledgerName {
					require.NotEqual(t, b.fail.MediaId, res.MediaId)
				}
				got, _ := b.Object(res.Bucket, res.Key)
				require.True(t, bytes.Equal(b.data, got))
				require.Less(t, time.Since(start), 30*time.Second)
				require.Contains(t, logged.String(), errForeign.Error())
				now, err := os.ReadFile(outside)
				require.NoError(t, err)
				require.Equal(t, string(was), string(now), "what is elsewhere is not written")
			})
		}
	}
}

// TestUpload_B61_RecordedSizeMustFit: what is recorded must fit the source.
func TestUpload_B61_RecordedSizeMustFit(t *testing.T) {
	t.Parallel()
	b := breakOff(t, VODVideo{}, stopAt("UploadPart", 4))
	b.edit(t, func(r *record, _ map[int]transfer.Part) { r.Step, r.Size, r.UploadId = stepDone, 5, "" })
	res, err := b.Upload(ctx, File(b.file), VODVideo{}, WithCheckpoint(b.dir))
	require.NoError(t, err)
	require.NotEqual(t, b.fail.MediaId, res.MediaId)
	got, _ := b.Object(res.Bucket, res.Key)
	require.True(t, bytes.Equal(b.data, got))

	e := entryFor("name", identity{Source: "/a", Size: 5}, false)
	l, d := newLedger(slog.New(slog.DiscardHandler)), openDir(t, t.TempDir())
	for size, known := range map[int64]bool{4: false, 0: false, 5: true} {
		e.Result = Result{Size: size}
		require.NoError(t, l.add(d, e))
		found, err := l.find(d, e)
		require.NoError(t, err)
		require.Equal(t, known, found != nil)
	}
}

// TestUpload_B61_TimesAreClamped: a clock that was set back makes nothing wait
// until then, and nothing live longer.
func TestUpload_B61_TimesAreClamped(t *testing.T) {
	t.Parallel()
	b := breakOff(t, VODVideo{}, stopAt("UploadPart", 4))
	future := time.Now().Add(1000 * time.Hour)
	b.edit(t, func(r *record, _ map[int]transfer.Part) { r.Created, r.Initiated, r.Asked = future, future, future })
	d := openDir(t, b.dir)
	j := &journal{dir: d, name: strings.TrimSuffix(filepath.Base(checkpoints(t, b.dir)[0]), uploadEnd), log: slog.New(slog.DiscardHandler)}
	require.NoError(t, j.read())
	for _, at := range []time.Time{j.rec.Created, j.rec.Initiated, j.rec.Asked} {
		require.False(t, at.After(time.Now()))
	}
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
	b.edit(t, func(r *record, parts map[int]transfer.Part) {
		*r = record{Version: r.Version, Step: stepCreating, Source: r.Source, Created: r.Created, Token: r.Token}
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
				require.Equal(t, []string{ledgerName}, files(t, b.dir))
			})
		}
	}
}

// TestUpload_B58_CutAnywhere: the newer file may end at any byte. Until its
// first line is whole the older one counts; then nothing is lost.
func TestUpload_B58_CutAnywhere(t *testing.T) {
	t.Parallel()
	b, first, text := states(t, "CompleteMultipartUpload")
	d := openDir(t, b.dir)
	name := strings.TrimSuffix(filepath.Base(checkpoints(t, b.dir)[0]), uploadEnd)
	known := bytes.IndexByte(text, '\n') + 1
	for cut := 0; cut <= len(text); cut++ {
		if cut > 20 && cut < known-20 {
			continue
		}
		require.NoError(t, os.WriteFile(d.file(name+uploadEnd), first, 0o600))
		require.NoError(t, os.WriteFile(d.file(name+tempEnd), text[:cut], 0o600))
		j := &journal{dir: d, name: name, log: slog.New(slog.DiscardHandler)}
		require.NoError(t, j.read())
		require.True(t, j.earlier)
		require.Equal(t, cut >= known, j.rec.MediaId == b.fail.MediaId, "%d of %d", cut, known)
		require.False(t, d.has(name+tempEnd))
	}
	// Parts that the older one has are kept where the newer one is cut off.
	require.NoError(t, os.WriteFile(d.file(name+uploadEnd), text, 0o600))
	rec, _, err := parseCheckpoint(text)
	require.NoError(t, err)
	require.Positive(t, rec.Parts+1)
	newer := bytes.Replace(text[:known], []byte(fmt.Sprintf(`"parts":%d`, rec.Parts)), []byte(`"parts":6`), 1)
	require.NoError(t, os.WriteFile(d.file(name+tempEnd), newer, 0o600))
	j := &journal{dir: d, name: name, log: slog.New(slog.DiscardHandler)}
	require.NoError(t, j.read())
	require.Len(t, j.parts, 6)
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
