package upload

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/vod"
)

// job is an upload in a process of its own.
type job struct {
	URL, Id, Secret    string
	File, Dir, Out     string
	Target, MediaId    string
	Recreate, Optional bool
	Wait               bool
	ObeyModes          bool
	Queue              []queued
	FileLimit          int64 // of bytes in any file that the process writes
}

// outcome is what it has come to.
type outcome struct {
	Result             *Result
	Error, Log         string
	Done               map[string]*Result // of a queue
	Locked, Checkpoint bool               // the error is ErrCheckpointLocked, ErrCheckpoint
}

const jobEnv = "ALIMEDIA_UPLOAD_TEST_JOB"

func newJob(t *testing.T, srv *mediatest.Server, url, target, file string) job {
	t.Helper()
	dir := t.TempDir()
	return job{
		URL: url, Id: srv.Credentials().AccessKeyId, Secret: srv.Credentials().AccessKeySecret,
		Target: target, File: file, Dir: filepath.Join(dir, "checkpoints"), Out: filepath.Join(dir, "outcome"),
	}
}

func (j job) target() Target {
	own := Bucket{Name: "own-bucket", Key: "in/", Region: "cn-shanghai"}
	switch j.Target {
	case "VODVideo":
		return VODVideo{ReferenceId: "movie-2026"}
	case "KeyedVideo":
		return VODVideo{}
	case "VODImage":
		return VODImage{}
	case "VODAttachedMedia":
		return VODAttachedMedia{BusinessType: vod.BusinessTypeWatermark}
	case "ICEMedia":
		return ICEMedia{}
	case "ICEStream":
		return ICEStream{MediaId: j.MediaId, Definition: "HD"}
	case "YikeAsset":
		return YikeAsset{}
	case "RegisterMediaInfo":
		own.Register = RegisterMediaInfo{}
	case "RegisterMediaStream":
		own.Register = RegisterMediaStream{MediaId: j.MediaId}
	case "RegisterMedia":
		own.Register = RegisterMedia{}
	}
	return own
}

func (j job) uploader(client *http.Client, change func(*Config)) (*Uploader, error) {
	keys := credentials.Static(j.Id, j.Secret, "")
	cfg := alimedia.Config{Region: "cn-shanghai", Endpoint: j.URL, Credentials: keys, HTTPClient: client}
	v, err := vod.New(cfg)
	if err != nil {
		return nil, err
	}
	i, err := ice.New(cfg)
	if err != nil {
		return nil, err
	}
	c := Config{
		VOD: v, ICE: i, Credentials: keys, HTTPClient: client, PartSize: 100 * kib, MultipartThreshold: 200 * kib, OSSEndpoint: j.URL, Parallel: 2,
	}
	change(&c)
	return New(c)
}

func (j job) options() []Option {
	opts := []Option{WithCheckpoint(j.Dir)}
	if !j.Optional {
		opts = append(opts, WithCheckpointRequired())
	}
	if j.Recreate {
		opts = append(opts, WithRecreate())
	}
	if j.Wait {
		opts = append(opts, WithWait())
	}
	return opts
}

// What a process can ask of its system, where the system can do that.
var (
	limitFileSize = func(int64) (restore func()) { return func() {} } // writing beyond so many bytes of a file fails
	obeyModes     = func() {}                                         // those of files count even for root
)

// TestChild is the other process: it does the job and writes the outcome.
func TestChild(t *testing.T) {
	text := os.Getenv(jobEnv)
	if text == "" {
		return
	}
	var j job
	require.NoError(t, json.Unmarshal([]byte(text), &j))
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	var logged lines
	u, err := j.uploader(client, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&logged, nil)) })
	require.NoError(t, err)
	restore := func() {}
	if j.FileLimit > 0 {
		restore = limitFileSize(j.FileLimit)
	}
	if j.ObeyModes {
		obeyModes()
	}
	if j.Queue != nil {
		j.tell(t, j.work(u))
		return
	}
	res, err := u.Upload(context.Background(), File(j.File), j.target(), j.options()...)
	restore()
	out := outcome{Result: res, Log: logged.String(), Locked: errors.Is(err, ErrCheckpointLocked), Checkpoint: errors.Is(err, ErrCheckpoint)}
	if err != nil {
		out.Error = err.Error()
	}
	j.tell(t, out)
}

// tell writes the outcome at once: a death meanwhile leaves none.
func (j job) tell(t *testing.T, out outcome) {
	t.Helper()
	written, err := json.Marshal(out)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(j.Out+".tmp", written, 0o600))
	require.NoError(t, os.Rename(j.Out+".tmp", j.Out))
}

// child is a process at work.
type child struct {
	*exec.Cmd
	job    job
	output bytes.Buffer
	exited chan struct{} // closed
	err    error
}

func (j job) start(t *testing.T) *child {
	t.Helper()
	text, err := json.Marshal(j)
	require.NoError(t, err)
	c := &child{Cmd: exec.Command(os.Args[0], "-test.run=^TestChild$"), job: j, exited: make(chan struct{})}
	c.Env = append(os.Environ(), jobEnv+"="+string(text))
	c.Stdout, c.Stderr = &c.output, &c.output
	require.NoError(t, c.Start())
	go func() {
		defer close(c.exited)
		c.err = c.Wait()
	}()
	t.Cleanup(c.kill)
	return c
}

// kill is what nobody can prepare for.
func (c *child) kill() {
	_ = c.Process.Kill()
	<-c.exited
}

// outcome waits for the end of a process that is not killed.
func (c *child) outcome(t *testing.T) (out outcome) {
	t.Helper()
	<-c.exited
	require.NoError(t, c.err, "%s", c.output.String())
	text, err := os.ReadFile(c.job.Out)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &out))
	return out
}
