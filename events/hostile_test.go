package events_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/events"
	"github.com/alimedia/alimedia-go/mediatest"
)

// oneConn is a listener of a single connection in memory.
type oneConn struct {
	conn chan net.Conn
	done chan struct{}
	once sync.Once
}

func (l *oneConn) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *oneConn) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }

// dial serves h on a connection and returns its other end.
func dial(t *testing.T, srv *http.Server) net.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	l := &oneConn{conn: make(chan net.Conn, 1), done: make(chan struct{})}
	l.conn <- theirs
	ended := make(chan struct{})
	go func() { defer close(ended); _ = srv.Serve(l) }()
	t.Cleanup(func() {
		_ = ours.Close()
		_ = srv.Close()
		<-ended
	})
	return ours
}

// head is the head of a callback request, signed with key unless it is empty.
func head(t *testing.T, key alimedia.Secret, length int) string {
	t.Helper()
	req, err := mediatest.Callback{Service: "vod", URL: callbackURL, AuthKey: key, Body: uploaded}.Request()
	require.NoError(t, err)
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST / HTTP/1.1\r\nHost: www.example.com\r\nContent-Length: %d\r\n", length)
	require.NoError(t, req.Header.Write(&b))
	return b.String() + "\r\n"
}

// A sender that is refused does not keep the connection, whatever it still
// wants to send.
func TestReceiver_B44_RefusedConnectionIsClosed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		key    alimedia.Secret
		method string
		length int
		body   string
		want   int
	}{
		"not signed, body to come": {"", "POST", 1000, "", 403},
		"not signed, all there":    {"", "POST", len(uploaded), uploaded, 403},
		"wrong key":                {"Other1", "POST", 1000, "", 403},
		"too large":                {authKey, "POST", events.MaxBytes + 1, "", 413},
		"method":                   {authKey, "PUT", 1000, "", 405},
		"no event":                 {authKey, "POST", 2, "{}", 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, nil)
				conn := dial(t, &http.Server{Handler: d})
				request := strings.Replace(head(t, tt.key, tt.length), "POST", tt.method, 1) + tt.body
				go func() { _, _ = io.WriteString(conn, request) }()
				start := time.Now()
				resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
				require.NoError(t, err)
				require.Equal(t, tt.want, resp.StatusCode)
				require.True(t, resp.Close, "Connection: close")
				_, err = io.Copy(io.Discard, conn)
				require.NoError(t, err, "closed by the server")
				require.Less(t, time.Since(start), 2*time.Second)
				require.NoError(t, resp.Body.Close())
			})
		})
	}
}

// Who is served keeps it.
func TestReceiver_B44_ServedConnectionStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil)
		conn := dial(t, &http.Server{Handler: d})
		responses := bufio.NewReader(conn)
		for _, want := range []int{200, 200, 500} {
			if want == 500 {
				d.fail = errors.New("database away")
			}
			go func() { _, _ = io.WriteString(conn, head(t, authKey, len(uploaded))+uploaded) }()
			resp, err := http.ReadResponse(responses, nil)
			require.NoError(t, err)
			require.Equal(t, want, resp.StatusCode)
			require.False(t, resp.Close)
			require.NoError(t, resp.Body.Close())
			time.Sleep(time.Minute) // longer than any deadline that was set
		}
		require.Len(t, d.got, 3)
	})
}

// A body that comes drop by drop, or stops, has 5 seconds.
func TestReceiver_B44_SlowBody(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]int{"never begins": 0, "stops": 10, "drips": len(uploaded)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, nil)
				conn := dial(t, &http.Server{Handler: d})
				sending := make(chan struct{})
				go func() {
					defer close(sending)
					_, _ = io.WriteString(conn, head(t, authKey, len(uploaded)))
					for i := range sent {
						if _, err := io.WriteString(conn, uploaded[i:i+1]); err != nil {
							return
						}
						time.Sleep(time.Second / 2)
					}
				}()
				start := time.Now()
				resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
				require.NoError(t, err)
				require.Equal(t, http.StatusRequestTimeout, resp.StatusCode)
				require.True(t, resp.Close)
				require.Equal(t, 5*time.Second, time.Since(start))
				require.NoError(t, resp.Body.Close())
				require.Empty(t, d.got)
				require.Contains(t, d.log.String(), events.ErrTooSlow.Error())
				_ = conn.Close()
				<-sending
			})
		})
	}
}

// An http.Server with a shorter ReadTimeout keeps it.
func TestReceiver_B44_ServersOwnTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil)
		conn := dial(t, &http.Server{Handler: d, ReadTimeout: time.Second})
		go func() { _, _ = io.WriteString(conn, head(t, authKey, len(uploaded))) }()
		start := time.Now()
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusRequestTimeout, resp.StatusCode)
		require.Equal(t, time.Second, time.Since(start))
		require.NoError(t, resp.Body.Close())
	})
}

