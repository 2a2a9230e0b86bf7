package upload

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
)

func TestUpload_B09_TransientFailures(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]mediatest.Fault{
		"500":            {Status: 500, Code: "InternalError"},
		"502 html":       {Foreign: &mediatest.Response{Status: 502, Body: "<html>bad gateway</html>"}},
		"503":            {Status: 503, Code: "ServiceUnavailable"},
		"504 html":       {Foreign: &mediatest.Response{Status: 504, Body: "<html>timeout</html>"}},
		"429":            {Status: 429, Code: "TooManyRequests"},
		"throttled":      {Throttling: true},
		"RequestTimeout": {Status: 400, Code: "RequestTimeout"},
		"reset":          {Reset: true},
		"reset midway":   {Reset: true, AfterBytes: 30 * kib},
		"503 midway":     {Status: 503, AfterBytes: 30 * kib},
		"response lost":  {AfterEffect: true},
	} {
		for _, operation := range []string{"PutObject", "InitiateMultipartUpload", "UploadPart"} {
			t.Run(name+"/"+operation, func(t *testing.T) {
				t.Parallel()
				r := newEnv(t, nil)
				fault := fault
				fault.Operation, fault.Times = operation, 3
				r.Fault(fault)
				size := 900 * kib
				if operation == "PutObject" {
					size = 150 * kib
				}
				data := random(size)
				res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
				require.NoError(t, err)
				if operation != "InitiateMultipartUpload" || name != "response lost" {
					r.stored(t, res, data)
				}
				require.Equal(t, 1, r.Calls("CreateUploadVideo"))
			})
		}
	}
}

func TestUpload_B09_LastingFailures(t *testing.T) {
	t.Parallel()
	for code, status := range map[string]int{"AccessDenied": 403, "InvalidArgument": 400, "NoSuchBucket": 404, "EntityTooLarge": 400, "NotImplemented": 501} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			r := newEnv(t, func(c *Config) { c.Parallel = 1 })
			r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 2, Status: status, Code: code, Times: mediatest.Always})
			res, err := r.Upload(ctx, bytesSource("movie.mp4", random(600*kib)), VODVideo{})
			e := failed(t, res, err)
			require.True(t, alimedia.HasCode(err, code))
			require.Equal(t, StageSend, e.Stage)
			require.EqualValues(t, 100*kib, e.Sent)
			require.Equal(t, 2, r.Calls("UploadPart"), "not repeated")
			require.Empty(t, r.Uploads())
			require.ErrorContains(t, err, "part 2: alimedia: UploadPart: "+code)
		})
	}
}

func TestUpload_B09_RetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newEnv(t, func(c *Config) { c.Retry.MaxDelay = time.Minute }, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "PutObject", Status: 503, RetryAfter: 30 * time.Second}, mediatest.Fault{Operation: "PutObject", Nth: 2, Status: 503, RetryAfter: time.Hour})
		start := time.Now()
		_, err := r.Upload(ctx, bytesSource("movie.mp4", random(kib)), VODVideo{})
		require.NoError(t, err)
		took := time.Since(start)
		require.GreaterOrEqual(t, took, 90*time.Second)
		require.Less(t, took, 91*time.Second, "bounded by MaxDelay")
	})
}

func TestUpload_B09_PausesGrowAndAttemptsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newEnv(t, func(c *Config) { c.Retry = alimedia.Retry{} }, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "PutObject", Reset: true, Times: mediatest.Always})
		start := time.Now()
		res, err := r.Upload(ctx, bytesSource("movie.mp4", random(kib)), VODVideo{})
		failed(t, res, err)
		require.Equal(t, 10, r.Calls("PutObject"))
		require.Less(t, time.Since(start), 66*time.Second)
		require.Greater(t, time.Since(start), 9*200*time.Millisecond, "nine delays of the first bound")
	})
}

