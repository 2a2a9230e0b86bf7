package upload

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// diary is what an Observer was told. It checks what is always true: the end of
// everything that began, the contexts, and nothing before or after the upload.
type diary struct {
	mu       sync.Mutex
	lines    []string
	all      []any
	ends     []UploadEnd
	open     int // requests
	bytes    Bytes
	mistakes []string
}

type diaryKey string

func (d *diary) note(ctx context.Context, event any, format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if ctx.Value(diaryKey("upload")) != d {
		d.mistakes = append(d.mistakes, fmt.Sprintf("%T without the context of the upload", event))
	}
	if len(d.ends) > 0 {
		d.mistakes = append(d.mistakes, fmt.Sprintf("%T after the end", event))
	}
	d.all = append(d.all, event)
	if format != "" {
		d.lines = append(d.lines, fmt.Sprintf(format, args...))
	}
}

func (d *diary) observer() *Observer {
	return &Observer{
		UploadStart: func(ctx context.Context, u UploadStart) context.Context {
			ctx = context.WithValue(ctx, diaryKey("upload"), d)
			d.note(ctx, u, "start %s %s", u.Target, u.Source)
			return ctx
		},
		UploadEnd: func(ctx context.Context, u UploadStart, end UploadEnd) {
			d.note(ctx, end, "end %s %s %q", end.Name, end.Stage, end.Code)
			d.mu.Lock()
			d.ends = append(d.ends, end)
			d.mu.Unlock()
		},
		Stage: func(ctx context.Context, s StageEvent) { d.note(ctx, s, "stage %s after %q", s.Stage, s.Previous) },
		Asset: func(ctx context.Context, mediaId string) { d.note(ctx, mediaId, "asset %t", mediaId != "") },
		RequestStart: func(ctx context.Context, r Request) context.Context {
			d.note(ctx, r, "")
			d.mu.Lock()
			d.open++
			d.mu.Unlock()
			return context.WithValue(ctx, diaryKey("request"), r)
		},
		RequestEnd: func(ctx context.Context, r Request, end RequestEnd) {
			d.note(ctx, end, "%s %d.%d %d/%d %q", r.Operation, r.Part, r.Attempt, end.Sent, r.Size, end.Code)
			d.mu.Lock()
			defer d.mu.Unlock()
			d.open--
			if ctx.Value(diaryKey("request")) != r {
				d.mistakes = append(d.mistakes, "RequestEnd without the context of RequestStart")
			}
		},
		Retry: func(ctx context.Context, r Request, retry RequestRetry) {
			d.note(ctx, retry, "retry %s %d.%d: %s %q", r.Operation, r.Part, r.Attempt, retry.Reason, retry.Code)
		},
		Refresh: func(ctx context.Context, r Refresh) { d.note(ctx, r, "refresh %s %q", r.Reason, r.Code) },
		Bytes: func(ctx context.Context, b Bytes) {
			d.note(ctx, b, "")
			d.mu.Lock()
			defer d.mu.Unlock()
			d.bytes.Sent += b.Sent
			d.bytes.Confirmed += b.Confirmed
			d.bytes.Resumed += b.Resumed
		},
		Poll: func(ctx context.Context, p Poll) { d.note(ctx, p, "poll %s %q", p.Status, p.Code) },
	}
}

// requireComplete checks an observation that is over.
func (d *diary) requireComplete(t *testing.T) UploadEnd {
	t.Helper()
	require.Empty(t, d.mistakes)
	require.Len(t, d.ends, 1)
	require.Zero(t, d.open, "each request has ended")
	end := d.ends[0]
	require.Equal(t, end.Sent, d.bytes.Confirmed+d.bytes.Resumed)
	require.Equal(t, end.Resumed, d.bytes.Resumed)
	require.Equal(t, d.bytes.Sent, d.bytes.Confirmed, "nothing is in flight")
	require.Equal(t, ErrorCode(end.Err), end.Code)
	return end
}

