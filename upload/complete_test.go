package upload

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

func TestUpload_B21_CompleteResponseLost(t *testing.T) {
	t.Parallel()
	denied := mediatest.Fault{Operation: "HeadObject", Status: 403, Code: "AccessDenied", Times: mediatest.Always}
	for name, faults := range map[string][]mediatest.Fault{
		"connection cut": {{Operation: "CompleteMultipartUpload", AfterEffect: true}},
		"head denied":    {{Operation: "CompleteMultipartUpload", AfterEffect: true}, denied},
	} {
		for _, target := range []Target{VODVideo{}, ICEMedia{}, Bucket{Name: "own-bucket", Register: RegisterMediaInfo{}}} {
			if _, own := target.(Bucket); own && name == "head denied" {
				continue // nobody else can tell
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newEnv(t, nil)
				r.Uploader.cfg.OSSEndpoint = r.URL
				r.CreateBucket("own-bucket")
				r.Fault(faults...)
				data := random(600 * kib)
				res, err := r.Upload(ctx, bytesSource("movie.mp4", data), target)
				require.NoError(t, err)
				r.stored(t, res, data)
				require.Len(t, r.Medias(), 1, "registered once")
				require.Equal(t, 6, r.Calls("UploadPart"))
			})
		}
	}
}

func TestUpload_B21_NobodyCanTell(t *testing.T) {
	t.Parallel()
	r := newEnv(t, func(c *Config) { c.OSSRegion = "cn-shanghai" })
	r.Uploader.cfg.OSSEndpoint = r.URL
	r.CreateBucket("own-bucket")
	r.Fault(mediatest.Fault{Operation: "CompleteMultipartUpload", AfterEffect: true},
		mediatest.Fault{Operation: "HeadObject", Status: 403, Code: "AccessDenied"})
	res, err := r.Upload(ctx, bytesSource("movie.mp4", random(600*kib)), Bucket{Name: "own-bucket"})
	e := failed(t, res, err)
	require.Equal(t, StageComplete, e.Stage)
	require.ErrorContains(t, err, "whether the object is stored is not known")
	require.True(t, alimedia.HasCode(err, "NoSuchUpload"))
}

// uploading runs an upload that hangs in its parts; it is cancelled when four
// of them are on their way.
func uploading(t *testing.T, r *env, src Source, cancel context.CancelCauseFunc, cause error) {
	var parts atomic.Int32
	r.Fault(mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, AfterBytes: 50 * kib, Delay: time.Hour, Match: func(mediatest.Request) bool {
		if parts.Add(1) == 4 {
			go func() {
				time.Sleep(time.Second)
				cancel(cause)
			}()
		}
		return true
	}})
}

func TestUpload_B23_Cancel(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"file", "stream"} {
		for _, cause := range []error{nil, errDisk} {
			t.Run(source, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					r := newEnv(t, func(c *Config) { c.StallTimeout = time.Hour }, mediatest.InMemory())
					ctx, cancel := context.WithCancelCause(ctx)
					defer cancel(nil)
					data := random(2000 * kib)
					src := bytesSource("movie.mp4", data)
					if source == "stream" {
						src = Reader("movie.mp4", reader(bytes.NewReader(data)), UnknownSize)
					}
					uploading(t, r, src, cancel, cause)
					start := time.Now()
					res, err := r.Upload(ctx, src, VODVideo{})
					e := failed(t, res, err)
					require.ErrorIs(t, err, context.Canceled)
					if cause != nil {
						require.ErrorIs(t, err, cause)
					}
					require.Less(t, time.Since(start), 3*time.Second)
					require.NotEmpty(t, e.MediaId)
					require.NotEmpty(t, e.UploadId)
					require.Equal(t, StageSend, e.Stage)
					require.GreaterOrEqual(t, r.Calls("AbortMultipartUpload"), 1)
					require.Empty(t, r.Uploads(), "no part is left behind")
				})
			})
		}
	}
}

func TestUpload_B23_Deadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newEnv(t, func(c *Config) { c.StallTimeout = time.Hour }, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, Delay: time.Hour})
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		res, err := r.Upload(ctx, bytesSource("movie.mp4", random(600*kib)), VODVideo{})
		failed(t, res, err)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Empty(t, r.Uploads())
	})
}

func TestUpload_B23_CancelBeforeAndBetween(t *testing.T) {
	t.Parallel()
	t.Run("before", func(t *testing.T) {
		t.Parallel()
		r := newEnv(t, nil)
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		res, err := r.Upload(ctx, bytesSource("movie.mp4", random(kib)), VODVideo{})
		failed(t, res, err)
		require.ErrorIs(t, err, context.Canceled)
		require.Empty(t, r.Requests())
	})
	for _, operation := range []string{"CreateUploadVideo", "InitiateMultipartUpload", "CompleteMultipartUpload"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newEnv(t, nil, mediatest.InMemory())
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				r.Fault(mediatest.Fault{Operation: operation, Delay: time.Minute, Match: func(mediatest.Request) bool { cancel(); return true }})
				res, err := r.Upload(ctx, bytesSource("movie.mp4", random(600*kib)), VODVideo{})
				failed(t, res, err)
				require.ErrorIs(t, err, context.Canceled)
				if operation != "InitiateMultipartUpload" {
					require.Empty(t, r.Uploads())
				}
			})
		})
	}
}

// TestUpload_B23_BlockedReader: a reader that does not return holds up neither
// the cancel nor the removal of parts.
func TestUpload_B23_BlockedReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newEnv(t, nil, mediatest.InMemory())
		pr, pw := io.Pipe()
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		go func() { _, _ = pw.Write(random(450 * kib)) }()
		start := time.Now()
		res, err := r.Upload(ctx, Reader("movie.mp4", pr, UnknownSize), VODVideo{})
		failed(t, res, err)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Less(t, time.Since(start), time.Minute+2*transfer.GracePeriod)
		require.Equal(t, 4, r.Calls("UploadPart"))
		require.Empty(t, r.Uploads())
		pr.Close()
	})
}

func TestUpload_B24_NoOrphanAfterFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newEnv(t, nil, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 5, Status: 400, Code: "InvalidArgument"})
		res, err := r.Upload(ctx, bytesSource("movie.mp4", random(2000*kib)), VODVideo{})
		failed(t, res, err)
		require.Empty(t, r.Uploads())
	})
}

// openBelow counts the files of this process that are open in a directory,
// where the system tells.
func openBelow(dir string) int {
	entries, _ := os.ReadDir("/proc/self/fd")
	n := 0
	for _, e := range entries {
		if target, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && strings.HasPrefix(target, dir) {
			n++
		}
	}
	return n
}

func TestUpload_B26_FilesAreClosed(t *testing.T) {
	t.Parallel()
	path := writeFile(t, "movie.mp4", random(600*kib))
	r := newEnv(t, nil)
	for _, operation := range []string{"none", "CreateUploadVideo", "UploadPart", "CompleteMultipartUpload"} {
		r.Fault(mediatest.Fault{Operation: operation, Status: 403, Code: "AccessDenied"})
		for range 3 {
			_, _ = r.Upload(ctx, File(path), VODVideo{}, WithProgress(func(Progress) { panic("callback") }))
		}
	}
	require.Zero(t, openBelow(filepath.Dir(path)))
}
