package upload

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload/internal/webtest"
	"github.com/stretchr/testify/require"
)

// A run with a checkpoint goes on with the segments that are not stored yet,
// wherever the one before stopped.
func TestUpload_B39_Resume(t *testing.T) {
	t.Parallel()
	f := season(12, 10*kib).with(folder{"big.ts": string(random(350 * kib)), "top.m3u8": "#EXTM3U\nindex.m3u8\n"})
	f["index.m3u8"] += "big.ts\n"
	for name, target := range map[string]Target{"VOD": VODVideo{}, "ICE": ICEMedia{}, "bucket": Bucket{Name: "mine-1", Key: "film.m3u8", Region: "cn-shanghai"}} {
		for _, stop := range []struct {
			operation string
			nth       int
		}{
			{"PutObject", 1}, {"PutObject", 2}, {"PutObject", 9}, {"PutObject", 13}, {"PutObject", 14},
			{"InitiateMultipartUpload", 1}, {"UploadPart", 2}, {"CompleteMultipartUpload", 1},
		} {
			t.Run(fmt.Sprint(name, stop.operation, stop.nth), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					dir, checkpoints := f.write(t), t.TempDir()
					r := newEnv(t, func(c *Config) { c.Parallel = 1 }, mediatest.InMemory())
					r.CreateBucket("mine-1")
					r.Fault(mediatest.Fault{Operation: stop.operation, Nth: stop.nth, Status: 400, Code: "InvalidArgument"})
					src := HLS(filepath.Join(dir, "top.m3u8"))
					res, err := r.Upload(ctx, src, target, WithCheckpoint(checkpoints))
					first := failed(t, res, err)
					before := stored(r)

					var resumed, total int64
					res, err = r.Upload(ctx, src, target, WithCheckpoint(checkpoints), WithProgress(func(p Progress) {
						resumed, total = p.Resumed, p.Total
						if p.Stage == StageDone {
							require.Equal(t, p.Total, p.Sent)
						}
					}))
					require.NoError(t, err)
					require.Equal(t, f, r.play(t, res, f, "top.m3u8"))
					require.Equal(t, first.MediaId, res.MediaId)
					if name != "bucket" {
						require.Equal(t, 1, r.Calls("CreateUploadVideo")+r.Calls("CreateUploadMedia"))
					}
					for key, times := range stored(r) {
						require.Equal(t, 1, times, key)
					}
					sizes := int64(0)
					for key := range before {
						data, _ := r.Object(res.Bucket, key)
						sizes += int64(len(data))
					}
					switch stop.operation { // of the large file, parts
					case "UploadPart":
						sizes += 100 * kib
					case "CompleteMultipartUpload":
						sizes += 350 * kib
					}
					require.Equal(t, sizes, resumed)
					require.Equal(t, 1, r.Calls("InitiateMultipartUpload")-r.count("InitiateMultipartUpload", 400), "its parts are gone on with")
					require.Equal(t, 4, r.Calls("UploadPart")-r.count("UploadPart", 400))
					require.Equal(t, res.Size, total)
					left, err := filepath.Glob(filepath.Join(checkpoints, "*.segment*"))
					require.NoError(t, err)
					require.Empty(t, left)
					require.Empty(t, r.Uploads())
				})
			})
		}
	}
}

// count is how many requests of an operation were answered with a status.
func (r *env) count(operation string, status int) (n int) {
	for _, q := range r.Requests() {
		if q.Operation == operation && q.Status == status {
			n++
		}
	}
	return n
}

// stored counts how often objects were stored.
func stored(r *env) map[string]int {
	times := map[string]int{}
	for _, q := range r.Requests() {
		if (q.Operation == "PutObject" || q.Operation == "CompleteMultipartUpload") && q.Status == 200 {
			times[q.Key]++
		}
	}
	return times
}

// stopped begins an upload with a checkpoint and fails at the fifth segment.
func stopped(t *testing.T, r *env, dir, checkpoints string) *Error {
	t.Helper()
	r.Fault(mediatest.Fault{Operation: "PutObject", Nth: 5, Status: 400, Code: "InvalidArgument"})
	res, err := r.Upload(ctx, HLS(filepath.Join(dir, "index.m3u8")), VODVideo{}, WithCheckpoint(checkpoints))
	return failed(t, res, err)
}