func TestObserver_Events(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := new(diary)
		r := newEnv(t, func(c *Config) { c.Parallel, c.Observer = 1, d.observer() }, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "UploadPart", AfterBytes: 100 * kib, Status: 503, Code: "ServiceUnavailable"},
			mediatest.Fault{Operation: "UploadPart", Nth: 3, ExpiredToken: true},
			mediatest.Fault{Operation: "CompleteMultipartUpload", Delay: 3 * time.Second})
		res, err := r.Upload(ctx, bytesSource("folder/movie.mp4", random(250*kib)), VODVideo{}, WithWait())
		require.NoError(t, err)
		end := d.requireComplete(t)
		require.Equal(t, []string{
			"start VODVideo folder/movie.mp4",
			`stage open after ""`,
			`stage create after "open"`,
			"asset true",
			`stage send after "create"`,
			`InitiateMultipartUpload 0.1 0/0 ""`,
			`UploadPart 1.1 102400/102400 "ServiceUnavailable"`,
			`retry UploadPart 1.1: failure "ServiceUnavailable"`,
			`UploadPart 1.2 102400/102400 ""`,
			`UploadPart 2.1 102400/102400 "SecurityTokenExpired"`,
			`refresh refused ""`,
			`retry UploadPart 2.1: credential "SecurityTokenExpired"`,
			`UploadPart 2.2 102400/102400 ""`,
			`UploadPart 3.1 51200/51200 ""`,
			`stage complete after "send"`,
			`CompleteMultipartUpload 0.1 0/0 ""`,
			`stage finish after "complete"`,
			`stage wait after "finish"`,
			`poll Normal ""`,
			`stage done after "wait"`,
			`end movie.mp4 done ""`,
		}, d.lines)
		require.Equal(t, res.MediaId, end.MediaId)
		require.EqualValues(t, 250*kib, end.Size)
		require.EqualValues(t, 250*kib, end.Sent)
		require.GreaterOrEqual(t, end.Duration, 3*time.Second)
		for _, e := range d.all {
			if s, ok := e.(StageEvent); ok && s.Stage == StageFinish {
				require.Equal(t, 3*time.Second, s.Duration, "how long the completion took")
			}
		}
	})
}

// TestObserver_HoweverItEnds: what began ends, with the reason, and no byte stays
// in flight.
func TestObserver_HoweverItEnds(t *testing.T) {
	t.Parallel()
	for name, end := range endings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r, d := newEnv(t, nil, mediatest.InMemory()), new(diary)
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				end(r, cancel)
				_, err := r.Upload(ctx, bytesSource("movie.mp4", random(1200*kib)), VODVideo{}, WithObserver(d.observer()))
				got := d.requireComplete(t)
				require.Equal(t, err, got.Err)
				switch {
				case name == "success":
					require.Empty(t, got.Code)
				case strings.HasPrefix(name, "cancel"):
					require.Equal(t, "Canceled", got.Code)
				default:
					require.Equal(t, "Stop", got.Code)
				}
			})
		})
	}
}

// TestObserver_BeforeAnything: an upload that cannot begin has a start and an end.
func TestObserver_BeforeAnything(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil)
	for _, tt := range []struct {
		src    Source
		target Target
		code   string
	}{
		{nil, VODVideo{}, "Other"},
		{bytesSource("movie.mp4", nil), VODVideo{}, "Empty"},
		{bytesSource("movie.mp4", random(1)), nil, "Other"},
		{File("/no/such/movie.mp4"), VODVideo{}, "NotExist"},
	} {
		d := new(diary)
		_, err := r.Upload(ctx, tt.src, tt.target, WithObserver(d.observer()))
		require.Error(t, err)
		require.Equal(t, tt.code, d.requireComplete(t).Code)
	}
}

func TestObserver_RestartAndResume(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, d := newEnv(t, func(c *Config) { c.Parallel = 1 }), new(diary)
	file := writeFile(t, "movie.mp4", random(600*kib))
	r.Fault(mediatest.Fault{Operation: "CompleteMultipartUpload", Status: 404, Code: "NoSuchUpload"},
		mediatest.Fault{Operation: "UploadPart", Nth: 6 + 3, Status: 403, Code: "Stop"})
	_, err := r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir), WithObserver(d.observer()))
	require.Error(t, err)
	require.EqualValues(t, 200*kib, d.requireComplete(t).Sent)
	require.Contains(t, d.lines, `stage send after "complete"`)

	d = new(diary)
	_, err = r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir), WithObserver(d.observer()))
	require.NoError(t, err)
	end := d.requireComplete(t)
	require.EqualValues(t, 600*kib, end.Sent)
	require.EqualValues(t, 200*kib, end.Resumed)
	require.Equal(t, "start VODVideo "+file, d.lines[0])
	require.Contains(t, d.lines, "asset true")

	d = new(diary)
	_, err = r.Upload(ctx, File(file), VODVideo{}, WithCheckpoint(dir), WithObserver(d.observer()))
	require.NoError(t, err)
	require.True(t, d.requireComplete(t).AlreadyUploaded)
}

