package upload

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
)

// strangers are responses that a gateway, a captive portal or a broken proxy may
// send in the place of OSS.
var strangers = map[string]mediatest.Response{
	"page":           {Body: "<html><title>Sign in</title><body>Welcome</body></html>"},
	"error document": {Body: `<?xml version="1.0"?><Error><Code>InternalError</Code><Message>no</Message></Error>`},
	"nothing":        {},
	"JSON":           {Body: `{"ok":true}`},
	"status 202":     {Status: 202, Header: http.Header{"X-Oss-Request-Id": {"r"}, "Etag": {`"e"`}}},
	"status 206":     {Status: 206, Body: "part"},
	"status 203":     {Status: 203, Body: "<html>callback?</html>"},
	"redirect":       {Status: 302, Header: http.Header{"Location": {"https://portal.example.com/"}}},
	"moved for good": {Status: 301, Header: http.Header{"Location": {"https://portal.example.com/"}}},
	"tag only":       {Header: http.Header{"Etag": {`"e"`}}},
	"no tag":         {Header: http.Header{"X-Oss-Request-Id": {"r"}, "X-Oss-Hash-Crc64ecma": {"0"}}},
	"empty tag":      {Header: http.Header{"X-Oss-Request-Id": {"r"}, "Etag": {`""`}, "X-Oss-Hash-Crc64ecma": {"0"}}},
	"other document": {Header: http.Header{"X-Oss-Request-Id": {"r"}}, Body: "<ListBucketResult/>"},
	"another object": {Header: http.Header{"X-Oss-Request-Id": {"r"}}, Body: "<CompleteMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><ETag>e</ETag></CompleteMultipartUploadResult>"},
	"no ID":          {Header: http.Header{"X-Oss-Request-Id": {"r"}}, Body: "<InitiateMultipartUploadResult><UploadId> </UploadId></InitiateMultipartUploadResult>"},
}

// uploads by the operations that carry them.
var sizes = map[string]int{
	"PutObject": 100 * kib, "InitiateMultipartUpload": 600 * kib, "UploadPart": 600 * kib, "CompleteMultipartUpload": 600 * kib,
}

func TestUpload_B51_AStrangerResponsesOnce(t *testing.T) {
	t.Parallel()
	for operation, size := range sizes {
		for name, stranger := range strangers {
			for _, effect := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %s %v", operation, name, effect), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						r := newEnv(t, nil, mediatest.InMemory())
						r.Fault(mediatest.Fault{Operation: operation, Foreign: &stranger, AfterEffect: effect})
						data := random(size)
						res, err := r.Upload(ctx, bytesSource("movie.mp4", data), VODVideo{})
						require.NoError(t, err)
						got, _ := r.Object(res.Bucket, res.Key)
						require.True(t, bytes.Equal(data, got))
						require.NotEmpty(t, res.ETag)
						require.NotEqual(t, `"e"`, res.ETag)
						require.Equal(t, crcOf(data), res.CRC64)
					})
				})
			}
		}
	}
}

func TestUpload_B51_AStrangerResponsesAlways(t *testing.T) {
	t.Parallel()
	for operation, size := range sizes {
		for name, stranger := range strangers {
			t.Run(operation+" "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					r := newEnv(t, func(c *Config) { c.Retry.MaxAttempts, c.Parallel = 3, 1 }, mediatest.InMemory())
					r.Fault(mediatest.Fault{Operation: operation, Foreign: &stranger, Times: mediatest.Always})
					res, err := r.Upload(ctx, bytesSource("movie.mp4", random(size)), VODVideo{})
					e := failed(t, res, err)
					require.ErrorIs(t, err, ErrUnproven)
					require.False(t, e.Uploaded)
					require.Equal(t, 3, r.Calls(operation), "it was repeated")
					require.NotContains(t, err.Error(), "Welcome", "the page is not quoted")
					require.Empty(t, r.Objects(r.StorageBucket()))
				})
			})
		}
	}
}