// What changed since is another upload.
func TestUpload_B39_ResumeChanged(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(t *testing.T, dir string){
		"segment": func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "s001.ts"), []byte("x"), 0o600))
		},
		"time": func(t *testing.T, dir string) {
			require.NoError(t, os.Chtimes(filepath.Join(dir, "s001.ts"), time.Time{}, time.Unix(9, 0)))
		},
		"wording": func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "index.m3u8"), []byte(season(8, kib)["index.m3u8"]+"#EXT-X-ENDLIST"), 0o600))
		},
		"playlist": func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "index.m3u8"), []byte("#EXTM3U\ns001.ts"), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, checkpoints := season(8, kib).write(t), t.TempDir()
			r := newEnv(t, func(c *Config) { c.Parallel = 1 })
			first := stopped(t, r, dir, checkpoints)
			change(t, dir)
			res, err := r.Upload(ctx, HLS(filepath.Join(dir, "index.m3u8")), VODVideo{}, WithCheckpoint(checkpoints))
			require.NoError(t, err)
			require.NotEqual(t, first.MediaId, res.MediaId)
			r.play(t, res, folderOf(t, dir), "index.m3u8")
		})
	}
}

func folderOf(t *testing.T, dir string) folder {
	f := folder{}
	names, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range names {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		f[e.Name()] = string(data)
	}
	return f
}

// A record that is damaged, or not ours, costs time but no segment.
func TestUpload_B39_ResumeDamaged(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		damage func(data string) string
		puts   int // of segments by the second run
	}{
		"as it was":   {func(data string) string { return data }, 4},
		"cut off":     {func(data string) string { return strings.TrimSuffix(data, "\n") }, 5},
		"cut number":  {func(data string) string { return data + "7" }, 4},
		"garbage":     {func(data string) string { return strings.Replace(data, "\n1 ", "\nx ", 1) + "6 0\n" }, 7},
		"far numbers": {func(data string) string { return data + "99 0\n-1 0\n99999999999999999999 0\n" }, 4},
		"empty":       {func(string) string { return "" }, 8},
		"zeros":       {func(data string) string { return strings.Repeat("\x00", len(data)) }, 8},
		"other asset": {func(data string) string { return strings.Replace(data, `"mediaId":"`, `"mediaId":"x`, 1) }, 8},
		"other files": {func(data string) string { return strings.Replace(data, `"files":"`, `"files":"x`, 1) }, 8},
		"other place": {func(data string) string { return strings.Replace(data, `"prefix":"`, `"prefix":"x`, 1) }, 8},
		"huge":        {func(data string) string { return data + strings.Repeat("1 0\n", 8<<20/4) }, 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := season(8, kib)
			dir, checkpoints := f.write(t), t.TempDir()
			r := newEnv(t, func(c *Config) { c.Parallel = 1 })
			first := stopped(t, r, dir, checkpoints)
			names, err := filepath.Glob(filepath.Join(checkpoints, "*.segments"))
			require.NoError(t, err)
			require.Len(t, names, 1)
			info, err := os.Stat(names[0])
			require.NoError(t, err)
			require.Equal(t, fs.FileMode(0o600), info.Mode())
			data, err := os.ReadFile(names[0])
			require.NoError(t, err)
			require.True(t, strings.HasSuffix(string(data), "\n") && strings.Count(string(data), "\n") == 5, "%s", data)
			require.NoError(t, os.WriteFile(names[0], []byte(tt.damage(string(data))), 0o600))

			before := r.Calls("PutObject")
			res, err := r.Upload(ctx, HLS(filepath.Join(dir, "index.m3u8")), VODVideo{}, WithCheckpoint(checkpoints))
			require.NoError(t, err)
			require.Equal(t, first.MediaId, res.MediaId)
			require.Equal(t, f, r.play(t, res, f, "index.m3u8"))
			require.Equal(t, tt.puts+1, r.Calls("PutObject")-before)
		})
	}
}

