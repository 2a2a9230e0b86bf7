package ingest

import (
	"fmt"
	"hash/crc64"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload"
)

// TestFleet_Kill: three worker processes do 1,000 jobs, are killed at random and
// started again, and the NATS server is restarted. In the end there is one asset
// for each job, and no open multipart upload.
func TestFleet_Kill(t *testing.T) {
	const jobs, ackWait = 1000, 1500 * time.Millisecond
	srv := mediatest.New(t)
	srv.Fault(mediatest.Fault{Times: mediatest.Always, Delay: 2 * time.Millisecond})
	dir, temp := t.TempDir(), t.TempDir()
	store := filepath.Join(t.TempDir(), "nats")
	nats, err := Serve(ServerConfig{Dir: store, Listen: "127.0.0.1:0"})
	require.NoError(t, err)
	address := strings.TrimPrefix(nats.URL, "nats://")
	t.Cleanup(func() { nats.Close() })
	fleet, err := Open(t.Context(), Config{URL: nats.URL, Token: nats.Token, AckWait: ackWait})
	require.NoError(t, err)
	t.Cleanup(fleet.Close)

	work := newKillWork(t, srv, dir, jobs)
	count, err := fleet.Submit(t.Context(), Jobs(work.jobs))
	require.NoError(t, err)
	require.EqualValues(t, jobs, count.Queued)

	p := newProcess(srv, nats, dir, temp, ackWait)
	workers := []*running{p.start(t), p.start(t), p.start(t)}
	kills, restarted := 0, false
	began := time.Now()
	for ; ; time.Sleep(time.Duration(rand.Int64N(int64(400 * time.Millisecond)))) {
		status, err := fleet.Status(t.Context())
		require.NoError(t, err)
		require.Less(t, time.Since(began), 4*time.Minute, "it never gets through: %+v\n%s", status, workers[0].output)
		if status.Waiting+status.Running == 0 {
			break
		}
		if !restarted && status.Finished > jobs*2/5 {
			restarted = true
			nats.Close()
			nats, err = Serve(ServerConfig{Dir: store, Listen: address})
			require.NoError(t, err)
		}
		// Towards the end they live longer, or the last jobs never get through.
		if i := rand.IntN(len(workers)); kills < 40 || rand.IntN(4) == 0 {
			workers[i].kill()
			kills++
			workers[i] = p.start(t)
		}
	}
	for _, w := range workers {
		w.kill()
	}
	t.Logf("%d jobs in %v, %d workers killed", jobs, time.Since(began).Round(time.Millisecond), kills)
	require.True(t, restarted)
	require.Greater(t, kills, 20)
	work.check(t, fleet)
}

// killWork is jobs of all kinds, and what is to come of them.
type killWork struct {
	srv   *mediatest.Server
	asset string // that streams belong to
	all   []Job
	data  map[string][]byte // by name of the file
}

func newKillWork(t *testing.T, srv *mediatest.Server, dir string, n int) *killWork {
	w := &killWork{srv: srv, data: make(map[string][]byte)}
	w.asset = srv.AddMedia(mediatest.Media{Service: "ice", Bucket: srv.StorageBucket(), Key: "video/source.mp4"})
	for i, size := range []int{kib, 3 * kib, 20 * kib, 450 * kib, 700 * kib} {
		name := fmt.Sprintf("%d.mp4", i)
		w.data[name] = random(size)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), w.data[name], 0o600))
	}
	srv.CreateBucket("own-bucket")
	for i := range n {
		job := Job{Key: fmt.Sprintf("job %d", i), Input: Input{Root: dir, File: fmt.Sprintf("%d.mp4", i%3)}}
		if i%25 < 2 {
			job.Input.File = fmt.Sprintf("%d.mp4", 3+i%2) // of several parts
		}
		object := Input{Bucket: "own-bucket", Object: fmt.Sprintf("in/%d.mp4", i)}
		switch kind := i % 20; {
		case kind < 8:
			job.Target.VODVideo = &upload.VODVideo{}
		case kind < 12:
			job.Target.ICEMedia = &upload.ICEMedia{}
		case kind < 13:
			job.Target.ICEStream = &upload.ICEStream{MediaId: w.asset, Definition: "HD"}
		case kind < 14:
			job.Target.YikeAsset = &upload.YikeAsset{}
		case kind < 18:
			job.Input, job.Target.RegisterMedia = object, &upload.RegisterMedia{}
		case kind < 19:
			job.Input, job.Target.RegisterMediaInfo = object, &upload.RegisterMediaInfo{}
		default:
			job.Input, job.Target.RegisterMediaStream = object, &upload.RegisterMediaStream{MediaId: w.asset}
		}
		if job.Input.Object != "" {
			srv.PutObject(object.Bucket, object.Object, w.data["0.mp4"])
		}
		w.all = append(w.all, job)
	}
	return w
}

func (w *killWork) jobs(yield func(Job, error) bool) {
	for _, j := range w.all {
		if !yield(j, nil) {
			return
		}
	}
}

// check compares what the fleet says with what the services have.
func (w *killWork) check(t *testing.T, fleet *Fleet) {
	require.Empty(t, w.srv.Uploads(), "multipart uploads are open")
	var summary strings.Builder
	s, err := fleet.Report(t.Context(), &summary)
	require.NoError(t, err)
	require.EqualValues(t, map[State]int64{StateDone: int64(len(w.all))}, s.States)
	require.Equal(t, len(w.all), strings.Count(summary.String(), "\n"))
	for letter, err := range fleet.Dead(t.Context()) {
		require.Fail(t, "a dead letter", "%+v %v", letter, err)
	}
	assets := make(map[string]mediatest.Media)
	for _, m := range w.srv.Medias() {
		assets[m.MediaId] = m
	}
	streams := make(map[string]int)
	complete := 0
	for _, s := range assets[w.asset].Streams {
		if s.Complete {
			streams[s.URL]++
			complete++
		}
	}
	taken, expected := map[string]bool{w.asset: true}, 0
	for _, job := range w.all {
		r, err := fleet.Result(t.Context(), job.Key)
		require.NoError(t, err)
		if job.Target.ICEStream != nil || job.Target.RegisterMediaStream != nil {
			require.Equal(t, w.asset, r.MediaId)
			expected++
			continue
		}
		require.False(t, taken[r.MediaId], "%s: two jobs have one asset", job.Key)
		taken[r.MediaId] = true
		m, ok := assets[r.MediaId]
		require.True(t, ok, "%s: the asset does not exist", job.Key)
		want := w.data[job.Input.File]
		if job.Input.Object != "" {
			want = w.data["0.mp4"]
		}
		size, crc, ok := w.srv.ObjectInfo(m.Bucket, m.Key)
		require.True(t, ok, "%s: %+v", job.Key, m)
		require.EqualValues(t, len(want), size, job.Key)
		require.Equal(t, crc64.Checksum(want, crc64.MakeTable(crc64.ECMA)), crc, job.Key)
	}
	require.Equal(t, expected, complete, "complete streams")
	for _, n := range streams {
		require.Equal(t, 1, n)
	}
	for id, m := range assets {
		require.True(t, taken[id], "an asset that belongs to no job: %+v", m)
	}
	keys := w.srv.Objects("own-bucket")
	slices.Sort(keys)
	require.Len(t, slices.Compact(keys), len(keys))
}
