package upload

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
)

// TestUpload_B23_WorkersFirst: parts that take a while to let go are waited
// for, the abort comes after them.
func TestUpload_B23_WorkersFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.StallTimeout = time.Hour }, mediatest.InMemory())
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var running, aborts atomic.Int32
		r.via(func(base http.RoundTripper, q *http.Request) (*http.Response, error) {
			switch q.Method {
			case http.MethodPut:
				running.Add(1)
				defer running.Add(-1)
				<-q.Context().Done()
				time.Sleep(400 * time.Millisecond)
				return nil, q.Context().Err()
			case http.MethodDelete:
				aborts.Add(1)
				require.Zero(t, running.Load(), "a part is on its way")
			}
			return base.RoundTrip(q)
		})
		time.AfterFunc(time.Minute, cancel)
		start := time.Now()
		res, err := r.Upload(ctx, bytesSource("movie.mp4", random(2000*kib)), VODVideo{})
		failed(t, res, err)
		require.ErrorIs(t, err, context.Canceled)
		require.Less(t, time.Since(start), time.Minute+2*time.Second)
		require.EqualValues(t, 1, aborts.Load())
		require.Empty(t, r.Uploads())
	})
}

// TestUpload_B23_CancelOfAnyWait: wherever an upload waits, a cancel ends that.
func TestUpload_B23_CancelOfAnyWait(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*rig){
		"pause before a repetition": func(r *rig) {
			r.reset(func(c *Config) {
				c.Retry = alimedia.Retry{MaxAttempts: 99, BaseDelay: 24 * time.Hour, MaxDelay: 24 * time.Hour}
			})
			r.Fault(mediatest.Fault{Operation: "UploadPart", Status: 503, Times: mediatest.Always})
		},
		"bandwidth": func(r *rig) { r.reset(func(c *Config) { c.Bandwidth = 1 }) },
		"dead network": func(r *rig) {
			r.via(func(_ http.RoundTripper, q *http.Request) (*http.Response, error) {
				<-q.Context().Done()
				return nil, q.Context().Err()
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(c *Config) { c.StallTimeout = 24 * time.Hour }, mediatest.InMemory())
				change(r)
				ctx, cancel := context.WithTimeout(ctx, time.Minute)
				defer cancel()
				start := time.Now()
				res, err := r.Upload(ctx, bytesSource("movie.mp4", random(600*kib)), VODVideo{})
				failed(t, res, err)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.LessOrEqual(t, time.Since(start), time.Minute+2*time.Second)
				require.Empty(t, r.Uploads())
			})
		})
	}
}

// TestUpload_B23_AbortHasATimeOfItsOwn: neither none, when ctx has ended, nor
// for ever.
func TestUpload_B23_AbortHasATimeOfItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.StallTimeout = time.Hour }, mediatest.InMemory())
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		r.Fault(mediatest.Fault{Operation: "UploadPart", Delay: time.Hour, Times: mediatest.Always},
			mediatest.Fault{Operation: "AbortMultipartUpload", Delay: time.Hour, Times: mediatest.Always})
		start := time.Now()
		res, err := r.Upload(ctx, bytesSource("movie.mp4", random(600*kib)), VODVideo{})
		failed(t, res, err)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 1, r.Calls("AbortMultipartUpload"))
		took := time.Since(start)
		require.Greater(t, took, time.Minute+750*time.Millisecond)
		require.LessOrEqual(t, took, time.Minute+2*time.Second)
	})
}

// TestUpload_B24_NoOrphan: whenever an upload without a checkpoint is cancelled
// or refused, the store forgets it. That goes even for an upload whose id is on
// its way when the cancel comes.
func TestUpload_B24_NoOrphan(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"InitiateMultipartUpload", "UploadPart", "CompleteMultipartUpload"} {
		for _, ending := range []string{"cancelled before", "cancelled after", "refused"} {
			t.Run(operation+" "+ending, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t, nil, mediatest.InMemory())
					ctx, cancel := context.WithCancel(ctx)
					defer cancel()
					r.via(func(base http.RoundTripper, q *http.Request) (*http.Response, error) {
						if operationOf(q) != operation || ending == "refused" {
							return base.RoundTrip(q)
						}
						if ending == "cancelled before" {
							cancel()
						}
						answer, err := base.RoundTrip(q)
						cancel()
						if err == nil && q.Context().Err() != nil {
							answer.Body.Close()
							return nil, q.Context().Err()
						}
						return answer, err
					})
					if ending == "refused" {
						r.Fault(stopAt(operation, 1))
					}
					res, err := r.Upload(ctx, bytesSource("movie.mp4", random(600*kib)), VODVideo{})
					failed(t, res, err)
					if ending == "refused" {
						require.True(t, alimedia.HasCode(err, "Stop"))
					} else {
						require.ErrorIs(t, err, context.Canceled)
					}
					require.Equal(t, 1, r.Calls("InitiateMultipartUpload"))
					require.Empty(t, r.Uploads())
				})
			})
		}
	}
}

func operationOf(q *http.Request) string {
	query := q.URL.Query()
	switch {
	case query.Has("uploads"):
		return "InitiateMultipartUpload"
	case query.Has("partNumber"):
		return "UploadPart"
	case q.Method == http.MethodPost && query.Has("uploadId"):
		return "CompleteMultipartUpload"
	}
	return ""
}

