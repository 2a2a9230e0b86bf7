package upload

import (
	"bytes"
	"context"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/internal/crc64"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
)

func checkpoints(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.upload"))
	require.NoError(t, err)
	return names
}

// stopAt makes uploads fail for good at an operation.
func stopAt(operation string, nth int) mediatest.Fault {
	return mediatest.Fault{Operation: operation, Nth: nth, Times: mediatest.Always, Status: 403, Code: "Stop"}
}

// broken is an upload of 600 KiB in six parts that stopped at a fault.
type broken struct {
	*env
	data []byte
	file string
	dir  string
	fail *Error
}

func breakOff(t *testing.T, target Target, faults ...mediatest.Fault) *broken {
	t.Helper()
	b := &broken{env: newEnv(t, func(c *Config) { c.Parallel = 1 }, mediatest.InMemory()), data: random(600 * kib), dir: t.TempDir()}
	b.file = writeFile(t, "movie.mp4", b.data)
	b.CreateBucket("own-bucket")
	if _, ok := target.(Bucket); ok {
		b.cfg.OSSEndpoint = b.URL
	}
	b.Fault(faults...)
	res, err := b.Upload(ctx, File(b.file), target, WithCheckpoint(b.dir))
	b.fail = failed(t, res, err)
	b.ClearFaults()
	return b
}

func (b *broken) resume(t *testing.T, target Target, opts ...Option) *Result {
	t.Helper()
	res, err := b.Upload(ctx, File(b.file), target, append(opts, WithCheckpoint(b.dir))...)
	require.NoError(t, err)
	b.stored(t, res, b.data)
	require.Empty(t, checkpoints(t, b.dir))
	require.Equal(t, crcOf(b.data), res.CRC64)
	return res
}

func crcOf(data []byte) uint64 {
	return crc64.Checksum(data)
}

func TestUpload_B27_ResumeAtEveryPoint(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		target Target
		stop   mediatest.Fault
		parts  int // sent in all
		create string
	}{
		"after create":         {VODVideo{}, stopAt("InitiateMultipartUpload", 1), 6, "CreateUploadVideo"},
		"after initiate":       {VODVideo{}, stopAt("UploadPart", 1), 7, "CreateUploadVideo"},
		"after part 3":         {VODVideo{}, stopAt("UploadPart", 4), 7, "CreateUploadVideo"},
		"after part 3 of ICE":  {ICEMedia{}, stopAt("UploadPart", 4), 7, "CreateUploadMedia"},
		"after all parts":      {VODVideo{}, stopAt("CompleteMultipartUpload", 1), 6, "CreateUploadVideo"},
		"before register":      {YikeAsset{}, stopAt("RegisterYikeAssetMediaInfo", 1), 6, "CreateYikeAssetUpload"},
		"own bucket, part 3":   {Bucket{Name: "own-bucket", Region: "cn-shanghai"}, stopAt("UploadPart", 4), 7, ""},
		"own bucket, register": {Bucket{Name: "own-bucket", Region: "cn-shanghai", Register: RegisterMediaInfo{}}, stopAt("RegisterMediaInfo", 1), 6, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := breakOff(t, tt.target, tt.stop)
				require.Len(t, checkpoints(t, b.dir), 1)
				res := b.resume(t, tt.target)
				require.Equal(t, tt.parts, b.Calls("UploadPart"))
				require.LessOrEqual(t, len(b.Medias()), 1)
				if tt.create != "" {
					require.Equal(t, 1, b.Calls(tt.create))
					require.Equal(t, b.Medias()[0].MediaId, res.MediaId)
				}
				if b.fail.MediaId != "" {
					require.Equal(t, b.fail.MediaId, res.MediaId)
				}
			})
		})
	}
}

