package ingest

import (
	"bytes"
	"context"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

const kib = 1 << 10

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		os.Exit(child(text))
	}
	goleak.VerifyTestMain(m)
}

// env is a fleet before simulated services.
type env struct {
	*mediatest.Server
	*Fleet
	nats *Server
	dir  string
	log  *logged
}

func newEnv(t *testing.T, change func(*Config), opts ...mediatest.Option) *env {
	t.Helper()
	e := &env{Server: mediatest.New(t, opts...), dir: t.TempDir(), log: new(logged)}
	var err error
	e.nats, err = Serve(ServerConfig{Dir: filepath.Join(e.dir, "nats"), Listen: "127.0.0.1:0"})
	require.NoError(t, err)
	cfg := Config{Server: e.nats, AckWait: 2 * time.Second, Logger: slog.New(slog.NewTextHandler(e.log, nil))}
	if change != nil {
		change(&cfg)
	}
	e.Fleet, err = Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		e.Fleet.Close()
		e.nats.Close()
	})
	return e
}

// worker is a configuration that reads below dir and uses all buckets.
func (e *env) worker(t *testing.T) WorkerConfig {
	t.Helper()
	return workerConfig(t, e.Server.Config(), e.dir, e.UploadConfig().OSSEndpoint)
}

func workerConfig(t require.TestingT, cfg alimedia.Config, dir, oss string) WorkerConfig {
	cfg.Retry = alimedia.Retry{BaseDelay: time.Millisecond, MaxDelay: 20 * time.Millisecond}
	v, err := vod.New(cfg)
	require.NoError(t, err)
	i, err := ice.New(cfg)
	require.NoError(t, err)
	return WorkerConfig{
		Upload: upload.Config{
			VOD: v, ICE: i, Credentials: cfg.Credentials, HTTPClient: cfg.HTTPClient, OSSEndpoint: oss, PartSize: 100 * kib, MultipartThreshold: 200 * kib,
			Retry: alimedia.Retry{BaseDelay: time.Millisecond, MaxDelay: 20 * time.Millisecond},
		},
		Roots: []Root{{Dir: dir}}, Buckets: []string{"*"}, Backoff: 100 * time.Millisecond, Rates: map[string]float64{}, Drain: 5 * time.Second,
		URLOptions: []upload.URLOption{upload.AllowPrivate()},
	}
}

// work runs a worker until the queue has been empty for a while.
func (e *env) work(t *testing.T, change func(*WorkerConfig)) {
	t.Helper()
	cfg := e.worker(t)
	cfg.Idle = time.Second
	if change != nil {
		change(&cfg)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, e.Fleet.Work(ctx, cfg))
	require.NoError(t, ctx.Err(), "the queue is never empty")
}

// file writes a file below the root and returns the input of its job.
func (e *env) file(t *testing.T, name string, size int) (Input, []byte) {
	t.Helper()
	data := random(size)
	path := filepath.Join(e.dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return Input{Root: e.dir, File: name}, data
}

func (e *env) submit(t *testing.T, jobs ...Job) Submission {
	t.Helper()
	s, err := e.Submit(t.Context(), Jobs(func(yield func(Job, error) bool) {
		for _, j := range jobs {
			if !yield(j, nil) {
				return
			}
		}
	}))
	require.NoError(t, err)
	return s
}

func random(n int) []byte {
	data := make([]byte, n)
	src := rand.NewChaCha8([32]byte{1})
	_, _ = src.Read(data)
	return data
}

// logged is a log that may be read while it is written.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String is what was written so far.
func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
