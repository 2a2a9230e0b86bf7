package upload

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/stretchr/testify/require"
)

// season is a playlist of n segments.
func season(n, size int) folder {
	f := folder{}
	var list strings.Builder
	list.WriteString("#EXTM3U\n")
	for i := range n {
		name := fmt.Sprintf("s%03d.ts", i)
		fmt.Fprintf(&list, "#EXTINF:4,\n%s\n", name)
		f[name] = string(random(size)) + name
	}
	f["index.m3u8"] = list.String()
	return f
}

// A dead credential is replaced once, whoever meets it.
func TestUpload_B39_SharedRefresh(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]Target{"VOD": VODVideo{}, "ICE": ICEMedia{}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newEnv(t, func(c *Config) { c.Parallel = 8 }, mediatest.InMemory())
				r.Fault(mediatest.Fault{Operation: "PutObject", Nth: 9, Times: 8, Delay: time.Second, ExpiredToken: true},
					mediatest.Fault{Operation: "PutObject", Times: mediatest.Always, Delay: time.Second})
				f := season(40, kib)
				res, err := r.Upload(ctx, HLSFS(f.fs(), "index.m3u8"), target)
				require.NoError(t, err)
				require.Equal(t, f, r.play(t, res, f, "index.m3u8"))
				require.Equal(t, 1, r.Calls("RefreshUploadVideo")+r.Calls("RefreshUploadMedia"))
				require.Equal(t, 49, r.Calls("PutObject"), "only the refused are sent again")
				users := map[string]bool{}
				for _, q := range r.Requests() {
					if q.Operation == "PutObject" {
						users[q.AccessKeyId] = true
					}
				}
				require.Len(t, users, 2)
			})
		})
	}
}

// A credential that lives shorter than the upload is refreshed before it expires.
func TestUpload_B39_LongUpload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newEnv(t, func(c *Config) { c.Parallel = 4 }, mediatest.InMemory(), mediatest.CredentialLife(10*time.Minute))
		r.Fault(mediatest.Fault{Operation: "PutObject", Times: mediatest.Always, Delay: 30 * time.Second})
		f := season(200, kib) // 25 minutes
		res, err := r.Upload(ctx, HLSFS(f.fs(), "index.m3u8"), VODVideo{})
		require.NoError(t, err)
		require.Equal(t, f, r.play(t, res, f, "index.m3u8"))
		require.Equal(t, 5, r.Calls("RefreshUploadVideo"), "each 5 minutes")
		for _, q := range r.Requests() {
			require.Less(t, q.Status, 400)
		}
	})
}

func TestUpload_B39_Parallel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newEnv(t, func(c *Config) { c.Parallel = 5 }, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "PutObject", Times: mediatest.Always, Delay: time.Second})
		f := season(50, kib)
		start := time.Now()
		res, err := r.Upload(ctx, HLSFS(f.fs(), "index.m3u8"), VODVideo{})
		require.NoError(t, err)
		r.play(t, res, f, "index.m3u8")
		require.Equal(t, 11*time.Second, time.Since(start).Truncate(time.Second), "five at once, then the playlist")
	})
}

