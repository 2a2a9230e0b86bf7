package rpc

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
)

// A call without a deadline in its context comes to an end, whatever the far
// side does or does not do.
func TestCall_B57_EachAttemptHasABound(t *testing.T) {
	t.Parallel()
	hang, drip := step{hang: true}, response(200, "")
	drip.drip = true
	unsent := step{hang: true, unsent: true}
	tests := []struct {
		name    string
		op      Op
		steps   []step
		limit   time.Duration
		takes   time.Duration
		fails   bool
		unknown bool
	}{
		{"no response, read", readOp, []step{hang, ok()}, 0, time.Minute, false, false},
		{"no response, unsafe", unsafeOp, []step{hang}, 0, time.Minute, true, true},
		{"a byte each second, read", readOp, []step{drip, ok()}, 0, time.Minute, false, false},
		{"a byte each second, unsafe", unsafeOp, []step{drip}, 0, time.Minute, true, true},
		{"no connection, unsafe", unsafeOp, []step{unsent, ok()}, 0, time.Minute, false, false},
		{"never anything", readOp, []step{hang, drip, hang, hang}, 0, 4 * time.Minute, true, false},
		{"a setting", unsafeOp, []step{hang}, 5 * time.Second, 5 * time.Second, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s := scripted(t, tt.steps...)
				c = c.With(func(cfg *alimedia.Config) { cfg.AttemptTimeout = tt.limit })
				start := time.Now()
				_, err := call(t, c, tt.op, nil)
				require.Equal(t, tt.fails, err != nil, "%v", err)
				require.Len(t, s.seen, len(tt.steps))
				require.InDelta(t, tt.takes.Seconds(), time.Since(start).Seconds(), 2, "and the back-off")
				require.Equal(t, tt.unknown, errors.Is(err, alimedia.ErrOutcomeUnknown))
				if tt.fails {
					require.ErrorContains(t, err, "no complete response within")
					require.ErrorIs(t, err, os.ErrDeadlineExceeded)
					require.NotErrorIs(t, err, context.DeadlineExceeded, "that is the caller's")
				}
			})
		})
	}
}

func TestDo_TheCallersDeadlineIsTheCallersError(t *testing.T) {
	t.Parallel()
	for _, limit := range []time.Duration{time.Minute, time.Minute - 1, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			c, _ := scripted(t, step{hang: true})
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			require.ErrorIs(t, c.Do(ctx, unsafeOp, nil, nil), context.DeadlineExceeded)
		})
	}
}

func TestDo_AttemptTimeoutCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, _ := scripted(t, step{hang: true})
		c = c.With(func(cfg *alimedia.Config) { cfg.AttemptTimeout = -1 })
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		start := time.Now()
		require.ErrorIs(t, c.Do(ctx, readOp, nil, nil), context.DeadlineExceeded)
		require.Equal(t, time.Hour, time.Since(start))
	})
}

// stuck is a Provider that does not honour its context.
type stuck struct{ release chan struct{} }

func (s stuck) Credentials(context.Context) (credentials.Credentials, error) {
	<-s.release
	return credentials.Credentials{}, errors.New("too late")
}

func TestCall_B57_CredentialsHaveABound(t *testing.T) {
	t.Parallel()
	providers := map[string]func(stuck) credentials.Provider{
		"a user's":   func(s stuck) credentials.Provider { return s },
		"in a chain": func(s stuck) credentials.Provider { return credentials.Chain(s) },
		"in a cache": func(s stuck) credentials.Provider { return credentials.Cached(s) },
		"of a role": func(s stuck) credentials.Provider {
			return credentials.AssumeRole(s, credentials.AssumeRoleOptions{RoleArn: "acs:ram::1:role/r"})
		},
		"in a second": func(s stuck) credentials.Provider {
			return credentials.Cached(credentials.Chain(credentials.Cached(s)))
		},
	}
	for name, provider := range providers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stuck{make(chan struct{})}
				defer close(s.release)
				c, script := scripted(t, ok())
				c = c.With(func(cfg *alimedia.Config) { cfg.Credentials = provider(s) })
				start := time.Now()
				err := c.Do(t.Context(), unsafeOp, nil, nil)
				require.ErrorContains(t, err, "alimedia: CreateUploadMedia: credentials: ")
				require.NotErrorIs(t, err, alimedia.ErrOutcomeUnknown)
				require.LessOrEqual(t, time.Since(start), time.Minute)
				require.Empty(t, script.seen)
			})
		})
	}
}

