package rpc

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var testService = Service{Product: "ice", Version: "2020-11-09", Hosts: map[string]string{"cn-shanghai": "ice.cn-shanghai.aliyuncs.com"}}

// script answers the n-th request with its n-th step and keeps what was asked.
type script struct {
	mu    sync.Mutex
	steps []step
	seen  []*http.Request
	forms []string
}

type step struct {
	status   int
	body     string
	header   map[string]string
	err      error
	unsent   bool // err comes before the request left
	untraced bool // the transport does not say what it does
	hang     bool // there is no response before the request's context ends
	drip     bool // the response's body never ends: a byte each second
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	form, _ := io.ReadAll(req.Body)
	s.seen = append(s.seen, req)
	s.forms = append(s.forms, string(form))
	if len(s.seen) > len(s.steps) {
		return nil, io.ErrUnexpectedEOF
	}
	st := s.steps[len(s.seen)-1]
	if trace := httptrace.ContextClientTrace(req.Context()); !st.untraced {
		trace.GetConn(req.URL.Host)
		if !st.unsent {
			trace.WroteHeaders()
		}
	}
	if st.err != nil {
		return nil, st.err
	}
	if st.hang {
		<-req.Context().Done()
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	h := http.Header{}
	for k, v := range st.header {
		h.Set(k, v)
	}
	resp := &http.Response{StatusCode: st.status, Header: h, Body: io.NopCloser(strings.NewReader(st.body)), Request: req}
	if st.drip {
		resp.Body = io.NopCloser(dripping{req.Context()})
	}
	return resp, nil
}

type dripping struct{ ctx context.Context }

func (d dripping) Read(p []byte) (int, error) {
	select {
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	case <-time.After(time.Second):
		p[0] = ' '
		return 1, nil
	}
}

func response(status int, body string) step { return step{status: status, body: body} }

func failure(status int, code string) step {
	return response(status, `{"RequestId":"R-1","HostId":"h","Code":"`+code+`","Message":"no"}`)
}

func ok() step { return response(200, `{"RequestId":"R-OK","MediaId":"m1"}`) }

type mediaResponse struct {
	RequestId string
	MediaId   string
}

func scripted(t *testing.T, steps ...step) (*Client, *script) {
	t.Helper()
	s := &script{steps: steps}
	c, err := New(testService, alimedia.Config{
		Region:      "cn-shanghai",
		Credentials: credentials.Static("LTAIexample", "very-secret", ""),
		HTTPClient:  &http.Client{Transport: s},
	})
	require.NoError(t, err)
	return c, s
}

func call(t *testing.T, c *Client, op Op, in any) (*mediaResponse, error) {
	t.Helper()
	return Call(context.Background(), c, op, in, new(mediaResponse))
}
