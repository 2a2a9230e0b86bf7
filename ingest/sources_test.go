package ingest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload"
)

// inputs lists what a source gives after a position.
func inputs(t *testing.T, src Source, after string) (all []string, positions []string) {
	t.Helper()
	for item, err := range src.Items(t.Context(), after) {
		require.NoError(t, err)
		all, positions = append(all, item.Job.Input.String()), append(positions, item.Position)
	}
	return all, positions
}

// resumes checks that each position is followed by what has not been given yet.
func resumes(t *testing.T, src func() Source) []string {
	t.Helper()
	all, positions := inputs(t, src(), "")
	for i, position := range positions {
		rest, _ := inputs(t, src(), position)
		require.Equal(t, append([]string(nil), all[i+1:]...), rest, "after %s", position)
	}
	return all
}

func TestFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"b/2.mp4", "b/1.MP4", "b.mp4", "a/x/y.mp4", "a-b/z.mp4", "notes.txt", ".hidden.mp4", ".git/x.mp4", "中文 名.mp4"} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte("x"), 0o600))
	}
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(dir, "link.mp4")))
	all := resumes(t, func() Source { return Folder(dir, video, "mp4") })
	require.Equal(t, []string{dir + "/a/x/y.mp4", dir + "/a-b/z.mp4", dir + "/b/1.MP4", dir + "/b/2.mp4", dir + "/b.mp4", dir + "/中文 名.mp4"}, all)
	require.NotEqual(t, Folder(dir, video).ID(), Folder(dir, Target{ICEMedia: &upload.ICEMedia{}}).ID())

	for _, err := range Folder(filepath.Join(dir, "missing"), video).Items(t.Context(), "") {
		require.ErrorIs(t, err, os.ErrNotExist)
	}
	first, _, err := Job{Input: Input{Root: dir, File: "b.mp4"}, Target: video}.prepared()
	require.NoError(t, err)
	_ = first
	key := func() string {
		for item, err := range Folder(dir, video, "mp4").Items(t.Context(), "b/2.mp4") {
			require.NoError(t, err)
			job, _, err := item.Job.prepared()
			require.NoError(t, err)
			return job.Key
		}
		return ""
	}
	before := key()
	require.Equal(t, before, key())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "b.mp4"), []byte("other"), 0o600))
	require.NotEqual(t, before, key(), "other content is another job")
}

func TestURLs(t *testing.T) {
	t.Parallel()
	text := "\ufeffhttps://example.com/1.mp4\n\n# comment\n  https://example.com/2.mp4  \n" +
		`{"key":"order-3","input":{"url":"https://example.com/3.mp4"},"target":{"ICEMedia":{}}}` + "\r\nhttps://example.com/4.mp4"
	all := resumes(t, func() Source { return URLs("list", strings.NewReader(text), video) })
	require.Equal(t, []string{"https://example.com/1.mp4", "https://example.com/2.mp4", "https://example.com/3.mp4", "https://example.com/4.mp4"}, all)
	_, positions := inputs(t, URLs("list", strings.NewReader(text), video), "")
	for _, other := range []string{strings.Replace(text, "2.mp4", "5.mp4", 1), "https://example.com/1.mp4"} {
		var last error
		for _, err := range URLs("list", strings.NewReader(other), video).Items(t.Context(), positions[1]) {
			last = err
		}
		require.ErrorIs(t, last, errOtherText)
	}
	for _, err := range URLs("list", strings.NewReader(`{"unknown":1}`), video).Items(t.Context(), "") {
		require.ErrorIs(t, err, ErrJob)
	}
	require.Empty(t, URLs("", nil, video).ID(), "nobody knows whether it is the same text")
}

func (e *env) objects(t *testing.T, prefix string, target Target) Source {
	t.Helper()
	u := e.UploadConfig()
	bucket, err := NewBucket(BucketConfig{Name: "own-bucket", Region: "cn-shanghai", Endpoint: u.OSSEndpoint, Credentials: u.Credentials, HTTPClient: u.HTTPClient})
	require.NoError(t, err)
	return Objects(bucket, "", prefix, target)
}