func TestUpload_B27_ReferenceFindsAnUnansweredCreate(t *testing.T) {
	t.Parallel()
	target := VODVideo{ReferenceId: "launch-2026"}
	b := breakOff(t, target, mediatest.Fault{Operation: "CreateUploadVideo", AfterEffect: true, Status: 403, Code: "Stop"}, stopAt("RefreshUploadVideo", 1))
	require.Empty(t, b.fail.MediaId)
	res := b.resume(t, target)
	require.Len(t, b.Medias(), 1)
	require.Equal(t, b.Medias()[0].MediaId, res.MediaId)
}

func TestUpload_B27_NotRegisteredTwice(t *testing.T) {
	t.Parallel()
	b := breakOff(t, YikeAsset{}, mediatest.Fault{Operation: "RegisterYikeAssetMediaInfo", AfterEffect: true}, stopAt("GetMediaInfo", 1))
	require.True(t, b.fail.Uploaded)
	res := b.resume(t, YikeAsset{})
	require.Equal(t, 1, b.Calls("RegisterYikeAssetMediaInfo"))
	require.Len(t, b.Medias(), 1)
	require.Equal(t, b.Medias()[0].MediaId, res.MediaId)
}

func TestUpload_B07_NoSilentNewAsset(t *testing.T) {
	t.Parallel()
	dir, data := t.TempDir(), random(10*kib)
	file := writeFile(t, "a.png", data)
	r := newEnv(t, nil)
	r.Fault(stopAt("PutObject", 1))
	res, err := r.Upload(ctx, File(file), VODImage{}, WithCheckpoint(dir))
	first := failed(t, res, err)
	r.ClearFaults()
	res, err = r.Upload(ctx, File(file), VODImage{}, WithCheckpoint(dir))
	second := failed(t, res, err)
	require.ErrorIs(t, err, ErrNotResumable)
	require.Equal(t, first.MediaId, second.MediaId)
	require.Equal(t, 1, r.Calls("CreateUploadImage"))
	res, err = r.Upload(ctx, File(file), VODImage{}, WithCheckpoint(dir), WithRecreate())
	require.NoError(t, err)
	r.stored(t, res, data)
	require.NotEqual(t, first.MediaId, res.MediaId)
}

func TestUpload_B20_B46_AllPartsThere(t *testing.T) {
	t.Parallel()
	b := breakOff(t, VODVideo{}, stopAt("CompleteMultipartUpload", 1))
	var last Progress
	res := b.resume(t, VODVideo{}, WithProgress(func(p Progress) { last = p }))
	require.Equal(t, 6, b.Calls("UploadPart"), "no part is sent again")
	require.Equal(t, crcOf(b.data), res.CRC64)
	require.EqualValues(t, len(b.data), last.Resumed)
	require.EqualValues(t, len(b.data), last.Sent)
}

func TestUpload_B28_UnreadableCheckpoint(t *testing.T) {
	t.Parallel()
	replace := func(old, new string) func([]byte) []byte {
		return func(b []byte) []byte {
			require.Equal(t, 1, bytes.Count(b, []byte(old)), "%s", b)
			return bytes.Replace(b, []byte(old), []byte(new), 1)
		}
	}
	for name, damage := range map[string]func([]byte) []byte{
		"empty":            func([]byte) []byte { return nil },
		"corrupt":          func([]byte) []byte { return []byte("\x00\x01 not JSON\n") },
		"truncated":        func(b []byte) []byte { return b[:40] },
		"foreign":          replace(`"checkpoint":2`, `"checkpoint":9`),
		"huge":             func(b []byte) []byte { return append(b, make([]byte, 8<<20)...) },
		"unknown step":     replace(`"step":"sending"`, `"step":"dreaming"`),
		"no size of parts": replace(`"partSize":102400`, `"partSize":0`),
		"other bucket":     replace(`"Bucket":"outin-`, `"Bucket":"../`),
		"other endpoint":   replace(`"Endpoint":"http`, `"Endpoint":"gopher`),
		"stored nothing":   replace(`"step":"sending"`, `"step":"stored"`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logged lines
			b := breakOff(t, VODVideo{}, stopAt("UploadPart", 4))
			b.Uploader.log = slog.New(slog.NewTextHandler(&logged, nil))
			path := checkpoints(t, b.dir)[0]
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, damage(text), 0o600))
			res, err := b.Upload(ctx, File(b.file), VODVideo{}, WithCheckpoint(b.dir))
			require.NoError(t, err)
			got, _ := b.Object(res.Bucket, res.Key)
			require.True(t, bytes.Equal(b.data, got))
			require.Contains(t, logged.String(), "checkpoint ignored")
			require.Empty(t, checkpoints(t, b.dir))
		})
	}
}

