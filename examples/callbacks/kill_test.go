package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
)

const (
	killedAssets = 120
	kills        = 10
)

// program is the built program, which is killed and started again.
type program struct {
	t       *testing.T
	binary  string
	address string
	args    []string
	env     []string
	cmd     *exec.Cmd
	output  chan string // of the run, when it has ended
}

// start returns when callbacks are received.
func (p *program) start() {
	p.t.Helper()
	p.cmd = exec.Command(p.binary, p.args...)
	p.cmd.Env = p.env
	out, err := p.cmd.StdoutPipe()
	require.NoError(p.t, err)
	p.cmd.Stderr = p.cmd.Stdout
	require.NoError(p.t, p.cmd.Start())
	ready, output := make(chan bool, 1), make(chan string, 1)
	p.output = output
	go func() {
		var text strings.Builder
		for lines := bufio.NewScanner(out); lines.Scan(); {
			text.WriteString(lines.Text() + "\n")
			if strings.HasPrefix(lines.Text(), "receiving messages") {
				ready <- true
			}
		}
		close(ready)
		output <- text.String()
	}()
	if !<-ready {
		p.t.Fatal("the program did not start: " + <-output)
	}
}

// end sends a signal and returns what the program has written.
func (p *program) end(signal os.Signal) (string, error) {
	_ = p.cmd.Process.Signal(signal)
	text := <-p.output
	return text, p.cmd.Wait()
}

// delivery is an event on its way: by a callback, by the queue or by both, and
// sometimes more than once.
type delivery struct {
	body         string
	http, queued int
}

// deliveries are the events of all assets in random order, and how many each asset
// has.
func deliveries() []delivery {
	var all []delivery
	at := func(i int) string { return time.Unix(1795600800+int64(i), 0).UTC().Format(time.RFC3339) }
	for n := range killedAssets {
		id := fmt.Sprintf("%032x", n)
		for i, body := range []string{
			`{"EventType":"FileUploadComplete","EventTime":"` + at(0) + `","VideoId":"` + id + `","Size":` + fmt.Sprint(n+1) + `,"Status":"success"}`,
			`{"EventType":"VideoAnalysisComplete","EventTime":"` + at(1) + `","VideoId":"` + id + `","Duration":12.5,"Status":"success"}`,
			`{"EventType":"StreamTranscodeComplete","EventTime":"` + at(2) + `","VideoId":"` + id + `","JobId":"1","Definition":"HD","Status":"success"}`,
			`{"EventType":"StreamTranscodeComplete","EventTime":"` + at(2) + `","VideoId":"` + id + `","JobId":"2","Definition":"LD","Status":"fail","ErrorCode":"E"}`,
			`{"EventType":"TranscodeComplete","EventTime":"` + at(3) + `","VideoId":"` + id + `","Status":"success"}`,
		} {
			d := delivery{body: body}
			switch (n + i) % 3 {
			case 0:
				d.http = 1 + n%2
			case 1:
				d.queued = 1 + n%2
			default:
				d.http, d.queued = 1, 1
			}
			all = append(all, d)
		}
	}
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// sender delivers as a service that never gives up.
type sender struct {
	service  *mediatest.Server
	url      string
	client   *http.Client
	answered atomic.Int64 // callbacks with status 200
}

func (s *sender) deliver(t *testing.T, d delivery) {
	for i := range d.queued {
		body := d.body
		if i == 0 { // in another form
			body = base64.StdEncoding.EncodeToString([]byte(" " + body))
		}
		s.service.Send(queueName, body)
	}
	for range d.http {
		for deadline := time.Now().Add(2 * time.Minute); !s.post(t, d.body); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Error("a callback was never answered")
				return
			}
		}
	}
}

