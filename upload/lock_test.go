package upload

import (
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload/internal/checkpoint"
)

// newJobEnv is a job in other processes, and an uploader in this one that does
// the same.
func newJobEnv(t *testing.T, target string, opts ...mediatest.Option) (*env, job) {
	t.Helper()
	r := newEnv(t, nil, opts...)
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
	r, j := newJobEnv(t, "ICEMedia")
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
	require.Equal(t, []string{checkpoint.IndexName}, files(t, j.Dir))
}

func TestUpload_B46_ProcessesAtOnceOneAsset(t *testing.T) {
	t.Parallel()
	r, j := newJobEnv(t, "ICEMedia")
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

func TestUpload_B27_KilledWhileWaiting(t *testing.T) {
	t.Parallel()
	r, j := newJobEnv(t, "VODVideo", mediatest.Processing(time.Hour))
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