type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// edit changes the checkpoint on disk.
func (b *broken) edit(t *testing.T, change func(*checkpoint.State, map[int]checkpoint.Part)) {
	t.Helper()
	path := checkpoints(t, b.dir)[0]
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	was, parts, err := checkpoint.Parse(text, checkAddress)
	require.NoError(t, err)
	change(&was, parts)
	rewrite(t, path, was, parts)
}

// rewrite replaces a checkpoint that nobody has open.
func rewrite(t *testing.T, path string, was checkpoint.State, parts map[int]checkpoint.Part) {
	t.Helper()
	text, err := checkpoint.Format(was, slices.Collect(maps.Values(parts)))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, text, 0o600))
}

func TestUpload_B29_StaleCheckpoint(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*checkpoint.State, map[int]checkpoint.Part){
		"no such upload": func(r *checkpoint.State, _ map[int]checkpoint.Part) { r.UploadID = "GONE" },
		"eight days old": func(r *checkpoint.State, _ map[int]checkpoint.Part) {
			r.Initiated = r.Initiated.Add(-8 * 24 * time.Hour)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := breakOff(t, VODVideo{}, stopAt("UploadPart", 4))
			b.edit(t, change)
			res, err := b.Upload(ctx, File(b.file), VODVideo{}, WithCheckpoint(b.dir))
			require.NoError(t, err)
			got, _ := b.Object(res.Bucket, res.Key)
			require.True(t, bytes.Equal(b.data, got))
			require.Equal(t, b.fail.MediaId, res.MediaId)
			require.Equal(t, 1, b.Calls("CreateUploadVideo"))
			require.Equal(t, 2, b.Calls("InitiateMultipartUpload"))
			require.Equal(t, 4+6, b.Calls("UploadPart"))
		})
	}
}

func TestUpload_B29_StaleAndStoppedAgain(t *testing.T) {
	t.Parallel()
	b := breakOff(t, VODVideo{}, stopAt("UploadPart", 4))
	b.edit(t, func(r *checkpoint.State, _ map[int]checkpoint.Part) {
		r.Initiated = r.Initiated.Add(-8 * 24 * time.Hour)
	})
	for _, operation := range []string{"InitiateMultipartUpload", "UploadPart"} {
		b.Fault(stopAt(operation, 1))
		res, err := b.Upload(ctx, File(b.file), VODVideo{}, WithCheckpoint(b.dir))
		require.Equal(t, b.fail.MediaId, failed(t, res, err).MediaId)
		b.ClearFaults()
	}
	require.Equal(t, b.fail.MediaId, b.resume(t, VODVideo{}).MediaId)
	require.Equal(t, 1, b.Calls("CreateUploadVideo"))
}

