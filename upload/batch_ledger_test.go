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
)

// batch is jobs of all kinds that can be resumed, before a fake service.
type batch struct {
	*rig
	dir    string
	jobs   []Job
	data   [][]byte
	logged lines
}

func newBatch(t *testing.T, opts ...mediatest.Option) *batch {
	t.Helper()
	b := &batch{dir: t.TempDir()}
	b.rig = newRig(t, func(c *Config) {
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
	require.Equal(t, []string{ledgerName}, files(t, b.dir))
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
	require.NoError(t, os.Mkdir(filepath.Join(b.dir, ledgerName), 0o700), "it cannot be written")
	first, err := b.run(t, ctx)
	require.NoError(t, err)
	require.Contains(t, b.logged.String(), "list of finished uploads not written")
	require.NotContains(t, b.logged.String(), "finished before")
	left := checkpoints(t, b.dir)
	require.Len(t, left, 5, "the checkpoints take its place")
	keep := make(map[string][]byte)
	for _, name := range left {
		keep[name], err = os.ReadFile(name)
		require.NoError(t, err)
	}
	before := len(b.Requests())
	require.NoError(t, os.Remove(filepath.Join(b.dir, ledgerName)))
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
		require.Equal(t, []string{ledgerName}, files(t, other))
	}
}

func openDir(t testing.TB, path string) *stateDir {
	t.Helper()
	d, err := openStateDir(path)
	require.NoError(t, err)
	t.Cleanup(d.close)
	return d
}

// listed is an entry for a file of one byte.
func listed(name string) entry {
	e := entryFor(name, identity{Source: "/" + name, Size: 1}, false)
	e.Result.Size = 1
	return e
}

// TestLedger_ReplacedMeanwhile: a list that is removed, cut or exchanged under
// a running batch is read anew.
func TestLedger_ReplacedMeanwhile(t *testing.T) {
	t.Parallel()
	l, d := newLedger(slog.New(slog.DiscardHandler)), openDir(t, t.TempDir())
	path := d.file(ledgerName)
	known := func(name string) bool {
		res, err := l.find(d, listed(name))
		require.NoError(t, err)
		return res != nil
	}
	require.False(t, known("a"), "there is no list")
	require.NoError(t, l.add(d, listed("a")))
	require.NoError(t, l.add(d, listed("b")))
	require.True(t, known("a"))
	require.True(t, known("b"))
	require.NoError(t, os.Truncate(path, 0))
	require.False(t, known("a"), "cut")
	require.NoError(t, l.add(d, listed("c")))
	require.True(t, known("c"))
	require.NoError(t, os.Rename(path, path+".old"))
	require.False(t, known("c"), "gone")
	for _, name := range []string{"d", "e"} {
		require.NoError(t, l.add(d, listed(name)))
	}
	require.False(t, known("c"), "exchanged for a longer one")
	require.True(t, known("d"))
	require.ErrorContains(t, l.add(d, entry{Source: identity{Source: strings.Repeat("/", maxLine)}}), "at most 65536")
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
		"long line":  {func(b []byte) []byte { return append(bytes.Repeat([]byte("x"), 3*maxLine), b...) }, 0},
		"long string": {func(b []byte) []byte {
			return bytes.Replace(b, []byte(`"FileURL":"`), append([]byte(`"FileURL":"`), bytes.Repeat([]byte("x"), maxLine)...), 1)
		}, 1},
		"other file": {func(b []byte) []byte { return bytes.Replace(b, []byte(`"modified":"`), []byte(`"modified":"x`), 1) }, 1},
		"other key": {func(b []byte) []byte {
			line := lineOf(b, 0)
			at := bytes.Index(b, line) + len(entryStart) + keyLength - 1
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
			path := filepath.Join(b.dir, ledgerName)
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
		require.NoError(t, os.Mkdir(filepath.Join(b.dir, ledgerName), 0o700))
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
		require.Contains(t, b.logged.String(), "list of finished uploads not read")
	}
}

func TestUpload_B31_B42_ListIsPrivate(t *testing.T) {
	t.Parallel()
	b := newBatch(t)
	done, err := b.run(t, ctx)
	b.all(t, done, err)
	path := filepath.Join(b.dir, ledgerName)
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
// slices, and changed with any of them.
func TestUpload_B39_B42_PlaylistIsListed(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	dir, checkpoints := season(3, kib).write(t), t.TempDir()
	upload := func() *Result {
		var last Progress
		list, err := Collect(r.UploadAll(ctx, slices.Values([]Job{{Source: HLS(filepath.Join(dir, "index.m3u8")), Target: VODVideo{}}}),
			WithCheckpoint(checkpoints), WithProgress(func(p Progress) { last = p })))
		require.NoError(t, err)
		require.Equal(t, []string{ledgerName}, files(t, checkpoints))
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
	r := newRig(t, nil)
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
	require.Equal(t, []string{ledgerName}, files(t, dir))
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

// TestUpload_B45_ListInMemory: 16 bytes and a map's overhead for a file.
func TestUpload_B45_ListInMemory(t *testing.T) {
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, ledgerName))
	require.NoError(t, err)
	url := strings.Repeat("u", 300)
	key := func(i int) entry { return listed(fmt.Sprint(i)) }
	var text bytes.Buffer
	for i := range manyFiles {
		e := key(i)
		fmt.Fprintf(&text, `{"finished":"%s","source":{"source":"/%d","size":1},"result":{"MediaId":"%d","FileURL":"%s","Size":1}}`+"\n\n", e.Key, i, i, url)
		if text.Len() > 1<<20 || i == manyFiles-1 {
			_, err = text.WriteTo(f)
			require.NoError(t, err)
		}
	}
	require.NoError(t, f.Close())
	l, d := newLedger(slog.New(slog.DiscardHandler)), openDir(t, dir)
	start := time.Now()
	var took time.Duration
	peak := peakHeap(true, func() {
		for i := range 100 {
			at := i * manyFiles / 100
			res, err := l.find(d, key(at))
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(at), res.MediaId)
			if i == 0 {
				took = time.Since(start)
			}
		}
	})
	t.Logf("%d lines read in %v, living heap %.1f MB", len(l.index), took.Round(time.Millisecond), float64(peak)/(1<<20))
	require.Len(t, l.index, manyFiles)
	require.Less(t, peak, int64(1<<20+100*manyFiles), "a map that grows is there twice")
}

func FuzzLedger(f *testing.F) {
	e := listed("name")
	f.Add([]byte(`{"finished":"` + e.Key + `","source":{"source":"/name","size":1},"result":{"MediaId":"1","Size":1}}` + "\n"))
	f.Add([]byte(`{"finished":"` + e.Key + `","sou`))
	f.Add([]byte("\n\n{\"finished\":\"\n"))
	f.Add(bytes.Repeat([]byte("x"), 2*maxLine))
	d := openDir(f, f.TempDir())
	f.Fuzz(func(t *testing.T, data []byte) {
		l := newLedger(slog.New(slog.DiscardHandler))
		require.NoError(t, os.WriteFile(d.file(ledgerName), data, 0o600))
		_, err := l.find(d, e)
		require.NoError(t, err, "whatever is in it")
		e := e
		e.Result = Result{MediaId: "added", Size: 1}
		require.NoError(t, l.add(d, e))
		for _, l := range []*ledger{l, newLedger(l.log)} {
			res, err := l.find(d, e)
			require.NoError(t, err)
			require.Equal(t, &Result{MediaId: "added", Size: 1, AlreadyUploaded: true}, res)
		}
	})
}
