package checkpoint

import (
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files")

var discard = slog.New(slog.DiscardHandler)

func openDir(t testing.TB, path string) *Dir {
	t.Helper()
	d, err := OpenDir(path)
	require.NoError(t, err)
	t.Cleanup(d.Close)
	return d
}

// anyAddress accepts all addresses.
func anyAddress(a Address) (Address, error) { return a, nil }

var (
	movie    = Identity{Source: "/data/movie.mp4", Size: 600 << 10, Modified: "2026-01-02T03:04:05.000000006Z"}
	movieKey = Key{Owner: "account:1234567890123456", Target: "VODVideo", Region: "cn-shanghai", Source: movie.Source}
	address  = Address{Endpoint: "https://oss-cn-shanghai.aliyuncs.com", Bucket: "outin-1", Key: "sv/movie.mp4"}
)

func options(d *Dir) Options {
	return Options{Source: movie, Index: NewIndex(discard), Logger: discard, CheckAddress: anyAddress}
}

func openFile(t testing.TB, d *Dir, change ...func(*Options)) *File {
	t.Helper()
	o := options(d)
	for _, c := range change {
		c(&o)
	}
	own, err := OpenDir(d.path)
	require.NoError(t, err)
	f, err := Open(own, movieKey, o)
	require.NoError(t, err)
	return f
}

// interrupted saves a checkpoint as it is after two of six parts.
func interrupted(t testing.TB, d *Dir) {
	t.Helper()
	f := openFile(t, d)
	require.NoError(t, f.SaveAsset(Asset{MediaID: "media-1", FileURL: "https://user@host/a.mp4?sign=1", RequestID: "R", Address: address}))
	require.NoError(t, f.Started("UPLOAD", MinPartSize, false))
	require.NoError(t, f.PartStored(Part{Number: 2, ETag: `"B"`, Size: MinPartSize, CRC64: 2}))
	require.NoError(t, f.PartStored(Part{Number: 1, ETag: `"A"`, Size: MinPartSize, CRC64: 1}))
	require.True(t, f.Durable())
	f.Close(false)
}

// content returns the content of the checkpoint on disk.
func content(t testing.TB, d *Dir) []byte {
	t.Helper()
	text, err := os.ReadFile(d.file(movieKey.Name() + fileEnd))
	require.NoError(t, err)
	return text
}

func names(t testing.TB, d *Dir) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(d.path)
	require.NoError(t, err)
	for _, e := range entries {
		all = append(all, strings.TrimPrefix(e.Name(), movieKey.Name()))
	}
	return all
}

// golden compares a text with a file.
func golden(t *testing.T, name string, text []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(filepath.Join("testdata", name), text, 0o644))
	}
	want, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	require.Equal(t, string(want), string(text), "the format on disk has changed: it needs another version")
}

type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func textLogger(l *lines) *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }
