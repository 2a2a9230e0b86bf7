package upload

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload/internal/ossobject"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// withError gives bytes and, with the last of them, an error once; then io.EOF.
type withError struct {
	data []byte
	err  error
}

func (w *withError) Read(p []byte) (int, error) {
	if w.data == nil {
		return 0, io.EOF
	}
	n := copy(p, w.data)
	if w.data = w.data[n:]; len(w.data) > 0 {
		return n, nil
	}
	w.data = nil
	return n, w.err
}

// TestUpload_B56_ErrorWithBytes: an error counts whatever comes with it, and
// wherever in a part it comes.
func TestUpload_B56_ErrorWithBytes(t *testing.T) {
	t.Parallel()
	for _, broken := range []error{errDisk, io.ErrUnexpectedEOF, fmt.Errorf("odd: %w", io.EOF)} {
		for _, given := range []int{1, 100 * kib, 150 * kib, 200 * kib, 500 * kib} {
			for _, size := range []int64{UnknownSize, 500 * kib} {
				t.Run(fmt.Sprint(broken, given, size), func(t *testing.T) {
					t.Parallel()
					r := newEnv(t, nil, mediatest.InMemory())
					res, err := r.Upload(ctx, Reader("a.mp4", &withError{random(given), broken}, size), VODVideo{})
					failed(t, res, err)
					require.ErrorIs(t, err, broken)
					require.Empty(t, r.Uploads())
					require.Empty(t, r.Objects(r.StorageBucket()))
				})
			}
		}
	}
	t.Run("the end with the last bytes is none", func(t *testing.T) {
		t.Parallel()
		for _, size := range []int64{UnknownSize, 500 * kib} {
			r := newEnv(t, nil, mediatest.InMemory())
			data := random(500 * kib)
			res, err := r.Upload(ctx, Reader("a.mp4", iotest.DataErrReader(bytes.NewReader(data)), size), VODVideo{})
			require.NoError(t, err)
			r.stored(t, res, data)
		}
	})
	t.Run("after the declared size", func(t *testing.T) {
		t.Parallel()
		r := newEnv(t, nil, mediatest.InMemory())
		src := io.MultiReader(bytes.NewReader(random(500*kib)), iotest.ErrReader(errDisk))
		res, err := r.Upload(ctx, Reader("a.mp4", src, 500*kib), VODVideo{})
		failed(t, res, err)
		require.ErrorIs(t, err, errDisk)
	})
	t.Run("an io.ReaderAt", func(t *testing.T) {
		t.Parallel()
		data := random(500 * kib)
		for _, short := range []bool{false, true} {
			r := newEnv(t, nil, mediatest.InMemory())
			src := readerAtFunc(func(p []byte, off int64) (int, error) {
				if off >= 300*kib && off < 500*kib {
					if short {
						p = p[:1]
					}
					n, _ := bytes.NewReader(data).ReadAt(p, off)
					return n, errDisk
				}
				return bytes.NewReader(data).ReadAt(p, off)
			})
			res, err := r.Upload(ctx, ReaderAt("a.mp4", src, 500*kib), VODVideo{})
			failed(t, res, err)
			require.ErrorIs(t, err, errDisk)
			require.Empty(t, r.Objects(r.StorageBucket()))
		}
	})
}

// panicFS is a file system whose files panic.
type panicFS struct{ at string }

func (p panicFS) Open(string) (fs.File, error) {
	if p.at == "open" {
		panic("open")
	}
	return panicFile(p), nil
}

type panicFile struct{ at string }

func (p panicFile) Stat() (fs.FileInfo, error) {
	if p.at == "stat" {
		panic("stat")
	}
	return os.Stat("limits_test.go")
}
func (p panicFile) Read([]byte) (int, error) { panic("read") }
func (p panicFile) Close() error             { panic("close") }

