package checkpoint

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// completed is an entry for a file of one byte.
func completed(name string) entry {
	e := newEntry(Key{Source: "/" + name}, Identity{Source: "/" + name, Size: 1})
	e.Result.Size = 1
	return e
}

// TestIndex_B42_ReplacedMeanwhile: an index that is removed, truncated or
// replaced during a batch is read again.
func TestIndex_B42_ReplacedMeanwhile(t *testing.T) {
	t.Parallel()
	x, d := NewIndex(discard), openDir(t, t.TempDir())
	path := d.file(IndexName)
	known := func(name string) bool {
		res, err := x.find(d, completed(name))
		require.NoError(t, err)
		return res != nil
	}
	require.False(t, known("a"), "there is no index")
	require.NoError(t, x.add(d, completed("a")))
	require.NoError(t, x.add(d, completed("b")))
	require.True(t, known("a"))
	require.True(t, known("b"))
	require.NoError(t, os.Truncate(path, 0))
	require.False(t, known("a"), "truncated")
	require.NoError(t, x.add(d, completed("c")))
	require.True(t, known("c"))
	require.NoError(t, os.Rename(path, path+".old"))
	require.False(t, known("c"), "removed")
	for _, name := range []string{"d", "e"} {
		require.NoError(t, x.add(d, completed(name)))
	}
	require.False(t, known("c"), "replaced with a longer one")
	require.True(t, known("d"))
	require.ErrorContains(t, x.add(d, entry{Source: Identity{Source: strings.Repeat("/", maxLine)}}), "at most 65536")
}

// TestIndex_B61_SizeMustFit: a result must have the size of the source.
func TestIndex_B61_SizeMustFit(t *testing.T) {
	t.Parallel()
	e := newEntry(movieKey, Identity{Source: "/a", Size: 5})
	x, d := NewIndex(discard), openDir(t, t.TempDir())
	for _, tt := range []struct {
		size  int64
		known bool
	}{{4, false}, {0, false}, {5, true}} {
		e.Result = Result{Size: tt.size}
		require.NoError(t, x.add(d, e))
		found, err := x.find(d, e)
		require.NoError(t, err)
		require.Equal(t, tt.known, found != nil)
	}
}

// TestIndex_B42_Completed: a result is found by every later run, also by one
// that knows the upload by another key, and not for changed content.
func TestIndex_B42_Completed(t *testing.T) {
	t.Parallel()
	d := openDir(t, t.TempDir())
	f := openFile(t, d)
	none, err := f.Completed()
	require.NoError(t, err)
	require.Nil(t, none)
	done := Result{MediaId: "media-1", FileURL: "https://host/a.mp4?sign=1", Size: movie.Size, CRC64: 7}
	require.NoError(t, f.SaveCompleted(done))
	f.Close(true)
	require.Equal(t, []string{IndexName}, names(t, d))

	done.AlreadyUploaded, done.FileURL = true, "https://host/a.mp4"
	f = openFile(t, d)
	found, err := f.Completed()
	require.NoError(t, err)
	require.Equal(t, &done, found)
	f.Close(true)

	f = openFile(t, d, func(o *Options) { o.Source.Modified = "2026-01-02T03:04:06Z" })
	found, err = f.Completed()
	require.NoError(t, err)
	require.Nil(t, found, "the file has changed")
	f.Close(true)

	own, err := OpenDir(d.path)
	require.NoError(t, err)
	other := movieKey
	other.Owner = "key:0123"
	o := options(d)
	o.Aliases = []Key{movieKey}
	f, err = Open(own, other, o)
	require.NoError(t, err)
	found, err = f.Completed()
	require.NoError(t, err)
	require.Equal(t, &done, found)
	f.Close(true)
}

// TestIndex_B42_UserKey: a key of the user identifies an upload whatever its
// source is.
func TestIndex_B42_UserKey(t *testing.T) {
	t.Parallel()
	d := openDir(t, t.TempDir())
	key := Key{Owner: movieKey.Owner, Target: "VODVideo", UserKey: "order-4711"}
	e := newEntry(key, movie)
	e.Result.Size = movie.Size
	require.NoError(t, NewIndex(discard).add(d, e))
	found, err := NewIndex(discard).find(d, newEntry(key, Identity{Source: "/other.mp4", Size: 1}))
	require.NoError(t, err)
	require.NotNil(t, found)
}

// TestIndex_B42_CannotBeWritten: the checkpoint stays if the upload could not be
// added to the index.
func TestIndex_B42_CannotBeWritten(t *testing.T) {
	t.Parallel()
	d := openDir(t, t.TempDir())
	interrupted(t, d)
	require.NoError(t, os.Mkdir(d.file(IndexName), 0o700))
	var l lines
	f := openFile(t, d, func(o *Options) { o.Logger = textLogger(&l) })
	none, err := f.Completed()
	require.NoError(t, err)
	require.Nil(t, none)
	require.NoError(t, f.SaveCompleted(Result{Size: 1}))
	f.Close(true)
	require.NotEmpty(t, content(t, d))
	require.Contains(t, l.String(), "completed index not read")
	require.Contains(t, l.String(), "completed index not written")
}

