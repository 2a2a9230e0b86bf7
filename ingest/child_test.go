package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/mediatest"
)

const childEnv = "ALIMEDIA_INGEST_TEST_CHILD"

// process is what a worker in a process of its own needs to know.
type process struct {
	URL, Id, Secret string // of the services
	NATS, Token     string
	Root, Temp      string
	AckWait         time.Duration
	Drain           time.Duration
}

func newProcess(srv *mediatest.Server, nats *Server, root, temp string, ackWait time.Duration) process {
	keys := srv.Credentials()
	return process{
		URL: srv.URL, Id: keys.AccessKeyId, Secret: string(keys.AccessKeySecret), NATS: nats.URL, Token: string(nats.Token),
		Root: root, Temp: temp, AckWait: ackWait, Drain: 5 * time.Second,
	}
}

// child is the other process: it works until it is killed, or drains on SIGTERM.
func child(text string) int {
	var p process
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	fleet, err := Open(ctx, Config{URL: p.NATS, Token: alimedia.Secret(p.Token), AckWait: p.AckWait, Logger: log})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	defer fleet.Close()
	cfg := workerConfig(fatal{}, alimedia.Config{
		Region: "cn-shanghai", Endpoint: p.URL, Credentials: credentials.Static(p.Id, p.Secret, ""), HTTPClient: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}},
	}, p.Root, p.URL)
	cfg.Dir, cfg.Uploads, cfg.Drain, cfg.Upload.Parallel = p.Temp, 8, p.Drain, 4
	if err := fleet.Work(ctx, cfg); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 4
	}
	return 0
}

// fatal ends a process that cannot begin.
type fatal struct{}

// Errorf implements require.TestingT.
func (fatal) Errorf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// FailNow implements require.TestingT.
func (fatal) FailNow() { os.Exit(5) }

// running is a process at work.
type running struct {
	*exec.Cmd
	output *logged
	exited chan struct{}
	err    error
}

func (p process) start(t *testing.T) *running {
	t.Helper()
	text, err := json.Marshal(p)
	require.NoError(t, err)
	r := &running{Cmd: exec.Command(os.Args[0]), output: new(logged), exited: make(chan struct{})}
	r.Env = append(os.Environ(), childEnv+"="+string(text))
	r.Stdout, r.Stderr = r.output, r.output
	require.NoError(t, r.Start())
	go func() {
		defer close(r.exited)
		r.err = r.Wait()
	}()
	t.Cleanup(r.kill)
	return r
}

// kill is what nobody can prepare for.
func (r *running) kill() {
	_ = r.Process.Kill()
	<-r.exited
}