// TestUpload_B51_ListsAndAborts: neither the parts of an earlier run nor the end
// of an upload is taken on a stranger's word.
func TestUpload_B51_ListsAndAborts(t *testing.T) {
	t.Parallel()
	for name, stranger := range strangers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := breakOff(t, VODVideo{}, stopAt("UploadPart", 4))
			b.Fault(mediatest.Fault{Operation: "ListParts", Foreign: &stranger})
			sent := b.Calls("UploadPart")
			b.resume(t, VODVideo{})
			require.Equal(t, 2, b.Calls("ListParts"))
			require.Equal(t, sent+3, b.Calls("UploadPart"), "the parts were believed in the end")

			synctest.Test(t, func(t *testing.T) {
				r := newEnv(t, nil, mediatest.InMemory())
				r.Fault(mediatest.Fault{Operation: "AbortMultipartUpload", Foreign: &stranger}, stopAt("UploadPart", 2))
				res, err := r.Upload(ctx, bytesSource("a.mp4", random(600*kib)), VODVideo{})
				failed(t, res, err)
				require.Empty(t, r.Uploads())
			})
		})
	}
}

// TestUpload_B51_MissingIsSaidByOSS: a page with status 404 does not say that
// there is no object.
func TestUpload_B51_MissingIsSaidByOSS(t *testing.T) {
	t.Parallel()
	b := breakOff(t, VODVideo{}, mediatest.Fault{Operation: "CompleteMultipartUpload", AfterEffect: true, Foreign: &mediatest.Response{Status: 403, Body: "no"}, Times: mediatest.Always})
	b.Fault(mediatest.Fault{Operation: "HeadObject", Foreign: &mediatest.Response{Status: 404, Body: "<html>not here"}})
	res, err := b.Upload(ctx, File(b.file), VODVideo{}, WithCheckpoint(b.dir))
	failed(t, res, err)
	require.NotErrorIs(t, err, ErrLost)
	sent := b.Calls("UploadPart")
	b.resume(t, VODVideo{})
	require.Equal(t, sent, b.Calls("UploadPart"))
}

// without removes fields of the responses of an operation.
func without(operation string, fields ...string) mediatest.Fault {
	return mediatest.Fault{Operation: operation, Times: mediatest.Always, Edit: func(_ mediatest.Request, a *mediatest.Response) {
		for _, f := range fields {
			a.Header.Del(f)
		}
	}}
}

func TestUpload_B51_WholeObjectByHead(t *testing.T) {
	t.Parallel()
	crc := "X-Oss-Hash-Crc64ecma"
	for _, wrong := range []bool{false, true} {
		r := newEnv(t, nil, mediatest.InMemory())
		r.Fault(without("CompleteMultipartUpload", crc))
		if wrong {
			r.Fault(mediatest.Fault{Operation: "HeadObject", Edit: func(_ mediatest.Request, a *mediatest.Response) { a.Header.Set(crc, "1") }})
		}
		data := random(600 * kib)
		res, err := r.Upload(ctx, bytesSource("a.mp4", data), VODVideo{})
		require.Equal(t, 1, r.Calls("HeadObject"))
		if wrong {
			failed(t, res, err)
			require.ErrorIs(t, err, ErrChecksum)
			continue
		}
		require.NoError(t, err)
		r.stored(t, res, data)
	}
}

func TestUpload_B51_EndpointWithoutCRC(t *testing.T) {
	t.Parallel()
	crc := "X-Oss-Hash-Crc64ecma"
	for _, size := range []int{kib, 600 * kib} {
		for _, allowed := range []bool{false, true} {
			for _, short := range []bool{false, true} {
				t.Run(fmt.Sprint(size, allowed, short), func(t *testing.T) {
					t.Parallel()
					r := newEnv(t, func(c *Config) { c.AllowMissingCRC, c.Retry.MaxAttempts = allowed, 3 }, mediatest.InMemory())
					for _, operation := range []string{"PutObject", "UploadPart", "CompleteMultipartUpload"} {
						r.Fault(without(operation, crc))
					}
					r.Fault(mediatest.Fault{Operation: "HeadObject", Times: mediatest.Always, Edit: func(_ mediatest.Request, a *mediatest.Response) {
						a.Header.Del(crc)
						if short {
							a.Header.Set("Content-Length", "7")
						}
					}})
					data := random(size)
					res, err := r.Upload(ctx, bytesSource("a.mp4", data), VODVideo{})
					switch {
					case !allowed:
						failed(t, res, err)
						require.ErrorIs(t, err, ErrUnproven)
						require.ErrorContains(t, err, "AllowMissingCRC")
					case short:
						failed(t, res, err)
						require.ErrorIs(t, err, ErrChecksum)
					default:
						require.NoError(t, err)
						r.stored(t, res, data)
						require.Equal(t, 1, r.Calls("HeadObject"))
					}
				})
			}
		}
	}
}

