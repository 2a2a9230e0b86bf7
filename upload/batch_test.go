package upload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/internal/crc64"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload/internal/transfer"
	"github.com/alimedia/alimedia-go/vod"
)

// sink is a service and a store in one that remember nothing, so that the heap
// of a test is the uploader's. Each request with bytes takes delay.
type sink struct {
	delay           time.Duration
	create, bytes   atomic.Int64
	requests, parts atomic.Int64
	uploads         sync.Map // of upload IDs: the parts by number
}

var sinkPermit = [2]string{
	mediatest.EncodeBase64(map[string]any{"Endpoint": "https://oss-cn-shanghai.aliyuncs.com", "Bucket": "sink", "FileName": "a.mp4"}),
	mediatest.EncodeBase64(map[string]any{"AccessKeyId": "STS.id", "AccessKeySecret": "secret", "SecurityToken": "token", "Expiration": "3000"}),
}

func (s *sink) RoundTrip(q *http.Request) (*http.Response, error) {
	n := s.requests.Add(1)
	text := ""
	header := http.Header{"Etag": {`"e"`}, "X-Oss-Request-Id": {"r"}}
	id := q.URL.Query().Get("uploadId")
	switch {
	case q.Header.Get("x-acs-action") != "":
		text = fmt.Sprintf(`{"VideoId":"%d","RequestId":"r","UploadAddress":%q,"UploadAuth":%q}`, s.create.Add(1), sinkPermit[0], sinkPermit[1])
	case q.Method == http.MethodPut:
		hash := new(crc64.Hash)
		n, err := io.Copy(hash, q.Body)
		if err != nil {
			return nil, err
		}
		header.Set("X-Oss-Hash-Crc64ecma", fmt.Sprint(hash.Sum64()))
		if id != "" {
			number, _ := strconv.Atoi(q.URL.Query().Get("partNumber"))
			of, _ := s.uploads.LoadOrStore(id, new(sync.Map))
			of.(*sync.Map).Store(number, transfer.Part{CRC64: hash.Sum64(), Size: n})
		}
		s.bytes.Add(n)
		s.parts.Add(1)
		select {
		case <-time.After(s.delay):
		case <-q.Context().Done():
			return nil, q.Context().Err()
		}
	case q.URL.Query().Has("uploads"):
		text = fmt.Sprintf("<InitiateMultipartUploadResult><UploadId>u%d</UploadId></InitiateMultipartUploadResult>", n)
	case q.Method == http.MethodPost:
		var sum uint64
		if of, ok := s.uploads.LoadAndDelete(id); ok {
			for number := 1; ; number++ {
				p, ok := of.(*sync.Map).Load(number)
				if !ok {
					break
				}
				sum = crc64.Combine(sum, p.(transfer.Part).CRC64, p.(transfer.Part).Size)
			}
		}
		header.Set("X-Oss-Hash-Crc64ecma", fmt.Sprint(sum))
		text = "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"
	}
	if q.Body != nil {
		q.Body.Close()
	}
	return &http.Response{
		StatusCode: 200, ContentLength: int64(len(text)), Request: q,
		Header: header, Body: io.NopCloser(strings.NewReader(text)),
	}, nil
}

func (s *sink) uploader(t *testing.T, change func(*Config)) *Uploader {
	t.Helper()
	client := &http.Client{Transport: s}
	api, err := vod.New(alimedia.Config{Region: "cn-shanghai", HTTPClient: client, Credentials: credentials.Static("id", "secret", "")})
	require.NoError(t, err)
	cfg := Config{VOD: api, HTTPClient: client}
	if change != nil {
		change(&cfg)
	}
	u, err := New(cfg)
	require.NoError(t, err)
	return u
}

// zeros is a file of any size that takes no room.
type zeros struct{ size int64 }

func (z zeros) ReadAt(p []byte, off int64) (int, error) {
	n := max(0, min(int64(len(p)), z.size-off))
	clear(p[:n])
	if n < int64(len(p)) {
		return int(n), io.EOF
	}
	return int(n), nil
}