// TestUpload_B56_Panics: code of the user that panics fails its own upload,
// with the value of the panic on one line; others go on.
func TestUpload_B56_Panics(t *testing.T) {
	t.Parallel()
	boom := "boom\n" + strings.Repeat("x", 5000)
	data := random(500 * kib)
	panicAt := func(from int64) io.ReaderAt {
		return readerAtFunc(func(p []byte, off int64) (int, error) {
			if off >= from && off < 500*kib {
				panic(boom)
			}
			return bytes.NewReader(data).ReadAt(p, off)
		})
	}
	for name, src := range map[string]func() Source{
		"reader": func() Source {
			return Reader("a.mp4", readerFunc(func([]byte) (int, error) { panic(boom) }), UnknownSize)
		},
		"reader, later": func() Source {
			return Reader("a.mp4", io.MultiReader(bytes.NewReader(data), readerFunc(func([]byte) (int, error) { panic(errors.New(boom)) })), UnknownSize)
		},
		"reader at":         func() Source { return ReaderAt("a.mp4", panicAt(0), 500*kib) },
		"reader at, later":  func() Source { return ReaderAt("a.mp4", panicAt(300*kib), 500*kib) },
		"reader at, single": func() Source { return ReaderAt("a.mp4", panicAt(0), 100*kib) },
		"reader at, probed": func() Source {
			return ReaderAt("a.mp4", readerAtFunc(func([]byte, int64) (int, error) { panic(boom) }), 100*kib)
		},
		"open": func() Source { return FS(panicFS{"open"}, "a.mp4") },
		"stat": func() Source { return FS(panicFS{"stat"}, "a.mp4") },
		"read": func() Source { return FS(panicFS{"read"}, "a.mp4") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newEnv(t, nil, mediatest.InMemory())
				var wg sync.WaitGroup
				wg.Go(func() {
					res, err := r.Upload(ctx, bytesSource("other.mp4", data), VODVideo{})
					require.NoError(t, err)
					require.NotNil(t, res)
				})
				wg.Go(func() {
					res, err := r.Upload(ctx, src(), VODVideo{})
					failed(t, res, err)
					require.ErrorIs(t, err, ErrPanic)
					require.LessOrEqual(t, len(err.Error()), 1024)
					require.NotContains(t, err.Error(), "\n")
				})
				wg.Wait()
				require.Empty(t, r.Uploads())
			})
		})
	}
	t.Run("provider", func(t *testing.T) {
		t.Parallel()
		r := newBucketEnv(t, mediatest.InMemory())
		var asked atomic.Int32
		r.cfg.Credentials = rotating(func() credentials.Credentials {
			if asked.Add(1) > 1 {
				panic(boom)
			}
			return r.Server.Credentials()
		})
		res, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), Bucket{Name: "own-bucket", Region: "cn-shanghai"})
		failed(t, res, err)
		require.ErrorIs(t, err, ErrPanic)
	})
	t.Run("transport", func(t *testing.T) {
		t.Parallel()
		r := newEnv(t, nil, mediatest.InMemory())
		r.via(func(http.RoundTripper, *http.Request) (*http.Response, error) { panic(boom) })
		res, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), VODVideo{})
		failed(t, res, err)
		require.ErrorIs(t, err, ErrPanic)
	})
	t.Run("a reader that ends its goroutine", func(t *testing.T) {
		t.Parallel()
		r := newEnv(t, nil, mediatest.InMemory())
		src := io.MultiReader(bytes.NewReader(data), readerFunc(func([]byte) (int, error) { runtime.Goexit(); return 0, nil }))
		res, err := r.Upload(ctx, Reader("a.mp4", src, UnknownSize), VODVideo{})
		failed(t, res, err)
		require.ErrorContains(t, err, "the reader ended its goroutine")
		require.Empty(t, r.Objects(r.StorageBucket()))
	})
}