// TestUpload_B51_CallbackFailed: status 203 keeps its meaning, and the object is
// proved all the same.
func TestUpload_B51_CallbackFailed(t *testing.T) {
	t.Parallel()
	for operation, size := range map[string]int{"PutObject": kib, "CompleteMultipartUpload": 600 * kib} {
		for _, effect := range []bool{true, false} {
			r := newEnv(t, func(c *Config) { c.Retry.MaxAttempts = 2 }, mediatest.InMemory())
			r.Fault(mediatest.Fault{Operation: operation, AfterEffect: effect, Times: mediatest.Always, Status: 203, Code: "CallbackFailed"})
			res, err := r.Upload(ctx, bytesSource("a.mp4", random(size)), VODVideo{})
			e := failed(t, res, err)
			require.Equal(t, effect, e.Uploaded)
			if effect {
				require.ErrorIs(t, err, ErrCallback)
			} else {
				require.ErrorIs(t, err, ErrUnproven)
			}
		}
	}
}

// TestUpload_B51_LostPutIsLookedAt: the object is found before it is sent again.
func TestUpload_B51_LostPutIsLookedAt(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]mediatest.Fault{
		"reset":    {Reset: true},
		"502":      {Status: 502},
		"no CRC":   {Foreign: &mediatest.Response{Header: http.Header{"X-Oss-Request-Id": {"r"}, "Etag": {`"e"`}}}},
		"for ever": {Reset: true, Times: mediatest.Always},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newEnv(t, nil, mediatest.InMemory())
			lost.Operation, lost.AfterEffect = "PutObject", true
			r.Fault(lost)
			data := random(kib)
			res, err := r.Upload(ctx, bytesSource("a.mp4", data), VODVideo{})
			require.NoError(t, err)
			r.stored(t, res, data)
			require.Equal(t, 1, r.Calls("PutObject"))
			require.Equal(t, 1, r.Calls("HeadObject"))
		})
	}
	t.Run("an older object of the same bytes", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			r := newBucketEnv(t, mediatest.InMemory())
			r.PutObject("own-bucket", "a.mp4", random(kib))
			time.Sleep(time.Hour)
			r.Fault(mediatest.Fault{Operation: "PutObject", AfterBytes: kib, Reset: true})
			_, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), Bucket{Name: "own-bucket", Region: "cn-shanghai", CacheControl: "no-cache"})
			require.NoError(t, err)
			require.Equal(t, 2, r.Calls("PutObject"), "it has other settings")
			require.Equal(t, "no-cache", r.ObjectHeader("own-bucket", "a.mp4").Get("Cache-Control"))
		})
	})
}

