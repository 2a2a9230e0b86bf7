package upload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
)

// batch is jobs of all kinds that can be resumed, before a fake service.
type batch struct {
	*env
	dir    string
	jobs   []Job
	data   [][]byte
	logged lines
}

func newBatch(t *testing.T, opts ...mediatest.Option) *batch {
	t.Helper()
	b := &batch{dir: t.TempDir()}
	b.env = newEnv(t, func(c *Config) {
		c.Files, c.Parallel = 2, 2
		c.Logger = slog.New(slog.NewTextHandler(&b.logged, nil))
	}, opts...)
	b.CreateBucket("own-bucket")
	b.cfg.OSSEndpoint = b.URL
	for i, target := range []Target{
		VODVideo{}, ICEMedia{}, VODVideo{AppId: "app-2"},
		Bucket{Name: "own-bucket", Region: "cn-shanghai", Register: RegisterMediaInfo{}},
		Bucket{Name: "own-bucket", Region: "cn-shanghai"},
	} {
		data := random(300*kib + i)
		if i == 2 {
			data = data[:kib]
		}
		b.data = append(b.data, data)
		b.jobs = append(b.jobs, Job{Source: File(writeFile(t, fmt.Sprint(i, ".mp4"), data)), Target: target})
	}
	return b
}

// run walks all jobs and returns what succeeded, by index.
func (b *batch) run(t *testing.T, ctx context.Context, opts ...Option) (map[int]*Result, error) {
	t.Helper()
	done := make(map[int]*Result)
	var errs []error
	for r := range b.UploadAll(ctx, slices.Values(b.jobs), append(opts, WithCheckpoint(b.dir))...) {
		if r.Err != nil {
			errs = append(errs, r.Err)
			continue
		}
		done[r.Index] = r.Result
	}
	return done, errors.Join(errs...)
}

// all checks that a run has brought everything to its place.
func (b *batch) all(t *testing.T, done map[int]*Result, err error) {
	t.Helper()
	require.NoError(t, err)
	require.Len(t, done, len(b.jobs))
	for i, res := range done {
		b.stored(t, res, b.data[i])
		require.Equal(t, crcOf(b.data[i]), res.CRC64)
	}
	require.Len(t, b.Medias(), 4, "one asset for each job but the last")
	require.Equal(t, []string{checkpoint.IndexName}, files(t, b.dir))
}

func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".account") {
			names = append(names, e.Name())
		}
	}
	return names
}

// old is res as another run has to yield it.
func old(res *Result) *Result {
	again := *res
	again.AlreadyUploaded = true
	return &again
}

// TestUpload_B27_B42_BatchStoppedAnywhere: a run after one that was cut off at
// any request does the rest and nothing twice, and the next has nothing to do.
func TestUpload_B27_B42_BatchStoppedAnywhere(t *testing.T) {
	t.Parallel()
	for name, cancelled := range map[string]bool{"the service is gone": false, "the context ends": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for stop, over := 1, false; !over; stop += stopEvery {
				synctest.Test(t, func(t *testing.T) {
					b := newBatch(t, mediatest.InMemory())
					ctx, cancel := context.WithCancel(ctx)
					defer cancel()
					cut := mediatest.Fault{Nth: stop, Times: mediatest.Always, Status: 403, Code: "Stop"}
					if cancelled {
						cut.Delay = time.Hour
						defer time.AfterFunc(30*time.Second, cancel).Stop()
					}
					b.Fault(cut)
					first, err := b.run(t, ctx)
					if err == nil {
						over = true
					}
					b.ClearFaults()
					second, err := b.run(t, context.Background())
					b.all(t, second, err)
					for i, res := range second {
						require.Equal(t, first[i] != nil, res.AlreadyUploaded)
						if first[i] != nil {
							require.Equal(t, old(first[i]), res)
						}
					}
					creates := 0
					for _, q := range b.Requests() {
						if strings.HasPrefix(q.Operation, "Create") && q.Status == 200 {
							creates++
						}
					}
					require.Equal(t, 3, creates)

					before := len(b.Requests())
					third, err := b.run(t, context.Background())
					b.all(t, third, err)
					for i, res := range third {
						require.Equal(t, old(second[i]), res)
					}
					require.Len(t, b.Requests(), before, "nothing is asked")
				})
				require.Less(t, stop, 100)
			}
		})
	}
}