// TestUpload_B57_TheResponseHasItsOwnTime: longer than that between bytes, and
// with an end, however it comes.
func TestUpload_B57_TheResponseHasItsOwnTime(t *testing.T) {
	t.Parallel()
	for operation, size := range sizes {
		for name, tt := range map[string]struct {
			fault    mediatest.Fault
			repeated bool
		}{
			"slow":      {mediatest.Fault{ResponseDelay: 4 * time.Minute}, false},
			"never":     {mediatest.Fault{ResponseDelay: mediatest.Forever}, true},
			"byte wise": {mediatest.Fault{Drip: 50 * time.Second, Foreign: &mediatest.Response{Body: strings.Repeat("<!-- -->", 100)}}, true},
		} {
			t.Run(operation+" "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					r := newEnv(t, func(c *Config) { c.Parallel = 1 }, mediatest.InMemory())
					tt.fault.Operation = operation
					r.Fault(tt.fault)
					data := random(size)
					start := time.Now()
					res, err := r.Upload(ctx, bytesSource("a.mp4", data), VODVideo{})
					require.NoError(t, err)
					got, _ := r.Object(res.Bucket, res.Key)
					require.True(t, bytes.Equal(data, got))
					took := time.Since(start)
					if tt.repeated {
						require.InDelta(t, 300, took.Seconds(), 2)
					} else {
						require.InDelta(t, 240, took.Seconds(), 2)
						require.Equal(t, map[string]int{"UploadPart": 6}[operation]+map[bool]int{true: 1}[operation != "UploadPart"], r.Calls(operation))
					}
				})
			})
		}
	}
}

// TestUpload_B57_CancelAtEveryStage: Upload returns within two seconds,
// whatever it waits for.
func TestUpload_B57_CancelAtEveryStage(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{
		"CreateYikeAssetUpload", "PutObject", "InitiateMultipartUpload", "UploadPart", "CompleteMultipartUpload",
		"AbortMultipartUpload", "ListParts", "HeadObject", "ListMultipartUploads", "RegisterYikeAssetMediaInfo", "GetYikeAssetMediaInfo",
	} {
		for _, effect := range []bool{false, true} {
			t.Run(fmt.Sprint(operation, effect), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					r := newEnv(t, func(c *Config) { c.StallTimeout, c.ResponseTimeout = time.Hour, time.Hour }, mediatest.InMemory())
					fault := mediatest.Fault{Operation: operation, Times: mediatest.Always, Delay: mediatest.Forever}
					if effect {
						fault.Delay, fault.ResponseDelay = 0, mediatest.Forever
					}
					r.Fault(fault)
					size := 600 * kib
					switch operation {
					case "PutObject":
						size = kib
					case "HeadObject":
						size = kib
						r.Fault(mediatest.Fault{Operation: "PutObject", AfterEffect: true})
					case "AbortMultipartUpload", "ListParts":
						r.Fault(stopAt("UploadPart", 3))
					case "ListMultipartUploads":
						r.Fault(mediatest.Fault{Operation: "InitiateMultipartUpload", AfterEffect: true})
					}
					cleanup := slices.Contains([]string{"AbortMultipartUpload", "ListParts", "ListMultipartUploads"}, operation)
					ended := 20 * time.Second
					if cleanup {
						ended = 5 * time.Second
					}
					ctx, cancel := context.WithTimeout(ctx, ended)
					defer cancel()
					start := time.Now()
					_, err := r.Upload(ctx, bytesSource("a.mp4", random(size)), YikeAsset{}, WithWait())
					require.Error(t, err)
					require.LessOrEqual(t, time.Since(start), ended+2*time.Second)
					require.GreaterOrEqual(t, time.Since(start), ended)
				})
			})
		}
	}
}

// TestUpload_B57_CancelWithStuckCode: so it does when code of the user does not
// return.
func TestUpload_B57_CancelWithStuckCode(t *testing.T) {
	t.Parallel()
	for _, stuck := range []string{"reader", "reader at", "transport", "provider", "callback", "all"} {
		t.Run(stuck, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				over := make(chan struct{})
				defer close(over)
				r := newBucketEnv(t, mediatest.InMemory())
				data := random(600 * kib)
				src := bytesSource("a.mp4", data)
				var opts []Option
				var asked atomic.Int32
				switch stuck {
				case "reader":
					src = Reader("a.mp4", io.MultiReader(bytes.NewReader(data), readerFunc(func([]byte) (int, error) { <-over; return 0, io.EOF })), UnknownSize)
				case "reader at", "all":
					src = ReaderAt("a.mp4", readerAtFunc(func(p []byte, off int64) (int, error) {
						if off >= 300*kib && off < 600*kib {
							<-over
						}
						return bytes.NewReader(data).ReadAt(p, off)
					}), 600*kib)
				case "transport":
					r.via(func(base http.RoundTripper, q *http.Request) (*http.Response, error) {
						if operationOf(q) == "UploadPart" {
							<-over
						}
						return base.RoundTrip(q)
					})
				case "provider":
					r.cfg.Credentials = rotating(func() credentials.Credentials {
						if asked.Add(1) > 1 {
							<-over
						}
						return r.Server.Credentials()
					})
				}
				if stuck == "callback" || stuck == "all" {
					opts = append(opts, WithProgress(func(Progress) { <-over }))
					r.Fault(mediatest.Fault{Operation: "UploadPart", Delay: mediatest.Forever})
				}
				ctx, cancel := context.WithTimeout(ctx, time.Minute/2)
				defer cancel()
				start := time.Now()
				res, err := r.Upload(ctx, src, Bucket{Name: "own-bucket", Region: "cn-shanghai"}, opts...)
				failed(t, res, err)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.LessOrEqual(t, time.Since(start), time.Minute/2+2*time.Second)
				if stuck != "transport" && stuck != "provider" {
					require.Empty(t, r.Uploads())
				}
			})
		})
	}
}