func TestUpload_B09_CertificateIsNotRetried(t *testing.T) {
	t.Parallel()
	var asked, dialled atomic.Int32
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(srv.Close)
	r := newEnv(t, func(c *Config) {
		c.OSSEndpoint = srv.URL
		c.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			dialled.Add(1)
			return new(net.Dialer).DialContext(ctx, network, address)
		}}}
	})
	res, err := r.Upload(ctx, bytesSource("movie.mp4", random(kib)), VODVideo{})
	failed(t, res, err)
	require.ErrorContains(t, err, "certificate")
	require.Zero(t, asked.Load())
	require.EqualValues(t, 1, dialled.Load())
}

func TestUpload_B10_StreamIsRepeatedFromMemory(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{UnknownSize, 1234567} {
		r := newEnv(t, nil)
		for n := 1; n < 12; n += 2 {
			r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: n, Reset: true, AfterBytes: int64(n) * 9 * kib})
		}
		data := random(1234567)
		res, err := r.Upload(ctx, Reader("movie.mp4", reader(bytes.NewReader(data)), size), VODVideo{})
		require.NoError(t, err)
		r.stored(t, res, data)
	}
}

func TestUpload_B12_FirstErrorWins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newEnv(t, func(c *Config) { c.Parallel, c.StallTimeout = 8, time.Hour }, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "UploadPart", Nth: 3, Status: 403, Code: "AccessDenied"},
			mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, Delay: 10 * time.Minute})
		start := time.Now()
		res, err := r.Upload(ctx, bytesSource("movie.mp4", random(3000*kib)), VODVideo{})
		failed(t, res, err)
		require.True(t, alimedia.IsAccessDenied(err), "%v", err)
		require.NotErrorIs(t, err, context.Canceled)
		require.Less(t, time.Since(start), time.Minute, "the other parts are cut off")
		require.LessOrEqual(t, r.Calls("UploadPart"), 8)
	})
}

func TestUpload_B13_Stall(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]mediatest.Fault{
		"no response":    {Operation: "UploadPart", Nth: 2, Delay: time.Hour},
		"midway":         {Operation: "UploadPart", Nth: 2, Delay: time.Hour, AfterBytes: 8 * kib},
		"put":            {Operation: "PutObject", Delay: time.Hour},
		"initiate":       {Operation: "InitiateMultipartUpload", Delay: time.Hour},
		"complete":       {Operation: "CompleteMultipartUpload", Delay: time.Hour},
		"complete, done": {Operation: "CompleteMultipartUpload", Delay: time.Hour, AfterEffect: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newEnv(t, nil, mediatest.InMemory())
				r.Fault(fault)
				size := 600 * kib
				if name == "put" {
					size = kib
				}
				data := random(size)
				start := time.Now()
				res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
				require.NoError(t, err)
				require.Less(t, time.Since(start), 6*time.Minute)
				require.GreaterOrEqual(t, time.Since(start), time.Minute)
				got, _ := r.Object(res.Bucket, res.Key)
				require.Equal(t, data, got)
			})
		})
	}
}

func TestUpload_B13_SlowIsNotStalled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// 100 KiB in steps of 1 KiB every 50 s: 83 minutes for one part.
		r := newEnv(t, nil, mediatest.InMemory())
		data := random(100 * kib)
		slow := readerAtFunc(func(p []byte, off int64) (int, error) {
			if off < int64(len(data)) {
				time.Sleep(50 * time.Second)
			}
			return bytes.NewReader(data).ReadAt(p[:min(len(p), kib)], off)
		})
		// Longer than a credential lives: the fake checks it at the start.
		_, err := r.Upload(ctx, ReaderAt("movie.mp4", slow, int64(len(data))), VODVideo{})
		require.NoError(t, err)
		require.Equal(t, 1, r.Calls("PutObject"))
	})
}

