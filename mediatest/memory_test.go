package mediatest_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc64"
	"io"
	"testing"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

// pattern is content without an end in which no two places are alike.
type pattern struct{}

// ReadAt implements io.ReaderAt.
func (pattern) ReadAt(p []byte, off int64) (int, error) {
	var word [8]byte
	for i := range p {
		at := off + int64(i)
		if i == 0 || at%8 == 0 {
			binary.LittleEndian.PutUint64(word[:], uint64(at/8)*0x9E3779B97F4A7C15)
		}
		p[i] = word[at%8]
	}
	return len(p), nil
}

func patternOf(from, size int64) *io.SectionReader { return io.NewSectionReader(pattern{}, from, size) }

// Not parallel: it measures the heap.
func TestMemoryLimit_HeapStaysBounded(t *testing.T) {
	parts, size := 75, int64(4<<20) // 300 MiB
	if testing.Short() {
		parts, size = 10, 1<<20
	}
	const limit = 1 << 20
	srv := mediatest.New(t, mediatest.MemoryLimit(limit))
	srv.CreateBucket("own")
	b := ossBucket(t, srv, "own", srv.Credentials())
	before := heap()
	imur, err := b.InitiateMultipartUpload("film")
	require.NoError(t, err)
	var done []oss.UploadPart
	for n := range parts {
		p, err := b.UploadPart(imur, patternOf(int64(n)*size, size), size, n+1)
		require.NoError(t, err)
		done = append(done, p)
		if n%5 == 0 {
			require.Less(t, heap(), before+limit+4<<20)
		}
	}
	_, err = b.CompleteMultipartUpload(imur, done)
	require.NoError(t, err)
	_, err = b.CopyObject("film", "copy")
	require.NoError(t, err)
	require.NoError(t, b.DeleteObject("film"))
	require.Less(t, heap(), before+limit+4<<20)

	body, err := b.GetObject("copy")
	require.NoError(t, err)
	sum := crc64.New(crc64.MakeTable(crc64.ECMA))
	n, err := io.Copy(sum, body)
	require.NoError(t, err)
	require.NoError(t, body.Close())
	require.Equal(t, int64(parts)*size, n)
	_, crc, _ := srv.ObjectInfo("own", "copy")
	require.Equal(t, crc, sum.Sum64())
}

func TestMemoryLimit_ObjectsInTheFile(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t, mediatest.MemoryLimit(100<<10))
	srv.CreateBucket("own")
	b := ossBucket(t, srv, "own", srv.Credentials())
	const size = 1 << 20
	whole, err := io.ReadAll(patternOf(0, size))
	require.NoError(t, err)
	require.NoError(t, b.PutObject("a", bytes.NewReader(whole)))
	srv.PutObject("own", "b", whole[:size-1])
	_, err = b.CopyObject("a", "c")
	require.NoError(t, err)
	require.NoError(t, b.PutObject("a", bytes.NewReader([]byte("over")))) // the copy keeps its bytes
	for _, span := range [][2]int64{{0, 0}, {102399, 102401}, {100, size - 1}, {size - 1, size - 1}} {
		body, err := b.GetObject("c", oss.NormalizedRange(fmt.Sprintf("%d-%d", span[0], span[1])))
		require.NoError(t, err)
		got, err := io.ReadAll(body)
		require.NoError(t, err)
		require.NoError(t, body.Close())
		require.True(t, bytes.Equal(whole[span[0]:span[1]+1], got), span)
	}
	got, ok := srv.Object("own", "b")
	require.True(t, ok)
	require.True(t, bytes.Equal(whole[:size-1], got))

	// A reader keeps what it reads, which is more than the buffers on its way.
	const long = 32 << 20
	require.NoError(t, b.PutObject("c", patternOf(0, long)))
	body, err := b.GetObject("c")
	require.NoError(t, err)
	require.NoError(t, b.DeleteObject("c"))
	srv.PutObject("own", "d", make([]byte, long))
	read := crc64.New(crc64.MakeTable(crc64.ECMA))
	_, err = io.Copy(read, body)
	require.NoError(t, err)
	require.NoError(t, body.Close())
	want := crc64.New(crc64.MakeTable(crc64.ECMA))
	_, err = io.Copy(want, patternOf(0, long))
	require.NoError(t, err)
	require.Equal(t, want.Sum64(), read.Sum64())
	srv.Close()
	size64, _, ok := srv.ObjectInfo("own", "d")
	require.True(t, ok)
	require.EqualValues(t, long, size64)
}

// misuses is a test that notes what it is told.
type misuses struct {
	testing.TB
	told []string
}

func (m *misuses) Errorf(format string, args ...any) {
	m.told = append(m.told, fmt.Sprintf(format, args...))
}

func TestMemoryLimit_AfterClose(t *testing.T) {
	t.Parallel()
	m := &misuses{TB: t}
	srv := mediatest.New(m, mediatest.MemoryLimit(5))
	srv.PutObject("own", "a", []byte("small"))
	srv.PutObject("own", "b", []byte("large"))
	srv.Close()
	got, ok := srv.Object("own", "a")
	require.Equal(t, "small", string(got))
	require.True(t, ok)
	require.Empty(t, m.told)
	got, ok = srv.Object("own", "b")
	require.Empty(t, got)
	require.True(t, ok)
	require.Len(t, m.told, 1)
	require.Contains(t, m.told[0], "the bytes of b were in the temporary file")
}