// TestUpload_B24_CancelledInitiateIsRemembered: with a checkpoint the id is
// kept, and used.
func TestUpload_B24_CancelledInitiateIsRemembered(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	dir, data := t.TempDir(), random(600*kib)
	file := writeFile(t, "movie.mp4", data)
	stopping, cancel := context.WithCancel(ctx)
	defer cancel()
	r.during("InitiateMultipartUpload", cancel)
	res, err := r.Upload(stopping, File(file), VODVideo{}, WithCheckpoint(dir))
	e := failed(t, res, err)
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, r.Uploads(), 1)
	require.Equal(t, r.Uploads()[0].UploadId, e.UploadId)
	require.Zero(t, r.Calls("AbortMultipartUpload"))
	res, err = r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir))
	require.NoError(t, err)
	r.stored(t, res, data)
	require.Equal(t, e.MediaId, res.MediaId)
	require.Equal(t, 1, r.Calls("InitiateMultipartUpload"))
}

// TestUpload_B24_CheckpointThatRemembersNothing: parts that no later run would
// find are removed, though a checkpoint was asked for.
func TestUpload_B24_CheckpointThatRemembersNothing(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, b *broken) (src Source, dir string){
		"a stream": func(_ *testing.T, b *broken) (Source, string) {
			return Reader("movie.mp4", reader(bytes.NewReader(b.data)), UnknownSize), b.dir
		},
		"no directory": func(_ *testing.T, b *broken) (Source, string) {
			return File(b.file), filepath.Join(b.file, "below a file")
		},
		"something else has its name": func(t *testing.T, b *broken) (Source, string) {
			path := checkpoints(t, b.dir)[0]
			require.NoError(t, os.Remove(path))
			require.NoError(t, os.MkdirAll(filepath.Join(path, "folder"), 0o700))
			return File(b.file), b.dir
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := breakOff(t, VODVideo{}, stopAt("InitiateMultipartUpload", 1))
			src, dir := spoil(t, b)
			b.Fault(stopAt("UploadPart", 4))
			res, err := b.Upload(ctx, src, VODVideo{}, WithCheckpoint(dir))
			failed(t, res, err)
			require.True(t, alimedia.HasCode(err, "Stop"))
			require.GreaterOrEqual(t, b.Calls("AbortMultipartUpload"), 1)
			require.Empty(t, b.Uploads())
		})
	}
}

// TestUpload_B25_CancelAndAbortFails: the error is still that of ctx, and the
// log says what was left behind, if something was.
func TestUpload_B25_CancelAndAbortFails(t *testing.T) {
	t.Parallel()
	for code, warned := range map[string]bool{"AccessDenied": true, "NoSuchUpload": false} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var text bytes.Buffer
				r := newRig(t, func(c *Config) {
					c.StallTimeout, c.Logger = time.Hour, slog.New(slog.NewTextHandler(&text, nil))
				}, mediatest.InMemory())
				status := map[bool]int{true: 403, false: 404}[warned]
				r.Fault(mediatest.Fault{Operation: "UploadPart", Delay: time.Hour, Times: mediatest.Always},
					mediatest.Fault{Operation: "AbortMultipartUpload", Status: status, Code: code, Times: mediatest.Always})
				ctx, cancel := context.WithCancelCause(ctx)
				time.AfterFunc(time.Minute, func() { cancel(errDisk) })
				res, err := r.Upload(ctx, bytesSource("movie.mp4", random(600*kib)), VODVideo{})
				e := failed(t, res, err)
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, err, errDisk)
				require.NotContains(t, err.Error(), "AbortMultipartUpload")
				require.NotEmpty(t, e.UploadId)
				require.Equal(t, 1, r.Calls("AbortMultipartUpload"))
				require.Equal(t, warned, bytes.Contains(text.Bytes(), []byte("parts not removed")))
			})
		})
	}
}

// TestUpload_B25_OldPartsCannotBeRemoved: parts that nobody wants any more hold
// up no later upload.
func TestUpload_B25_OldPartsCannotBeRemoved(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"AccessDenied", "NoSuchUpload"} {
		for name, spoil := range map[string]func(*broken){
			"changed": func(b *broken) {
				require.NoError(t, os.Chtimes(b.file, time.Time{}, time.Now().Add(time.Hour)))
			},
			"too old": func(b *broken) {
				b.edit(t, func(r *checkpoint.State, _ map[int]checkpoint.Part) {
					r.Initiated = r.Initiated.Add(-8 * 24 * time.Hour)
				})
			},
		} {
			b := breakOff(t, VODVideo{}, stopAt("UploadPart", 4))
			spoil(b)
			b.Fault(mediatest.Fault{Operation: "AbortMultipartUpload", Status: 403, Code: code})
			res, err := b.Upload(ctx, File(b.file), VODVideo{}, WithCheckpoint(b.dir))
			require.NoError(t, err, name)
			got, _ := b.Object(res.Bucket, res.Key)
			require.True(t, bytes.Equal(b.data, got))
			require.Equal(t, 1, b.Calls("AbortMultipartUpload"))
		}
	}
}
