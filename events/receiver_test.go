package events_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/events"
	"github.com/alimedia/alimedia-go/mediatest"
)

const (
	callbackURL = "https://www.example.com/your/callback"
	authKey     = alimedia.Secret("Test123")
	uploaded    = `{"EventType":"FileUploadComplete","EventTime":"2017-03-20T07:49:17Z","VideoId":"43q91jdh7df","Status":"success"}`
)

// desk is a receiver with what it was told.
type desk struct {
	*events.Receiver
	log  bytes.Buffer
	fail error // what the function returns

	mu  sync.Mutex
	got []events.Event
}

func newDesk(t *testing.T, change func(*events.Config)) *desk {
	t.Helper()
	d := new(desk)
	cfg := events.Config{
		Keys:   []alimedia.Secret{authKey},
		URLs:   []string{callbackURL},
		Logger: slog.New(slog.NewTextHandler(&d.log, nil)),
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	d.Receiver, err = events.New(cfg, func(_ context.Context, e events.Event) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.got = append(d.got, e)
		return d.fail
	})
	require.NoError(t, err)
	return d
}

// post sends a callback and returns the status of the response.
func (d *desk) post(t *testing.T, c mediatest.Callback) int {
	t.Helper()
	if c.Service == "" {
		c.Service = "vod"
	}
	if c.URL == "" {
		c.URL = callbackURL
	}
	if c.Body == "" {
		c.Body = uploaded
	}
	req, err := c.Request()
	require.NoError(t, err)
	return d.send(req)
}

func (d *desk) send(req *http.Request) int {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, req)
	return w.Code
}

// The published sample was computed with another key than it shows.
func TestReceiver_B44_PublishedVectors(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		key       alimedia.Secret
		signature string
	}{
		"the key that is shown":    {"Test123", "c587b80d2d0ede300e8967937da7219b"},
		"the key that was used":    {"test123", "c72b60894140fa98920f1279219b7ed4"},
		"digits in the other case": {"test123", "C72B60894140FA98920F1279219B7ED4"},
	} {
		for _, service := range []string{"VOD", "ICE"} {
			t.Run(service+" "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(time.Until(time.Unix(1519375990, 0)))
					d := newDesk(t, func(c *events.Config) { c.Keys = []alimedia.Secret{tt.key} })
					req := httptest.NewRequest(http.MethodPost, "/your/callback", strings.NewReader(uploaded))
					req.Header.Set("X-"+service+"-TIMESTAMP", "1519375990")
					req.Header.Set("X-"+service+"-SIGNATURE", tt.signature)
					require.Equal(t, http.StatusOK, d.send(req))
					require.Len(t, d.got, 1)
					require.Equal(t, "43q91jdh7df", d.got[0].MediaId)
				})
			})
		}
	}
}

func TestReceiver_B44_KeysAndURLs(t *testing.T) {
	t.Parallel()
	const other = "https://www.example.com/jobs"
	for name, tt := range map[string]struct {
		callback mediatest.Callback
		want     int
	}{
		"old key":               {mediatest.Callback{AuthKey: "Old1"}, 200},
		"new key":               {mediatest.Callback{AuthKey: "New1"}, 200},
		"new key, other URL":    {mediatest.Callback{AuthKey: "New1", URL: other}, 200},
		"old key, IMS":          {mediatest.Callback{AuthKey: "Old1", Service: "ice"}, 200},
		"wrong key":             {mediatest.Callback{AuthKey: "Old2"}, 403},
		"key in the wrong case": {mediatest.Callback{AuthKey: "old1"}, 403},
		"URL with a slash":      {mediatest.Callback{AuthKey: "New1", URL: other + "/"}, 403},
		"URL by http":           {mediatest.Callback{AuthKey: "New1", URL: "http" + other[5:]}, 403},
		"not signed":            {mediatest.Callback{}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, func(c *events.Config) {
				c.Keys = []alimedia.Secret{"Old1", "New1"}
				c.URLs = []string{callbackURL, other}
			})
			require.Equal(t, tt.want, d.post(t, tt.callback))
			require.Len(t, d.got, map[int]int{200: 1}[tt.want])
		})
	}
}