func TestIndex_OfADirectory(t *testing.T) {
	t.Parallel()
	var all Indexes
	here, err := filepath.Abs(".")
	require.NoError(t, err)
	require.Same(t, all.Of(".", discard), all.Of(here, discard))
	first := all.Of("0", discard)
	for i := range maxIndexes + 1 {
		all.Of(fmt.Sprint(i), discard)
	}
	require.NotSame(t, first, all.Of("0", discard), "their number is bounded")
}

const many = 10_000

// heap returns the size of the live heap.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestIndex_B45_Memory: an entry takes 16 bytes and the overhead of a map.
func TestIndex_B45_Memory(t *testing.T) {
	dir := t.TempDir()
	out, err := os.Create(filepath.Join(dir, IndexName))
	require.NoError(t, err)
	url := strings.Repeat("u", 300)
	for i := range many {
		fmt.Fprintf(out, `{"finished":"%s","source":{"source":"/%d","size":1},"result":{"MediaId":"%d","FileURL":"%s","Size":1}}`+"\n\n", completed(fmt.Sprint(i)).Key, i, i, url)
	}
	require.NoError(t, out.Close())
	x, d := NewIndex(discard), openDir(t, dir)
	before := heap()
	for i := range 100 {
		at := i * many / 100
		res, err := x.find(d, completed(fmt.Sprint(at)))
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(at), res.MediaId)
	}
	grown := heap() - before
	t.Logf("%d lines, live heap %d kB", len(x.offsets), grown>>10)
	require.Len(t, x.offsets, many)
	require.Less(t, grown, int64(1<<20))
	runtime.KeepAlive(x)
}

// TestBatch_B45_Memory: a reservation takes 16 bytes and the overhead of a map.
func TestBatch_B45_Memory(t *testing.T) {
	b := NewBatch()
	before := heap()
	for i := range many {
		_, err := b.Claim(fmt.Sprint("own-bucket/", i), fmt.Sprint(i), false, false)
		require.NoError(t, err)
	}
	grown := heap() - before
	require.Len(t, b.done, many)
	require.Less(t, grown, int64(1<<20))
	runtime.KeepAlive(b)
}

// TestBatch_B53_Claims: what is reserved is reserved once.
func TestBatch_B53_Claims(t *testing.T) {
	t.Parallel()
	b := NewBatch()
	release, err := b.Claim("bucket/a", "upload", false, true)
	require.NoError(t, err)
	_, err = b.Claim("bucket/a", "other", false, true)
	require.ErrorIs(t, err, ErrDuplicate)
	_, err = b.Claim("bucket/a", "other", true, true)
	require.ErrorIs(t, err, ErrDuplicate, "another upload was completed there")
	_, err = b.Claim("bucket/a", "upload", true, true)
	require.NoError(t, err, "the same upload was completed there")
	release(false)
	_, err = b.Claim("bucket/a", "other", false, true)
	require.NoError(t, err, "the first one has failed")

	release, err = b.Claim("", "upload", false, false)
	require.NoError(t, err)
	release(true)
	_, err = b.Claim("", "upload", false, false)
	require.ErrorIs(t, err, ErrDuplicate)
	_, err = b.Claim("", "upload", false, true)
	require.NoError(t, err, "its checkpoint detects it")

	var c Claims
	unlock, err := c.Claim("bucket/a")
	require.NoError(t, err)
	_, err = c.Claim("bucket/a")
	require.ErrorIs(t, err, ErrDuplicate)
	unlock()
	_, err = c.Claim("bucket/a")
	require.NoError(t, err)
}

func FuzzIndex(f *testing.F) {
	e := completed("name")
	f.Add([]byte(`{"finished":"` + e.Key + `","source":{"source":"/name","size":1},"result":{"MediaId":"1","Size":1}}` + "\n"))
	f.Add([]byte(`{"finished":"` + e.Key + `","sou`))
	f.Add([]byte("\n\n{\"finished\":\"\n"))
	f.Add(bytes.Repeat([]byte("x"), 2*maxLine))
	d := openDir(f, f.TempDir())
	f.Fuzz(func(t *testing.T, data []byte) {
		x := NewIndex(discard)
		require.NoError(t, os.WriteFile(d.file(IndexName), data, 0o600))
		_, err := x.find(d, e)
		require.NoError(t, err, "whatever is in it")
		e := e
		e.Result = Result{MediaId: "added", Size: 1}
		require.NoError(t, x.add(d, e))
		for _, x := range []*Index{x, NewIndex(discard)} {
			res, err := x.find(d, e)
			require.NoError(t, err)
			require.Equal(t, &Result{MediaId: "added", Size: 1, AlreadyUploaded: true}, res)
		}
	})
}
