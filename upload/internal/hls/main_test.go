package hls

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// folder is the files of a playlist by path.
type folder map[string]string

func (f folder) write(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, data := range f {
		name = filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
		require.NoError(t, os.WriteFile(name, []byte(data), 0o600))
	}
	return dir
}

func (f folder) fs() fstest.MapFS {
	m := fstest.MapFS{}
	for name, data := range f {
		m[name] = &fstest.MapFile{Data: []byte(data)}
	}
	return m
}

// with is f and other files.
func (f folder) with(more folder) folder {
	all := folder{}
	for _, m := range []folder{f, more} {
		for name, data := range m {
			all[name] = data
		}
	}
	return all
}

// scanFile scans a playlist on disk. It returns what would be stored, by name;
// the playlist itself is index.m3u8.
func scanFile(t *testing.T, name string, o Options) (folder, error) {
	t.Helper()
	in, err := OpenFolder(filepath.Dir(name))
	require.NoError(t, err)
	defer in.Close()
	b, err := Scan(t.Context(), in, filepath.Base(name), o)
	if err != nil {
		return nil, err
	}
	return stored(in, b)
}

// scanFS scans the playlist index.m3u8 in fsys.
func scanFS(fsys fs.FS, o Options) (folder, error) {
	in := &Folder{FS: fsys}
	b, err := Scan(context.Background(), in, "index.m3u8", o)
	if err != nil {
		return nil, err
	}
	return stored(in, b)
}

func stored(in *Folder, b *Bundle) (folder, error) {
	all := folder{"index.m3u8": string(b.Top.Text)}
	for _, f := range b.Files {
		data := f.Text
		if data == nil {
			var err error
			if data, err = fs.ReadFile(in.FS, f.RealPath()); err != nil {
				return nil, err
			}
		}
		all[f.Name] = string(data)
	}
	return all, nil
}
