package upload

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

// endings are the ways in which an upload is over.
func endings() map[string]func(r *env, cancel context.CancelFunc) {
	endings := map[string]func(*env, context.CancelFunc){"success": func(*env, context.CancelFunc) {}}
	for _, operation := range []string{"CreateUploadVideo", "InitiateMultipartUpload", "UploadPart", "CompleteMultipartUpload"} {
		endings["failure of "+operation] = func(r *env, _ context.CancelFunc) { r.Fault(stopAt(operation, 1)) }
		endings["cancel in "+operation] = func(r *env, cancel context.CancelFunc) {
			r.Fault(mediatest.Fault{Operation: operation, Delay: time.Minute, Match: func(mediatest.Request) bool {
				cancel()
				return true
			}})
		}
	}
	return endings
}

// TestUpload_B26_NothingIsLeftRunning: in a bubble each goroutine has to end.
// The slots are all free again.
func TestUpload_B26_NothingIsLeftRunning(t *testing.T) {
	t.Parallel()
	for name, end := range endings() {
		for kind, source := range map[string]func([]byte) Source{
			"file":   func(data []byte) Source { return bytesSource("movie.mp4", data) },
			"stream": func(data []byte) Source { return Reader("movie.mp4", reader(bytes.NewReader(data)), UnknownSize) },
		} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					r := newEnv(t, nil, mediatest.InMemory())
					ctx, cancel := context.WithCancel(ctx)
					defer cancel()
					end(r, cancel)
					reports := 0
					_, err := r.Upload(ctx, source(random(1200*kib)), VODVideo{}, WithProgress(func(Progress) { reports++ }))
					require.Equal(t, name == "success", err == nil)
					require.Positive(t, reports)
					require.Zero(t, r.engine.Active())
				})
			})
		}
	}
}

// foreign is a context that the context package knows nothing of: each context
// made of it has a goroutine of its own until it is cancelled.
type foreign struct{ context.Context }

func (f foreign) Done() <-chan struct{} {
	done := make(chan struct{})
	return done
}

// TestUpload_B26_ContextsEnd: contexts are cancelled when they are no longer
// needed, not when the one they were made of is.
func TestUpload_B26_ContextsEnd(t *testing.T) {
	t.Parallel()
	for _, size := range []int{kib, 600 * kib} {
		synctest.Test(t, func(t *testing.T) {
			r := newEnv(t, nil, mediatest.InMemory())
			r.Fault(mediatest.Fault{Operation: "UploadPart", Status: 503})
			_, err := r.Upload(foreign{ctx}, bytesSource("movie.mp4", random(size)), VODVideo{})
			require.NoError(t, err)
		})
	}
}

// TestUpload_B26_NothingIsHeld: no timer that is yet to fire, and nothing else,
// keeps what belonged to an upload.
func TestUpload_B26_NothingIsHeld(t *testing.T) {
	t.Parallel()
	var s sink
	u := s.uploader(t, func(c *Config) {
		c.PartSize, c.MultipartThreshold, c.StallTimeout = 100*kib, 200*kib, 24*time.Hour
	})
	type key struct{}
	var held []weak.Pointer[[64]byte]
	for _, size := range []int64{kib, 600 * kib} {
		value := new([64]byte)
		held = append(held, weak.Make(value))
		_, err := u.Upload(context.WithValue(ctx, key{}, value), ReaderAt("movie.mp4", zeros{size}, size), VODVideo{}, WithProgress(func(Progress) {}))
		require.NoError(t, err)
	}
	for i := 0; i < 100 && len(held) > 0; i++ {
		runtime.GC()
		held = slices.DeleteFunc(held, func(p weak.Pointer[[64]byte]) bool { return p.Value() == nil })
	}
	require.Empty(t, held)
	runtime.KeepAlive(u)
}