func TestUpload_B15_Empty(t *testing.T) {
	t.Parallel()
	for name, src := range map[string]Source{
		"file":           File(writeFile(t, "empty.mp4", nil)),
		"fs":             FS(fstest.MapFS{"a/empty.mp4": {}}, "a/empty.mp4"),
		"reader":         Reader("empty.mp4", reader(bytes.NewReader(nil)), 0),
		"unknown reader": Reader("empty.mp4", reader(bytes.NewReader(nil)), UnknownSize),
		"reader at":      ReaderAt("empty.mp4", bytes.NewReader(nil), 0),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newEnv(t, nil)
			res, err := r.Upload(ctx, src, VODVideo{})
			e := failed(t, res, err)
			require.ErrorIs(t, err, ErrEmpty)
			require.Equal(t, StageOpen, e.Stage)
			require.Equal(t, "empty.mp4", e.Name)
			require.Empty(t, r.Requests(), "nothing was asked, nothing created")
		})
	}
}

func TestUpload_B17_BadSources(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	short := func(have, want int) Source {
		return Reader("movie.mp4", reader(bytes.NewReader(make([]byte, have))), int64(want))
	}
	for _, tt := range []struct {
		name    string
		src     Source
		want    error
		text    string
		created bool
	}{
		{"nil", nil, nil, "no source", false},
		{"missing", File(filepath.Join(dir, "gone.mp4")), os.ErrNotExist, "gone.mp4", false},
		{"directory", File(dir), nil, "is a directory: upload its files one by one", false},
		{"device", File(os.DevNull), nil, "not a regular file: open it and use Reader", false},
		{"fs missing", FS(fstest.MapFS{}, "gone.mp4"), os.ErrNotExist, "", false},
		{"fs directory", FS(fstest.MapFS{"a/b.mp4": {Data: []byte("x")}}, "a"), nil, "is a directory", false},
		{"nil fs", FS(nil, "a"), nil, "file system is nil", false},
		{"nil reader", Reader("a.mp4", nil, 1), nil, "reader is nil", false},
		{"nil reader at", ReaderAt("a.mp4", nil, 1), nil, "reader is nil", false},
		{"negative", Reader("a.mp4", bytes.NewReader(nil), -2), nil, "use UnknownSize", false},
		{"reader at without size", ReaderAt("a.mp4", bytes.NewReader(nil), UnknownSize), nil, "needs its size", false},
		{"reader at too long", ReaderAt("a.mp4", bytes.NewReader(make([]byte, 11)), 10), ErrSize, "more than 10 bytes", false},
		{"reader at too short", ReaderAt("a.mp4", bytes.NewReader(make([]byte, 9)), 10), ErrSize, "", true},
		{"short, one request", short(9, 10), ErrSize, "10 bytes declared, the reader ended after 9", false},
		{"long, one request", short(11, 10), ErrSize, "10 bytes declared, the reader has more", false},
		{"short, parts", short(999*kib, 1000*kib), ErrSize, "1024000 bytes declared, the reader ended after 1022976", true},
		{"long, parts", short(1000*kib+1, 1000*kib), ErrSize, "the reader has more", true},
		{"broken", Reader("a.mp4", iotest.ErrReader(errDisk), UnknownSize), errDisk, "read the source: disk on fire", false},
		{"broken later", Reader("a.mp4", io.MultiReader(bytes.NewReader(make([]byte, 950*kib)), iotest.ErrReader(errDisk)), UnknownSize), errDisk, "", true},
		{"broken reader at", ReaderAt("a.mp4", readerAtFunc(func([]byte, int64) (int, error) { return 0, errDisk }), 10), errDisk, "read the source: disk on fire", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newEnv(t, nil, mediatest.InMemory())
				res, err := r.Upload(ctx, tt.src, VODVideo{})
				e := failed(t, res, err)
				if tt.want != nil {
					require.ErrorIs(t, err, tt.want)
				}
				require.ErrorContains(t, err, tt.text)
				require.Equal(t, tt.created, e.MediaId != "")
				if !tt.created {
					require.Equal(t, StageOpen, e.Stage)
					require.Empty(t, r.Requests())
				}
				require.Zero(t, r.Calls("CompleteMultipartUpload"))
				require.Empty(t, r.Uploads())
				require.Empty(t, r.Objects(r.StorageBucket()))
			})
		})
	}
}