// Segments of all sizes, transient failures, a lost upload: bytes and progress
// are right.
func TestUpload_B39_LargeSegments(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newEnv(t, nil, mediatest.InMemory())
		r.Fault(
			mediatest.Fault{Operation: "UploadPart", Nth: 3, Times: 2, Status: 503, AfterBytes: 50 * kib},
			mediatest.Fault{Operation: "CompleteMultipartUpload", Nth: 2, AfterEffect: true},
			mediatest.Fault{Operation: "CompleteMultipartUpload", Nth: 4, Status: 404, Code: "NoSuchUpload"},
			mediatest.Fault{Operation: "PutObject", Nth: 2, Reset: true},
			mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, Delay: time.Second},
		)
		f := season(4, 450*kib).with(folder{"small.ts": "small", "stream.ts": string(random(333 * kib))})
		f["index.m3u8"] += "small.ts\nstream.ts\n"
		var progress []Progress
		var mu sync.Mutex
		res, err := r.Upload(ctx, HLSFS(f.fs(), "index.m3u8"), VODVideo{}, WithProgress(func(p Progress) {
			mu.Lock()
			defer mu.Unlock()
			progress = append(progress, p)
		}))
		require.NoError(t, err)
		require.Equal(t, f, r.play(t, res, f, "index.m3u8"))
		require.Equal(t, f.size(), res.Size)
		last := progress[len(progress)-1]
		require.Equal(t, f.size(), last.Sent)
		stages := []Stage{}
		for i, p := range progress {
			require.Equal(t, f.size(), p.Total)
			if i > 0 {
				require.GreaterOrEqual(t, p.Sent, progress[i-1].Sent)
			}
			if len(stages) == 0 || stages[len(stages)-1] != p.Stage {
				stages = append(stages, p.Stage)
			}
		}
		require.Subset(t, []Stage{StageOpen, StageCreate, StageSend, StageFinish, StageDone}, stages)
		require.True(t, slices.IsSortedFunc(stages, func(a, b Stage) int {
			order := []Stage{StageOpen, StageCreate, StageSend, StageFinish, StageDone}
			return slices.Index(order, a) - slices.Index(order, b)
		}), "%v", stages)
		require.Empty(t, r.Uploads())
	})
}

// A playlist that goes in parts is lost and sent again: the segments still count.
func TestUpload_B39_LargePlaylist(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := season(5, 100*kib)
		f["index.m3u8"] += strings.Repeat("#"+strings.Repeat("-", 1000)+"\n", 300)
		r := newEnv(t, nil, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "CompleteMultipartUpload", Status: 404, Code: "NoSuchUpload"},
			mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, Delay: time.Second})
		var last Progress
		res, err := r.Upload(ctx, HLSFS(f.fs(), "index.m3u8"), VODVideo{}, WithProgress(func(p Progress) {
			require.Equal(t, f.size(), p.Total)
			last = p
		}))
		require.NoError(t, err)
		require.Equal(t, f, r.play(t, res, f, "index.m3u8"))
		require.Equal(t, 2, r.Calls("InitiateMultipartUpload"))
		require.Equal(t, 5, r.Calls("PutObject"))
		require.Equal(t, f.size(), last.Sent)

		r.Fault(mediatest.Fault{Operation: "CompleteMultipartUpload", Times: 2, Status: 404, Code: "NoSuchUpload"})
		res, err = r.Upload(ctx, HLSFS(f.fs(), "index.m3u8"), VODVideo{})
		require.Equal(t, f.size(), failed(t, res, err).Sent)
	})
}

// Where the store does not let a lost completion be looked at, the segment is
// sent again.
func TestUpload_B39_LostCompletion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newEnv(t, nil, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "CompleteMultipartUpload", AfterEffect: true},
			mediatest.Fault{Operation: "HeadObject", Times: mediatest.Always, Status: 403, Code: "AccessDenied"})
		f := season(1, 300*kib)
		res, err := r.Upload(ctx, HLSFS(f.fs(), "index.m3u8"), VODVideo{})
		require.NoError(t, err)
		require.Equal(t, f, r.play(t, res, f, "index.m3u8"))
		require.Equal(t, 2, r.Calls("InitiateMultipartUpload"))
	})
}