func TestUpload_B30_PartsReconciled(t *testing.T) {
	t.Parallel()
	denied := mediatest.Fault{Operation: "ListParts", Times: mediatest.Always, Status: 403, Code: "AccessDenied"}
	for name, tt := range map[string]struct {
		change func(*checkpoint.State, map[int]checkpoint.Part)
		fault  *mediatest.Fault
		sent   int // by the second run, of six; five are recorded at most
	}{
		"as it is":     {func(*checkpoint.State, map[int]checkpoint.Part) {}, nil, 1},
		"missing":      {func(_ *checkpoint.State, p map[int]checkpoint.Part) { delete(p, 2) }, nil, 2},
		"not a prefix": {func(_ *checkpoint.State, p map[int]checkpoint.Part) { delete(p, 1) }, nil, 2},
		"extra": {func(_ *checkpoint.State, p map[int]checkpoint.Part) {
			p[6] = checkpoint.Part{Number: 6, ETag: `"AB"`, Size: 100 * kib, CRC64: 1}
		}, nil, 1},
		"beyond": {func(_ *checkpoint.State, p map[int]checkpoint.Part) {
			p[7] = checkpoint.Part{Number: 7, ETag: `"AB"`, Size: 100 * kib, CRC64: 1}
		}, nil, 1},
		"wrong size":         {func(_ *checkpoint.State, p map[int]checkpoint.Part) { q := p[3]; q.Size--; p[3] = q }, nil, 2},
		"wrong ETag":         {func(_ *checkpoint.State, p map[int]checkpoint.Part) { q := p[3]; q.ETag = `"AB"`; p[3] = q }, nil, 2},
		"denied":             {func(*checkpoint.State, map[int]checkpoint.Part) {}, &denied, 1},
		"denied, wrong":      {func(_ *checkpoint.State, p map[int]checkpoint.Part) { q := p[3]; q.ETag = `"AB"`; p[3] = q }, &denied, 1 + 6},
		"denied, wrong size": {func(_ *checkpoint.State, p map[int]checkpoint.Part) { q := p[3]; q.Size--; p[3] = q }, &denied, 2},
		"denied, beyond": {func(_ *checkpoint.State, p map[int]checkpoint.Part) {
			p[7] = checkpoint.Part{Number: 7, ETag: `"AB"`, Size: 100 * kib, CRC64: 1}
		}, &denied, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := breakOff(t, VODVideo{}, stopAt("UploadPart", 6))
			b.edit(t, tt.change)
			if tt.fault != nil {
				b.Fault(*tt.fault)
			}
			before := b.Calls("UploadPart")
			res := b.resume(t, VODVideo{})
			require.Equal(t, b.fail.MediaId, res.MediaId)
			require.Equal(t, tt.sent, b.Calls("UploadPart")-before)
		})
	}
}

func TestUpload_B31_PrivateAndWithoutSecrets(t *testing.T) {
	t.Parallel()
	b := breakOff(t, VODVideo{}, stopAt("UploadPart", 4))
	path := checkpoints(t, b.dir)[0]
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, secret := range []string{"AccessKeySecret", "SecurityToken", "STS.", "CAIS", "UploadAuth", "Signature", b.Credentials().AccessKeyId, b.Credentials().AccessKeySecret} {
		require.NotContains(t, string(text), secret)
	}
	names, err := os.ReadDir(b.dir)
	require.NoError(t, err)
	require.Len(t, names, 3, "checkpoint, lock and account, in the directory given")
}

func TestUpload_B31_UnwritableDirectory(t *testing.T) {
	t.Parallel()
	var logged lines
	r := newEnv(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&logged, nil)) })
	data := random(300 * kib)
	file := writeFile(t, "movie.mp4", data)
	dir := filepath.Join(file, "below-a-file")
	res, err := r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir))
	require.NoError(t, err)
	r.stored(t, res, data)
	require.Contains(t, logged.String(), "checkpoint not written")
	res, err = r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir), WithCheckpointRequired())
	failed(t, res, err)
	require.ErrorIs(t, err, ErrCheckpoint)
	require.Equal(t, 1, r.Calls("CreateUploadVideo"))
}