// TestUpload_B57_ShortTokenAndWrongClock: a credential of 300 s lives for 300 s
// by the service's clock, however wrong ours is.
func TestUpload_B57_ShortTokenAndWrongClock(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{-298 * time.Second, 298 * time.Second, -2 * time.Hour, 0} {
		for _, dated := range []bool{true, false} {
			if !dated && skew.Abs() > 15*time.Minute {
				continue // nothing would tell the API's client the time
			}
			t.Run(fmt.Sprint(skew, dated), func(t *testing.T) {
				t.Parallel()
				inParallel(t, func(t *testing.T, r *env) {
					r.SetClockSkew(skew)
					r.Fault(mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, Delay: 60 * time.Second})
					if !dated {
						r.Fault(mediatest.Fault{Operation: "CreateUploadImage", Edit: func(_ mediatest.Request, a *mediatest.Response) { a.Header["Date"] = nil }})
					}
					data := random(3 * parallelUploads * 100 * kib) // three rounds: 180 s
					res, err := r.Upload(ctx, bytesSource("a.png", data), VODImage{})
					require.NoError(t, err)
					r.stored(t, res, data)
				}, mediatest.CredentialLife(300*time.Second))
			})
		}
	}
}

// TestUpload_B57_StreamGoesOnWithItsToken: that the service has no new
// credential for a stream does not end the one it has.
func TestUpload_B57_StreamGoesOnWithItsToken(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]mediatest.Fault{
		"refused":        {Operation: "RefreshUploadMedia", Status: 404, Code: "InvalidMediaId.NotFound", Times: mediatest.Always},
		"another object": {},
		"unusable": {Operation: "RefreshUploadMedia", Times: mediatest.Always, Edit: func(_ mediatest.Request, a *mediatest.Response) {
			a.Body = strings.Replace(a.Body, `"UploadAddress":"`, `"UploadAddress":"!`, 1)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inParallel(t, func(t *testing.T, r *env) {
				_, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), ICEMedia{})
				require.NoError(t, err)
				if fault.Operation != "" {
					r.Fault(fault)
				}
				r.Fault(mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, Delay: 900 * time.Second})
				data := random(3 * parallelUploads * 100 * kib) // 2,700 s: more than 80 % of 3,000
				res, err := r.Upload(ctx, bytesSource("b.mp4", data), ICEStream(ice.CreateUploadStreamRequest{MediaId: r.Medias()[0].MediaId}))
				require.NoError(t, err)
				require.EqualValues(t, len(data), res.Size)
				require.Equal(t, 1, r.Calls("RefreshUploadMedia"))
			})
		})
	}
}