// TestUpload_B27_B42_DeathAroundTheList: a process may die just before a
// finished upload is listed, and just after.
func TestUpload_B27_B42_DeathAroundTheList(t *testing.T) {
	t.Parallel()
	b := newBatch(t)
	require.NoError(t, os.Mkdir(filepath.Join(b.dir, checkpoint.IndexName), 0o700), "it cannot be written")
	first, err := b.run(t, ctx)
	require.NoError(t, err)
	require.Contains(t, b.logged.String(), "completed index not written")
	require.NotContains(t, b.logged.String(), "finished before")
	left := checkpoints(t, b.dir)
	require.Len(t, left, 5, "the checkpoints take its place")
	keep := make(map[string][]byte)
	for _, name := range left {
		keep[name], err = os.ReadFile(name)
		require.NoError(t, err)
	}
	before := len(b.Requests())
	require.NoError(t, os.Remove(filepath.Join(b.dir, checkpoint.IndexName)))
	second, err := b.run(t, ctx)
	b.all(t, second, err)
	for i, res := range second {
		res.Bucket, res.Key = first[i].Bucket, first[i].Key
		require.Equal(t, first[i], res)
	}
	require.Len(t, b.Requests(), before)
	for name, text := range keep {
		require.NoError(t, os.WriteFile(name, text, 0o600))
	}
	third, err := b.run(t, ctx)
	b.all(t, third, err)
	require.True(t, third[0].AlreadyUploaded)
	require.Len(t, b.Requests(), before)
}

func TestUpload_B33_B42_WhatChangedIsUploaded(t *testing.T) {
	t.Parallel()
	b := newBatch(t)
	first, err := b.run(t, ctx)
	b.all(t, first, err)
	before := b.Calls("CreateUploadVideo")
	name := b.jobs[0].Source.(fileSource).name
	b.data[0] = random(310 * kib)
	require.NoError(t, os.WriteFile(name, b.data[0], 0o600))
	b.jobs[2].Target = VODVideo{AppId: "app-3"}
	b.jobs = append(b.jobs, Job{Source: File(writeFile(t, "new.mp4", b.data[2])), Target: VODVideo{}})
	second, err := b.run(t, ctx)
	require.NoError(t, err)
	for i, res := range second {
		require.Equal(t, i == 1 || i == 3 || i == 4, res.AlreadyUploaded, i)
	}
	b.stored(t, second[0], b.data[0])
	require.NotEqual(t, first[0].MediaId, second[0].MediaId)
	require.Equal(t, before+3, b.Calls("CreateUploadVideo"))

	res, err := b.Upload(ctx, b.jobs[1].Source, b.jobs[1].Target, WithCheckpoint(b.dir))
	require.NoError(t, err)
	require.Equal(t, old(first[1]), res, "Upload has the same list")

	b.dir = t.TempDir()
	third, err := b.run(t, ctx)
	require.NoError(t, err)
	for _, res := range third {
		require.False(t, res.AlreadyUploaded, "another directory")
	}
}

// TestUpload_B42_DirectoryOfTheJob: a job with a directory of its own is listed
// there.
func TestUpload_B42_DirectoryOfTheJob(t *testing.T) {
	t.Parallel()
	b := newBatch(t)
	other := t.TempDir()
	b.jobs[0].Options = []Option{WithCheckpoint(other)}
	for again := range 2 {
		done, err := b.run(t, ctx)
		require.NoError(t, err)
		require.Equal(t, again == 1, done[0].AlreadyUploaded)
		require.Equal(t, []string{checkpoint.IndexName}, files(t, other))
	}
}