// TestUpload_B45_ManySmallAndOneLong: two requests for each small file, and a
// heap that does not know how many there are.
func TestUpload_B45_ManySmallAndOneLong(t *testing.T) {
	var s sink
	u := s.uploader(t, nil)
	var pulled atomic.Int64
	jobs := func(yield func(Job) bool) {
		for i := range manyFiles + 1 {
			pulled.Add(1)
			src := bytesSource(fmt.Sprint(i, ".mp4"), []byte("tiny"))
			if i == 10 {
				src = ReaderAt("long.mp4", zeros{longFile}, longFile)
			}
			if !yield(Job{Source: src, Target: VODVideo{}}) {
				return
			}
		}
	}
	living := func() int64 {
		runtime.GC()
		runtime.GC() // pools give their memory back in two steps
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	// What the files in flight hold varies. What stays of each file does not go
	// away, so it shows in the least of the last measurements too.
	var done, first int64
	last := int64(math.MaxInt64)
	start := time.Now()
	peak := peakHeap(false, func() {
		for r := range u.UploadAll(ctx, jobs) {
			require.NoError(t, r.Err)
			require.NotEmpty(t, r.Result.MediaId)
			done++
			require.LessOrEqual(t, pulled.Load()-done, int64(u.cfg.Files+2), "jobs are taken when there is room")
			if done == manyFiles/10 {
				first = living()
			} else if done >= manyFiles*7/10 && done%(manyFiles/10) == 0 {
				last = min(last, living())
			}
		}
	})
	t.Logf("%d files and one of %d MB in %v, peak heap %.1f MB, living heap grown by %d kB", manyFiles, longFile>>20, time.Since(start).Round(time.Millisecond), float64(peak)/(1<<20), (last-first)>>10)
	require.EqualValues(t, manyFiles+1, done)
	require.Less(t, last-first, int64(1<<18), "the heap does not grow with the files")
	require.Less(t, peak, int64(32<<20))
	require.EqualValues(t, longFile+4*manyFiles, s.bytes.Load())
	parts := int64((longFile + u.cfg.PartSize - 1) / u.cfg.PartSize)
	if parts > transfer.MaxParts {
		parts = s.parts.Load() - manyFiles
	}
	require.Equal(t, 2*manyFiles+parts+3, s.requests.Load())
}

// TestUpload_B42_FilesTakeTurns: a long file leaves room for short ones, and
// still all slots are busy to the end.
func TestUpload_B42_FilesTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := sink{delay: time.Second}
		u := s.uploader(t, func(c *Config) { c.PartSize, c.MultipartThreshold = 100*kib, 200*kib })
		const parts, short = 400, 100
		jobs := func(yield func(Job) bool) {
			ok := yield(Job{Source: ReaderAt("long.mp4", zeros{parts * 100 * kib}, parts*100*kib), Target: VODVideo{}})
			for i := 0; ok && i < short; i++ {
				ok = yield(Job{Source: bytesSource(fmt.Sprint(i, ".mp4"), []byte("tiny")), Target: VODVideo{}})
			}
		}
		start := time.Now()
		var order []int
		var last time.Duration // of a short one
		for r := range u.UploadAll(ctx, jobs) {
			require.NoError(t, r.Err)
			if order = append(order, r.Index); r.Index > 0 {
				last = time.Since(start)
			}
		}
		require.Zero(t, order[short], "the long one is the last")
		require.LessOrEqual(t, last, 50*time.Second)
		require.LessOrEqual(t, time.Since(start), (parts+short)/4*time.Second+2*time.Second)
	})
}

func TestUpload_B42_FilesAtATime(t *testing.T) {
	t.Parallel()
	for files, want := range map[int]int64{0: 8, 1: 1, 3: 3} {
		synctest.Test(t, func(t *testing.T) {
			s := sink{delay: time.Second}
			u := s.uploader(t, func(c *Config) { c.Files = files })
			n := 0
			for r := range u.UploadAll(ctx, tiny(20, nil)) {
				n++
				require.NoError(t, r.Err)
				require.LessOrEqual(t, s.create.Load()-int64(n-1), want)
			}
			require.Equal(t, 20, n)
		})
	}
	_, err := New(Config{Files: -1})
	require.ErrorContains(t, err, "Config.Files is -1")
}

// tiny is n jobs; then says what happens when they are all taken.
func tiny(n int, then func()) iter.Seq[Job] {
	return func(yield func(Job) bool) {
		for i := range n {
			if !yield(Job{Source: bytesSource(fmt.Sprint(i, ".mp4"), []byte("tiny")), Target: VODVideo{}}) {
				return
			}
		}
		if then != nil {
			then()
		}
	}
}