func TestUpload_B32_Locked(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil)
	dir, data := t.TempDir(), random(600*kib)
	file := writeFile(t, "movie.mp4", data)
	inside, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	r.Fault(mediatest.Fault{Operation: "UploadPart", Delay: time.Millisecond, Match: func(mediatest.Request) bool {
		once.Do(func() { close(inside) })
		<-release
		return true
	}})
	done := make(chan error, 1)
	go func() {
		_, err := r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir))
		done <- err
	}()
	<-inside
	limited, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	_, err := r.Upload(limited, File(file), VODVideo{}, WithCheckpoint(dir))
	close(release)
	require.ErrorIs(t, err, ErrCheckpointLocked)
	require.NoError(t, <-done)
	require.Equal(t, 1, r.Calls("CreateUploadVideo"))
}

func TestUpload_B46_ManyAtOnceOneAsset(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil)
	dir := t.TempDir()
	file := writeFile(t, "movie.mp4", random(600*kib))
	stop := stopAt("CompleteMultipartUpload", 1)
	r.Fault(stop)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { _, _ = r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir)) })
	}
	wg.Wait()
	r.ClearFaults()
	_, err := r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir))
	require.NoError(t, err)
	require.Len(t, r.Medias(), 1)
}

func TestUpload_B33_KeyedBySourceAndTarget(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]func(*testing.T, *broken) (string, Target){
		"copy":            func(t *testing.T, b *broken) (string, Target) { return writeFile(t, "movie.mp4", b.data), VODVideo{} },
		"other target":    func(_ *testing.T, b *broken) (string, Target) { return b.file, VODVideo{AppId: "app-2"} },
		"other operation": func(_ *testing.T, b *broken) (string, Target) { return b.file, ICEMedia{} },
		"changed": func(t *testing.T, b *broken) (string, Target) {
			require.NoError(t, os.Chtimes(b.file, time.Time{}, time.Now().Add(time.Hour)))
			return b.file, VODVideo{}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := breakOff(t, VODVideo{}, stopAt("UploadPart", 4))
			file, target := other(t, b)
			res, err := b.Upload(ctx, File(file), target, WithCheckpoint(b.dir))
			require.NoError(t, err)
			require.NotEqual(t, b.fail.MediaId, res.MediaId)
			require.Equal(t, 4+6, b.Calls("UploadPart"))
			if name == "changed" {
				require.Empty(t, b.Uploads(), "the parts of the old file are removed")
				return
			}
			require.Equal(t, b.fail.MediaId, b.resume(t, VODVideo{}).MediaId, "the first upload is as it was")
			require.Equal(t, 4+6+3, b.Calls("UploadPart"))
		})
	}
}

func TestUpload_B33_KeyedByRegionAndAccount(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*broken, *alimedia.Config){
		"region": func(_ *broken, c *alimedia.Config) { c.Region = "cn-beijing" },
		"account": func(b *broken, c *alimedia.Config) {
			c.Credentials = b.AddAccount("2222222222222222").Config().Credentials
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := breakOff(t, VODVideo{}, stopAt("UploadPart", 4))
			first := b.cfg.VOD
			b.cfg.VOD = first.With(func(c *alimedia.Config) { change(b, c) })
			res, err := b.Upload(ctx, File(b.file), VODVideo{}, WithCheckpoint(b.dir))
			require.NoError(t, err)
			require.NotEqual(t, b.fail.MediaId, res.MediaId)
			b.cfg.VOD = first
			require.Equal(t, b.fail.MediaId, b.resume(t, VODVideo{}).MediaId)
		})
	}
}

type issued credentials.Credentials

func (c issued) Credentials(context.Context) (credentials.Credentials, error) {
	return credentials.Credentials(c), nil
}

func TestUpload_B33_SameByAnotherName(t *testing.T) {
	t.Parallel()
	b := breakOff(t, VODVideo{}, stopAt("UploadPart", 4))
	here, err := os.Getwd()
	require.NoError(t, err)
	b.file, err = filepath.Rel(here, b.file)
	require.NoError(t, err)
	require.Equal(t, b.fail.MediaId, b.resume(t, &VODVideo{}).MediaId)
}