// TestUpload_B51_NoStrayUploadIDs: an upload ID whose response was lost is found
// and aborted, that of somebody else is not.
func TestUpload_B51_NoStrayUploadIDs(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]Target{"own bucket": Bucket{Name: "own-bucket", Region: "cn-shanghai"}, "may not list": ICEMedia{}, "may not list, VOD": VODVideo{}} {
		for ending, operation := range map[string]string{"success": "", "failure": "UploadPart"} {
			t.Run(name+" "+ending, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					r := newBucketEnv(t, mediatest.InMemory())
					r.Fault(mediatest.Fault{Operation: "InitiateMultipartUpload", AfterEffect: true, Times: 3})
					if operation != "" {
						r.Fault(stopAt(operation, 3))
					}
					_, err := r.Upload(ctx, bytesSource("a.mp4", random(600*kib)), target)
					require.Equal(t, operation == "", err == nil)
					require.Equal(t, 1, r.Calls("ListMultipartUploads"))
					if name != "may not list" {
						require.Empty(t, r.Uploads(), "VOD removes the parts of an asset when it is asked to")
					} else {
						require.Len(t, r.Uploads(), 3)
					}
				})
			})
		}
	}
	t.Run("somebody else's", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			r := newBucketEnv(t, mediatest.InMemory())
			b := Bucket{Name: "own-bucket", Region: "cn-shanghai"}
			r.Fault(stopAt("UploadPart", 1))
			_, err := r.Upload(ctx, File(writeFile(t, "a.mp4", random(600*kib))), b, WithCheckpoint(t.TempDir()))
			require.Error(t, err)
			r.ClearFaults()
			time.Sleep(time.Minute)
			r.Fault(mediatest.Fault{Operation: "InitiateMultipartUpload", AfterEffect: true})
			_, err = r.Upload(ctx, bytesSource("a.mp4", random(600*kib)), b)
			require.NoError(t, err)
			require.Len(t, r.Uploads(), 1, "that of the checkpoint stays")
		})
	})
}

// TestUpload_B51_PartsAtTheOldAddress: they are removed with the old credential.
func TestUpload_B51_PartsAtTheOldAddress(t *testing.T) {
	t.Parallel()
	for _, checkpoint := range []bool{false, true} {
		inParallel(t, func(t *testing.T, r *env) {
			r.CreateBucket("something-else")
			r.Fault(mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, Delay: 2500 * time.Second})
			var opts []Option
			if checkpoint {
				opts = append(opts, WithCheckpoint(t.TempDir()))
			}
			res, err := r.Upload(ctx, File(writeFile(t, "movie.mp4", random(4000*kib))), VODVideo{}, opts...)
			failed(t, res, err)
			require.ErrorIs(t, err, ErrAddressChanged)
			require.Empty(t, r.Uploads())
			require.Equal(t, 1, r.Calls("RefreshUploadVideo"))
		}, elsewhere("FileName"))
	}
}

// rotating has fresh keys whenever it is asked, and cannot be told of refused
// ones.
type rotating func() credentials.Credentials

func (r rotating) Credentials(context.Context) (credentials.Credentials, error) { return r(), nil }

// TestUpload_B51_AProviderIsAskedAgain: refused keys are not the end where there
// are others.
func TestUpload_B51_AProviderIsAskedAgain(t *testing.T) {
	t.Parallel()
	for _, fresh := range []bool{true, false} {
		r := newBucketEnv(t, mediatest.InMemory())
		var asked atomic.Int32
		good := r.Server.Credentials()
		r.cfg.Credentials = rotating(func() credentials.Credentials {
			if asked.Add(1) > 2 && fresh {
				return good
			}
			return credentials.Credentials{AccessKeyId: "STS.old", AccessKeySecret: "an-old-secret", SecurityToken: "an-old-token"}
		})
		r.Fault(mediatest.Fault{Operation: "PutObject", Status: 403, Code: "SecurityTokenExpired"})
		_, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), Bucket{Name: "own-bucket", Region: "cn-shanghai"})
		if fresh {
			require.NoError(t, err)
			require.Equal(t, 2, r.Calls("PutObject"))
		} else {
			require.True(t, alimedia.HasCode(err, "SecurityTokenExpired"))
			require.Equal(t, 1, r.Calls("PutObject"), "the same keys are not tried again")
		}
	}
}

// editInPlace changes bytes of a file and puts its times back.
func editInPlace(t *testing.T, path string, at int64) []byte {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte("EDITED"), at)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.NoError(t, os.Chtimes(path, time.Time{}, info.ModTime()))
	now, err := os.ReadFile(path)
	require.NoError(t, err)
	return now
}