// TestUpload_B26_ResponsesAreClosed: a body that is not closed keeps its
// connection.
func TestUpload_B26_ResponsesAreClosed(t *testing.T) {
	t.Parallel()
	for name, end := range endings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newEnv(t, nil, mediatest.InMemory())
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				end(r, cancel)
				var open atomic.Int32
				r.via(func(base http.RoundTripper, q *http.Request) (*http.Response, error) {
					response, err := base.RoundTrip(q)
					if err == nil {
						open.Add(1)
						response.Body = &closing{ReadCloser: response.Body, open: &open}
					}
					return response, err
				})
				_, err := r.Upload(ctx, bytesSource("movie.mp4", random(600*kib)), VODVideo{})
				require.Equal(t, name == "success", err == nil)
				require.Zero(t, open.Load())
			})
		})
	}
}

type closing struct {
	io.ReadCloser
	open   *atomic.Int32
	closed atomic.Bool
}

func (c *closing) Close() error {
	if !c.closed.Swap(true) {
		c.open.Add(-1)
	}
	return c.ReadCloser.Close()
}

// TestUpload_B26_HandlesAreClosed: of the file, the checkpoint and its lock.
func TestUpload_B26_HandlesAreClosed(t *testing.T) {
	t.Parallel()
	for name, end := range endings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newEnv(t, nil, mediatest.InMemory())
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				end(r, cancel)
				dir := filepath.Join(t.TempDir(), "checkpoints")
				file := writeFile(t, "movie.mp4", random(600*kib))
				for range 2 {
					_, _ = r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir))
					require.Zero(t, openBelow(filepath.Dir(file)))
					require.Zero(t, openBelow(dir))
				}
			})
		})
	}
}

// closeFS counts the files that are open. They pass for regular ones until they
// are opened.
type closeFS struct {
	fstest.MapFS
	open *int
}

func (c closeFS) Open(name string) (fs.File, error) {
	f, err := c.MapFS.Open("folder")
	*c.open++
	return closeFile{f, c.open}, err
}

type closeFile struct {
	fs.File
	open *int
}

func (f closeFile) Close() error {
	*f.open--
	return f.File.Close()
}

// TestUpload_B26_NotAFileAfterAll: what turns out to be something else once it
// is open is closed.
func TestUpload_B26_NotAFileAfterAll(t *testing.T) {
	t.Parallel()
	open := 0
	fsys := closeFS{fstest.MapFS{"movie.mp4": {Data: []byte("x")}, "folder": {Mode: fs.ModeDir}}, &open}
	r := newEnv(t, nil)
	res, err := r.Upload(ctx, FS(statFS{fsys}, "movie.mp4"), VODVideo{})
	failed(t, res, err)
	require.ErrorContains(t, err, "is a directory")
	require.Zero(t, open)
}

// statFS does not open what it is to describe.
type statFS struct{ closeFS }

func (s statFS) Stat(name string) (fs.FileInfo, error) { return s.MapFS.Stat(name) }

// TestUpload_B26_LoopLeft: a loop over many uploads that ends early, by a break
// or a panic, ends what is under way.
func TestUpload_B26_LoopLeft(t *testing.T) {
	t.Parallel()
	oops := errors.New("oops")
	for _, leave := range []string{"break", "panic"} {
		synctest.Test(t, func(t *testing.T) {
			r := newEnv(t, func(c *Config) { c.StallTimeout, c.Parallel, c.Files = time.Hour, 8, 2 }, mediatest.InMemory())
			r.Fault(mediatest.Fault{Operation: "PutObject", Delay: time.Minute},
				mediatest.Fault{Operation: "UploadPart", Delay: 40 * time.Minute, Times: mediatest.Always})
			jobs := func(yield func(Job) bool) {
				size := kib
				for yield(Job{Source: bytesSource("movie.mp4", random(size)), Target: VODVideo{}}) {
					size = 600 * kib
				}
			}
			var left time.Time
			func() {
				defer func() {
					if err := recover(); err != nil {
						require.Equal(t, oops, err)
					}
				}()
				for res := range r.UploadAll(ctx, jobs) {
					require.NoError(t, res.Err)
					left = time.Now()
					if leave == "panic" {
						panic(oops)
					}
					break
				}
			}()
			require.Less(t, time.Since(left), 5*time.Second)
			require.Equal(t, 6, r.Calls("UploadPart"), "the second file was under way")
			require.Zero(t, r.engine.Active())
			require.Empty(t, r.Uploads())
		})
	}
}
