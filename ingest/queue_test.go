package ingest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload"
)

func (e *env) letters(t *testing.T) (all []DeadLetter) {
	t.Helper()
	for letter, err := range e.Dead(t.Context()) {
		require.NoError(t, err)
		all = append(all, letter)
	}
	return all
}

func (e *env) result(t *testing.T, key string) Record {
	t.Helper()
	r, err := e.Result(t.Context(), key)
	require.NoError(t, err)
	return r
}

// TestDead: what cannot be mended by a repetition is in the dead-letter stream at
// once, other failures after some attempts; requeued jobs are done under the
// same MediaId.
func TestDead(t *testing.T) {
	t.Parallel()
	e := newEnv(t, nil)
	empty, _ := e.file(t, "empty.mp4", 0)
	fine, data := e.file(t, "fine.mp4", 300*kib)
	e.submit(t,
		Job{Key: "empty", Input: empty, Target: video},
		Job{Key: "missing", Input: Input{Root: e.dir, File: "missing.mp4"}, Target: video},
		Job{Key: "outside", Input: Input{Root: "/etc", File: "passwd"}, Target: video},
		Job{Key: "fails", Input: fine, Target: Target{ICEMedia: &upload.ICEMedia{}}},
	)
	require.NoError(t, os.Symlink("/etc/hostname", filepath.Join(e.dir, "link.mp4")))
	e.submit(t, Job{Key: "link", Input: Input{Root: e.dir, File: "link.mp4"}, Target: video})
	secret := "LTAI5tSecretSecretSecretKey"
	e.Fault(mediatest.Fault{Operation: "PutObject", Times: mediatest.Always, Status: 400, Code: "BadLuck", Message: "\x1b[31mSecurityToken=" + secret + strings.Repeat("x", 4096)})
	e.work(t, func(c *WorkerConfig) { c.Attempts = 3 })

	letters := map[string]DeadLetter{}
	for _, l := range e.letters(t) {
		letters[l.Job.Key] = l
		require.LessOrEqual(t, len(l.Error.Message), maxMessage+3)
		require.NotContains(t, l.Error.Message, secret)
		require.NotContains(t, l.Error.Message, "\x1b")
	}
	require.Len(t, letters, 5)
	require.Equal(t, "Empty", letters["empty"].Error.Code)
	require.Equal(t, 1, letters["empty"].Failures)
	require.Equal(t, "NotFound", letters["missing"].Error.Code)
	require.Equal(t, "UnknownRoot", letters["outside"].Error.Code)
	require.Equal(t, 3, letters["outside"].Failures, "another worker might have the root")
	require.Equal(t, "BadLuck", letters["fails"].Error.Code)
	id := letters["fails"].MediaId
	require.NotEmpty(t, id)
	require.Equal(t, StateDead, e.result(t, "link").State)
	require.Empty(t, e.Uploads())

	summary, err := e.Report(t.Context(), nil)
	require.NoError(t, err)
	require.EqualValues(t, 5, summary.States[StateDead])
	require.EqualValues(t, 1, summary.Causes["BadLuck"].Dead)
	require.Contains(t, summary.String(), "1 dead      0 waiting  BadLuck: ")
	status, err := e.Status(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 5, status.Dead)
	require.Zero(t, status.Waiting+status.Running+status.Finished)

	require.EqualValues(t, 1, e.submit(t, Job{Key: "fails", Input: fine, Target: Target{ICEMedia: &upload.ICEMedia{}}}).Dead, "only requeue makes it live")
	e.ClearFaults()
	n, err := e.Requeue(t.Context(), func(l DeadLetter) bool { return l.Error.Code == "BadLuck" })
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Len(t, e.letters(t), 4)
	e.work(t, nil)
	r := e.result(t, "fails")
	require.Equal(t, StateDone, r.State)
	require.Equal(t, id, r.MediaId)
	require.EqualValues(t, len(data), r.Size)
	require.Len(t, e.Medias(), 1)
	n, err = e.Discard(t.Context(), func(l DeadLetter) bool { return true })
	require.NoError(t, err)
	require.Equal(t, 4, n)
	require.Empty(t, e.letters(t))
}