// TestUpload_B28_B42_DamagedList: what cannot be read of the list is uploaded
// again, the rest is not, and what is added then is read.
func TestUpload_B28_B42_DamagedList(t *testing.T) {
	t.Parallel()
	lineOf := func(text []byte, n int) []byte {
		return bytes.Split(bytes.ReplaceAll(text, []byte("\n\n"), []byte("\n")), []byte("\n"))[n+1]
	}
	for name, tt := range map[string]struct {
		damage func([]byte) []byte
		again  int // uploads that are repeated
	}{
		"empty":      {func([]byte) []byte { return nil }, 5},
		"not text":   {func([]byte) []byte { return random(100 * kib) }, 5},
		"cut off":    {func(b []byte) []byte { return b[:len(b)-20] }, 1},
		"no end":     {func(b []byte) []byte { return b[:len(b)-1] }, 1},
		"not JSON":   {func(b []byte) []byte { return bytes.Replace(b, []byte(`"source":{`), []byte(`"source":[`), 1) }, 1},
		"foreign":    {func(b []byte) []byte { return bytes.Replace(b, []byte(`{"finished"`), []byte(`{"complete"`), 1) }, 1},
		"other hash": {func(b []byte) []byte { return bytes.Replace(b, []byte(`{"finished":"`), []byte(`{"finished":"zz`), 1) }, 1},
		"long line":  {func(b []byte) []byte { return append(bytes.Repeat([]byte("x"), 3*64*kib), b...) }, 0},
		"long string": {func(b []byte) []byte {
			return bytes.Replace(b, []byte(`"FileURL":"`), append([]byte(`"FileURL":"`), bytes.Repeat([]byte("x"), 64*kib)...), 1)
		}, 1},
		"other file": {func(b []byte) []byte { return bytes.Replace(b, []byte(`"modified":"`), []byte(`"modified":"x`), 1) }, 1},
		"other key": {func(b []byte) []byte {
			line := lineOf(b, 0)
			at := bytes.Index(b, line) + len(`{"finished":"`) + 31
			b[at] ^= 1
			return b
		}, 1},
		"twice": {func(b []byte) []byte { return append(b, b...) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBatch(t)
			first, err := b.run(t, ctx)
			b.all(t, first, err)
			path := filepath.Join(b.dir, checkpoint.IndexName)
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, tt.damage(text), 0o600))
			puts := b.Calls("PutObject") + b.Calls("CompleteMultipartUpload")
			for range 2 {
				done, err := b.run(t, ctx)
				require.NoError(t, err)
				require.Len(t, done, 5)
			}
			require.Equal(t, tt.again, b.Calls("PutObject")+b.Calls("CompleteMultipartUpload")-puts)
			silent := slices.Contains([]string{"empty", "no end", "other file", "other key", "twice"}, name)
			require.Equal(t, silent, !strings.Contains(b.logged.String(), "damaged lines"))
		})
	}
}

func TestUpload_B31_B42_ListThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for _, required := range []bool{false, true} {
		b := newBatch(t)
		require.NoError(t, os.Mkdir(filepath.Join(b.dir, checkpoint.IndexName), 0o700))
		var opts []Option
		if required {
			opts = append(opts, WithCheckpointRequired())
		}
		done, err := b.run(t, ctx, opts...)
		if required {
			require.ErrorIs(t, err, ErrCheckpoint)
			require.Empty(t, done)
			require.Empty(t, b.Medias())
			require.Zero(t, b.Calls("PutObject")+b.Calls("InitiateMultipartUpload"))
			continue
		}
		require.NoError(t, err)
		require.Len(t, done, 5)
		require.Contains(t, b.logged.String(), "completed index not read")
	}
}

func TestUpload_B31_B42_ListIsPrivate(t *testing.T) {
	t.Parallel()
	b := newBatch(t)
	done, err := b.run(t, ctx)
	b.all(t, done, err)
	path := filepath.Join(b.dir, checkpoint.IndexName)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, secret := range []string{"AccessKeySecret", "SecurityToken", "STS.", "UploadAuth", "Signature", b.Credentials().AccessKeyId, b.Credentials().AccessKeySecret} {
		require.NotContains(t, string(text), secret)
	}
}