func TestUpload_B39_SegmentFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newEnv(t, nil, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "PutObject", Nth: 6, Status: 400, Code: "InvalidArgument"},
			mediatest.Fault{Operation: "PutObject", Times: mediatest.Always, Delay: time.Minute})
		start := time.Now()
		res, err := r.Upload(ctx, HLSFS(season(50, kib).fs(), "index.m3u8"), VODVideo{})
		e := failed(t, res, err)
		require.True(t, alimedia.HasCode(err, "InvalidArgument"), "%v", err)
		require.ErrorContains(t, err, ".ts: ")
		require.Equal(t, StageSend, e.Stage)
		require.NotEmpty(t, e.MediaId)
		require.False(t, e.Uploaded)
		require.Less(t, time.Since(start), 2*time.Minute, "the others are cut off")
		media, _ := r.Media(e.MediaId)
		require.Equal(t, "Uploading", media.Status, "without its playlist nothing is complete")
		_, ok := r.Object(media.Bucket, media.Key)
		require.False(t, ok)
	})
}

// What is thrown away again is not counted.
func TestUpload_B39_SegmentFailsLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newEnv(t, func(c *Config) { c.Parallel = 1 }, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 8, Status: 400, Code: "InvalidArgument"})
		f := season(2, 450*kib)
		res, err := r.Upload(ctx, HLSFS(f.fs(), "index.m3u8"), VODVideo{})
		e := failed(t, res, err)
		require.EqualValues(t, len(f["s000.ts"]), e.Sent)
		require.Empty(t, r.Uploads())
	})
}

func TestUpload_B39_Cancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newEnv(t, nil, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, Delay: time.Minute})
		ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
		defer cancel()
		start := time.Now()
		res, err := r.Upload(ctx, HLSFS(season(8, 300*kib).fs(), "index.m3u8"), VODVideo{})
		failed(t, res, err)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Less(t, time.Since(start), 95*time.Second)
		require.Empty(t, r.Uploads())
	})
}

// cancelFS ends a context when a file is looked at.
type cancelFS struct {
	fs.FS
	cancel context.CancelFunc
	looks  *int
}

func (c cancelFS) Stat(name string) (fs.FileInfo, error) {
	if *c.looks++; *c.looks == 5 {
		c.cancel()
	}
	return fs.Stat(c.FS, name)
}

func TestUpload_B39_CancelTheScan(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	looks := 0
	res, err := r.Upload(ctx, HLSFS(cancelFS{season(50, 1).fs(), cancel, &looks}, "index.m3u8"), VODVideo{})
	failed(t, res, err)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 5, looks)
}

// What was looked at is what is sent.
func TestUpload_B39_ChangedMeanwhile(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(dir string) error{
		"segment": func(dir string) error { return os.WriteFile(filepath.Join(dir, "s001.ts"), []byte("other"), 0o600) },
		"time":    func(dir string) error { return os.Chtimes(filepath.Join(dir, "s001.ts"), time.Time{}, time.Unix(1, 0)) },
		"gone":    func(dir string) error { return os.Remove(filepath.Join(dir, "s001.ts")) },
		"nested":  func(dir string) error { return os.WriteFile(filepath.Join(dir, "v.m3u8"), []byte("other"), 0o600) },
		"first":   func(dir string) error { return os.WriteFile(filepath.Join(dir, "top.m3u8"), []byte("other"), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := season(3, kib).with(folder{"v.m3u8": "#EXTM3U\ns000.ts\n", "top.m3u8": "#EXTM3U\nindex.m3u8\nv.m3u8\n"})
			dir := f.write(t)
			r := newEnv(t, nil)
			r.Fault(mediatest.Fault{Operation: "CreateUploadMedia", Delay: time.Millisecond, Match: func(mediatest.Request) bool {
				require.NoError(t, change(dir))
				return true
			}})
			res, err := r.Upload(ctx, HLS(filepath.Join(dir, "top.m3u8")), ICEMedia{})
			switch name {
			case "nested", "first": // as they were read
				require.NoError(t, err)
				require.Equal(t, f, r.play(t, res, f, "top.m3u8"))
			case "gone":
				failed(t, res, err)
				require.ErrorIs(t, err, fs.ErrNotExist)
			default:
				failed(t, res, err)
				require.ErrorIs(t, err, ErrChanged)
				require.ErrorContains(t, err, "s001.ts")
			}
		})
	}
}
