package credentials

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTransient(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err  error
		want bool
	}{
		"server error":       {&Error{StatusCode: 500}, true},
		"too many requests":  {&Error{StatusCode: 429}, true},
		"throttled":          {&Error{StatusCode: 400, Code: "throttling.User"}, true},
		"throttled, inside":  {&Error{StatusCode: 400, Code: "Api.Throttling"}, true},
		"flow control":       {&Error{StatusCode: 400, Code: "FlowControl"}, true},
		"busy":               {&Error{StatusCode: 403, Code: "ServiceBusy"}, true},
		"denied":             {&Error{StatusCode: 403, Code: "NoPermission"}, false},
		"reset":              {&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, true},
		"cut off":            {fmt.Errorf("host: %w", io.ErrUnexpectedEOF), true},
		"closed":             {fmt.Errorf("host: %w", io.EOF), true},
		"no such host":       {&net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}, false},
		"connection refused": {&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, false},
		"silent":             {&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, false},
		"out of time":        {fmt.Errorf("host: %w", context.DeadlineExceeded), false},
		"cancelled":          {context.Canceled, false},
		"anything else":      {errors.New("x509: certificate signed by unknown authority"), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, transient(tt.err))
		})
	}
}

// The text of a *url.Error holds the URL, and that may hold a token.
func TestTransportErrorsNameTheHostOnly(t *testing.T) {
	t.Parallel()
	c := newCaller(transport(func(*http.Request) (*http.Response, error) { return nil, errors.New("broken pipe") }).client(), time.Second, nil)
	_, err := c.exchange(t.Context(), func(ctx context.Context) (*http.Request, error) {
		return http.NewRequestWithContext(ctx, http.MethodGet, "https://user:"+testSecret+"@host.example/?token="+url.QueryEscape(testToken), nil)
	})
	require.EqualError(t, err, "host.example: broken pipe")
}

// endless is a body without end, which counts what is read of it.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) { e.read += len(p); return len(p), nil }

func (e *endless) Close() error { return nil }

func TestResponsesAreBounded(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]string{
		http.StatusOK:        "credentials: URI: 127.0.0.1: the response is longer than 64 KiB",
		http.StatusForbidden: "credentials: URI: refused (HTTP 403)",
	} {
		body := &endless{}
		client := transport(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: code, Body: body}, nil
		}).client()
		_, err := URI("http://127.0.0.1/", URIOptions{HTTPClient: client}).Credentials(t.Context())
		require.EqualError(t, err, want)
		require.Less(t, body.read, 2*maxResponse)
	}
}

func TestNewCaller_OwnClients(t *testing.T) {
	t.Parallel()
	given := &http.Client{}
	_ = newCaller(given, time.Second, nil)
	require.Nil(t, given.CheckRedirect, "the caller's client was changed")

	sts := newCaller(nil, httpTimeout, http.ProxyFromEnvironment).client.Transport.(*http.Transport)
	require.NotNil(t, sts.Proxy, "STS has to be reached through the environment's proxy")
	require.True(t, sts.DisableKeepAlives, "an idle connection leaves goroutines behind")
}

func TestOneLine(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a b ?c", clean(" a\nb\r\x00c ", 20))
	require.Equal(t, "接口接...", clean("接口接口接口", 12))
	require.Equal(t, "接口", clean("接口", 6))
}