func TestReceiver_B44_WindowEdges(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		window, age time.Duration
		want        int
	}{
		"now":                      {0, 0, 200},
		"5 minutes old":            {0, 5 * time.Minute, 200},
		"older":                    {0, 5*time.Minute + time.Second, 403},
		"5 minutes ahead":          {0, -5 * time.Minute, 200},
		"further ahead":            {0, -5*time.Minute - time.Second, 403},
		"years old":                {0, 20 * 365 * 24 * time.Hour, 403},
		"centuries ahead":          {0, -290 * 365 * 24 * time.Hour, 403},
		"own window":               {10 * time.Second, 10 * time.Second, 200},
		"outside of an own window": {10 * time.Second, 11 * time.Second, 403},
		"wide window":              {time.Hour, 59 * time.Minute, 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(25 * 365 * 24 * time.Hour) // the bubble begins in 2000
				d := newDesk(t, func(c *events.Config) { c.Window = tt.window })
				require.Equal(t, tt.want, d.post(t, mediatest.Callback{AuthKey: authKey, Time: time.Now().Add(-tt.age)}))
				if tt.want == 403 {
					require.Contains(t, d.log.String(), events.ErrExpired.Error())
				}
			})
		})
	}
}

func TestReceiver_B44_Replay(t *testing.T) {
	t.Parallel()
	sent := time.Now()
	first := mediatest.Callback{AuthKey: authKey, Body: uploaded, Time: sent}
	d := newDesk(t, nil)
	require.Equal(t, 200, d.post(t, first))
	require.Equal(t, 200, d.post(t, first), "the service must not repeat what arrived")
	require.Len(t, d.got, 1)
	require.Contains(t, d.log.String(), events.ErrReplayed.Error())

	// The same proof spelled in another way, and under the other service's name.
	for _, respell := range []func(header http.Header, signature string){
		func(h http.Header, s string) { h.Set("X-VOD-SIGNATURE", strings.ToUpper(s)) },
		func(h http.Header, s string) {
			h.Set("X-ICE-SIGNATURE", s)
			h.Set("X-ICE-TIMESTAMP", h.Get("X-VOD-TIMESTAMP"))
			h.Del("X-VOD-SIGNATURE")
			h.Del("X-VOD-TIMESTAMP")
		},
	} {
		again := first
		again.Service, again.URL = "vod", callbackURL
		req, err := again.Request()
		require.NoError(t, err)
		respell(req.Header, req.Header.Get("X-VOD-SIGNATURE"))
		require.Equal(t, 200, d.send(req))
		require.Len(t, d.got, 1)
	}

	// Two events of one second have the same signature and are both genuine.
	second := first
	second.Body = strings.Replace(uploaded, "43q91jdh7df", "other", 1)
	require.Equal(t, 200, d.post(t, second))
	require.Len(t, d.got, 2)

	// So are two callbacks of one event that are signed for different receivers.
	both := newDesk(t, func(c *events.Config) { c.Keys = append(c.Keys, "NewKey1") })
	replaced := first
	replaced.AuthKey = "NewKey1"
	require.Equal(t, 200, both.post(t, first))
	require.Equal(t, 200, both.post(t, replaced))
	require.Len(t, both.got, 2)

	off := newDesk(t, func(c *events.Config) { c.Replays = -1 })
	for range 3 {
		require.Equal(t, 200, off.post(t, first))
	}
	require.Len(t, off.got, 3)
}

func TestReceiver_B44_FailureMayBeRepeated(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	c := mediatest.Callback{AuthKey: authKey, Time: time.Now()}
	// Whatever the function's error wraps, it is the function that failed.
	for _, d.fail = range []error{errors.New("database away"), events.ErrReplayed, events.ErrSignature, events.ErrMalformed} {
		require.Equal(t, 500, d.post(t, c))
	}
	d.fail = nil
	require.Equal(t, 200, d.post(t, c))
	require.Equal(t, 200, d.post(t, c))
	require.Len(t, d.got, 5)
	require.Contains(t, d.log.String(), "database away")
}

// The service repeats a callback whose response takes too long: the function
// does not run twice at a time.
func TestReceiver_B44_RepeatedWhileHandled(t *testing.T) {
	t.Parallel()
	calls, entered, release := 0, make(chan struct{}), make(chan error)
	d := newDesk(t, nil)
	var err error
	d.Receiver, err = events.New(events.Config{Keys: []alimedia.Secret{authKey}, URLs: []string{callbackURL}}, func(context.Context, events.Event) error {
		calls++
		entered <- struct{}{}
		return <-release
	})
	require.NoError(t, err)
	c := mediatest.Callback{AuthKey: authKey, Time: time.Now()}
	for _, round := range []struct {
		result error
		want   int
	}{{errors.New("no"), 500}, {nil, 200}} {
		response := make(chan int)
		go func() { response <- d.post(t, c) }()
		<-entered
		require.Equal(t, 409, d.post(t, c))
		release <- round.result
		require.Equal(t, round.want, <-response)
	}
	require.Equal(t, 200, d.post(t, c))
	require.Equal(t, 2, calls)
}

