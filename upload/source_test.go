package upload

import (
	"io"
	"io/fs"
	"os"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

// changes are what can be told of a file that was written to: each alters one
// thing and leaves the others.
func changes(t *testing.T, path string) map[string]func() {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	keepTime := func(name string) { require.NoError(t, os.Chtimes(name, time.Time{}, info.ModTime())) }
	return map[string]func(){
		"time": func() { require.NoError(t, os.Chtimes(path, time.Time{}, info.ModTime().Add(time.Nanosecond))) },
		"size": func() {
			require.NoError(t, os.Truncate(path, info.Size()-1))
			keepTime(path)
		},
		"inode": func() {
			require.NoError(t, os.WriteFile(path+".new", make([]byte, info.Size()), 0o600))
			keepTime(path + ".new")
			require.NoError(t, os.Rename(path+".new", path))
		},
	}
}

// during calls change when the first request of an operation arrives.
func (r *env) during(operation string, change func()) {
	var once sync.Once
	r.Fault(mediatest.Fault{Operation: operation, Match: func(mediatest.Request) bool {
		once.Do(change)
		return false
	}})
}

// TestUpload_B18_BeforeTheFirstByte: an asset was asked for, and the file is no
// longer what it was said to be.
func TestUpload_B18_BeforeTheFirstByte(t *testing.T) {
	t.Parallel()
	for _, size := range []int{10 * kib, 600 * kib} {
		for _, change := range []string{"time", "size"} {
			r := newEnv(t, nil)
			path := writeFile(t, "movie.mp4", random(size))
			r.during("CreateUploadVideo", changes(t, path)[change])
			res, err := r.Upload(ctx, File(path), VODVideo{})
			failed(t, res, err)
			require.ErrorIs(t, err, ErrChanged, change)
			require.Zero(t, r.Calls("CompleteMultipartUpload"))
			require.Empty(t, r.Uploads())
			require.Empty(t, r.Objects(r.StorageBucket()))
		}
	}
}

// TestUpload_B18_BetweenRuns: parts of the file as it was do not become part of
// what it is now.
func TestUpload_B18_BetweenRuns(t *testing.T) {
	t.Parallel()
	for _, change := range []string{"time", "size"} {
		t.Run(change, func(t *testing.T) {
			t.Parallel()
			b := breakOff(t, VODVideo{}, stopAt("UploadPart", 4))
			changes(t, b.file)[change]()
			now, err := os.ReadFile(b.file)
			require.NoError(t, err)
			res, err := b.Upload(ctx, File(b.file), VODVideo{}, WithCheckpoint(b.dir))
			require.NoError(t, err)
			b.stored(t, res, now)
			require.NotEqual(t, b.fail.MediaId, res.MediaId)
			require.Equal(t, 4+6, b.Calls("UploadPart"))
		})
	}
}

// TestUpload_B18_WhileResumed: with all parts in OSS no byte of the file is sent
// again, and still it has to be the same.
func TestUpload_B18_WhileResumed(t *testing.T) {
	t.Parallel()
	for _, change := range []string{"time", "size"} {
		b := breakOff(t, VODVideo{}, stopAt("CompleteMultipartUpload", 1))
		completed := b.Calls("CompleteMultipartUpload")
		b.during("ListParts", changes(t, b.file)[change])
		res, err := b.Upload(ctx, File(b.file), VODVideo{}, WithCheckpoint(b.dir))
		failed(t, res, err)
		require.ErrorIs(t, err, ErrChanged)
		require.Equal(t, completed, b.Calls("CompleteMultipartUpload"))
		require.Empty(t, b.Uploads(), "no run can use the parts")
		require.Empty(t, b.Objects(b.StorageBucket()))
	}
}

// TestUpload_B19_ReadInPlace: what can be read anywhere is not kept.
func TestUpload_B19_ReadInPlace(t *testing.T) {
	for name, source := range map[string]func(file string) Source{
		"ReaderAt": func(string) Source { return ReaderAt("movie.mp4", zeros{heapFile}, heapFile) },
		"File":     File,
		"FS":       func(file string) Source { return FS(os.DirFS("/"), file[1:]) },
	} {
		file := writeFile(t, "movie.mp4", nil)
		require.NoError(t, os.Truncate(file, heapFile))
		var s sink
		u := s.uploader(t, nil)
		var err error
		peak := peakHeap(true, func() { _, err = u.Upload(ctx, source(file), VODVideo{}) })
		require.NoError(t, err)
		require.EqualValues(t, heapFile, s.bytes.Load())
		require.Less(t, peak, u.cfg.PartSize, "no part of %s is in memory", name)
	}
}

// TestUpload_B17_LengthOfAnFSFile: a file system that lies about a length.
func TestUpload_B17_LengthOfAnFSFile(t *testing.T) {
	t.Parallel()
	for have, want := range map[int64]string{9: "10 bytes declared, the reader ended after 9", 11: "10 bytes declared, the reader has more"} {
		r := newEnv(t, nil)
		res, err := r.Upload(ctx, FS(lyingFS{have}, "movie.mp4"), VODVideo{})
		failed(t, res, err)
		require.ErrorIs(t, err, ErrSize)
		require.ErrorContains(t, err, want)
		require.Empty(t, r.Requests())
	}
}

// lyingFS has files of ten bytes that hold another number of them.
type lyingFS struct{ have int64 }

func (l lyingFS) Open(name string) (fs.File, error) {
	f, err := fstest.MapFS{name: {Data: make([]byte, 10)}}.Open(name)
	return lyingFile{f, &endless{l.have}}, err
}

type lyingFile struct {
	fs.File
	r io.Reader
}

func (f lyingFile) Read(p []byte) (int, error) { return f.r.Read(p) }