func TestDo_ARefusedKeyWhoseProviderIsStuck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := stuck{make(chan struct{})}
		defer close(s.release)
		c, script := scripted(t, failure(403, "InvalidSecurityToken.Expired"), ok())
		first := true
		c = c.With(func(cfg *alimedia.Config) {
			cfg.Credentials = providerFunc(func(ctx context.Context) (credentials.Credentials, error) {
				if first {
					first = false
					return credentials.Credentials{AccessKeyId: "STS.x", AccessKeySecret: "s", SecurityToken: "t"}, nil
				}
				return s.Credentials(ctx)
			})
		})
		start := time.Now()
		err := c.Do(t.Context(), unsafeOp, nil, nil)
		require.True(t, alimedia.HasCode(err, "InvalidSecurityToken"))
		require.Equal(t, time.Minute, time.Since(start))
		require.Len(t, script.seen, 1)
	})
}

type providerFunc func(context.Context) (credentials.Credentials, error)

func (f providerFunc) Credentials(ctx context.Context) (credentials.Credentials, error) {
	return f(ctx)
}

func TestDo_AProviderThatPanicsOrHandsOutNothing(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]providerFunc{
		"panics":  func(context.Context) (credentials.Credentials, error) { panic("very-secret") },
		"nothing": func(context.Context) (credentials.Credentials, error) { return credentials.Credentials{}, nil },
		"a line end": func(context.Context) (credentials.Credentials, error) {
			return credentials.Credentials{AccessKeyId: "a", AccessKeySecret: "very-secret", SecurityToken: "t\n"}, nil
		},
		"half of it": func(context.Context) (credentials.Credentials, error) {
			return credentials.Credentials{AccessKeyId: "a"}, nil
		},
	} {
		c, s := scripted(t, ok())
		c = c.With(func(cfg *alimedia.Config) { cfg.Credentials = p })
		err := c.Do(t.Context(), readOp, nil, nil)
		require.ErrorContains(t, err, "alimedia: GetMediaInfo: credentials: ", name)
		require.NotContains(t, err.Error(), "very-secret")
		require.Empty(t, s.seen)
	}
}

// Cancel returns at once in every stage of a call.
func TestCall_B57_CancelReturnsAtOnce(t *testing.T) {
	t.Parallel()
	slow := failure(400, "Throttling")
	slow.header = map[string]string{"x-acs-retry-after": "15000"}
	drip := response(200, "")
	drip.drip = true
	for name, tt := range map[string]struct {
		step   step
		change func(*alimedia.Config)
	}{
		"connecting":   {step{hang: true, unsent: true}, nil},
		"the response": {step{hang: true}, nil},
		"its body":     {drip, nil},
		"the wait":     {slow, nil},
		"credentials": {ok(), func(cfg *alimedia.Config) {
			cfg.Credentials = providerFunc(func(ctx context.Context) (credentials.Credentials, error) {
				time.Sleep(time.Hour) // whatever ctx does
				return credentials.Credentials{}, errors.New("too late")
			})
		}},
		"the rate limit": {ok(), func(cfg *alimedia.Config) {
			cfg.RateLimit = alimedia.NewRateLimit(map[string]float64{"GetMediaInfo": 0.001})
			_ = cfg.RateLimit.Wait(context.Background(), "GetMediaInfo")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := scripted(t, tt.step, ok())
				if tt.change != nil {
					c = c.With(tt.change)
				}
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(5500*time.Millisecond, cancel)
				start := time.Now()
				require.ErrorIs(t, c.Do(ctx, readOp, nil, nil), context.Canceled)
				require.Equal(t, 5500*time.Millisecond, time.Since(start))
				time.Sleep(time.Hour) // the provider's goroutine ends
			})
		})
	}
}

