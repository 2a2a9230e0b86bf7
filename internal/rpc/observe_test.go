package rpc

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
)

type observedKey struct{}

// noting is an Observer that writes down what it is told.
func noting(t *testing.T, lines *[]string) *alimedia.Observer {
	note := func(ctx context.Context, format string, args ...any) {
		require.Equal(t, "here", ctx.Value(observedKey{}), "the context of CallStart")
		*lines = append(*lines, fmt.Sprintf(format, args...))
	}
	return &alimedia.Observer{
		CallStart: func(ctx context.Context, c alimedia.Call) context.Context {
			ctx = context.WithValue(ctx, observedKey{}, "here")
			note(ctx, "start %+v", c)
			return ctx
		},
		CallEnd: func(ctx context.Context, c alimedia.Call, e alimedia.CallEnd) {
			note(ctx, "end %s: %d attempts, %d, %s %q %t, took seconds: %t", c.Action, e.Attempts, e.StatusCode, e.RequestId, e.Code, e.Err == nil, e.Duration >= time.Second)
		},
		CallRetry: func(ctx context.Context, c alimedia.Call, r alimedia.CallRetry) {
			note(ctx, "retry %s: attempt %d, %s, delayed %t, %q %t", c.Action, r.Attempt, r.Reason, r.Delay > 0, r.Code, r.Err == nil)
		},
	}
}

func TestDo_Observer(t *testing.T) {
	t.Parallel()
	late := failure(400, "InvalidTimeStamp.Expired")
	late.header = map[string]string{"Date": time.Date(2000, 1, 1, 1, 0, 0, 0, time.UTC).Format(http.TimeFormat)} // synctest begins an hour earlier
	busy := failure(503, "Throttling.User")
	busy.header = map[string]string{"x-acs-retry-after": "3000"}
	const start = "start {Product:ice Action:GetMediaInfo Version:2020-11-09 Region:cn-shanghai Host:ice.cn-shanghai.aliyuncs.com}"
	for name, tt := range map[string]struct {
		steps []step
		want  []string
	}{
		"at once": {[]step{ok()}, []string{start, `end GetMediaInfo: 1 attempts, 200,  "" true, took seconds: false`}},
		"throttled": {[]step{busy, ok()}, []string{
			start, `retry GetMediaInfo: attempt 1, failure, delayed true, "Throttling.User" false`,
			`end GetMediaInfo: 2 attempts, 200,  "" true, took seconds: true`}},
		"clock": {[]step{late, ok()}, []string{
			start, `retry GetMediaInfo: attempt 1, clock, delayed false, "InvalidTimeStamp.Expired" false`,
			`end GetMediaInfo: 2 attempts, 200,  "" true, took seconds: false`}},
		"denied": {[]step{failure(403, "Forbidden.RAM")}, []string{
			start, `end GetMediaInfo: 1 attempts, 403, R-1 "Forbidden.RAM" false, took seconds: false`}},
		"a page": {[]step{response(404, "<html>")}, []string{
			start, `end GetMediaInfo: 1 attempts, 404,  "HTTP404" false, took seconds: false`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var lines []string
				c, s := scripted(t, tt.steps...)
				c = c.With(func(cfg *alimedia.Config) { cfg.Observer = noting(t, &lines) })
				_, _ = call(t, c, readOp, nil)
				require.Equal(t, tt.want, lines)
				for _, q := range s.seen {
					require.Equal(t, "here", q.Context().Value(observedKey{}), "the transport sees the context")
				}
			})
		})
	}
}

// TestDo_ObserverOfNoRequest: a call that is refused before it is sent.
func TestDo_ObserverOfNoRequest(t *testing.T) {
	t.Parallel()
	var lines []string
	c, _ := scripted(t)
	c = c.With(func(cfg *alimedia.Config) { cfg.Observer = noting(t, &lines) })
	require.Error(t, c.Do(t.Context(), readOp, struct{ A chan int }{make(chan int)}, nil))
	require.Len(t, lines, 2)
	require.Equal(t, `end GetMediaInfo: 0 attempts, 0,  "Other" false, took seconds: false`, lines[1])
}

func TestDo_ObserverPanics(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	c, _ := scripted(t, failure(503, "Throttling.User"), ok())
	c = c.With(func(cfg *alimedia.Config) {
		cfg.Retry.BaseDelay = time.Millisecond
		cfg.Logger = slog.New(slog.NewTextHandler(&logged, nil))
		cfg.Observer = &alimedia.Observer{
			CallStart: func(context.Context, alimedia.Call) context.Context { panic("one") },
			CallRetry: func(context.Context, alimedia.Call, alimedia.CallRetry) { panic("two") },
			CallEnd:   func(context.Context, alimedia.Call, alimedia.CallEnd) { panic("three") },
		}
	})
	out, err := call(t, c, readOp, nil)
	require.NoError(t, err)
	require.Equal(t, "m1", out.MediaId)
	for _, text := range []string{"panic=one", "panic=two", "panic=three"} {
		require.Contains(t, logged.String(), text)
	}
}

type panicking struct{}

func (panicking) RoundTrip(*http.Request) (*http.Response, error) { panic("transport") }

// TestDo_ObserverOfAPanic: a call that a transport ends by a panic has an end.
func TestDo_ObserverOfAPanic(t *testing.T) {
	t.Parallel()
	var lines []string
	c, _ := scripted(t)
	c = c.With(func(cfg *alimedia.Config) {
		cfg.Observer, cfg.HTTPClient = noting(t, &lines), &http.Client{Transport: panicking{}}
	})
	require.Panics(t, func() { _, _ = call(t, c, readOp, nil) })
	require.Len(t, lines, 2)
	require.Contains(t, lines[1], `"Other" false`)
}
