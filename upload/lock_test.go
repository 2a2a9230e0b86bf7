package upload

import (
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

// newJobRig is a job in other processes, and an uploader in this one that does
// the same.
func newJobRig(t *testing.T, target string, opts ...mediatest.Option) (*rig, job) {
	t.Helper()
	r := newRig(t, nil, opts...)
	r.CreateBucket("own-bucket")
	j := newJob(t, r.Server, r.URL, target, writeFile(t, "movie.mp4", random(600*kib)))
	var err error
	r.Uploader, err = j.uploader(r.HTTPClient(), func(*Config) {})
	require.NoError(t, err)
	return r, j
}

// until waits for a process to come so far.
func (c *child) until(t *testing.T, reached func() bool) {
	t.Helper()
	for !reached() {
		select {
		case <-c.exited:
			require.Fail(t, "the process has ended", "%s", c.output.String())
		default:
			runtime.Gosched()
		}
	}
}

func TestUpload_B32_B46_OtherProcess(t *testing.T) {
	t.Parallel()
	r, j := newJobRig(t, "ICEMedia")
	r.Fault(mediatest.Fault{Operation: "UploadPart", Times: 2, Delay: time.Hour}) // at a time
	first := j.start(t)
	first.until(t, func() bool { return r.Calls("UploadPart") == 2 })

	j.Optional = true
	second := j.start(t).outcome(t)
	require.True(t, second.Locked, second.Error)
	res, err := r.Upload(ctx, File(j.File), j.target(), j.options()...)
	failed(t, res, err)
	require.ErrorIs(t, err, ErrCheckpointLocked)
	require.Equal(t, 1, r.Calls("CreateUploadMedia"))

	// A process that was killed leaves its lock to others.
	first.kill()
	r.ClearFaults()
	res, err = r.Upload(ctx, File(j.File), j.target(), j.options()...)
	require.NoError(t, err)
	r.stored(t, res, random(600*kib))
	require.Equal(t, 1, r.Calls("CreateUploadMedia"))
	require.Equal(t, []string{ledgerName}, files(t, j.Dir))
}

func TestUpload_B46_ProcessesAtOnceOneAsset(t *testing.T) {
	t.Parallel()
	r, j := newJobRig(t, "ICEMedia")
	r.Fault(stopAt("CompleteMultipartUpload", 1))
	var wg sync.WaitGroup
	for i := range 4 {
		j := j
		j.Out = filepath.Join(filepath.Dir(j.Out), string(rune('a'+i)))
		c := j.start(t)
		wg.Go(func() { <-c.exited })
	}
	wg.Wait()
	r.ClearFaults()
	res, err := r.Upload(ctx, File(j.File), j.target(), j.options()...)
	require.NoError(t, err)
	r.stored(t, res, random(600*kib))
	require.Equal(t, 1, r.Calls("CreateUploadMedia"))
	require.Equal(t, 1, r.Calls("InitiateMultipartUpload"))
}

func TestUpload_B32_LockOutlivesNothing(t *testing.T) {
	t.Parallel()
	d := openDir(t, t.TempDir())
	path := d.file("x.lock")
	for _, remove := range []bool{false, true} {
		unlock, err := d.lock("x.lock")
		require.NoError(t, err)
		_, err = d.lock("x.lock")
		require.ErrorIs(t, err, ErrCheckpointLocked)
		unlock(remove)
		_, err = os.Stat(path)
		require.Equal(t, remove, os.IsNotExist(err))
	}
	unlock, err := d.lock("x.lock")
	require.NoError(t, err)
	unlock(true)
}

// TestUpload_B32_RemovedMeanwhile: who waits at the door of a lock that is
// removed must not come in by it beside the one that made it anew.
func TestUpload_B32_RemovedMeanwhile(t *testing.T) {
	t.Parallel()
	d := openDir(t, t.TempDir())
	var holders sync.Mutex
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 3000 {
				unlock, err := d.lock("x.lock")
				if err != nil {
					continue
				}
				alone := holders.TryLock()
				if alone {
					for range 20 { // others come and go meanwhile
						runtime.Gosched()
					}
					holders.Unlock()
				}
				unlock(true)
				if !alone {
					t.Error("two hold the lock")
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestUpload_B27_KilledWhileWaiting(t *testing.T) {
	t.Parallel()
	r, j := newJobRig(t, "VODVideo", mediatest.Processing(time.Hour))
	j.Wait = true
	c := j.start(t)
	c.until(t, func() bool { return r.Calls("GetVideoInfo") > 0 })
	c.kill()
	require.Len(t, checkpoints(t, j.Dir), 1)
	sent := r.Calls("UploadPart")
	id := r.Medias()[0].MediaId
	r.SetStatus(id, "Normal")
	res, err := r.Upload(ctx, File(j.File), j.target(), j.options()...)
	require.NoError(t, err)
	require.Equal(t, id, res.MediaId)
	require.Equal(t, "Normal", res.Status)
	require.Equal(t, 1, r.Calls("CreateUploadVideo"))
	require.Equal(t, sent, r.Calls("UploadPart"))
	require.Empty(t, checkpoints(t, j.Dir))
}