// counting is a server of raw connections: it answers the first request of each
// and hangs up on the second, as one that reaps idle connections may.
func counting(t *testing.T) (url string, requests *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	requests = new(atomic.Int32)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				r := bufio.NewReader(conn)
				for n := range 2 {
					req, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, req.Body)
					requests.Add(1)
					if n == 0 {
						fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"MediaId\":\"m\"}")
					}
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String(), requests
}

// net/http repeats some requests by itself. It must not do so with ours.
func TestDo_NothingIsSentTwiceInSilence(t *testing.T) {
	t.Parallel()
	type form struct {
		Title string `rpc:"Title,form"`
	}
	for name, in := range map[string]any{"parameters in the query": map[string]string{"Title": "t"}, "in a form": form{"t"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, requests := counting(t)
			c, err := New(testService, alimedia.Config{Endpoint: url, Credentials: credentials.Static("id", "secret", ""), HTTPClient: &http.Client{Transport: &http.Transport{}}})
			require.NoError(t, err)
			t.Cleanup(c.transport.CloseIdleConnections)
			_, err = call(t, c, unsafeOp, in)
			require.NoError(t, err)
			_, err = call(t, c, unsafeOp, in) // on the same connection
			require.ErrorIs(t, err, alimedia.ErrOutcomeUnknown)
			require.EqualValues(t, 2, requests.Load())
			_, err = call(t, c, readOp, in) // on a new one
			require.NoError(t, err)
			require.EqualValues(t, 3, requests.Load())
		})
	}
}

// A stream of HTTP/2 that the server refuses was not looked at.
func TestDo_ARefusedStreamWasNeverBegun(t *testing.T) {
	t.Parallel()
	refused := refusedByPeer(t)
	synctest.Test(t, func(t *testing.T) {
		c, s := scripted(t, step{err: refused}, ok())
		_, err := call(t, c, unsafeOp, nil)
		require.NoError(t, err)
		require.Len(t, s.seen, 2)
	})
}

// refusedByPeer returns what net/http makes of REFUSED_STREAM.
func refusedByPeer(t *testing.T) error {
	t.Helper()
	donor := httptest.NewUnstartedServer(nil)
	donor.EnableHTTP2 = true
	donor.StartTLS()
	defer donor.Close()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", donor.TLS)
	require.NoError(t, err)
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		if _, err := io.CopyN(io.Discard, conn, int64(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))); err != nil {
			return
		}
		_, _ = conn.Write([]byte{0, 0, 0, 4, 0, 0, 0, 0, 0}) // SETTINGS
		for head := make([]byte, 9); ; {
			if _, err := io.ReadFull(conn, head); err != nil {
				return
			}
			_, _ = io.CopyN(io.Discard, conn, int64(head[0])<<16|int64(head[1])<<8|int64(head[2]))
			if stream := head[5:9]; head[3] == 1 { // HEADERS
				// net/http repeats a refused stream for a while. One that was
				// answered it hands on: HEADERS with status 200, RST_STREAM.
				_, _ = conn.Write(slices.Concat([]byte{0, 0, 1, 1, 4}, stream, []byte{0x88}))
				_, _ = conn.Write(slices.Concat([]byte{0, 0, 4, 3, 0}, stream, []byte{0, 0, 0, refusedStream}))
			}
		}
	}()
	client := donor.Client()
	defer client.CloseIdleConnections()
	resp, err := client.Get("https://" + listener.Addr().String())
	if err == nil {
		_, err = io.ReadAll(resp.Body)
		_ = resp.Body.Close()
	}
	require.ErrorContains(t, err, "REFUSED_STREAM")
	return new(attempt).transportError(err)
}
