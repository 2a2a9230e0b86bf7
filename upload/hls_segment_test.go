package upload

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload/internal/hls"
	"github.com/stretchr/testify/require"
)

// What was recorded of the segments outlives everything that depends on it.
func TestUpload_B58_SegmentsRecordedToTheEnd(t *testing.T) {
	t.Parallel()
	// The directory is copied at each request, as a kill at that moment would leave it.
	f := season(3, kib).with(folder{"big.ts": string(random(250 * kib))})
	f["index.m3u8"] += "big.ts\n"
	dir, checkpoints := f.write(t), t.TempDir()
	r := newEnv(t, func(c *Config) { c.Parallel = 1 }, mediatest.InMemory())
	r.CreateBucket("mine-1")
	target := Bucket{Name: "mine-1", Key: "film.m3u8", Register: RegisterMediaInfo{}}
	src := HLS(filepath.Join(dir, "index.m3u8"))
	var left []string
	snap := func() {
		copied := t.TempDir()
		require.NoError(t, os.CopyFS(copied, os.DirFS(checkpoints)))
		left = append(left, copied)
	}
	r.Fault(mediatest.Fault{Match: func(mediatest.Request) bool { snap(); return false }})
	res, err := r.Upload(ctx, src, target, WithCheckpoint(checkpoints))
	require.NoError(t, err)
	require.Greater(t, len(left), 5)
	names, err := os.ReadDir(checkpoints)
	require.NoError(t, err)
	for _, e := range names {
		require.NotContains(t, e.Name(), ".segment")
	}
	last := left[len(left)-1] // at the registration
	before := r.Calls("PutObject") + r.Calls("UploadPart")
	again, err := r.Upload(ctx, src, target, WithCheckpoint(last))
	require.NoError(t, err)
	require.Equal(t, res.MediaId, again.MediaId)
	require.Equal(t, before, r.Calls("PutObject")+r.Calls("UploadPart"), "nothing is sent again")
}

// The record of segments is there until it is recorded that all is stored.
func TestUpload_B58_KilledBetweenTheRecords(t *testing.T) {
	t.Parallel()
	f := season(5, kib)
	dir, checkpoints := f.write(t), t.TempDir()
	r := newEnv(t, func(c *Config) { c.Parallel = 1 }, mediatest.InMemory())
	r.CreateBucket("mine-1")
	src, target := HLS(filepath.Join(dir, "index.m3u8")), Bucket{Name: "mine-1", Key: "film.m3u8", Register: RegisterMediaInfo{}}
	// The playlist is stored; that cannot be recorded any more.
	r.Fault(mediatest.Fault{Operation: "PutObject", Nth: 6, Delay: time.Millisecond, Match: func(q mediatest.Request) bool {
		names, _ := filepath.Glob(filepath.Join(checkpoints, "*.upload"))
		if len(names) == 1 && hls.IsPlaylistName(q.Key) {
			require.NoError(t, os.Mkdir(names[0]+".tmp", 0o700))
			require.NoError(t, os.WriteFile(filepath.Join(names[0]+".tmp", "x"), nil, 0o600))
		}
		return true
	}})
	res, err := r.Upload(ctx, src, target, WithCheckpoint(checkpoints), WithCheckpointRequired())
	failed(t, res, err)
	names, _ := filepath.Glob(filepath.Join(checkpoints, "*.upload.tmp"))
	require.Len(t, names, 1)
	require.NoError(t, os.RemoveAll(names[0]))
	before := r.Calls("PutObject")
	_, err = r.Upload(ctx, src, target, WithCheckpoint(checkpoints))
	require.NoError(t, err)
	require.LessOrEqual(t, r.Calls("PutObject")-before, 1, "no segment is sent again")
}

// A segment that was edited in place, its time put back, is sent again.
func TestUpload_B54_SegmentEditedInPlace(t *testing.T) {
	t.Parallel()
	f := season(8, kib)
	dir, checkpoints := f.write(t), t.TempDir()
	r := newEnv(t, func(c *Config) { c.Parallel = 1 }, mediatest.InMemory())
	first := stopped(t, r, dir, checkpoints)
	name := filepath.Join(dir, "s001.ts")
	info, err := os.Stat(name)
	require.NoError(t, err)
	edited := []byte(f["s001.ts"])
	edited[5] ^= 1
	require.NoError(t, os.WriteFile(name, edited, 0o600))
	require.NoError(t, os.Chtimes(name, time.Time{}, info.ModTime()))
	f["s001.ts"] = string(edited)
	before := r.Calls("PutObject")
	res, err := r.Upload(ctx, HLS(filepath.Join(dir, "index.m3u8")), VODVideo{}, WithCheckpoint(checkpoints))
	require.NoError(t, err)
	require.Equal(t, first.MediaId, res.MediaId)
	require.Equal(t, f, r.play(t, res, f, "index.m3u8"))
	require.Equal(t, 6, r.Calls("PutObject")-before, "four that were missing, the edited one, the playlist")
}

// The parts of a large segment are gone on with or removed: nothing stays open
// in an own bucket.
func TestUpload_B58_LargeSegmentAbandoned(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(t *testing.T, dir string){
		"gone on with": func(*testing.T, string) {},
		"segment changed": func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "big.ts"), random(320*kib), 0o600))
		},
		"segment dropped": func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "index.m3u8"), []byte("#EXTM3U\nsmall.ts\n"), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := folder{"index.m3u8": "#EXTM3U\nsmall.ts\nbig.ts\nbig2.ts\n", "small.ts": "s", "big.ts": string(random(450 * kib)), "big2.ts": string(random(350 * kib))}.write(t)
			checkpoints := t.TempDir()
			r := newEnv(t, func(c *Config) { c.Parallel = 2 }, mediatest.InMemory())
			r.CreateBucket("mine-1")
			target := Bucket{Name: "mine-1", Key: "film.m3u8", Region: "cn-shanghai"}
			r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 5, Status: 400, Code: "InvalidArgument"})
			src := HLS(filepath.Join(dir, "index.m3u8"))
			res, err := r.Upload(ctx, src, target, WithCheckpoint(checkpoints))
			failed(t, res, err)
			require.NotEmpty(t, r.Uploads(), "kept for the next run")
			change(t, dir)
			_, err = r.Upload(ctx, src, target, WithCheckpoint(checkpoints))
			require.NoError(t, err)
			require.Empty(t, r.Uploads())
			names, err := os.ReadDir(checkpoints)
			require.NoError(t, err)
			for _, e := range names {
				require.NotContains(t, e.Name(), ".segment-")
			}
		})
	}
}