// TestDead_WorkersEnd: a job that kills its workers is dead after some of them.
func TestDead_WorkersEnd(t *testing.T) {
	t.Parallel()
	e := newEnv(t, nil)
	in, _ := e.file(t, "a.mp4", kib)
	e.submit(t, Job{Key: "poison", Input: in, Target: video})
	hash := digest("poison")
	for i := range 3 { // of which nothing has been heard since
		h, err := e.load(t.Context(), hash)
		require.NoError(t, err)
		h.State, h.Worker, h.Deaths, h.Key = StateWorking, fmt.Sprint("gone-", i), i, "poison"
		require.NoError(t, e.save(t.Context(), h))
	}
	e.work(t, func(c *WorkerConfig) { c.Deaths = 3 })
	letters := e.letters(t)
	require.Len(t, letters, 1)
	require.Equal(t, "WorkerDied", letters[0].Error.Code)
	require.Equal(t, 3, letters[0].Deaths)
	require.Empty(t, e.Medias())
}

// TestHostile: whatever is in the queue, the workers go on.
func TestHostile(t *testing.T) {
	t.Parallel()
	e := newEnv(t, nil)
	in, _ := e.file(t, "a.mp4", kib)
	good, text, err := Job{Key: "good", Input: in, Target: video}.prepared()
	require.NoError(t, err)
	subject := func(class, key string) string { return "ingest.jobs." + class + "." + digest(key) }
	messages := map[string]string{
		subject("upload", "1"):             "\x00\xff not JSON AccessKeySecret=hunter2hunter2",
		subject("upload", "2"):             "",
		subject("upload", "3"):             strings.Repeat("[", 100_000),
		subject("upload", "4"):             string(text), // under the name of another job
		subject("register", "5"):           `{"version":1,"key":"5","input":{"root":"/","file":"etc/passwd"},"target":{"VODVideo":{}}}`,
		subject("upload", "6"):             `{"version":99,"key":"6"}`,
		subject("upload", "7"):             `{"version":1,"key":"7","input":{"url":"http://169.254.169.254/latest"},"target":{"VODVideo":{}}}`,
		subject("upload", "8"):             `{"version":1,"key":"8","input":{"file":"../../etc/passwd"},"target":{"VODVideo":{}}}`,
		subject("register", "9"):           `{"version":1,"key":"9","input":{"bucket":"foreign-bucket","object":"a.mp4"},"target":{"RegisterMedia":{}}}`,
		"ingest.jobs.upload.x.y.z":         string(text),
		"ingest.jobs.upload." + "a>b*c":    string(text),
		subject("upload", "10") + ".extra": `{"version":1,"key":"10","input":{"root":"/","file":"etc/passwd"},"target":{"VODVideo":{}},"more":1}`,
	}
	for s, data := range messages {
		if strings.ContainsAny(s, "*>") {
			continue // the server refuses such a subject
		}
		_, err := e.js.Publish(t.Context(), s, []byte(data))
		require.NoError(t, err)
	}
	e.submit(t, good)
	e.work(t, func(c *WorkerConfig) {
		c.Buckets, c.Attempts = []string{"own-bucket"}, 1
		c.URLOptions = nil // only the public internet
	})
	require.Equal(t, StateDone, e.result(t, "good").State)
	require.Len(t, e.Medias(), 1)
	status, err := e.Status(t.Context())
	require.NoError(t, err)
	require.Zero(t, status.Waiting+status.Running)
	codes := map[string]int{}
	for _, l := range e.letters(t) {
		codes[l.Error.Code]++
		require.NotContains(t, l.Raw, "hunter2hunter2")
		require.NotContains(t, l.Raw, "\x00")
		require.LessOrEqual(t, len(l.Raw), maxRaw+3)
	}
	require.Equal(t, map[string]int{"InvalidJob": 9, "NotPublic": 1, "UnknownBucket": 1}, codes)
	require.Zero(t, e.Calls("RegisterMedia"))
}