// TestUpload_B54_EditedInPlace: the object is the file as it is now, though
// neither its size nor its time tells that it changed.
func TestUpload_B54_EditedInPlace(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		stop  mediatest.Fault
		again int // parts that are sent by the second run
	}{
		"three parts kept":    {stopAt("UploadPart", 4), 4},
		"all parts kept":      {stopAt("CompleteMultipartUpload", 1), 1},
		"the object is there": {mediatest.Fault{Operation: "CompleteMultipartUpload", AfterEffect: true, Status: 403, Code: "Stop", Times: mediatest.Always}, 6},
	} {
		for _, denied := range []bool{false, true} {
			t.Run(fmt.Sprint(name, denied), func(t *testing.T) {
				t.Parallel()
				b := breakOff(t, VODVideo{}, tt.stop)
				now := editInPlace(t, b.file, 150*kib)
				if denied {
					b.Fault(mediatest.Fault{Operation: "HeadObject", Status: 403, Code: "AccessDenied", Times: mediatest.Always})
				}
				sent := b.Calls("UploadPart")
				var resumed int64
				res, err := b.Upload(ctx, File(b.file), VODVideo{}, WithCheckpoint(b.dir), WithProgress(func(p Progress) { resumed = p.Resumed }))
				require.NoError(t, err)
				b.stored(t, res, now)
				require.Equal(t, crcOf(now), res.CRC64)
				require.Equal(t, sent+tt.again, b.Calls("UploadPart"))
				require.EqualValues(t, (6-tt.again)*100*kib, resumed, "what is not proved is not resumed")
			})
		}
	}
}

// TestUpload_B54_KeptPartsAreRead: an error of the file then is that of the
// upload, and a file that gets shorter is noticed.
func TestUpload_B54_KeptPartsAreRead(t *testing.T) {
	t.Parallel()
	b := breakOff(t, VODVideo{}, stopAt("CompleteMultipartUpload", 1))
	var read atomic.Int64
	at, err := os.Open(b.file)
	require.NoError(t, err)
	defer at.Close()
	tr, err := b.engine.Prepare(ctx, transfer.Source{Size: 600 * kib, ReaderAt: readerAtFunc(func(p []byte, off int64) (int, error) {
		n, err := at.ReadAt(p, off)
		read.Add(int64(n))
		return n, err
	}), Changed: never}, 1)
	require.NoError(t, err)
	defer tr.Close()
	size, sum, err := tr.Checksum(ctx)
	require.NoError(t, err)
	require.Equal(t, crcOf(b.data), sum)
	require.EqualValues(t, len(b.data), size)
	require.EqualValues(t, len(b.data), read.Load(), "once")
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, _, err = tr.Checksum(ended)
	require.ErrorIs(t, err, context.Canceled)
}