// TestUpload_B59_HostsOfCredentials: they go to OSS and to what the user lists.
func TestUpload_B59_HostsOfCredentials(t *testing.T) {
	t.Parallel()
	u, err := New(Config{OSSHosts: []string{"oss.example.com", "*.media.example.com", "127.0.0.2"}})
	require.NoError(t, err)
	for host, trusted := range map[string]bool{
		"oss-cn-shanghai.aliyuncs.com": true, "oss-cn-shanghai-internal.aliyuncs.com": true, "oss-accelerate.aliyuncs.com": true,
		"OSS-cn-shanghai.ALIYUNCS.com": true, "cn-shanghai.oss.aliyuncs.com": true, "oss.example.com": true, "a.media.example.com": true, "a.b.media.example.com:8443": true, "127.0.0.2": true,
		"aliyuncs.com": false, "evilaliyuncs.com": false, "oss-cn-shanghai.aliyuncs.com.evil.example": false, "oss-cn-shanghai.aliyuncs.com.": false,
		"evil.example.com": false, "a.oss.example.com": false, "media.example.com": false, "xmedia.example.com": false,
		"127.0.0.1": false, "localhost": false, "[::1]": false, "10.0.0.1": false, "100.100.100.200": false, ".aliyuncs.com": false, "-.aliyuncs.com": false,
	} {
		endpoint, err := ossobject.ParseEndpoint(host)
		if err == nil {
			err = u.trust.Check(endpoint)
		}
		require.Equal(t, trusted, err == nil, "%s: %v", host, err)
	}
	for _, hosts := range []string{"", "https://oss.example.com", "oss.example.com/x", "*", "*.", "a b", "user@example.com", "a..b"} {
		_, err := New(Config{OSSHosts: []string{hosts}})
		require.ErrorContains(t, err, "Config.OSSHosts", hosts)
	}
	for _, region := range []string{"evil.com/x", "cn-shanghai.evil.com#", "cn shanghai", "-", "CN", "a@b", strings.Repeat("a", 50)} {
		_, err := New(Config{OSSRegion: region})
		require.ErrorContains(t, err, "Config.OSSRegion")
		_, err = New(Config{LocalRegion: region})
		require.ErrorContains(t, err, "Config.LocalRegion")
		r := newEnv(t, nil, mediatest.InMemory())
		_, err = r.Upload(ctx, bytesSource("a.mp4", random(kib)), Bucket{Name: "own-bucket", Region: region})
		require.ErrorContains(t, err, "is not a region ID")
		require.Empty(t, r.Requests())
	}
	_, err = New(Config{OSSRegion: " cn-shanghai"})
	require.NoError(t, err)
}

// TestUpload_B59_NothingIsSentElsewhere: not a request, to a host that a service
// or a checkpoint names and nobody trusts.
func TestUpload_B59_NothingIsSentElsewhere(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"https://evil.example.com", "oss-cn-shanghai.aliyuncs.com.evil.example", "http://127.0.0.1:99", "169.254.169.254"} {
		inParallel(t, func(t *testing.T, r *env) {
			r.via(func(_ http.RoundTripper, q *http.Request) (*http.Response, error) {
				t.Error("a request was made to ", q.URL.Host)
				return nil, http.ErrNotSupported
			})
			r.trust.Loopback = false
			res, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), VODVideo{})
			e := failed(t, res, err)
			require.ErrorIs(t, err, ErrUntrustedHost)
			require.NotEmpty(t, e.MediaId)
			err = r.engine.Abort(ctx, r.objectAt(destination{credentials: credentials.Static("id", "secret", ""), address: ossobject.Address{Endpoint: "https://evil.example.com", Bucket: "bucket", Key: "key"}}), "id", transfer.NoRequests{})
			require.ErrorIs(t, err, ErrUntrustedHost)
		}, mediatest.EncodeUpload(func(address, auth map[string]any) (string, string) {
			address["Endpoint"] = endpoint
			return mediatest.EncodeBase64(address), mediatest.EncodeBase64(auth)
		}))
	}
}

// TestUpload_B59_FileURLChoosesNoHost: it may tell the region of a signature,
// nothing else.
func TestUpload_B59_FileURLChoosesNoHost(t *testing.T) {
	t.Parallel()
	for _, region := range []string{"evil", "cn-shanghai", "evil.com/x"} {
		var sent *http.Request
		u, err := New(Config{OSSInternal: true, LocalRegion: "cn-shanghai", HTTPClient: &http.Client{Transport: roundTripper(func(q *http.Request) (*http.Response, error) {
			sent = q
			return nil, http.ErrNotSupported
		})}})
		require.NoError(t, err)
		d := u.objectAt(destination{
			credentials: credentials.Static("id", "secret", ""), fileURL: "https://b.oss-" + region + ".aliyuncs.com/key",
			address: ossobject.Address{Endpoint: "https://oss-accelerate.aliyuncs.com", Bucket: "bucket", Key: "key"},
		})
		object, err := d.Open(credentials.Credentials{AccessKeyId: "id", AccessKeySecret: "secret"})
		require.NoError(t, err)
		_, err = object.Head(ctx)
		require.ErrorIs(t, err, http.ErrNotSupported)
		require.Equal(t, "https://bucket.oss-accelerate.aliyuncs.com/key", sent.URL.String())
		authorization := sent.Header.Get("Authorization")
		if region != "evil.com/x" {
			require.Contains(t, authorization, "/"+region+"/oss/")
		} else {
			require.True(t, strings.HasPrefix(authorization, "OSS id:"), "version 1 needs no region: %s", authorization)
		}
	}
}

