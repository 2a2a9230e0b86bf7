package upload

import (
	"bytes"
	"context"
	"io"
	"net/http"
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

func TestUpload_B21_CompleteAnswerLost(t *testing.T) {
	t.Parallel()
	denied := mediatest.Fault{Operation: "HeadObject", Status: 403, Code: "AccessDenied", Times: mediatest.Always}
	for name, faults := range map[string][]mediatest.Fault{
		"connection cut":           {{Operation: "CompleteMultipartUpload", AfterEffect: true}},
		"500 after the effect":     {{Operation: "CompleteMultipartUpload", AfterEffect: true, Status: 500}},
		"head denied":              {{Operation: "CompleteMultipartUpload", AfterEffect: true}, denied},
		"head first unavailable":   {{Operation: "CompleteMultipartUpload", AfterEffect: true}, {Operation: "HeadObject", Status: 503}},
		"token ends, then is lost": {{Operation: "CompleteMultipartUpload", AfterEffect: true}, {Operation: "HeadObject", ExpiredToken: true}},
	} {
		for _, target := range []Target{VODVideo{}, ICEMedia{}, Bucket{Name: "own-bucket", Register: RegisterMediaInfo{}}} {
			if _, own := target.(Bucket); own && (name == "head denied" || name == "token ends, then is lost") {
				continue // nobody else can tell; own keys have no token
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, nil)
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
	r := newRig(t, func(c *Config) { c.OSSRegion = "cn-shanghai" })
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

func TestUpload_B22_CompleteReallyLost(t *testing.T) {
	t.Parallel()
	lost := mediatest.Fault{Operation: "CompleteMultipartUpload", Status: 404, Code: "NoSuchUpload"}
	data := random(600 * kib)
	t.Run("file starts again once", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, nil)
		r.Fault(lost)
		res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
		require.NoError(t, err)
		got, _ := r.Object(res.Bucket, res.Key)
		require.Equal(t, data, got)
		require.Len(t, r.Medias(), 1, "the same asset")
		require.Equal(t, 2, r.Calls("InitiateMultipartUpload"))
	})
	t.Run("file, twice lost", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, nil)
		lost := lost
		lost.Times = 2
		r.Fault(lost)
		res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
		e := failed(t, res, err)
		require.ErrorIs(t, err, ErrLost)
		require.Equal(t, StageComplete, e.Stage)
		require.Equal(t, 2, r.Calls("InitiateMultipartUpload"))
	})
	t.Run("lost while parts are sent", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, nil, mediatest.InMemory())
			r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 4, Status: 404, Code: "NoSuchUpload"})
			res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
			require.NoError(t, err)
			r.stored(t, res, data)
		})
	})
	t.Run("stream", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, nil)
		r.Fault(lost)
		res, err := r.Upload(ctx, Reader("movie.mp4", reader(bytes.NewReader(data)), UnknownSize), VODVideo{})
		failed(t, res, err)
		require.ErrorIs(t, err, ErrLost)
		require.Equal(t, 1, r.Calls("InitiateMultipartUpload"))
	})
	t.Run("another object is there", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, func(c *Config) { c.OSSRegion = "cn-shanghai" })
		r.Uploader.cfg.OSSEndpoint = r.URL
		r.PutObject("own-bucket", "movie.mp4", make([]byte, len(data)))
		lost := lost
		lost.Times = 2
		r.Fault(lost)
		res, err := r.Upload(ctx, bytesSource("movie.mp4", data), Bucket{Name: "own-bucket"})
		failed(t, res, err)
		require.ErrorIs(t, err, ErrLost)
	})
}

// uploading runs an upload that hangs in its parts; it is cancelled when four
// of them are on their way.
func uploading(t *testing.T, r *rig, src Source, cancel context.CancelCauseFunc, cause error) {
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
					r := newRig(t, func(c *Config) { c.StallTimeout = time.Hour }, mediatest.InMemory())
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
		r := newRig(t, func(c *Config) { c.StallTimeout = time.Hour }, mediatest.InMemory())
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
		r := newRig(t, nil)
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
				r := newRig(t, nil, mediatest.InMemory())
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
		r := newRig(t, nil, mediatest.InMemory())
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
		r := newRig(t, nil, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 5, Status: 400, Code: "InvalidArgument"})
		res, err := r.Upload(ctx, bytesSource("movie.mp4", random(2000*kib)), VODVideo{})
		failed(t, res, err)
		require.Empty(t, r.Uploads())
	})
}

func TestUpload_B23_AbortIsRepeatedWhilePartsRemain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil, mediatest.InMemory())
		// The abort answers but does nothing, once: as when it comes before a
		// part that is still on its way in.
		r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 3, Status: 400, Code: "InvalidArgument"})
		var aborts int
		r.via(func(base http.RoundTripper, q *http.Request) (*http.Response, error) {
			if q.Method == http.MethodDelete {
				if aborts++; aborts == 1 {
					return &http.Response{StatusCode: http.StatusNoContent, Header: http.Header{}, Body: http.NoBody, Request: q}, nil
				}
			}
			return base.RoundTrip(q)
		})
		res, err := r.Upload(ctx, bytesSource("movie.mp4", random(600*kib)), VODVideo{})
		failed(t, res, err)
		require.Equal(t, 2, aborts)
		require.Empty(t, r.Uploads())
	})
}

func TestUpload_B25_AbortFails(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]mediatest.Fault{
		"denied":       {Status: 403, Code: "AccessDenied"},
		"unknown":      {Status: 404, Code: "NoSuchUpload"},
		"list denied":  {Operation: "ListParts", Status: 403, Code: "AccessDenied"},
		"comes to bad": {Foreign: &mediatest.Answer{Status: 400, Body: "<html>"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			if fault := &fault; fault.Operation == "" {
				fault.Operation = "AbortMultipartUpload"
			}
			r.Fault(fault, mediatest.Fault{Operation: "UploadPart", Nth: 3, Status: 400, Code: "InvalidDigest"})
			res, err := r.Upload(ctx, bytesSource("movie.mp4", random(600*kib)), VODVideo{})
			failed(t, res, err)
			require.True(t, alimedia.HasCode(err, "InvalidDigest"), "the first error is kept: %v", err)
		})
	}
}

func TestUpload_B25_AbortOnDeadNetwork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 3, Status: 400, Code: "InvalidDigest"},
			mediatest.Fault{Operation: "AbortMultipartUpload", Delay: time.Hour, Times: mediatest.Always})
		start := time.Now()
		res, err := r.Upload(ctx, bytesSource("movie.mp4", random(600*kib)), VODVideo{})
		failed(t, res, err)
		require.True(t, alimedia.HasCode(err, "InvalidDigest"))
		require.LessOrEqual(t, time.Since(start), 11*time.Second)
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
	r := newRig(t, nil)
	for _, operation := range []string{"none", "CreateUploadVideo", "UploadPart", "CompleteMultipartUpload"} {
		r.Fault(mediatest.Fault{Operation: operation, Status: 403, Code: "AccessDenied"})
		for range 3 {
			_, _ = r.Upload(ctx, File(path), VODVideo{}, WithProgress(func(Progress) { panic("callback") }))
		}
	}
	require.Zero(t, openBelow(filepath.Dir(path)))
}
