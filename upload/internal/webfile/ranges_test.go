package webfile

import (
	"bytes"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/upload/internal/webtest"
)

// The file is read at any offset, by as few connections as the reads allow.
func TestFile_B55_ReaderAt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data := random(300 * kib)
		s := webtest.New(t, webtest.File(data))
		f, err := open(t, "http://source.test/a.mp4", to(s))
		require.NoError(t, err)
		at, err := f.ReaderAt()
		require.NoError(t, err)
		require.Len(t, s.Requests(), 2)
		buf := make([]byte, 10*kib)
		for off := int64(0); off < 100*kib; off += 10 * kib {
			n, err := at.ReadAt(buf, off)
			require.NoError(t, err)
			require.True(t, bytes.Equal(data[off:off+int64(n)], buf))
		}
		require.Len(t, s.Requests(), 3, "one connection for reads that follow each other")
		n, err := at.ReadAt(buf, 295*kib)
		require.Equal(t, 5*kib, n)
		require.ErrorIs(t, err, io.EOF)
		require.True(t, bytes.Equal(data[295*kib:], buf[:n]))
		_, err = at.ReadAt(buf, 300*kib)
		require.ErrorIs(t, err, io.EOF)
		for i := range 20 { // many offsets
			_, err := at.ReadAt(buf, int64(i)*11*kib)
			require.NoError(t, err)
		}
		require.LessOrEqual(t, len(at.(*rangeReader).idle), maxIdle)
		require.NoError(t, f.Close())
		_, err = at.ReadAt(buf, 0)
		require.Error(t, err)
	})
}

func TestFile_B55_ReaderAtOfAnotherVersion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data := random(300 * kib)
		var requests atomic.Int32
		s := webtest.New(t, func(w http.ResponseWriter, r *http.Request) {
			if requests.Add(1) > 2 {
				w.Header().Set("ETag", `"two"`)
				http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
				return
			}
			webtest.File(data)(w, r)
		})
		f, err := open(t, "http://source.test/a.mp4", to(s))
		require.NoError(t, err)
		at, err := f.ReaderAt()
		require.NoError(t, err)
		for _, off := range []int64{0, 100} {
			_, err = at.ReadAt(make([]byte, 10), off)
			require.ErrorIs(t, err, ErrChanged)
			require.ErrorContains(t, err, "source.test")
		}
	})
}