func TestUpload_ReaderOnce(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil)
	src := Reader("movie.mp4", reader(bytes.NewReader(random(10))), 10)
	_, err := r.Upload(ctx, src, VODVideo{})
	require.NoError(t, err)
	res, err := r.Upload(ctx, src, VODVideo{})
	failed(t, res, err)
	require.ErrorContains(t, err, "make a new one")
}

func TestUpload_B18_SourceChanges(t *testing.T) {
	t.Parallel()
	grow := func(path string) error {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = f.WriteString("more")
		return err
	}
	for name, change := range map[string]func(string) error{
		"grows":    grow,
		"shrinks":  func(path string) error { return os.Truncate(path, 10) },
		"new time": func(path string) error { return os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)) },
	} {
		for _, when := range []string{"CreateUploadVideo", "PutObject", "UploadPart"} {
			t.Run(name+"/"+when, func(t *testing.T) {
				t.Parallel()
				r := newEnv(t, func(c *Config) { c.Parallel = 1 })
				size := 600 * kib
				if when == "PutObject" {
					size = 199 * kib
				}
				path := writeFile(t, "movie.mp4", random(size))
				var once sync.Once
				r.Fault(mediatest.Fault{Operation: when, Match: func(mediatest.Request) bool {
					once.Do(func() { require.NoError(t, change(path)) })
					return false
				}})
				res, err := r.Upload(ctx, File(path), VODVideo{})
				if err == nil && when == "PutObject" {
					return // all of it had been read when the store took notice
				}
				failed(t, res, err)
				require.ErrorIs(t, err, ErrChanged)
				require.Zero(t, r.Calls("CompleteMultipartUpload"))
				require.Empty(t, r.Uploads())
				require.Empty(t, r.Objects(r.StorageBucket()))
			})
		}
	}
}

// TestUpload_B18_ReplacedFile: another file under the same name is not mixed in.
func TestUpload_B18_ReplacedFile(t *testing.T) {
	t.Parallel()
	r := newEnv(t, func(c *Config) { c.Parallel = 1 })
	data := random(600 * kib)
	path := writeFile(t, "movie.mp4", data)
	var once sync.Once
	r.Fault(mediatest.Fault{Operation: "UploadPart", Match: func(mediatest.Request) bool {
		once.Do(func() {
			require.NoError(t, os.WriteFile(path+".new", make([]byte, len(data)), 0o600))
			require.NoError(t, os.Rename(path+".new", path))
		})
		return false
	}})
	res, err := r.Upload(ctx, File(path), VODVideo{})
	require.NoError(t, err)
	r.stored(t, res, data)
}

// corrupt flips a bit of the body of some requests.
func corrupt(base http.RoundTripper, which func(*http.Request) bool) http.RoundTripper {
	return roundTripper(func(q *http.Request) (*http.Response, error) {
		if q.Body != nil && which(q) {
			body, err := io.ReadAll(q.Body)
			if err != nil {
				return nil, err
			}
			body[len(body)/2] ^= 1
			q = q.Clone(q.Context())
			q.Body = io.NopCloser(bytes.NewReader(body))
		}
		return base.RoundTrip(q)
	})
}

func TestUpload_B20_CorruptedOnTheWay(t *testing.T) {
	t.Parallel()
	for _, size := range []int{50 * kib, 600 * kib} {
		var n atomic.Int32
		r := newEnv(t, func(c *Config) {
			c.HTTPClient = &http.Client{Transport: corrupt(c.HTTPClient.Transport, func(q *http.Request) bool {
				return q.Method == http.MethodPut && n.Add(1) == 1
			})}
		})
		data := random(size)
		res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
		require.NoError(t, err)
		r.stored(t, res, data)
	}
}

func TestUpload_B20_CorruptedAlways(t *testing.T) {
	t.Parallel()
	r := newEnv(t, func(c *Config) {
		c.Parallel, c.Retry.MaxAttempts = 1, 3
		c.HTTPClient = &http.Client{Transport: corrupt(c.HTTPClient.Transport, func(q *http.Request) bool { return q.Method == http.MethodPut })}
	})
	res, err := r.Upload(ctx, bytesSource("movie.mp4", random(600*kib)), VODVideo{})
	failed(t, res, err)
	require.ErrorIs(t, err, ErrChecksum)
	require.Empty(t, r.Uploads())
}