// TestUpload_B60_Echoes: no secret of a request comes back in an error, a record
// or a checkpoint, wherever a stranger puts it and however it is escaped.
func TestUpload_B60_Echoes(t *testing.T) {
	t.Parallel()
	jsonText := func(s string) string {
		text, _ := json.Marshal(s)
		return strings.Trim(string(text), `"`)
	}
	unicodeText := func(s string) (out string) {
		for _, c := range []byte(s) {
			out += fmt.Sprintf(`\u%04x`, c)
		}
		return out
	}
	entities := func(s string) (out string) {
		for _, c := range []byte(s) {
			out += fmt.Sprintf("&#%d;", c)
		}
		return out
	}
	forms := map[string]func(string) string{
		"plain": func(s string) string { return s }, "query": url.QueryEscape, "path": url.PathEscape, "html": html.EscapeString,
		"json": jsonText, "unicode": unicodeText, "entities": entities,
	}
	xmlError := func(element string) func(http.Header, string) string {
		return func(_ http.Header, s string) string {
			text := html.EscapeString(s)
			doc := "<Code>AccessDenied</Code>"
			if element == "Code" {
				doc = ""
			}
			return "<Error>" + doc + "<" + element + ">" + text + "</" + element + "></Error>"
		}
	}
	header := func(name string) func(http.Header, string) string {
		return func(h http.Header, s string) string {
			h.Set(name, s)
			return "<Error><Code>AccessDenied</Code></Error>"
		}
	}
	places := map[string]struct {
		status int
		put    func(h http.Header, s string) string // returns the body
	}{
		"Code": {403, xmlError("Code")}, "Message": {403, xmlError("Message")}, "RequestId": {403, xmlError("RequestId")}, "HostId": {403, xmlError("HostId")}, "EC": {403, xmlError("EC")},
		"x-oss-request-id": {403, header("X-Oss-Request-Id")}, "x-oss-ec": {403, header("X-Oss-Ec")},
		"JSON": {403, func(_ http.Header, s string) string {
			t, _ := json.Marshal(map[string]string{"code": s, "message": s})
			return string(t)
		}},
		"title": {502, func(h http.Header, s string) string {
			h.Set("Content-Type", "text/html")
			return "<html><title>" + s + "</title>"
		}},
		"type": {502, func(h http.Header, s string) string { h.Set("Content-Type", s); return "x" }},
		"ETag": {200, func(h http.Header, s string) string {
			h.Set("ETag", `"`+s+`"`)
			h.Set("X-Oss-Request-Id", s)
			return ""
		}},
		"UploadId": {200, func(h http.Header, s string) string {
			h.Set("X-Oss-Request-Id", "r")
			return "<InitiateMultipartUploadResult><UploadId>" + html.EscapeString(s) + "</UploadId></InitiateMultipartUploadResult>"
		}},
		"transport": {0, nil},
	}
	for place, at := range places {
		for form, escape := range forms {
			t.Run(place+" "+form, func(t *testing.T) {
				t.Parallel()
				var secrets, issued []string
				var mu sync.Mutex
				issue := mediatest.EncodeUpload(func(address, auth map[string]any) (string, string) {
					auth["SecurityToken"] = "CAIS+a/b==&<" + auth["SecurityToken"].(string)
					mu.Lock()
					issued = []string{auth["AccessKeySecret"].(string), auth["SecurityToken"].(string)}
					secrets = append(secrets, issued...)
					mu.Unlock()
					return mediatest.EncodeBase64(address), mediatest.EncodeBase64(auth)
				})
				inParallel(t, func(t *testing.T, r *env) {
					var log bytes.Buffer
					r.reset(func(c *Config) {
						c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
					})
					r.cfg.Retry.MaxAttempts = 2
					r.via(func(_ http.RoundTripper, q *http.Request) (*http.Response, error) {
						if q.Body != nil {
							_, _ = io.Copy(io.Discard, q.Body)
						}
						mu.Lock()
						mine := append(slices.Clone(issued), q.Header.Get("Authorization"), signatureOf(q))
						secrets = append(secrets, mine[len(mine)-2:]...)
						mu.Unlock()
						for i := range mine {
							mine[i] = escape(mine[i])
						}
						echo := strings.Join(mine, " ")
						if at.put == nil {
							return nil, fmt.Errorf("malformed HTTP status code %q", echo)
						}
						h := http.Header{}
						body := at.put(h, echo)
						return &http.Response{StatusCode: at.status, Status: echo, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: q}, nil
					})
					dir := t.TempDir()
					said := ""
					for i, size := range []int{kib, 300 * kib} {
						res, err := r.Upload(ctx, File(writeFile(t, fmt.Sprintf("%d.mp4", i), random(size))), VODVideo{}, WithCheckpoint(dir))
						e := failed(t, res, err)
						require.LessOrEqual(t, len(e.Error()), 1024)
						require.NotContains(t, e.Error(), "\n")
						for cause := error(e); cause != nil; cause = errors.Unwrap(cause) {
							said += fmt.Sprintf("%v %+v %#v %s\n", cause, cause, cause, cause)
						}
					}
					for _, name := range checkpoints(t, dir) {
						text, err := os.ReadFile(name)
						require.NoError(t, err)
						said += string(text)
					}
					said += log.String()
					for _, secret := range secrets {
						require.Greater(t, len(secret), 8)
						for name, form := range forms {
							if strings.Contains(said, form(secret)) {
								i := strings.Index(said, form(secret))
								t.Fatalf("%s %q was said: %.1000s", name, form(secret), said[max(0, i-300):])
							}
						}
					}
				}, issue)
			})
		}
	}
}