func TestUpload_B34_TheErrorNamesTheAsset(t *testing.T) {
	t.Parallel()
	b := breakOff(t, VODVideo{}, stopAt("UploadPart", 4))
	require.Equal(t, b.Medias()[0].MediaId, b.fail.MediaId)
	require.Equal(t, b.Uploads()[0].UploadId, b.fail.UploadId)
	b.Fault(mediatest.Fault{Operation: "RefreshUploadVideo", Status: 403, Code: "Forbidden.RAM"})
	res, err := b.Upload(ctx, File(b.file), VODVideo{}, WithCheckpoint(b.dir))
	e := failed(t, res, err)
	require.True(t, alimedia.HasCode(err, "Forbidden.RAM"))
	require.Equal(t, b.fail.MediaId, e.MediaId)
	require.Len(t, checkpoints(t, b.dir), 1)
}

func TestUpload_B24_CancelKeepsPartsAndCheckpoint(t *testing.T) {
	t.Parallel()
	r := newEnv(t, func(c *Config) { c.Parallel = 1 })
	dir, data := t.TempDir(), random(600*kib)
	file := writeFile(t, "movie.mp4", data)
	stopping, cancel := context.WithCancel(ctx)
	defer cancel()
	r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 4, Delay: time.Minute, Match: func(q mediatest.Request) bool {
		if q.Params.Get("partNumber") == "4" {
			cancel()
		}
		return true
	}})
	res, err := r.Upload(stopping, File(file), VODVideo{}, WithCheckpoint(dir))
	failed(t, res, err)
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, r.Uploads(), 1)
	require.Len(t, r.Uploads()[0].Parts, 3)
	require.Len(t, checkpoints(t, dir), 1)
	require.Zero(t, r.Calls("AbortMultipartUpload"))
}

func TestUpload_B48_CompleteAlready(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string][]mediatest.Fault{
		"head":        nil,
		"head denied": {{Operation: "HeadObject", Times: mediatest.Always, Status: 403, Code: "AccessDenied"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := breakOff(t, VODVideo{}, mediatest.Fault{Operation: "CompleteMultipartUpload", AfterEffect: true, Status: 403, Code: "Stop"})
			b.Fault(faults...)
			res := b.resume(t, VODVideo{})
			require.Equal(t, b.fail.MediaId, res.MediaId)
			require.Equal(t, 6, b.Calls("UploadPart"))
			require.Equal(t, 1, b.Calls("InitiateMultipartUpload"))
			require.Equal(t, 1, b.Calls("CompleteMultipartUpload"))
		})
	}
}

func TestUpload_B48_SinglePutAlready(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil)
	dir, data := t.TempDir(), random(100*kib)
	file := writeFile(t, "movie.mp4", data)
	r.Fault(mediatest.Fault{Operation: "PutObject", AfterEffect: true, Status: 403, Code: "Stop"})
	res, err := r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir))
	e := failed(t, res, err)
	res, err = r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir))
	require.NoError(t, err)
	r.stored(t, res, data)
	require.Equal(t, e.MediaId, res.MediaId)
	require.Equal(t, 1, r.Calls("PutObject"))
}

func TestUpload_B48_AnotherObject(t *testing.T) {
	t.Parallel()
	for _, size := range []int{100 * kib, 300 * kib} {
		r := newEnv(t, nil)
		dir, data := t.TempDir(), random(size)
		file := writeFile(t, "movie.mp4", data)
		r.Fault(stopAt("PutObject", 1), stopAt("UploadPart", 2))
		res, err := r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir))
		failed(t, res, err)
		r.ClearFaults()
		m := r.Medias()[0]
		r.PutObject(m.Bucket, m.Key, make([]byte, size))
		res, err = r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir))
		require.NoError(t, err)
		r.stored(t, res, data)
		require.Equal(t, m.MediaId, res.MediaId)
	}
}
