package upload

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

// TestUpload_B53_OneDestination: two jobs of a batch never end at the same
// object or are the same upload, at once or one after the other, unless the
// first has failed.
func TestUpload_B53_OneDestination(t *testing.T) {
	t.Parallel()
	own := func(key string) Target { return Bucket{Name: "own-bucket", Key: key, Region: "cn-shanghai"} }
	one, two := random(300*kib), random(301*kib)
	for name, tt := range map[string]struct {
		first, second Job
		both          bool // may succeed
		checkpoint    string
	}{
		"same object":            {Job{Source: bytesSource("a.mp4", one), Target: own("x.mp4")}, Job{Source: bytesSource("b.mp4", two), Target: own("x.mp4")}, false, ""},
		"same object by name":    {Job{Source: bytesSource("a.mp4", one), Target: own("in/")}, Job{Source: bytesSource("b/a.mp4", two), Target: own("in/")}, false, ""},
		"other object":           {Job{Source: bytesSource("a.mp4", one), Target: own("in/")}, Job{Source: bytesSource("b.mp4", two), Target: own("in/")}, true, ""},
		"same object, recorded":  {Job{Source: File(writeFile(t, "a.mp4", one)), Target: own("x.mp4")}, Job{Source: File(writeFile(t, "a.mp4", two)), Target: own("x.mp4")}, false, t.TempDir()},
		"same key, other target": {Job{Source: bytesSource("a.mp4", one), Target: VODVideo{}, Key: "order-4711"}, Job{Source: bytesSource("a.mp4", one), Target: ICEMedia{}, Key: "order-4711"}, true, t.TempDir()},
		"same key":               {Job{Source: bytesSource("a.mp4", one), Target: VODVideo{}, Key: "order-4711"}, Job{Source: bytesSource("b.mp4", two), Target: VODVideo{}, Key: "order-4711"}, false, ""},
	} {
		for _, files := range []int{1, 2} {
			t.Run(fmt.Sprint(name, " ", files), func(t *testing.T) {
				t.Parallel()
				r := newEnv(t, func(c *Config) { c.Files = files })
				r.cfg.OSSEndpoint = r.URL
				r.CreateBucket("own-bucket")
				if files == 2 {
					r.Fault(mediatest.Fault{Operation: "UploadPart", Delay: 50 * time.Millisecond, Times: 2})
				}
				var opts []Option
				if tt.checkpoint != "" {
					opts = append(opts, WithCheckpoint(fmt.Sprint(tt.checkpoint, files)))
				}
				ok, failures := 0, []error{}
				for r := range r.UploadAll(ctx, slices.Values([]Job{tt.first, tt.second}), opts...) {
					if r.Err == nil {
						ok++
					} else {
						failures = append(failures, r.Err)
					}
				}
				if tt.both {
					require.NoError(t, errors.Join(failures...))
					require.Equal(t, 2, ok)
					return
				}
				require.Equal(t, 1, ok)
				require.Len(t, failures, 1)
				require.ErrorIs(t, failures[0], ErrDuplicate)
				require.Equal(t, 1, r.Calls("CompleteMultipartUpload"))
			})
		}
	}
}

// TestUpload_B53_OneDestinationOfSegments: no job of a batch overwrites a segment
// of another job's playlist.
func TestUpload_B53_OneDestinationOfSegments(t *testing.T) {
	t.Parallel()
	show := func(media string) Source {
		dir := folder{"show.m3u8": "#EXTM3U\n#EXTINF:1,\n0.ts\n", "0.ts": media}.write(t)
		return HLS(filepath.Join(dir, "show.m3u8"))
	}
	own := func(key string) Target { return Bucket{Name: "own-bucket", Key: key, Region: "cn-shanghai"} }
	for name, jobs := range map[string][]Job{
		"two playlists":  {{Source: show("1"), Target: own("a/show.m3u8")}, {Source: show("2"), Target: own("a/show.m3u")}},
		"file second":    {{Source: show("1"), Target: own("a/show.m3u8")}, {Source: bytesSource("0.ts", []byte("2")), Target: own("a/show/")}},
		"playlist again": {{Source: bytesSource("0.ts", []byte("1")), Target: own("a/show/")}, {Source: show("2"), Target: own("a/")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newEnv(t, func(c *Config) { c.Files = 1 })
			r.cfg.OSSEndpoint = r.URL
			r.CreateBucket("own-bucket")
			list, err := Collect(r.UploadAll(ctx, slices.Values(jobs)))
			require.ErrorIs(t, err, ErrDuplicate)
			require.NotNil(t, list[0])
			require.Nil(t, list[1])
			data, ok := r.Object("own-bucket", "a/show/0.ts")
			require.True(t, ok)
			require.Equal(t, "1", string(data))
			list, err = Collect(r.UploadAll(ctx, slices.Values([]Job{jobs[0], {Source: show("2"), Target: own("b/show.m3u8")}})))
			require.NoError(t, err)
			require.Len(t, list, 2)
		})
	}
}