// TestHostile_Records: what is in the key-value store is not believed.
func TestHostile_Records(t *testing.T) {
	t.Parallel()
	e := newEnv(t, nil)
	in, data := e.file(t, "a.mp4", 300*kib)
	for i, record := range []string{"\x00", "[]", `{"version":7,"state":"done"}`, strings.Repeat("{", 10_000)} {
		key := fmt.Sprint("job ", i)
		_, err := e.results.Put(t.Context(), digest(key), []byte(record))
		require.NoError(t, err)
		snapshot := []byte("not gzip")
		if i == 1 {
			snapshot, err = pack(map[string][]byte{"../../evil": []byte("x")})
			require.NoError(t, err)
		}
		if i == 2 {
			snapshot, err = pack(map[string][]byte{"a.upload": []byte(strings.Repeat("x", 1<<20))})
			require.NoError(t, err)
		}
		_, err = e.state.Put(t.Context(), "job."+digest(key), snapshot)
		require.NoError(t, err)
		e.submit(t, Job{Key: key, Input: in, Target: video})
	}
	e.work(t, nil)
	for i := range 4 {
		r := e.result(t, fmt.Sprint("job ", i))
		require.Equal(t, StateDone, r.State, "%+v", r.Error)
		require.EqualValues(t, len(data), r.Size)
	}
	require.Len(t, e.Medias(), 4)
}

// TestDedupe: a job is in the queue once, and done once.
func TestDedupe(t *testing.T) {
	t.Parallel()
	e := newEnv(t, nil)
	in, _ := e.file(t, "a.mp4", kib)
	job := Job{Key: "once", Input: in, Target: video}
	require.Equal(t, Submission{Queued: 1, Waiting: 2}, e.submit(t, job, job, job))
	e.work(t, nil)
	require.Equal(t, Submission{Done: 2}, e.submit(t, job, job))
	// A message that comes although the job is done.
	_, text, err := job.prepared()
	require.NoError(t, err)
	_, err = e.js.Publish(t.Context(), e.subject(job), text)
	require.NoError(t, err)
	e.work(t, nil)
	require.Len(t, e.Medias(), 1)
	require.Equal(t, 1, e.Calls("CreateUploadVideo"))
	status, err := e.Status(t.Context())
	require.NoError(t, err)
	require.Zero(t, status.Waiting+status.Running)
}

// TestAccount: workers of two accounts cannot work in one fleet.
func TestAccount(t *testing.T) {
	t.Parallel()
	e := newEnv(t, nil)
	e.work(t, nil)
	cfg := e.worker(t)
	cfg.Account = "4444444444444444"
	require.ErrorContains(t, e.Fleet.Work(t.Context(), cfg), "belong to account 4444444444444444")
}

// TestDrain: SIGTERM lets a process give its jobs back, and another one goes on
// with what is stored.
func TestDrain(t *testing.T) {
	t.Parallel()
	e := newEnv(t, func(c *Config) { c.AckWait = 30 * time.Second }) // longer than the test
	in, data := e.file(t, "large.mp4", 900*kib)
	e.submit(t, Job{Key: "large", Input: in, Target: video})
	var parts atomic.Int64
	e.Fault(mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, Delay: 300 * time.Millisecond, Match: func(mediatest.Request) bool { return parts.Add(1) > 3 }})
	p := newProcess(e.Server, e.nats, e.dir, t.TempDir(), 30*time.Second)
	p.Drain = 50 * time.Millisecond
	w := p.start(t)
	require.Eventually(t, func() bool { return parts.Load() > 4 }, 20*time.Second, 5*time.Millisecond)
	require.NoError(t, w.Process.Signal(syscall.SIGTERM))
	<-w.exited
	require.NoError(t, w.err, "%s", w.output)
	r := e.result(t, "large")
	require.Equal(t, StateWaiting, r.State)
	require.Zero(t, r.Failures+r.Deaths)
	status, err := e.Status(t.Context())
	require.NoError(t, err)
	require.Empty(t, status.Workers, "it has signed off")
	require.Len(t, e.Uploads(), 1, "its parts are kept")

	e.ClearFaults()
	sent := e.Calls("UploadPart")
	e.work(t, nil)
	r = e.result(t, "large")
	require.Equal(t, StateDone, r.State)
	require.EqualValues(t, len(data), r.Size)
	require.Less(t, e.Calls("UploadPart")-sent, 9, "stored parts are not sent again")
	require.Len(t, e.Medias(), 1)
	require.Empty(t, e.Uploads())
}