// stuck is a body that gives nothing until it is released.
type stuck struct{ release chan struct{} }

func (s stuck) Read([]byte) (int, error) { <-s.release; return 0, io.EOF }
func (stuck) Close() error               { return nil }

// The bound holds also where the ResponseWriter knows no deadlines.
func TestReceiver_B44_SlowBodyBehindMiddleware(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil)
		req, err := mediatest.Callback{Service: "vod", URL: callbackURL, AuthKey: authKey}.Request()
		require.NoError(t, err)
		body := stuck{make(chan struct{})}
		req.Body, req.ContentLength = body, -1
		start := time.Now()
		require.Equal(t, http.StatusRequestTimeout, d.send(req))
		require.Equal(t, 5*time.Second, time.Since(start))
		close(body.release)
	})
}

type panicking struct{ io.Closer }

func (panicking) Read([]byte) (int, error) { panic("torn") }

func TestReceiver_B44_OddBodies(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	for _, body := range []io.ReadCloser{nil, panicking{io.NopCloser(nil)}} {
		req, err := mediatest.Callback{Service: "vod", URL: callbackURL, AuthKey: authKey}.Request()
		require.NoError(t, err)
		req.Body, req.ContentLength = body, -1
		require.Equal(t, http.StatusBadRequest, d.send(req))
	}
}

// The context of handling ends 5 seconds after the callback began to arrive,
// and when its sender leaves.
func TestReceiver_B44_DeadlineOfHandling(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ended []error
		var took []time.Duration
		r, err := events.New(events.Config{AllowUnsigned: true}, func(ctx context.Context, _ events.Event) error {
			start := time.Now()
			<-ctx.Done()
			ended, took = append(ended, ctx.Err()), append(took, time.Since(start))
			return ctx.Err()
		})
		require.NoError(t, err)

		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(uploaded)))
		require.Equal(t, 500, w.Code)
		require.ErrorIs(t, r.Receive(t.Context(), nil, []byte(uploaded)), context.DeadlineExceeded)

		// Three seconds of the five go into the body.
		conn := dial(t, &http.Server{Handler: r})
		go func() {
			_, _ = io.WriteString(conn, head(t, "", len(uploaded))+uploaded[:10])
			time.Sleep(3 * time.Second)
			_, _ = io.WriteString(conn, uploaded[10:])
		}()
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		require.Equal(t, 500, resp.StatusCode)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, []time.Duration{5 * time.Second, 5 * time.Second, 2 * time.Second}, took)
		for _, err := range ended {
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}

		// The sender leaves a second after sending all.
		conn = dial(t, &http.Server{Handler: r})
		go func() {
			_, _ = io.WriteString(conn, head(t, "", len(uploaded))+uploaded)
			time.Sleep(time.Second)
			_ = conn.Close()
		}()
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Len(t, took, 4)
		require.Equal(t, time.Second, took[3])
		require.ErrorIs(t, ended[3], context.Canceled)
	})
}

// What is being handled is never forgotten, however many others come; what
// finds no room is sent away.
func TestReceiver_B44_InFlightIsNotForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const limit = 4
		calls := map[string]int{}
		var mu sync.Mutex
		release := make(chan struct{})
		var log bytes.Buffer
		r, err := events.New(events.Config{
			Keys: []alimedia.Secret{authKey}, URLs: []string{callbackURL}, Replays: limit, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		}, func(_ context.Context, e events.Event) error {
			mu.Lock()
			calls[e.MediaId]++
			mu.Unlock()
			if strings.HasPrefix(e.MediaId, "slow") {
				<-release
			}
			return nil
		})
		require.NoError(t, err)
		d := &desk{Receiver: r}
		now := time.Now()
		post := func(id string) int {
			return d.post(t, mediatest.Callback{AuthKey: authKey, Time: now, Body: strings.Replace(uploaded, "43q91jdh7df", id, 1)})
		}
		responses := make(chan int, limit)
		go func() { responses <- post("slow0") }()
		synctest.Wait()
		for i := range 3 * limit {
			require.Equal(t, 200, post(fmt.Sprint("quick", i)))
		}
		require.Equal(t, 409, post("slow0"), "still known")
		for i := range limit - 1 {
			go func() { responses <- post(fmt.Sprint("slow", i+1)) }()
		}
		synctest.Wait()
		require.Equal(t, 503, post("quick"))
		require.Contains(t, log.String(), events.ErrBusy.Error())
		require.Equal(t, 409, post("slow0"))
		close(release)
		for range limit {
			require.Equal(t, 200, <-responses)
		}
		require.Equal(t, 200, post("quick"))
		for id, n := range calls {
			require.Equal(t, 1, n, id)
		}
	})
}

// Of many equal callbacks at once one is handled.
func TestReceiver_B44_ConcurrentDuplicates(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	now := time.Now()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			require.Contains(t, []int{200, 409}, d.post(t, mediatest.Callback{AuthKey: authKey, Time: now}))
		})
	}
	wg.Wait()
	require.Len(t, d.got, 1)
}