func (s *sender) post(t *testing.T, body string) bool {
	c := mediatest.Callback{Service: "vod", URL: s.url, AuthKey: alimedia.Secret(newKey), Body: body}
	req, err := c.Request()
	if err != nil {
		t.Error(err)
		return true
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return false // the program was killed
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	if resp.StatusCode == http.StatusOK {
		s.answered.Add(1)
	}
	return resp.StatusCode == http.StatusOK
}

// newProgram builds the program for a simulated service.
func newProgram(t *testing.T, kind string, service *mediatest.Server) (*program, settings) {
	t.Helper()
	folder := t.TempDir()
	p := &program{t: t, binary: filepath.Join(folder, "callbacks")}
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", p.binary, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p.address = l.Addr().String()
	require.NoError(t, l.Close())
	s := settings{db: filepath.Join(folder, "callbacks.db")}
	p.args = []string{"-db", s.db, "-listen", p.address, "-url", "http://" + p.address + "/callbacks", "-queue-endpoint", service.URL, "-queue", queueName}
	keys := service.Credentials()
	p.env = []string{"CALLBACK_KEYS=" + oldKey + "," + newKey, "ALIBABA_CLOUD_ACCESS_KEY_ID=" + keys.AccessKeyId, "ALIBABA_CLOUD_ACCESS_KEY_SECRET=" + keys.AccessKeySecret}
	if kind == "Postgres" {
		s.postgres = postgresURL(t)
		p.env = append(p.env, "DATABASE_URL="+s.postgres)
	}
	return p, s
}

// TestKilled kills the program at random moments while callbacks and messages
// arrive: nothing is lost and nothing counts twice.
func TestKilled(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			service := mediatest.New(t)
			service.SetQueue(queueName, mediatest.QueueSettings{VisibilityTimeout: 5 * time.Second})
			p, s := newProgram(t, kind, service)
			p.start()
			for i := range 3 {
				service.Send(queueName, fmt.Sprint("poison ", i))
			}
			send := &sender{service: service, url: "http://" + p.address + "/callbacks", client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}}
			all, callbacks := deliveries(), 0
			for _, d := range all {
				callbacks += d.http
			}
			work := make(chan delivery)
			var wg sync.WaitGroup
			for range 6 {
				wg.Go(func() {
					for d := range work {
						send.deliver(t, d)
					}
				})
			}
			wg.Go(func() {
				defer close(work)
				for _, d := range all {
					work <- d
				}
			})
			for i := range kills {
				for int(send.answered.Load()) < (i+1)*callbacks/(kills+2) {
					time.Sleep(time.Millisecond)
				}
				time.Sleep(rand.N(20 * time.Millisecond))
				require.Less(t, int(send.answered.Load()), callbacks, "killed at work")
				_, err := p.end(syscall.SIGKILL)
				require.ErrorContains(t, err, "killed")
				p.start()
			}
			wg.Wait()
			for deadline := time.Now().Add(2 * time.Minute); len(service.QueueMessages(queueName)) > 0; time.Sleep(20 * time.Millisecond) {
				service.Clock().Advance(time.Second) // messages of killed runs are visible sooner
				require.True(t, time.Now().Before(deadline), "the queue is not empty")
			}
			text, err := p.end(syscall.SIGTERM)
			require.NoError(t, err, text)
			require.Contains(t, text, "stopped")
			verifyKilled(t, s, len(all))
		})
	}
}

func verifyKilled(t *testing.T, s settings, events int) {
	db, err := openDatabase(t.Context(), s.postgres, s.db)
	require.NoError(t, err)
	defer db.Close()
	keep := &store{db}
	require.Equal(t, events, keep.count(t, `SELECT COUNT(*) FROM events`), "each event once")
	require.Positive(t, keep.count(t, `SELECT COUNT(*) FROM events WHERE via = 'http'`))
	require.Positive(t, keep.count(t, `SELECT COUNT(*) FROM events WHERE via = 'queue'`))
	require.Equal(t, 3, keep.count(t, `SELECT COUNT(*) FROM dead_letters`))
	require.Equal(t, 2*killedAssets, keep.count(t, `SELECT COUNT(*) FROM streams`))
	require.Equal(t, killedAssets, keep.count(t, `SELECT COUNT(*) FROM streams WHERE error_code = 'E'`))
	all, err := keep.assets(t.Context())
	require.NoError(t, err)
	require.Len(t, all, killedAssets)
	for n, a := range all {
		require.Equal(t, int64(5), a.Events, "each event counts once")
		require.Equal(t, ready, a.State)
		require.Equal(t, int64(n+1), a.Size)
		require.Equal(t, int64(12500), a.Duration)
	}
}