func TestUpload_B42_ErrorsPerFileInOrder(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil)
	data := random(300 * kib)
	jobs := []Job{
		{Source: bytesSource("0.mp4", data), Target: VODVideo{}},
		{Source: File("no such file"), Target: VODVideo{}},
		{Source: bytesSource("2.mp4", data[:kib]), Target: ICEMedia{}},
		{},
		{Source: bytesSource("4.png", data[:kib]), Target: VODImage{}},
	}
	var mu sync.Mutex
	var names []string
	jobs[4].Options = []Option{WithProgress(func(p Progress) {
		mu.Lock()
		defer mu.Unlock()
		names = append(names, p.Name)
	})}
	list, err := Collect(r.UploadAll(ctx, slices.Values(jobs)))
	require.Len(t, list, 5)
	for _, i := range []int{0, 2, 4} {
		require.NotNil(t, list[i])
	}
	r.stored(t, list[0], data)
	require.Nil(t, list[1])
	require.Nil(t, list[3])
	joined := err.(interface{ Unwrap() []error }).Unwrap()
	require.Len(t, joined, 2)
	for i, text := range []string{"no such file", "no source"} {
		require.ErrorContains(t, joined[i], text)
		var e *Error
		require.ErrorAs(t, joined[i], &e)
		require.Equal(t, StageOpen, e.Stage)
	}
	require.Equal(t, "4.png", names[0], "a job has options of its own")

	for range r.UploadAll(ctx, slices.Values([]Job(nil))) {
		require.Fail(t, "nothing to do, nothing to yield")
	}
	list, err = Collect(r.UploadAll(ctx, slices.Values(jobs[:1]), WithProgress(func(p Progress) { names = append(names, "all "+p.Name) })))
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, "all 0.mp4", names[len(names)-1])
}

func TestUpload_B42_LeavingTheLoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newEnv(t, func(c *Config) { c.Parallel, c.Files = 100, 8 }, mediatest.InMemory())
		r.Fault(mediatest.Fault{Operation: "UploadPart", Times: mediatest.Always, Delay: time.Hour})
		data := random(500 * kib)
		jobs := func(yield func(Job) bool) {
			for i := 0; ; i++ {
				src := bytesSource(fmt.Sprint(i, ".mp4"), data)
				if i == 3 {
					src = bytesSource("tiny.mp4", data[:kib])
				}
				if !yield(Job{Source: src, Target: VODVideo{}}) {
					return
				}
			}
		}
		start := time.Now()
		for r := range r.UploadAll(ctx, jobs) {
			require.Equal(t, 3, r.Index)
			time.Sleep(time.Second) // the others send
			break
		}
		require.Less(t, time.Since(start), 5*time.Second)
		require.Empty(t, r.Uploads(), "nothing is left of the others")
		require.LessOrEqual(t, r.Calls("CreateUploadVideo"), 10)
	})
}

func TestUpload_B42_PanicInTheLoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := sink{delay: time.Second}
		u := s.uploader(t, nil)
		require.PanicsWithValue(t, "oops", func() {
			for range u.UploadAll(ctx, tiny(100, nil)) {
				panic("oops")
			}
		})
	})
}

func TestUpload_B42_CtxEnds(t *testing.T) {
	t.Parallel()
	enough := errors.New("enough")
	for name, then := range map[string]func(){"more to come": nil, "blocks": func() { time.Sleep(time.Hour) }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := sink{delay: 40 * time.Second} // well below StallTimeout
				u := s.uploader(t, nil)
				ctx, cancel := context.WithCancelCause(ctx)
				time.AfterFunc(60*time.Second, func() { cancel(enough) })
				n := 10
				if then == nil {
					n = 1000
				}
				start := time.Now()
				var good, bad int
				for r := range u.UploadAll(ctx, tiny(n, then)) {
					if r.Err == nil {
						good++
						continue
					}
					bad++
					failed(t, r.Result, r.Err)
					require.ErrorIs(t, r.Err, enough)
				}
				require.Equal(t, 4, good)
				require.GreaterOrEqual(t, bad, 6)
				require.LessOrEqual(t, bad, 10, "no further job is taken")
				require.LessOrEqual(t, time.Since(start), 60*time.Second+2*transfer.GracePeriod)
				time.Sleep(time.Hour) // the sequence ends
			})
		})
	}
	t.Run("before", func(t *testing.T) {
		r := newEnv(t, nil)
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		list, err := Collect(r.UploadAll(ctx, tiny(5, nil)))
		require.ErrorIs(t, err, context.Canceled, "a cut does not go unnoticed")
		require.Len(t, list, 1)
		require.Empty(t, r.Requests())
	})
}

func TestUpload_B42_ResultsDoNotWaitForTheSequence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s sink
		start := time.Now()
		n := 0
		for range s.uploader(t, nil).UploadAll(ctx, tiny(3, func() { time.Sleep(time.Hour) })) {
			n++
			require.Less(t, time.Since(start), time.Minute)
		}
		require.Equal(t, 3, n)
	})
}

func TestUpload_B50_OneUploaderForAll(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			data := random(250 * kib)
			jobs := []Job{{Source: bytesSource("a.mp4", data), Target: VODVideo{}}, {Source: bytesSource("b.mp4", data[:kib]), Target: ICEMedia{}}}
			list, err := Collect(r.UploadAll(ctx, slices.Values(jobs)))
			if err != nil {
				t.Error(err)
				return
			}
			if got, _ := r.Object(list[0].Bucket, list[0].Key); !bytes.Equal(got, data) {
				t.Error("the object differs")
			}
		})
	}
	wg.Wait()
	require.Len(t, r.Medias(), 8)
}