func TestUpload_ObjectSettings(t *testing.T) {
	t.Parallel()
	full := Bucket{
		Name: "own-bucket", Region: "cn-shanghai", ContentType: "video/x-own", ContentDisposition: `attachment; filename="a.mp4"`, ContentEncoding: "identity",
		ContentLanguage: "zh-CN", CacheControl: "max-age=60", Expires: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC), StorageClass: "IA",
		ACL: "public-read", Encryption: "AES256", Tags: map[string]string{"kind": "a b", "on": ""}, Metadata: map[string]string{"order-id": "4711", "Title": "Läuft 电影"},
	}
	for _, size := range []int{kib, 600 * kib} {
		for _, region := range []string{"cn-shanghai", ""} { // of the signature: V4, V1
			r := newBucketEnv(t, mediatest.InMemory())
			r.cfg.OSSRegion = region
			res, err := r.Upload(ctx, bytesSource("a.mp4", random(size)), full)
			require.NoError(t, err)
			h := r.ObjectHeader("own-bucket", "a.mp4")
			for name, want := range map[string]string{
				"Content-Type": "video/x-own", "Content-Disposition": full.ContentDisposition, "Content-Encoding": "identity", "Content-Language": "zh-CN",
				"Cache-Control": "max-age=60", "Expires": "Wed, 02 Jan 2030 03:04:05 GMT", "X-Oss-Storage-Class": "IA", "X-Oss-Object-Acl": "public-read",
				"X-Oss-Server-Side-Encryption": "AES256", "X-Oss-Tagging": "kind=a+b&on=", "X-Oss-Meta-Order-Id": "4711", "X-Oss-Meta-Title": "Läuft 电影",
			} {
				require.Equal(t, want, h.Get(name), name)
			}
			require.NotEmpty(t, res.ETag)
		}
	}
	r := newBucketEnv(t, mediatest.InMemory())
	_, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), Bucket{Name: "own-bucket", Region: "cn-shanghai", Key: "no-extension"})
	require.NoError(t, err)
	require.Equal(t, "video/mp4", r.ObjectHeader("own-bucket", "no-extension").Get("Content-Type"), "by the name of the source")

	for name, change := range map[string]func(*Bucket){
		"a line break": func(b *Bucket) { b.CacheControl = "a\r\nX-Oss-Object-Acl: public-read" },
		"in metadata":  func(b *Bucket) { b.Metadata = map[string]string{"a": "b\nc"} },
		"a name":       func(b *Bucket) { b.Metadata = map[string]string{"a: b": "c"} },
		"a name twice": func(b *Bucket) { b.Metadata = map[string]string{"a": "c", "A": "d"} },
		"too much metadata": func(b *Bucket) {
			b.Metadata = map[string]string{"a": strings.Repeat("x", 2000), "b": strings.Repeat("x", 2000), "c": strings.Repeat("x", 2000), "d": strings.Repeat("x", 2000), "e": strings.Repeat("x", 2000)}
		},
		"content type":      func(b *Bucket) { b.ContentType = "video/mp4\x00" },
		"not UTF-8":         func(b *Bucket) { b.ContentDisposition = "\xff" },
		"storage class":     func(b *Bucket) { b.StorageClass = "Cold" },
		"ACL":               func(b *Bucket) { b.ACL = "everybody" },
		"a key without KMS": func(b *Bucket) { b.Encryption, b.EncryptionKeyId = "AES256", "k" },
		"a tag":             func(b *Bucket) { b.Tags = map[string]string{"a&b": "c"} },
		"eleven tags": func(b *Bucket) {
			b.Tags = map[string]string{"a": "", "b": "", "c": "", "d": "", "e": "", "f": "", "g": "", "h": "", "i": "", "j": "", "k": ""}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := Bucket{Name: "own-bucket", Region: "cn-shanghai"}
			change(&b)
			before := len(r.Requests())
			res, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), b)
			failed(t, res, err)
			require.ErrorContains(t, err, "upload.Bucket")
			require.Len(t, r.Requests(), before)
		})
	}
}

func TestUpload_ForbidOverwrite(t *testing.T) {
	t.Parallel()
	b := Bucket{Name: "own-bucket", Region: "cn-shanghai", ForbidOverwrite: true}
	for _, size := range []int{kib, 600 * kib} {
		for _, stream := range []bool{false, true} {
			data := random(size)
			source := func(data []byte) Source {
				if stream {
					return Reader("a.mp4", reader(bytes.NewReader(data)), int64(len(data)))
				}
				return bytesSource("a.mp4", data)
			}
			r := newBucketEnv(t, mediatest.InMemory())
			res, err := r.Upload(ctx, source(data), b)
			require.NoError(t, err)
			r.stored(t, res, data)

			other := slices.Clone(data)
			other[0] ^= 1
			res, err = r.Upload(ctx, source(other), b)
			failed(t, res, err)
			require.True(t, alimedia.HasCode(err, "FileAlreadyExists"))
			require.Empty(t, r.Uploads())

			if res, err = r.Upload(ctx, source(data), b); !stream || size == kib {
				require.NoError(t, err, "the very same bytes")
				r.stored(t, res, data)
			}
			// It appears while the parts are on their way.
			r = newBucketEnv(t, mediatest.InMemory())
			r.during("UploadPart", func() { go r.PutObject("own-bucket", "a.mp4", other) })
			if size > kib {
				r.Fault(mediatest.Fault{Operation: "CompleteMultipartUpload", Status: 409, Code: "FileAlreadyExists"})
				res, err = r.Upload(ctx, source(data), b)
				failed(t, res, err)
				require.True(t, alimedia.HasCode(err, "FileAlreadyExists"))
			}
		}
	}
}