// TestObserver_FilesOfAPlaylist: each request tells which file it is for.
func TestObserver_FilesOfAPlaylist(t *testing.T) {
	t.Parallel()
	r, d := newEnv(t, nil), new(diary)
	fsys := fstest.MapFS{
		"index.m3u8": {Data: []byte("#EXTM3U\n#EXTINF:4,\na/1.ts\n#EXTINF:4,\nb/1.ts\n#EXT-X-ENDLIST\n")},
		"a/1.ts":     {Data: random(kib)}, "b/1.ts": {Data: random(2 * kib)},
	}
	_, err := r.Upload(ctx, HLSFS(fsys, "index.m3u8"), VODVideo{}, WithObserver(d.observer()))
	require.NoError(t, err)
	d.requireComplete(t)
	var files []string
	for _, e := range d.all {
		if q, ok := e.(Request); ok {
			files = append(files, q.File)
		}
	}
	require.ElementsMatch(t, []string{"a/1.ts", "b/1.ts", ""}, files)
}

// TestObserver_Order: that of Config comes first, and each gets the context of
// the one before. A nil context is none.
func TestObserver_Order(t *testing.T) {
	t.Parallel()
	type key struct{}
	var order []string
	r := newEnv(t, func(c *Config) {
		c.Observer = &Observer{
			UploadStart: func(ctx context.Context, _ UploadStart) context.Context {
				order = append(order, "first")
				return context.WithValue(ctx, key{}, "first")
			},
			RequestStart: func(context.Context, Request) context.Context { return nil },
		}
	})
	_, err := r.Upload(ctx, bytesSource("movie.mp4", random(kib)), VODVideo{}, WithObserver(nil), WithObserver(&Observer{
		UploadStart: func(ctx context.Context, _ UploadStart) context.Context {
			order = append(order, "second after "+ctx.Value(key{}).(string))
			return nil
		},
		RequestStart: func(ctx context.Context, _ Request) context.Context {
			order = append(order, "request in "+ctx.Value(key{}).(string))
			return nil
		},
	}))
	require.NoError(t, err)
	require.Equal(t, []string{"first", "second after first", "request in first"}, order)
}

// TestObserver_Panics: a function that panics ends its Observer, and nothing
// else.
func TestObserver_Panics(t *testing.T) {
	t.Parallel()
	for name, break_ := range map[string]func(*Observer){
		"UploadStart": func(o *Observer) {
			o.UploadStart = func(context.Context, UploadStart) context.Context { panic("oops") }
		},
		"UploadEnd":    func(o *Observer) { o.UploadEnd = func(context.Context, UploadStart, UploadEnd) { panic("oops") } },
		"Stage":        func(o *Observer) { o.Stage = func(context.Context, StageEvent) { panic("oops") } },
		"Asset":        func(o *Observer) { o.Asset = func(context.Context, string) { panic("oops") } },
		"RequestStart": func(o *Observer) { o.RequestStart = func(context.Context, Request) context.Context { panic("oops") } },
		"RequestEnd":   func(o *Observer) { o.RequestEnd = func(context.Context, Request, RequestEnd) { panic("oops") } },
		"Retry":        func(o *Observer) { o.Retry = func(context.Context, Request, RequestRetry) { panic("oops") } },
		"Refresh":      func(o *Observer) { o.Refresh = func(context.Context, Refresh) { panic("oops") } },
		"Bytes":        func(o *Observer) { o.Bytes = func(context.Context, Bytes) { panic("oops") } },
		"Poll":         func(o *Observer) { o.Poll = func(context.Context, Poll) { panic("oops") } },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logged bytes.Buffer
			healthy, ends := new(diary), 0
			bad := &Observer{UploadEnd: func(context.Context, UploadStart, UploadEnd) { ends++ }}
			break_(bad)
			r := newEnv(t, func(c *Config) {
				c.Observer, c.Logger = bad, slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelError}))
			})
			r.Fault(mediatest.Fault{Operation: "UploadPart", ExpiredToken: true}, mediatest.Fault{Operation: "UploadPart", Nth: 2, Status: 503})
			data := random(600 * kib)
			res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{}, WithObserver(healthy.observer()), WithWait())
			require.NoError(t, err)
			r.stored(t, res, data)
			healthy.requireComplete(t)
			require.Zero(t, ends, "it is not called any more")
			require.Contains(t, logged.String(), "the observer panicked")
		})
	}
}