// TestUpload_B40_B42_ProgressOfWhatWasDone: it ends at 100 %, all of it resumed.
func TestUpload_B40_B42_ProgressOfWhatWasDone(t *testing.T) {
	t.Parallel()
	b := newBatch(t)
	first, err := b.run(t, ctx)
	b.all(t, first, err)
	var mu sync.Mutex
	last := make(map[string]Progress)
	_, err = b.run(t, ctx, WithProgress(func(p Progress) {
		mu.Lock()
		defer mu.Unlock()
		last[p.Name] = p
	}))
	require.NoError(t, err)
	require.Len(t, last, 5)
	for i, res := range first {
		p := last[fmt.Sprint(i, ".mp4")]
		require.EqualValues(t, 100, p.Percent())
		require.Equal(t, res.Size, p.Resumed)
		require.Equal(t, res.MediaId, p.MediaId)
		require.Equal(t, StageDone, p.Stage)
	}
}

// TestUpload_B39_B42_PlaylistIsListed: a playlist is finished with all of its
// segments, and changed with any of them.
func TestUpload_B39_B42_PlaylistIsListed(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil)
	dir, checkpoints := season(3, kib).write(t), t.TempDir()
	upload := func() *Result {
		var last Progress
		list, err := Collect(r.UploadAll(ctx, slices.Values([]Job{{Source: HLS(filepath.Join(dir, "index.m3u8")), Target: VODVideo{}}}),
			WithCheckpoint(checkpoints), WithProgress(func(p Progress) { last = p })))
		require.NoError(t, err)
		require.Equal(t, []string{checkpoint.IndexName}, files(t, checkpoints))
		require.Equal(t, list[0].Size, last.Total)
		require.EqualValues(t, 100, last.Percent())
		return list[0]
	}
	first := upload()
	require.Equal(t, old(first), upload())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "s001.ts"), []byte("x"), 0o600))
	third := upload()
	require.False(t, third.AlreadyUploaded)
	require.NotEqual(t, first.MediaId, third.MediaId)
}

// TestUpload_B32_B46_TwoBatchesOneDirectory: two that walk the same files at
// once share the work.
func TestUpload_B32_B46_TwoBatchesOneDirectory(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil)
	dir, data := t.TempDir(), random(kib)
	var jobs []Job
	for i := range 40 {
		jobs = append(jobs, Job{Source: File(writeFile(t, fmt.Sprint(i, ".mp4"), data)), Target: VODVideo{}})
	}
	var wg sync.WaitGroup
	ids := make([]map[int]string, 4)
	for n := range ids {
		wg.Go(func() {
			u, err := New(r.cfg)
			for again := err == nil; again; {
				again, ids[n] = false, make(map[int]string)
				for r := range u.UploadAll(ctx, slices.Values(jobs), WithCheckpoint(dir)) {
					switch {
					case r.Err == nil:
						ids[n][r.Index] = r.Result.MediaId
					case errors.Is(r.Err, ErrCheckpointLocked):
						again = true
					default:
						t.Error(r.Err)
					}
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, len(jobs), r.Calls("CreateUploadVideo"))
	require.Equal(t, len(jobs), r.Calls("PutObject"))
	for n := range ids {
		require.Len(t, ids[n], len(jobs))
		require.Equal(t, ids[0], ids[n])
	}
	require.Equal(t, []string{checkpoint.IndexName}, files(t, dir))
}

// TestUpload_B45_FailuresLeaveNothingBehind: a directory that fills with locks
// would slow down what comes after.
func TestUpload_B45_FailuresLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	b := newBatch(t)
	b.jobs = b.jobs[:3]
	b.Fault(stopAt("", 1))
	_, err := b.run(t, ctx)
	require.ErrorContains(t, err, "Stop")
	require.Empty(t, files(t, b.dir), "nothing was begun")
}