func TestObjects(t *testing.T) {
	t.Parallel()
	e := &env{Server: mediatest.New(t)}
	for i := range 2345 {
		e.PutObject("own-bucket", fmt.Sprintf("in/%04d é+.mp4", i), []byte("x"))
	}
	e.PutObject("own-bucket", "in/folder/", nil)
	e.PutObject("own-bucket", "other/1.mp4", []byte("x"))
	target := Target{RegisterMedia: &upload.RegisterMedia{}}
	all, positions := inputs(t, e.objects(t, "in/", target), "")
	require.Len(t, all, 2345)
	require.Equal(t, "oss://own-bucket/in/0000 é+.mp4", all[0])
	rest, _ := inputs(t, e.objects(t, "in/", target), positions[1499])
	require.Equal(t, all[1500:], rest)

	e.Fault(mediatest.Fault{Operation: "ListObjects", Status: 403, Code: "AccessDenied", Message: "SecurityToken=hunter2hunter2", Times: mediatest.Always})
	for _, err := range e.objects(t, "in/", target).Items(t.Context(), "") {
		require.ErrorContains(t, err, "AccessDenied")
		require.NotContains(t, err.Error(), "hunter2hunter2")
	}
}

func TestNewBucket(t *testing.T) {
	t.Parallel()
	for _, c := range []BucketConfig{{}, {Name: "own-bucket"}, {Name: "Own", Region: "cn-shanghai"}, {Name: "own-bucket", Region: "evil.com/"}, {Name: "own-bucket", Region: "cn-shanghai", Endpoint: "http://oss.example.com"}} {
		_, err := NewBucket(c)
		require.Error(t, err, "%+v", c)
	}
}

// broken is a source that ends with an error after some jobs.
type broken struct {
	Source
	after int
	err   error
}

// Items implements [Source].
func (b broken) Items(ctx context.Context, after string) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		n := 0
		for item, err := range b.Source.Items(ctx, after) {
			if n++; n > b.after {
				yield(Item{}, b.err)
				return
			}
			if !yield(item, err) {
				return
			}
		}
	}
}

// TestSubmit_Resumes: an interrupted submission goes on behind what is in the
// queue, a complete one begins anew and adds what is new.
func TestSubmit_Resumes(t *testing.T) {
	t.Parallel()
	e := newEnv(t, nil)
	for i := range 1800 {
		e.PutObject("own-bucket", fmt.Sprintf("in/%04d.mp4", i), []byte("x"))
	}
	src := e.objects(t, "in/", Target{RegisterMedia: &upload.RegisterMedia{}})
	gone := errors.New("gone")
	count, err := e.Submit(t.Context(), broken{src, 1234, gone})
	require.ErrorIs(t, err, gone)
	require.EqualValues(t, 1234, count.Queued)
	lists := e.Calls("ListObjects")
	count, err = e.Submit(t.Context(), src)
	require.NoError(t, err)
	require.Equal(t, Submission{Queued: 1800 - 1234, Resumed: 1235}, count, "the broken item counts as invalid")
	require.Equal(t, 1, e.Calls("ListObjects")-lists, "from the position on")

	e.PutObject("own-bucket", "in/0000a.mp4", []byte("x"))
	count, err = e.Submit(t.Context(), src)
	require.NoError(t, err)
	require.Equal(t, Submission{Queued: 1, Waiting: 1800}, count)

	e.work(t, func(c *WorkerConfig) { c.Calls = 8 })
	require.Equal(t, 181, e.Calls("RegisterMedia"), "groups of ten")
	require.Len(t, e.Medias(), 1801)
	count, err = e.Submit(t.Context(), src)
	require.NoError(t, err)
	require.Equal(t, Submission{Done: 1801}, count)
}