// TestDrain_Finishes what is nearly done.
func TestDrain_Finishes(t *testing.T) {
	t.Parallel()
	e := newEnv(t, nil)
	in, _ := e.file(t, "a.mp4", kib)
	e.submit(t, Job{Key: "a", Input: in, Target: video})
	ctx, cancel := context.WithCancel(t.Context())
	e.Fault(mediatest.Fault{Operation: "PutObject", Delay: 300 * time.Millisecond, Match: func(mediatest.Request) bool { cancel(); return true }})
	require.NoError(t, e.Fleet.Work(ctx, e.worker(t)))
	require.Equal(t, StateDone, e.result(t, "a").State)
}

// TestLostMediaId: a worker ends between the creation of an asset and the record
// of it. The next one finds the asset.
func TestLostMediaId(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]Target{"VODVideo": video, "ICEMedia": {ICEMedia: &upload.ICEMedia{}}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t, nil)
			in, data := e.file(t, "a.mp4", 300*kib)
			others, _ := e.file(t, "b.mp4", kib)
			for i := range 3 { // assets that are not ours
				e.submit(t, Job{Key: fmt.Sprint("other", i), Input: others, Target: target})
			}
			e.Fault(mediatest.Fault{Operation: "PutObject", Times: 3, Status: 400, Code: "BadLuck"})
			e.work(t, func(c *WorkerConfig) { c.Attempts = 1 })
			before := len(e.Medias())
			e.submit(t, Job{Key: "lost", Input: in, Target: target})
			// The answer is lost, and with it the worker.
			e.Fault(mediatest.Fault{Operation: "CreateUploadVideo", AfterEffect: true, ResponseDelay: mediatest.Forever})
			e.Fault(mediatest.Fault{Operation: "CreateUploadMedia", AfterEffect: true, ResponseDelay: mediatest.Forever})
			p := newProcess(e.Server, e.nats, e.dir, t.TempDir(), 2*time.Second)
			w := p.start(t)
			require.Eventually(t, func() bool { return len(e.Medias()) == before+1 }, 20*time.Second, 5*time.Millisecond)
			w.kill()
			e.ClearFaults()
			cfg := e.worker(t)
			cfg.Idle = 6 * time.Second
			require.NoError(t, e.Fleet.Work(t.Context(), cfg))
			r := e.result(t, "lost")
			require.Equal(t, StateDone, r.State, "%+v", r.Error)
			require.EqualValues(t, len(data), r.Size)
			require.Equal(t, 1, r.Deaths)
			require.Len(t, e.Medias(), before+1, "another asset was created")
			require.Equal(t, e.Medias()[before].MediaId, r.MediaId)
		})
	}
}

// TestThrottled: throttling is not the fault of a job.
func TestThrottled(t *testing.T) {
	t.Parallel()
	e := newEnv(t, nil)
	in, _ := e.file(t, "a.mp4", kib)
	e.submit(t, Job{Key: "a", Input: in, Target: video})
	e.Fault(mediatest.Fault{Operation: "CreateUploadVideo", Times: 12, Throttling: true})
	e.work(t, func(c *WorkerConfig) { c.Attempts = 1 })
	r := e.result(t, "a")
	require.Equal(t, StateDone, r.State)
	require.Zero(t, r.Failures)
}

// TestFenced: a worker that has lost the queue ends its jobs before others take
// them.
func TestFenced(t *testing.T) {
	t.Parallel()
	e := newEnv(t, nil)
	in, _ := e.file(t, "a.mp4", kib)
	e.submit(t, Job{Key: "a", Input: in, Target: video})
	began := make(chan struct{})
	e.Fault(mediatest.Fault{Operation: "PutObject", Times: mediatest.Always, Delay: mediatest.Forever, Match: func(mediatest.Request) bool {
		select {
		case <-began:
		default:
			close(began)
		}
		return true
	}})
	cfg := e.worker(t)
	w, err := e.newWorker(t.Context(), cfg)
	require.NoError(t, err)
	defer w.close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w.stop = ctx.Done()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for msg := range w.fetch(ctx, classUpload, 1) {
			w.upload(msg)
		}
	}()
	<-began
	w.mu.Lock()
	w.contact = time.Now().Add(-time.Hour)
	w.mu.Unlock()
	require.True(t, w.fenced())
	for _, task := range w.tasksNow() {
		task.cancel(errFenced)
	}
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		require.Fail(t, "the job goes on")
	}
	require.Equal(t, StateWorking, e.result(t, "a").State, "another worker decides")
	require.Contains(t, e.log.String(), "job given up")
}