// What is on a server cannot be recognised again, so there is no checkpoint.
func TestUpload_B39_NoCheckpointOfRemote(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin(t, webtest.File([]byte("remote")))
		f := season(8, kib)
		f["index.m3u8"] += "http://cdn.test/a.ts\n"
		src, checkpoints := HLS(filepath.Join(f.write(t), "index.m3u8"), FetchRemote(o.here)), t.TempDir()
		r := newEnv(t, nil, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "PutObject", Nth: 7, Status: 400, Code: "InvalidArgument"})
		res, err := r.Upload(ctx, src, VODVideo{}, WithCheckpoint(checkpoints))
		failed(t, res, err)
		require.Empty(t, files(t, checkpoints))
	})
}

// The service may leave out the prefix when it renews a credential.
func TestUpload_B39_ResumeWithoutPrefix(t *testing.T) {
	t.Parallel()
	var responses atomic.Int32
	r := newEnv(t, func(c *Config) { c.Parallel = 1 }, mediatest.EncodeUpload(func(address, auth map[string]any) (string, string) {
		if responses.Add(1) > 1 {
			delete(address, "ObjectPrefix")
		}
		return mediatest.EncodeBase64(address), mediatest.EncodeBase64(auth)
	}))
	f := season(8, kib)
	dir, checkpoints := f.write(t), t.TempDir()
	stopped(t, r, dir, checkpoints)
	res, err := r.Upload(ctx, HLS(filepath.Join(dir, "index.m3u8")), VODVideo{}, WithCheckpoint(checkpoints))
	require.NoError(t, err)
	require.Equal(t, f, r.play(t, res, f, "index.m3u8"))
	require.EqualValues(t, 2, responses.Load())
}

// The playlist is stored, its registration failed: nothing is sent again.
func TestUpload_B39_ResumeRegistration(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil, mediatest.InMemory())
	r.CreateBucket("mine-1")
	r.Fault(mediatest.Fault{Operation: "RegisterMediaInfo", Status: 403, Code: "Forbidden"})
	f := season(8, kib)
	src, target, checkpoint := HLS(filepath.Join(f.write(t), "index.m3u8")), Bucket{Name: "mine-1", Register: RegisterMediaInfo{}}, WithCheckpoint(t.TempDir())
	res, err := r.Upload(ctx, src, target, checkpoint)
	require.True(t, failed(t, res, err).Uploaded)
	var last Progress
	res, err = r.Upload(ctx, src, target, checkpoint, WithProgress(func(p Progress) { last = p }))
	require.NoError(t, err)
	require.NotEmpty(t, res.MediaId)
	require.Equal(t, 9, r.Calls("PutObject"))
	require.Equal(t, f.size()+int64(8*len("index/")), res.Size)
	require.Equal(t, res.Size, last.Sent)
	require.Equal(t, res.Size, last.Resumed)
}

func TestUpload_B39_CheckpointRequired(t *testing.T) {
	t.Parallel()
	dir, checkpoints := season(8, kib).write(t), t.TempDir()
	r := newEnv(t, nil)
	// A folder is in the way of the record, and cannot be removed.
	r.Fault(mediatest.Fault{Operation: "CreateUploadVideo", Times: 2, Delay: time.Millisecond, Match: func(mediatest.Request) bool {
		locks, _ := filepath.Glob(filepath.Join(checkpoints, "*.lock"))
		for _, name := range locks {
			require.NoError(t, os.MkdirAll(strings.TrimSuffix(name, ".lock")+".segments/x", 0o700))
		}
		return true
	}})
	res, err := r.Upload(ctx, HLS(filepath.Join(dir, "index.m3u8")), VODVideo{}, WithCheckpoint(checkpoints), WithCheckpointRequired())
	failed(t, res, err)
	require.ErrorIs(t, err, ErrCheckpoint)
	_, err = r.Upload(ctx, HLS(filepath.Join(dir, "index.m3u8")), VODVideo{}, WithCheckpoint(checkpoints))
	require.NoError(t, err)
}