// TestUpload_B51_EachProofCounts: a response that lacks one proof is not believed
// for the others.
func TestUpload_B51_EachProofCounts(t *testing.T) {
	t.Parallel()
	drop := func(name string) func(*mediatest.Response) { return func(a *mediatest.Response) { a.Header.Del(name) } }
	set := func(name, value string) func(*mediatest.Response) {
		return func(a *mediatest.Response) { a.Header.Set(name, value) }
	}
	status := func(n int) func(*mediatest.Response) { return func(a *mediatest.Response) { a.Status = n } }
	body := func(old, new string) func(*mediatest.Response) {
		return func(a *mediatest.Response) { a.Body = strings.ReplaceAll(a.Body, old, new) }
	}
	whole := func(text string) func(*mediatest.Response) { return func(a *mediatest.Response) { a.Body = text } }
	for operation, changes := range map[string]map[string]func(*mediatest.Response){
		"PutObject":               {"request ID": drop("X-Oss-Request-Id"), "ETag": drop("Etag"), "CRC": drop("X-Oss-Hash-Crc64ecma"), "odd CRC": set("X-Oss-Hash-Crc64ecma", "-1"), "202": status(202), "206": status(206)},
		"UploadPart":              {"request ID": drop("X-Oss-Request-Id"), "ETag": drop("Etag"), "CRC": drop("X-Oss-Hash-Crc64ecma"), "201": status(201), "203": status(203)},
		"InitiateMultipartUpload": {"request ID": drop("X-Oss-Request-Id"), "202": status(202), "element": body("InitiateMultipartUploadResult", "Result"), "key": body("<Key>", "<Key>x"), "bucket": body("<Bucket>", "<Bucket>x"), "ID": body("<UploadId>", "<UploadId>a b"), "cut off": body("</InitiateMultipartUploadResult>", ""), "nothing": whole("")},
		"CompleteMultipartUpload": {"request ID": drop("X-Oss-Request-Id"), "202": status(202), "element": body("CompleteMultipartUploadResult", "Result"), "key": body("<Key>", "<Key>x"), "bucket": body("<Bucket>", "<Bucket>x"), "two ETags": body("<ETag>", "<ETag>x"), "cut off": body("</CompleteMultipartUploadResult>", ""), "nothing": whole(""), "error": whole("<Error><Code>InternalError</Code></Error>")},
		"AbortMultipartUpload":    {"200": status(200), "202": status(202)},
	} {
		for name, change := range changes {
			t.Run(operation+" "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					r := newEnv(t, func(c *Config) { c.Parallel = 1 }, mediatest.InMemory())
					r.Fault(mediatest.Fault{Operation: operation, Edit: func(_ mediatest.Request, a *mediatest.Response) { change(a) }})
					abort := operation == "AbortMultipartUpload"
					size, once := 600*kib, 1
					switch operation {
					case "PutObject":
						size = kib
					case "UploadPart":
						once = 6
					case "AbortMultipartUpload":
						r.Fault(stopAt("UploadPart", 3))
					}
					data := random(size)
					res, err := r.Upload(ctx, bytesSource("a.mp4", data), VODVideo{})
					require.Equal(t, abort, err != nil, "%v", err)
					require.Greater(t, r.Calls(operation)+r.Calls("HeadObject"), once, "it was believed")
					if !abort {
						got, _ := r.Object(res.Bucket, res.Key)
						require.True(t, bytes.Equal(data, got))
					}
				})
			})
		}
	}
	t.Run("no CRC at the end", func(t *testing.T) {
		t.Parallel()
		r := newEnv(t, nil, mediatest.InMemory())
		r.Fault(without("CompleteMultipartUpload", "X-Oss-Hash-Crc64ecma"), without("HeadObject", "X-Oss-Hash-Crc64ecma"))
		res, err := r.Upload(ctx, bytesSource("a.mp4", random(600*kib)), VODVideo{})
		failed(t, res, err)
		require.ErrorIs(t, err, ErrUnproven)
	})
}