// TestTaken: a worker whose job was taken by another one cannot record anything.
func TestTaken(t *testing.T) {
	t.Parallel()
	e := newEnv(t, nil)
	a, err := e.load(t.Context(), digest("x"))
	require.NoError(t, err)
	b, err := e.load(t.Context(), digest("x"))
	require.NoError(t, err)
	a.State, a.Worker = StateWorking, "a"
	require.NoError(t, e.save(t.Context(), a))
	b.State, b.Worker = StateWorking, "b"
	require.ErrorIs(t, e.save(t.Context(), b), errTaken)
	require.NoError(t, e.save(t.Context(), a))
	require.False(t, errors.Is(errTaken, errStore))
}

// TestOpen_Adopts: who only looks at a fleet does not change its settings.
func TestOpen_Adopts(t *testing.T) {
	t.Parallel()
	e := newEnv(t, func(c *Config) { c.AckWait, c.MaxJobs, c.MaxPending = 3*time.Second, 1234, 55 })
	f, err := Open(t.Context(), Config{Server: e.nats})
	require.NoError(t, err)
	defer f.Close()
	info, err := f.consumers[classUpload].Info(t.Context())
	require.NoError(t, err)
	require.Equal(t, 3*time.Second, info.Config.AckWait)
	require.Equal(t, 55, info.Config.MaxAckPending)
	stream, err := f.jobs.Info(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1234, stream.Config.MaxMsgs)
	_, err = Open(t.Context(), Config{Server: e.nats, AckWait: time.Minute})
	require.ErrorContains(t, err, "that of the fleet is 3s")
}

// TestDone_LeavesNothing but the record.
func TestDone_LeavesNothing(t *testing.T) {
	t.Parallel()
	e := newEnv(t, nil)
	in, _ := e.file(t, "a.mp4", 300*kib)
	e.submit(t, Job{Key: "a", Input: in, Target: video})
	e.work(t, nil)
	require.Equal(t, StateDone, e.result(t, "a").State)
	info, err := e.states.Info(t.Context())
	require.NoError(t, err)
	require.Zero(t, info.State.Msgs)
	info, err = e.jobs.Info(t.Context())
	require.NoError(t, err)
	require.Zero(t, info.State.Msgs)
}

// TestKilled_Continues: what a worker knew when it was killed, the next one knows:
// it sends its parts to the same multipart upload.
func TestKilled_Continues(t *testing.T) {
	t.Parallel()
	e := newEnv(t, nil)
	in, data := e.file(t, "large.mp4", 900*kib)
	e.submit(t, Job{Key: "large", Input: in, Target: video})
	var parts atomic.Int64
	e.Fault(mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, Delay: mediatest.Forever, Match: func(mediatest.Request) bool { return parts.Add(1) > 3 }})
	w := newProcess(e.Server, e.nats, e.dir, t.TempDir(), 2*time.Second).start(t)
	require.Eventually(t, func() bool { return parts.Load() > 4 }, 20*time.Second, 5*time.Millisecond)
	w.kill()
	require.NotEmpty(t, e.result(t, "large").MediaId, "recorded when it was known")
	e.ClearFaults()
	cfg := e.worker(t)
	cfg.Idle = 6 * time.Second
	require.NoError(t, e.Fleet.Work(t.Context(), cfg))
	r := e.result(t, "large")
	require.Equal(t, StateDone, r.State)
	require.EqualValues(t, len(data), r.Size)
	require.Equal(t, 1, e.Calls("CreateUploadVideo"))
	require.Equal(t, 1, e.Calls("InitiateMultipartUpload"), "another multipart upload was begun")
	require.Empty(t, e.Uploads())
}