// TestObserver_HasNoSecrets: neither the events nor what fmt makes of them.
func TestObserver_HasNoSecrets(t *testing.T) {
	t.Parallel()
	web := newOrigin(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(random(300 * kib)) })
	d := new(diary)
	r := newEnv(t, func(c *Config) { c.Observer = d.observer(); c.Retry.MaxAttempts = 2 })
	r.Fault(mediatest.Fault{Operation: "UploadPart", Times: 2, ExpiredToken: true}, mediatest.Fault{Operation: "UploadPart", Nth: 3, Times: mediatest.Always, Reset: true},
		mediatest.Fault{Operation: "RefreshUploadVideo", Nth: 2, Status: 403, Code: "Forbidden", Message: "SecurityToken=sts-secret-token"})
	const address = "http://user:pass-word@media.test/folder/movie.mp4?Signature=signed-secret"
	var mu sync.Mutex
	var signed []string
	r.via(func(base http.RoundTripper, q *http.Request) (*http.Response, error) {
		mu.Lock()
		signed = append(signed, q.Header.Get("X-Oss-Security-Token"), q.Header.Get("Authorization"))
		mu.Unlock()
		return base.RoundTrip(q)
	})
	_, err := r.Upload(ctx, URL(address, web.here, URLHeader(http.Header{"Authorization": {"Bearer header-secret"}})), VODVideo{})
	require.Error(t, err)
	d.requireComplete(t)
	require.Equal(t, "start VODVideo http://media.test/folder/movie.mp4", d.lines[0])
	secrets := []string{"pass-word", "signed-secret", "header-secret", "sts-secret-token", "Signature=", "security-token", "SecurityToken=s"}
	require.Greater(t, len(signed), 3)
	secrets = append(secrets, signed...)
	for _, e := range d.all {
		for _, verb := range []string{"%v", "%+v", "%#v"} {
			text := fmt.Sprintf(verb, e)
			for _, secret := range secrets {
				require.NotContains(t, text, secret, "%T", e)
			}
		}
	}
}

// TestObserver_NoneCostsNothing: without an Observer the engine's calls of it
// need no memory.
func TestObserver_NoneCostsNothing(t *testing.T) {
	tr := newTracker(nil, nil)
	r := transfer.Request{Operation: "UploadPart", Part: 1, Attempt: 1, Size: kib}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		ctx := tr.RequestStarted(ctx, r)
		tr.Moved(1)
		tr.Confirmed(1)
		tr.Resumed(1)
		tr.Retrying(ctx, r, transfer.Retry{})
		tr.Refreshed(ctx, transfer.Refresh{})
		tr.RequestEnded(ctx, r, transfer.Outcome{Err: ErrStalled})
		tr.Completing()
	}))
}

// TestErrorCode: each error of this package has a code of its own, which is its
// name.
func TestErrorCode(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var declared []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		for _, decl := range parsed.Decls {
			g, ok := decl.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, spec := range g.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					if code, ok := strings.CutPrefix(name.Name, "Err"); ok {
						declared = append(declared, code)
					}
				}
			}
		}
	}
	var named []string
	for _, n := range errorNames {
		named = append(named, n.code)
		require.Equal(t, n.code, ErrorCode(fmt.Errorf("some file: %w", n.err)))
		require.Equal(t, n.code, ErrorCode(&Error{Err: n.err}))
	}
	require.ElementsMatch(t, declared, named)
	require.Empty(t, ErrorCode(nil))
	require.Equal(t, "Canceled", ErrorCode(fmt.Errorf("%w: %w", ErrStalled, context.Canceled)))
	require.Equal(t, "NoSuchBucket", ErrorCode(fmt.Errorf("part 1: %w", &alimedia.Error{Code: "NoSuchBucket"})))
}

// TestObserver_TextOfErrors: foreign text in an error is redacted, and the cause
// can still be found.
func TestObserver_TextOfErrors(t *testing.T) {
	t.Parallel()
	cause := fmt.Errorf("%w: Get https://h.test/a?Signature=abcdef", ErrStalled)
	err := observed(cause)
	require.ErrorIs(t, err, ErrStalled)
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		require.NotContains(t, fmt.Sprintf(verb, RequestEnd{Err: err}), "abcdef")
	}
	require.NoError(t, observed(nil))
}