// What is logged is one line of bounded length without keys and signatures,
// whatever the function says.
func TestReceiver_B60_LogIsRedacted(t *testing.T) {
	t.Parallel()
	for name, panics := range map[string]bool{"error": false, "panic": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var records []string
			handler := slog.NewTextHandler(io.Discard, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key != "stack" {
					records = append(records, a.Value.String())
				}
				return a
			}})
			req, err := mediatest.Callback{
				Service: "vod", URL: callbackURL, AuthKey: "Key+/=123", Body: "{\"EventType\":\"\\u001b[31m\\n" + strings.Repeat("x", 100) + "\"}",
			}.Request()
			require.NoError(t, err)
			signature := req.Header.Get("X-VOD-SIGNATURE")
			said := fmt.Sprintf("key Key+/=123 or Key%%2B%%2F%%3D123\n\x1b[31m %s %s", signature, strings.Repeat("long ", 1<<14))
			r, err := events.New(events.Config{
				Keys: []alimedia.Secret{"Key+/=123"}, URLs: []string{callbackURL}, Logger: slog.New(handler),
			}, func(context.Context, events.Event) error {
				if panics {
					panic(said)
				}
				return errors.New(said)
			})
			require.NoError(t, err)
			w := httptest.NewRecorder()
			r.ServeHTTP(w, req)
			require.Equal(t, 500, w.Code)
			require.NotEmpty(t, records)
			for _, text := range records {
				require.LessOrEqual(t, len(text), 1<<10)
				require.NotContains(t, text, "\n")
				require.NotContains(t, text, "\x1b")
				require.NotContains(t, text, "Key+")
				require.NotContains(t, text, "Key%2B")
				if !panics {
					require.NotContains(t, text, signature)
				}
			}
		})
	}
}

// Memory stays in proportion to the message.
func TestParse_B62_Memory(t *testing.T) { // alone, because it measures
	fill := func(prefix, item, suffix string) []byte {
		n := (events.MaxBytes - len(prefix) - len(suffix)) / (len(item) + 1)
		return []byte(prefix + strings.Repeat(item+",", n-1) + item + suffix)
	}
	var names strings.Builder
	for i := 0; names.Len() < 900<<10; i++ {
		fmt.Fprintf(&names, `,"%x":0`, i)
	}
	quoted := strings.ReplaceAll(names.String(), `"`, `\"`)
	for name, message := range map[string][]byte{
		"objects":          fill(`{"EventType":"x","Pad":[`, "{}", `]}`),
		"lists":            fill(`{"EventType":"x","UserData":[`, "[]", `]}`),
		"members":          []byte(`{"EventType":"x"` + names.String() + `}`),
		"members, inside":  []byte(`{"EventType":"x","MessageBody":{"a":1` + names.String() + `}}`),
		"members, quoted":  []byte(`{"EventType":"x","MessageBody":"{\"a\":1` + quoted[:len(quoted)*9/10/8*8] + `}"}`),
		"one name":         fill(`{"EventType":"x",`, `"MediaId":"a"`, `}`),
		"deep":             []byte(`{"EventType":"x","Pad":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`),
		"deeper":           []byte(`{"EventType":"x","Pad":` + strings.Repeat("[", 500000) + strings.Repeat("]", 500000) + `}`),
		"escapes":          []byte(`{"EventType":"x","MediaId":"` + strings.Repeat(`\u0041`, 170000) + `"}`),
		"number":           []byte(`{"EventType":"x","Size":` + strings.Repeat("9", 1<<20-100) + `}`),
		"far too long":     []byte(`{"EventType":"x","Pad":[` + strings.Repeat("{},", 4<<20) + `{}]}`),
		"names with blank": fill(`{"EventType":"x",`, `" MediaId ":1`, `}`),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = events.Parse(message)
		runtime.ReadMemStats(&after)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(32*events.MaxBytes), "%s", name)
	}
}

// Unsigned callbacks count too: anyone can send them.
func TestReceiver_B62_UnsignedCallbacksInFlightAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const limit = 3
		release := make(chan struct{})
		r, err := events.New(events.Config{AllowUnsigned: true, Replays: limit}, func(context.Context, events.Event) error {
			<-release
			return nil
		})
		require.NoError(t, err)
		responses := make(chan error, limit)
		for range limit {
			go func() { responses <- r.Receive(context.Background(), nil, []byte(uploaded)) }()
		}
		synctest.Wait()
		require.ErrorIs(t, r.Receive(context.Background(), nil, []byte(uploaded)), events.ErrBusy)
		close(release)
		for range limit {
			require.NoError(t, <-responses)
		}
		require.NoError(t, r.Receive(context.Background(), nil, []byte(uploaded)))
	})
}