func TestUpload_B20_WholeObject(t *testing.T) {
	t.Parallel()
	r := newEnv(t, func(c *Config) {
		base := c.HTTPClient.Transport
		c.HTTPClient = &http.Client{Transport: roundTripper(func(q *http.Request) (*http.Response, error) {
			response, err := base.RoundTrip(q)
			if err == nil && q.Method == http.MethodPost && q.URL.Query().Has("uploadId") {
				response.Header.Set("x-oss-hash-crc64ecma", "42")
			}
			return response, err
		})}
	})
	res, err := r.Upload(ctx, bytesSource("movie.mp4", random(600*kib)), VODVideo{})
	e := failed(t, res, err)
	require.ErrorIs(t, err, ErrChecksum)
	require.Equal(t, StageComplete, e.Stage)
	require.NotEmpty(t, e.MediaId)
}

// TestUpload_B20_EarlyResponse: a response that comes before all bytes have gone
// out proves nothing.
func TestUpload_B20_EarlyResponse(t *testing.T) {
	t.Parallel()
	var calls int
	r := newEnv(t, nil)
	r.via(func(base http.RoundTripper, q *http.Request) (*http.Response, error) {
		if q.Method == http.MethodPut {
			if calls++; calls < 3 {
				_, _ = io.CopyN(io.Discard, q.Body, 100)
				return &http.Response{StatusCode: 200, Header: http.Header{"Etag": {`"x"`}}, Body: http.NoBody, Request: q}, nil
			}
		}
		return base.RoundTrip(q)
	})
	data := random(50 * kib)
	res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
	require.NoError(t, err)
	r.stored(t, res, data)
	require.Equal(t, 3, calls)
}

func TestUpload_EndlessResponse(t *testing.T) {
	t.Parallel()
	read := &endless{1 << 40}
	r := newEnv(t, func(c *Config) {
		base := c.HTTPClient.Transport
		c.Retry.MaxAttempts = 1
		c.HTTPClient = &http.Client{Transport: roundTripper(func(q *http.Request) (*http.Response, error) {
			if q.Method != http.MethodPut {
				return base.RoundTrip(q)
			}
			return &http.Response{StatusCode: 502, Header: http.Header{}, Body: io.NopCloser(read), Request: q}, nil
		})}
	})
	res, err := r.Upload(ctx, bytesSource("movie.mp4", random(kib)), VODVideo{})
	failed(t, res, err)
	require.ErrorContains(t, err, "HTTP 502")
	require.LessOrEqual(t, 1<<40-read.left, int64(4<<20))
}

func TestUpload_B42_ParallelIsOverAllUploads(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int32
	r := newEnv(t, func(c *Config) {
		c.Parallel = 3
		base := c.HTTPClient.Transport
		c.HTTPClient = &http.Client{Transport: roundTripper(func(q *http.Request) (*http.Response, error) {
			if q.Method == http.MethodPut {
				n := now.Add(1)
				defer now.Add(-1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
			}
			return base.RoundTrip(q)
		})}
	})
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			data := random(150*kib + 70*kib*i)
			res, err := r.Upload(ctx, bytesSource(fmt.Sprintf("movie%d.mp4", i), data), VODVideo{})
			if err != nil {
				t.Error(err)
				return
			}
			got, _ := r.Object(res.Bucket, res.Key)
			if !bytes.Equal(got, data) {
				t.Errorf("object %d differs", i)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 3, most.Load())
	require.Len(t, r.Medias(), 10)
}

func TestUpload_B45_SmallFileCost(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil)
	_, err := r.Upload(ctx, Reader("movie.mp4", reader(bytes.NewReader(random(kib))), UnknownSize), VODVideo{})
	require.NoError(t, err)
	require.Len(t, r.Requests(), 2, "one Create, one put")
	require.Equal(t, "1024", r.Medias()[0].Params.Get("FileSize"), "a short stream is seen to its end first")
}