// TestUpload_B53_SameFileTwice: with a checkpoint the second job has the
// result of the first, without one it is an error.
func TestUpload_B53_SameFileTwice(t *testing.T) {
	t.Parallel()
	for _, recorded := range []bool{true, false} {
		for _, target := range []Target{VODVideo{}, Bucket{Name: "own-bucket", Region: "cn-shanghai", Register: RegisterMediaInfo{}}} {
			r := newEnv(t, func(c *Config) { c.Files = 1 })
			r.cfg.OSSEndpoint = r.URL
			r.CreateBucket("own-bucket")
			job := Job{Source: File(writeFile(t, "a.mp4", random(kib))), Target: target}
			var opts []Option
			if recorded {
				opts = append(opts, WithCheckpoint(t.TempDir()))
			}
			list, err := Collect(r.UploadAll(ctx, slices.Values([]Job{job, job}), opts...))
			require.Len(t, r.Medias(), 1)
			require.Equal(t, 1, r.Calls("PutObject"))
			if recorded {
				require.NoError(t, err)
				require.Equal(t, old(list[0]), list[1])
				continue
			}
			require.ErrorIs(t, err, ErrDuplicate)
			require.NotNil(t, list[0])
			require.Nil(t, list[1])
		}
	}
}

// TestUpload_B53_FailedJobMayComeAgain, as a queue delivers it.
func TestUpload_B53_FailedJobMayComeAgain(t *testing.T) {
	t.Parallel()
	r := newEnv(t, func(c *Config) { c.Files = 1 })
	r.cfg.OSSEndpoint = r.URL
	r.CreateBucket("own-bucket")
	r.Fault(mediatest.Fault{Operation: "PutObject", Status: 403, Code: "Stop"})
	job := Job{Source: bytesSource("a.mp4", random(kib)), Target: Bucket{Name: "own-bucket", Region: "cn-shanghai"}}
	list, err := Collect(r.UploadAll(ctx, slices.Values([]Job{job, job})))
	require.ErrorContains(t, err, "Stop")
	require.NotErrorIs(t, err, ErrDuplicate)
	require.NotNil(t, list[1])
}

// TestUpload_B53_ConcurrentCallsOneObject: calls of one Uploader know of each
// other while they run, and may follow each other.
func TestUpload_B53_ConcurrentCallsOneObject(t *testing.T) {
	t.Parallel()
	r := newEnv(t, nil)
	r.cfg.OSSEndpoint = r.URL
	r.CreateBucket("own-bucket")
	inside, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	r.Fault(mediatest.Fault{Operation: "PutObject", Delay: time.Nanosecond, Match: func(mediatest.Request) bool {
		once.Do(func() { close(inside) })
		<-release
		return true
	}})
	target := Bucket{Name: "own-bucket", Key: "x.mp4", Region: "cn-shanghai"}
	done := make(chan error, 1)
	go func() {
		_, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), target)
		done <- err
	}()
	<-inside
	brief, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	letGo := sync.OnceFunc(func() { close(release) })
	defer letGo()
	res, err := r.Upload(brief, bytesSource("b.mp4", random(kib+1)), &target)
	failed(t, res, err)
	require.ErrorIs(t, err, ErrDuplicate)
	_, err = Collect(r.UploadAll(brief, slices.Values([]Job{{Source: bytesSource("b.mp4", random(kib+1)), Target: target}})))
	require.ErrorIs(t, err, ErrDuplicate)
	letGo()
	require.NoError(t, <-done)
	data := random(kib + 2)
	res, err = r.Upload(ctx, bytesSource("c.mp4", data), target)
	require.NoError(t, err)
	r.stored(t, res, data)
}

// TestUpload_B49_WaitsForAPointer: targets and registrations may be given as
// pointers.
func TestUpload_B49_WaitsForAPointer(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]Target{
		"info": ownBucket(&RegisterMediaInfo{}), "media": ownBucket(&RegisterMedia{TemplateGroupId: "g"}), "video": &VODVideo{}, "asset": &ICEMedia{},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newEnv(t, nil, mediatest.ProcessingPolls(0))
			r.cfg.OSSEndpoint = r.URL
			r.CreateBucket("own-bucket")
			res, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), target, WithWait())
			require.NoError(t, err)
			require.Equal(t, "Normal", res.Status)
		})
	}
	r := newEnv(t, nil)
	r.cfg.OSSEndpoint = r.URL
	r.CreateBucket("own-bucket")
	res, err := r.Upload(ctx, bytesSource("a.mp4", random(kib)), ownBucket((*RegisterMediaInfo)(nil)), WithWait())
	require.NoError(t, err)
	require.Empty(t, res.MediaId)
}
