package upload

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

// queued is a message of a queue: a URL with the name that its upload has.
type queued struct{ Key, URL, Target string }

// work does the jobs of a queue in a process of its own.
func (j job) work(u *Uploader) (out outcome) {
	jobs := func(yield func(Job) bool) {
		for _, q := range j.Queue {
			j.Target = q.Target
			if !yield(Job{Source: URL(q.URL, AllowPrivate()), Target: j.target(), Key: q.Key}) {
				return
			}
		}
	}
	out.Done = make(map[string]*Result)
	for r := range u.UploadAll(ctx, jobs, j.options()...) {
		if r.Err != nil {
			out.Error += r.Err.Error() + "\n"
			continue
		}
		out.Done[r.Job.Key] = r.Result
	}
	return out
}

// TestUpload_B53_Queue: a queue delivers each message until a worker has done
// it, workers are killed at random, and several work at once in one directory.
// In the end there is one asset for each message and no open multipart upload.
func TestUpload_B53_Queue(t *testing.T) {
	for round := range queueRounds {
		t.Run(fmt.Sprint(round), func(t *testing.T) { workQueue(t, round) })
	}
}

func workQueue(t *testing.T, round int) {
	srv := mediatest.New(t)
	srv.CreateBucket("own-bucket")
	srv.Fault(mediatest.Fault{Times: mediatest.Always, Delay: 2 * time.Millisecond})
	relay := newRelay(t, srv)
	content := make(map[string][]byte)
	for i := range 5 {
		size := 350*kib + i
		if i == 4 {
			size = 50 * kib
		}
		content[fmt.Sprintf("%d.mp4", i)] = random(size)
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data := content[strings.TrimPrefix(r.URL.Path, "/")]
		w.Header().Set("ETag", fmt.Sprintf(`"%d"`, len(data)))
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}))
	t.Cleanup(web.Close)
	queue := make(map[string]queued)
	for i, target := range []string{"KeyedVideo", "KeyedVideo", "RegisterMediaInfo", "RegisterMedia", "KeyedVideo"} {
		name := fmt.Sprintf("%d.mp4", i)
		key := fmt.Sprintf("order-%d-%d", round, i)
		queue[key] = queued{key, web.URL + "/" + name, target}
	}
	base := newJob(t, srv, relay.url(), "", "")
	done := make(map[string]string) // MediaId by key
	kills := 0
	for try := 0; len(queue) > 0; try++ {
		require.Less(t, try, 60, "it never gets through")
		connected := relay.next()
		var workers []*child
		for n := range 2 {
			j := base
			j.Out = filepath.Join(filepath.Dir(base.Out), fmt.Sprint("outcome", try, "-", n))
			for _, q := range queue { // in another order each time
				j.Queue = append(j.Queue, q)
			}
			workers = append(workers, j.start(t))
		}
		exited := make(chan struct{})
		go func() {
			defer close(exited)
			for _, w := range workers {
				<-w.exited
			}
		}()
		select {
		case <-connected:
		case <-exited:
		}
		if try < 12 { // then they may live
			select {
			case <-exited:
			case <-time.After(time.Duration(rand.Int64N(int64(try+1) * int64(40*time.Millisecond)))):
				for _, w := range workers {
					w.kill()
					kills++
				}
			}
		}
		<-exited
		relay.quiet()
		for _, w := range workers {
			text, err := os.ReadFile(w.job.Out)
			if err != nil {
				continue // killed: its messages come again
			}
			var out outcome
			require.NoError(t, json.Unmarshal(text, &out))
			for key, res := range out.Done {
				require.Contains(t, []string{"", res.MediaId}, done[key], "two assets of one key")
				done[key] = res.MediaId
				require.Equal(t, content[filepath.Base(queue[key].URL)], storedObject(t, srv, res), key)
			}
		}
		for key := range done {
			if rand.IntN(3) > 0 { // some are delivered although they are done
				delete(queue, key)
			}
		}
	}
	t.Logf("%d kills", kills)
	require.Len(t, srv.Medias(), 5)
	var ids []string
	for _, m := range srv.Medias() {
		require.Positive(t, m.Size)
		ids = append(ids, m.MediaId)
	}
	for key, id := range done {
		require.True(t, slices.Contains(ids, id), key)
	}
	require.Empty(t, srv.Uploads())
	require.Empty(t, checkpoints(t, base.Dir))
}

func storedObject(t *testing.T, srv *mediatest.Server, res *Result) []byte {
	t.Helper()
	data, ok := srv.Object(res.Bucket, res.Key)
	require.True(t, ok)
	return data
}