func TestReceiver_Unsigned(t *testing.T) {
	t.Parallel()
	allow := func(c *events.Config) { c.AllowUnsigned = true }
	d := newDesk(t, allow)
	require.Equal(t, 200, d.post(t, mediatest.Callback{}))
	require.Equal(t, 200, d.post(t, mediatest.Callback{}), "nothing tells a replay from a second event")
	require.Equal(t, 200, d.post(t, mediatest.Callback{AuthKey: authKey}))
	require.Equal(t, 403, d.post(t, mediatest.Callback{AuthKey: "Other1"}), "a signature that is there is checked")
	require.Len(t, d.got, 3)

	d = newDesk(t, func(c *events.Config) { *c = events.Config{AllowUnsigned: true} })
	require.Equal(t, 200, d.post(t, mediatest.Callback{}))
	require.Equal(t, 200, d.post(t, mediatest.Callback{AuthKey: authKey, Time: time.Unix(1519375990, 0)}), "there is nothing to check with")
	require.Len(t, d.got, 2)
}

func TestReceiver_Responses(t *testing.T) {
	t.Parallel()
	pad := func(n int) string {
		return uploaded[:len(uploaded)-1] + `,"Pad":"` + strings.Repeat("x", n-len(uploaded)-len(`,"Pad":""`)) + `"}`
	}
	for name, tt := range map[string]struct {
		body   string
		want   int
		events int
	}{
		"an event":      {uploaded, 200, 1},
		"unknown event": {`{"EventType":"SomethingNewComplete","Whatever":[1,2]}`, 200, 1},
		"Base64":        {"eyJFdmVudFR5cGUiOiJ4In0=", 200, 1},
		"1 MiB":         {pad(1 << 20), 200, 1},
		"more":          {pad(1<<20 + 1), 413, 0},
		"no event":      {`{"hello":"world"}`, 400, 0},
		"no JSON":       {"<html>", 400, 0},
		"array":         {`[{"EventType":"x"}]`, 400, 0},
		"cut":           {uploaded[:20], 400, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, nil)
			require.Equal(t, tt.want, d.post(t, mediatest.Callback{AuthKey: authKey, Body: tt.body}))
			require.Len(t, d.got, tt.events)
			require.Equal(t, tt.want != 200, d.log.Len() > 0, d.log.String())
		})
	}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodOptions} {
		d := newDesk(t, nil)
		w := httptest.NewRecorder()
		d.ServeHTTP(w, httptest.NewRequest(method, "/", strings.NewReader(uploaded)))
		require.Equal(t, http.StatusMethodNotAllowed, w.Code)
		require.Equal(t, "POST", w.Header().Get("Allow"))
		require.Empty(t, d.got)
	}
}

func TestReceiver_ReadsNoBodyOfStrangers(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	body := &countingReader{Reader: strings.NewReader(uploaded)}
	require.Equal(t, 403, d.send(httptest.NewRequest(http.MethodPost, "/", body)))
	require.Zero(t, body.calls)

	req, err := mediatest.Callback{Service: "vod", URL: callbackURL, AuthKey: authKey}.Request()
	require.NoError(t, err)
	req.Body = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))
	require.Equal(t, 400, d.send(req))
	require.Empty(t, d.got)
}

type countingReader struct {
	io.Reader
	calls int
}

func (r *countingReader) Read(p []byte) (int, error) { r.calls++; return r.Reader.Read(p) }

func TestReceiver_Panic(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	calls := 0
	r, err := events.New(events.Config{
		Keys: []alimedia.Secret{authKey}, URLs: []string{callbackURL}, Logger: slog.New(slog.NewTextHandler(&log, nil)),
	}, func(context.Context, events.Event) error {
		if calls++; calls == 1 {
			panic("out of order")
		}
		return nil
	})
	require.NoError(t, err)
	d := &desk{Receiver: r}
	c := mediatest.Callback{AuthKey: authKey, Time: time.Now()}
	require.Equal(t, 500, d.post(t, c))
	require.Contains(t, log.String(), "out of order")
	require.Contains(t, log.String(), "receiver_test.go", "the stack")
	require.Equal(t, 200, d.post(t, c), "what panicked may be repeated")
	require.Equal(t, 2, calls)
}