// TestUpload_B60_TagsAreKept: what goes into results and checkpoints echoes no
// secret either.
func TestUpload_B60_TagsAreKept(t *testing.T) {
	t.Parallel()
	r := newEnv(t, func(c *Config) { c.Retry.MaxAttempts, c.Parallel = 2, 1 }, mediatest.InMemory())
	var mu sync.Mutex
	var secrets []string
	r.via(func(base http.RoundTripper, q *http.Request) (*http.Response, error) {
		response, err := base.RoundTrip(q)
		if err == nil && q.URL.Query().Get("partNumber") >= "3" {
			secret := q.Header.Get("X-Oss-Security-Token")
			response.Header.Set("ETag", `"`+secret+`"`)
			mu.Lock()
			secrets = append(secrets, secret)
			mu.Unlock()
		}
		return response, err
	})
	dir := t.TempDir()
	res, err := r.Upload(ctx, File(writeFile(t, "a.mp4", random(600*kib))), VODVideo{}, WithCheckpoint(dir))
	failed(t, res, err)
	require.ErrorIs(t, err, ErrUnproven)
	require.Len(t, secrets, 2)
	text, err := os.ReadFile(checkpoints(t, dir)[0])
	require.NoError(t, err)
	require.NotContains(t, string(text), secrets[0])
}