// TestSubmit_Invalid: one bad line does not stop the others if the caller says so.
func TestSubmit_Invalid(t *testing.T) {
	t.Parallel()
	e := newEnv(t, nil)
	text := "https://example.com/1.mp4\nhttps://user:hunter2222@example.com/2.mp4\nftp://example.com\nhttps://example.com/3.mp4\n"
	var bad []error
	count, err := e.Submit(t.Context(), URLs("list", strings.NewReader(text), video), SubmitConfig{Invalid: func(_ Job, err error) error {
		bad = append(bad, err)
		return nil
	}})
	require.NoError(t, err)
	require.Equal(t, Submission{Queued: 2, Invalid: 2}, count)
	require.ErrorIs(t, bad[0], ErrSecret)
	_, err = e.Submit(t.Context(), URLs("list", strings.NewReader(text), video))
	require.ErrorIs(t, err, ErrSecret)
	require.NotContains(t, err.Error(), "hunter2222")
}

// TestSubmit_FullQueue: a submission waits until the workers have made room.
func TestSubmit_FullQueue(t *testing.T) {
	t.Parallel()
	e := newEnv(t, func(c *Config) { c.MaxJobs = 100 })
	for i := range 700 {
		e.PutObject("own-bucket", fmt.Sprintf("in/%04d.mp4", i), []byte("x"))
	}
	src := e.objects(t, "in/", Target{RegisterMedia: &upload.RegisterMedia{}})
	type outcome struct {
		Submission
		err error
	}
	submitted := make(chan outcome, 1)
	go func() {
		count, err := e.Submit(t.Context(), src)
		submitted <- outcome{count, err}
	}()
	require.Eventually(t, func() bool {
		s, err := e.Status(t.Context())
		return err == nil && s.Waiting == 100
	}, 10*time.Second, 10*time.Millisecond)
	select {
	case <-submitted:
		require.Fail(t, "the queue has no limit")
	case <-time.After(300 * time.Millisecond):
	}
	e.work(t, func(c *WorkerConfig) { c.Calls, c.Idle = 8, 4*time.Second })
	out := <-submitted
	require.NoError(t, out.err)
	require.EqualValues(t, 700, out.Queued+out.Waiting)
	require.Len(t, e.Medias(), 700)
}

func TestServe(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "nats")
	s, err := Serve(ServerConfig{Dir: dir, Listen: "127.0.0.1:0"})
	require.NoError(t, err)
	defer s.Close()
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	info, err = os.Stat(filepath.Join(dir, TokenFile))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	token, err := ReadToken(filepath.Join(dir, TokenFile))
	require.NoError(t, err)
	require.Equal(t, s.Token, token)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", s, s, s), string(token))

	wrong := "hunter2hunter2"
	for _, cfg := range []Config{{URL: s.URL}, {URL: s.URL, Token: "hunter2hunter2"}, {URL: strings.Replace(s.URL, "://", "://"+wrong+"@", 1)}, {URL: strings.Replace(s.URL, "://", "://me:"+wrong+"@", 1)}} {
		_, err = Open(t.Context(), cfg)
		require.Error(t, err)
		require.NotContains(t, err.Error(), wrong)
	}
	f, err := Open(t.Context(), Config{URL: s.URL, Token: token})
	require.NoError(t, err)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", f, f, f), string(token))
	f.Close()

	for _, cfg := range []ServerConfig{{}, {Dir: dir, Listen: "0.0.0.0:0"}, {Dir: dir, Listen: ":0"}, {Dir: dir, Listen: "example.com:x"}} {
		_, err := Serve(cfg)
		require.Error(t, err, "%+v", cfg)
	}
	for _, cfg := range []Config{{URL: s.URL, Name: "a.b"}, {URL: s.URL, AckWait: 1}, {URL: s.URL, MaxJobs: -1}} {
		_, err := Open(t.Context(), cfg)
		require.Error(t, err, "%+v", cfg)
	}
}