// A function that ends its goroutine leaves the callback open to repetition.
func TestReceiver_Goexit(t *testing.T) {
	t.Parallel()
	calls := 0
	r, err := events.New(events.Config{Keys: []alimedia.Secret{authKey}, URLs: []string{callbackURL}}, func(context.Context, events.Event) error {
		if calls++; calls == 1 {
			runtime.Goexit()
		}
		return nil
	})
	require.NoError(t, err)
	req, err := mediatest.Callback{Service: "vod", URL: callbackURL, AuthKey: authKey}.Request()
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = r.Receive(context.Background(), req.Header, []byte(uploaded))
	}()
	<-ended
	require.NoError(t, r.Receive(t.Context(), req.Header, []byte(uploaded)))
	require.Equal(t, 2, calls)
}

func TestReceiver_Receive(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	receive := func(c mediatest.Callback) error {
		c.Service, c.URL = "ice", callbackURL
		req, err := c.Request()
		require.NoError(t, err)
		return d.Receive(t.Context(), req.Header, []byte(c.Body))
	}
	now := time.Now()
	require.NoError(t, receive(mediatest.Callback{AuthKey: authKey, Time: now, Body: uploaded}))
	require.ErrorIs(t, receive(mediatest.Callback{AuthKey: authKey, Time: now, Body: uploaded}), events.ErrReplayed)
	require.ErrorIs(t, receive(mediatest.Callback{Body: uploaded}), events.ErrSignature)
	require.ErrorIs(t, receive(mediatest.Callback{AuthKey: authKey, Time: now.Add(-time.Hour), Body: uploaded}), events.ErrExpired)
	require.ErrorIs(t, receive(mediatest.Callback{AuthKey: authKey, Body: "?"}), events.ErrMalformed)
	require.ErrorIs(t, receive(mediatest.Callback{AuthKey: authKey, Body: strings.Repeat(" ", events.MaxBytes+1)}), events.ErrTooLarge)
	d.fail = errors.New("database away")
	require.ErrorIs(t, receive(mediatest.Callback{AuthKey: authKey, Body: strings.ToUpper(uploaded)}), d.fail)
}

// The function's context is the request's, which ends with the service's patience.
func TestReceiver_Context(t *testing.T) {
	t.Parallel()
	type key struct{}
	r, err := events.New(events.Config{AllowUnsigned: true}, func(ctx context.Context, _ events.Event) error {
		if ctx.Value(key{}) != "value" {
			return errors.New("another context")
		}
		return nil
	})
	require.NoError(t, err)
	req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(uploaded))
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req.WithContext(context.WithValue(req.Context(), key{}, "value")))
	require.Equal(t, 200, w.Code)
}

func TestNew_Refuses(t *testing.T) {
	t.Parallel()
	good := events.Config{Keys: []alimedia.Secret{authKey}, URLs: []string{callbackURL}}
	for want, change := range map[string]func(*events.Config){
		"AllowUnsigned":         func(c *events.Config) { c.Keys = nil },
		"AuthKey is empty":      func(c *events.Config) { c.Keys = append(c.Keys, "") },
		"is required to verify": func(c *events.Config) { c.URLs = nil },
		"URL is empty":          func(c *events.Config) { c.URLs = []string{""} },
		"negative":              func(c *events.Config) { c.Window = -1 },
	} {
		cfg := good
		cfg.Keys = []alimedia.Secret{authKey}
		change(&cfg)
		_, err := events.New(cfg, new(events.News).Handle)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), string(authKey))
	}
	_, err := events.New(good, nil)
	require.Error(t, err)
}

func TestReceiver_B08_KeysStayHidden(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	cfg := events.Config{Keys: []alimedia.Secret{authKey}, URLs: []string{callbackURL}}
	req, err := mediatest.Callback{Service: "vod", URL: callbackURL, AuthKey: authKey}.Request()
	require.NoError(t, err)
	signature := req.Header.Get("X-VOD-SIGNATURE")
	for _, c := range []mediatest.Callback{{}, {AuthKey: "Other1"}, {AuthKey: authKey, Time: time.Unix(0, 0)}, {AuthKey: authKey, Body: "?"}} {
		require.NotEqual(t, 200, d.post(t, c))
	}
	require.Equal(t, 400, d.send(req))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		for _, v := range []any{cfg, &cfg, d.Receiver, struct{ r *events.Receiver }{d.Receiver}} {
			text := fmt.Sprintf(verb, v) + d.log.String()
			for _, secret := range []string{string(authKey), hex.EncodeToString([]byte(authKey)), signature} {
				require.NotContains(t, text, secret)
			}
		}
	}
}