func TestUpload_B60_OneLine(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long\n\x1b[31m\u202e", 1000)
	e := &Error{Stage: StageSend, Name: long, MediaId: "id", FileURL: "https://example.com/" + long, Uploaded: true, Err: errors.New(long)}
	for _, text := range []string{e.Error(), e.LogValue().String()} {
		require.NotContains(t, text, "\n")
		require.NotContains(t, text, "\x1b")
		require.NotContains(t, text, "\u202e")
	}
	require.LessOrEqual(t, len(e.Error()), 1024)
	require.Contains(t, e.Error(), "[MediaId id]", "what there is already is said whatever the cause")
	require.NotPanics(t, func() { _ = (&Error{}).Error() })
}

// TestUpload_B62_ListsThatNeverEnd: a list of parts ends after 10,000 at the
// latest, or is an error.
func TestUpload_B62_ListsThatNeverEnd(t *testing.T) {
	t.Parallel()
	page := func(id, parts string) string {
		return "<ListPartsResult><UploadId>" + id + "</UploadId><IsTruncated>true</IsTruncated><NextPartNumberMarker>5</NextPartNumberMarker>" + parts + "</ListPartsResult>"
	}
	one := func(number int) string {
		return fmt.Sprintf("<Part><PartNumber>%d</PartNumber><ETag>e</ETag><Size>1</Size></Part>", number)
	}
	for name, body := range map[string]func(q mediatest.Request) string{
		"the same page":       func(q mediatest.Request) string { return page(q.Params.Get("uploadId"), one(1)) },
		"an empty page":       func(q mediatest.Request) string { return page(q.Params.Get("uploadId"), "") },
		"numbers beyond":      func(q mediatest.Request) string { return page(q.Params.Get("uploadId"), one(10_001)) },
		"numbers that fall":   func(q mediatest.Request) string { return page(q.Params.Get("uploadId"), one(2)+one(1)) },
		"another upload's":    func(mediatest.Request) string { return page("another", one(1)) },
		"a marker that rises": func(q mediatest.Request) string { return page(q.Params.Get("uploadId"), "") },
		"too many in a page": func(q mediatest.Request) string {
			return page(q.Params.Get("uploadId"), strings.Repeat("<Part/>", 200_000))
		},
		"a page without end": func(q mediatest.Request) string { return page(q.Params.Get("uploadId"), strings.Repeat(" ", 5<<20)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := breakOff(t, VODVideo{}, stopAt("UploadPart", 4))
			b.reset(func(c *Config) { c.Retry.MaxAttempts = 3 })
			b.Fault(mediatest.Fault{Operation: "ListParts", Times: mediatest.Always, Edit: func(q mediatest.Request, a *mediatest.Response) { a.Body = body(q) }})
			res, err := b.Upload(ctx, File(b.file), VODVideo{}, WithCheckpoint(b.dir))
			failed(t, res, err)
			require.ErrorIs(t, err, ErrUnproven)
			require.LessOrEqual(t, b.Calls("ListParts"), 4)
			b.ClearFaults()
			b.resume(t, VODVideo{})
		})
	}
}

// TestUpload_B62_LyingClocks: a time that cannot be is not believed, and a lie
// does not outlive the next response.
func TestUpload_B62_LyingClocks(t *testing.T) {
	t.Parallel()
	skewed := func(serverTime, date string, times int) mediatest.Fault {
		return mediatest.Fault{Operation: "PutObject", Times: times, Foreign: &mediatest.Response{
			Status: 403, Header: http.Header{"Date": {date}, "X-Oss-Request-Id": {"r"}},
			Body: "<Error><Code>RequestTimeTooSkewed</Code><ServerTime>" + serverTime + "</ServerTime></Error>",
		}}
	}
	for name, tt := range map[string]struct {
		serverTime, date string
		times            int
		fails            bool
	}{
		"years away, Date is right": {"2099-01-01T00:00:00.000Z", "Sat, 01 Jan 2000 00:00:00 GMT", 1, false},
		"a month away":              {"2000-02-01T00:00:00.000Z", "Sat, 01 Jan 2000 00:00:00 GMT", 1, false},
		"for ever":                  {"2000-02-01T00:00:00.000Z", "Sat, 01 Jan 2000 00:00:00 GMT", 9, true},
		"nonsense":                  {"yesterday", "tomorrow", 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inParallel(t, func(t *testing.T, r *env) {
				r.Fault(skewed(tt.serverTime, tt.date, tt.times))
				_, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), VODVideo{})
				require.Equal(t, tt.fails, err != nil, "%v", err)
				r.ClearFaults()
				_, err = r.Upload(ctx, bytesSource("a.mp4", random(kib)), VODVideo{})
				require.NoError(t, err)
				require.Empty(t, r.Requests()[len(r.Requests())-1].Code, "the clock is right again")
			})
		})
	}
	var c transfer.Clocks
	require.Same(t, c.Of("a"), c.Of("a"))
	require.NotSame(t, c.Of("a"), c.Of("b"))
}
