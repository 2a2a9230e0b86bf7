package upload

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go/mediatest"
)

// tree makes files of one byte below a new folder. A name that ends in a slash is
// a folder, "a -> b" is a link.
func tree(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		name, to, isLink := strings.Cut(name, " -> ")
		p := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(p), 0o700))
		switch {
		case isLink:
			require.NoError(t, os.Symlink(strings.Replace(to, "DIR", dir, 1), p))
		case strings.HasSuffix(name, "/"):
			require.NoError(t, os.MkdirAll(p, 0o700))
		default:
			require.NoError(t, os.WriteFile(p, []byte{'x'}, 0o600))
		}
	}
	return dir
}

func every(string, fs.DirEntry) (Job, bool) { return Job{Target: VODVideo{}}, true }

// visited is what a walk gives: paths below dir, with the error if there is one.
func visited(dir string, jobs func(func(Job) bool)) (all []string) {
	for job := range jobs {
		name, err := filepath.Rel(dir, fmt.Sprint(job.Source))
		if err != nil {
			name = fmt.Sprint(job.Source)
		}
		if name = filepath.ToSlash(name); job.Err != nil {
			name += ": " + strings.ReplaceAll(job.Err.Error(), dir, "DIR")
		}
		all = append(all, name)
	}
	return all
}

func TestWalk(t *testing.T) {
	t.Parallel()
	dir := tree(t, "b.mp4", "a/z.mp4", "a/B.MOV", "a/b/c.txt", "a.mp4", ".hidden/x.mp4", ".x.mp4", "skip/x.mp4", "empty/", "link.mp4 -> b.mp4", "folder -> a")
	for name, tt := range map[string]struct {
		opts []WalkOption
		want []string
	}{
		"all":     {nil, []string{"a/B.MOV", "a/b/c.txt", "a/z.mp4", "a.mp4", "b.mp4", "skip/x.mp4"}},
		"names":   {[]WalkOption{MatchNames("*.mp4"), MatchNames("*.mov")}, []string{"a/B.MOV", "a/z.mp4", "a.mp4", "b.mp4", "skip/x.mp4"}},
		"hidden":  {[]WalkOption{IncludeHidden(), MatchNames("*x.mp4")}, []string{".hidden/x.mp4", ".x.mp4", "skip/x.mp4"}},
		"folders": {[]WalkOption{SelectFolders(func(p string, e fs.DirEntry) bool { return e.Name() != "skip" && p != filepath.Join(dir, "a", "b") })}, []string{"a/B.MOV", "a/z.mp4", "a.mp4", "b.mp4"}},
		"links":   {[]WalkOption{FollowLinks(), MatchNames("*.mp4")}, []string{"a/z.mp4", "a.mp4", "b.mp4", "folder/z.mp4", "link.mp4", "skip/x.mp4"}},
		"pattern": {[]WalkOption{MatchNames("[")}, []string{`<nil>: upload.MatchNames: the pattern "[" is not valid: syntax error in pattern`}},
	} {
		require.Equal(t, tt.want, visited(dir, Walk(dir, every, tt.opts...)), name)
	}
	require.Equal(t, []string{"<nil>: upload.Walk: the function of jobs is nil"}, visited(dir, Walk(dir, nil)))

	// The function decides, and may name another source.
	jobs := slices.Collect(Walk(dir, func(p string, entry fs.DirEntry) (Job, bool) {
		require.Equal(t, filepath.Base(p), entry.Name())
		return Job{Source: Named(File(p), "other.mp4"), Key: p, Target: ICEMedia{}}, entry.Name() == "b.mp4"
	}))
	require.Len(t, jobs, 1)
	require.Equal(t, filepath.Join(dir, "b.mp4"), jobs[0].Key)
	require.Equal(t, "other.mp4 ("+jobs[0].Key+")", fmt.Sprint(jobs[0].Source))
	for range Walk(dir, every) {
		break // it can be left
	}
}

// TestWalk_Errors: what cannot be read is a job, and the rest is visited.
func TestWalk_Errors(t *testing.T) {
	t.Parallel()
	dir := tree(t, "a.mp4", "b/c.mp4", "d.mp4", "e -> DIR", "f -> nothing", "g/h -> ../g")
	const loop = ": walk DIR/e: a link leads to a folder that it is in"
	require.Equal(t, []string{
		"a.mp4", "b/c.mp4", "d.mp4", "e" + loop, "f: stat DIR/f: no such file or directory", "g/h" + strings.Replace(loop, "/e", "/g/h", 1),
	}, visited(dir, Walk(dir, every, FollowLinks())))
	gone := filepath.Join(dir, "gone")
	require.Equal(t, []string{"gone: open DIR/gone: no such file or directory"}, visited(dir, Walk(gone, every)))
	require.Equal(t, []string{"gone: open gone: file does not exist"}, visited(".", WalkFS(fstest.MapFS{}, "gone", every)))
	require.Len(t, visited(".", WalkFS(nil, ".", every)), 1)
	require.Len(t, visited(".", WalkFS(fstest.MapFS{}, ".", every, FollowLinks())), 1)
}

// locked is a file system with a folder that may not be read, and one that fails
// on the way.
type locked struct{ fstest.MapFS }

func (l locked) Open(name string) (fs.File, error) {
	if path.Base(name) == "locked" {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	f, err := l.MapFS.Open(name)
	if path.Base(name) == "broken" {
		return &breaking{ReadDirFile: f.(fs.ReadDirFile)}, err
	}
	return f, err
}

type breaking struct {
	fs.ReadDirFile
	read bool
}

func (b *breaking) ReadDir(int) ([]fs.DirEntry, error) {
	if b.read {
		return nil, &fs.PathError{Op: "readdir", Path: "broken", Err: errors.New("i/o error")}
	}
	b.read = true
	return b.ReadDirFile.ReadDir(1)
}

// TestWalk_PermissionDenied: UploadAll yields the failure of a folder among the
// results.
func TestWalk_PermissionDenied(t *testing.T) {
	t.Parallel()
	one := &fstest.MapFile{Data: []byte("x")}
	fsys := locked{fstest.MapFS{"a.mp4": one, "m/locked/x.mp4": one, "m/n.mp4": one, "broken/1.mp4": one, "broken/2.mp4": one, "z.mp4": one}}
	r := newEnv(t, func(c *Config) { c.Files = 1 })
	var got []string
	for res := range r.UploadAll(ctx, WalkFS(fsys, ".", every)) {
		got = append(got, fmt.Sprint(res.Job.Source, " ", ErrorCode(res.Err)))
	}
	require.Equal(t, []string{"a.mp4 ", "broken/1.mp4 ", "broken Other", "m/locked Permission", "m/n.mp4 ", "z.mp4 "}, got)
	if os.Getuid() != 0 && runtime.GOOS != "windows" {
		dir := tree(t, "a.mp4", "b/c.mp4", "d.mp4")
		require.NoError(t, os.Chmod(filepath.Join(dir, "b"), 0))
		t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, "b"), 0o700) })
		require.Equal(t, []string{"a.mp4", "b: open DIR/b: permission denied", "d.mp4"}, visited(dir, Walk(dir, every)))
	}
}

// TestWalk_SwappedForALink: a file that became a link, or whose folder did, is
// not read.
func TestWalk_SwappedForALink(t *testing.T) {
	t.Parallel()
	secret := tree(t, "a.mp4", "f/b.mp4")
	r := newEnv(t, nil)
	for swap, to := range map[string]string{"a.mp4": "a.mp4", "f": "f"} {
		dir := tree(t, "a.mp4", "f/b.mp4")
		jobs := slices.Collect(Walk(dir, every, MatchNames(map[string]string{"a.mp4": "a.mp4", "f": "b.mp4"}[swap])))
		require.Len(t, jobs, 1)
		require.NoError(t, os.RemoveAll(filepath.Join(dir, swap)))
		require.NoError(t, os.Symlink(filepath.Join(secret, to), filepath.Join(dir, swap)))
		_, err := r.Upload(ctx, jobs[0].Source, jobs[0].Target)
		require.Error(t, err, swap)
	}
	require.Zero(t, r.Calls("CreateUploadVideo"))
}

// TestWalk_IsRerun: the files of a walk have checkpoints like a File.
func TestWalk_IsRerun(t *testing.T) {
	t.Parallel()
	dir, state := tree(t, "a.mp4", "b/a.mp4"), t.TempDir()
	r := newEnv(t, nil)
	for range 2 {
		list, err := Collect(r.UploadAll(ctx, Walk(dir, every), WithCheckpoint(state)))
		require.NoError(t, err)
		require.Len(t, list, 2)
	}
	res, err := r.Upload(ctx, File(filepath.Join(dir, "a.mp4")), VODVideo{}, WithCheckpoint(state))
	require.NoError(t, err)
	require.True(t, res.AlreadyUploaded)
	require.Equal(t, 2, r.Calls("CreateUploadVideo"))
}

// crowded is a folder of many files in no order. look is called while it is read.
type crowded struct {
	names []uint32
	reads *int
	look  func()
}

func (c crowded) Open(string) (fs.File, error) {
	*c.reads++
	return &crowdedFile{crowded: c}, nil
}

type crowdedFile struct {
	fs.File
	crowded
}

func (f *crowdedFile) Close() error { return nil }
func (f *crowdedFile) ReadDir(n int) ([]fs.DirEntry, error) {
	f.look()
	n = min(n, len(f.names))
	if n == 0 {
		return nil, io.EOF
	}
	some := make([]fs.DirEntry, n)
	for i, name := range f.names[:n] {
		some[i] = &crowdedEntry{crowdedName(int(name))}
	}
	f.names = f.names[n:]
	return some, nil
}

type crowdedEntry struct{ name string }

func (e *crowdedEntry) Name() string             { return e.name }
func (*crowdedEntry) IsDir() bool                { return false }
func (*crowdedEntry) Type() fs.FileMode          { return 0 }
func (*crowdedEntry) Info() (fs.FileInfo, error) { return nil, fs.ErrNotExist }

// crowdedName is as long as a name can be.
func crowdedName(n int) string { return fmt.Sprintf("%0250d.mp4", n) }

// TestWalk_ManyFiles: the memory for a folder does not grow with its files, and
// each of them is visited once, in order.
func TestWalk_ManyFiles(t *testing.T) {
	const files, most = 40_000, 4000
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	reads, peak, looks := 0, int64(0), 0
	all := crowded{names: make([]uint32, files), reads: &reads, look: func() {
		if looks++; looks%29 == 0 {
			peak = max(peak, heap())
		}
	}}
	for i, n := range rand.New(rand.NewPCG(1, 2)).Perm(files) {
		all.names[i] = uint32(n)
	}
	before, n := heap(), 0
	for job := range WalkFS(all, ".", every, func(w *walk) { w.most = most }) {
		require.NoError(t, job.Err)
		if fmt.Sprint(job.Source) != crowdedName(n) {
			require.Equal(t, n, job.Source)
		}
		n++
	}
	require.Equal(t, files, n)
	require.Equal(t, files/most, reads, "one reading for each 4,000 entries")
	require.Less(t, peak-before, int64(4<<20), "bytes; all names are 10 MB")
}

// TestWalk_GoesOnWhileItIsRead: the walk is no further ahead than the uploads.
func TestWalk_GoesOnWhileItIsRead(t *testing.T) {
	t.Parallel()
	reads, taken := 0, 0
	all := crowded{names: make([]uint32, 100), reads: &reads, look: func() {}}
	for i := range all.names {
		all.names[i] = uint32(i)
	}
	r := newEnv(t, func(c *Config) { c.Files = 2 })
	r.Fault(mediatest.Fault{Operation: "CreateUploadVideo", Delay: 100 * time.Millisecond, Times: mediatest.Always})
	for range r.UploadAll(ctx, WalkFS(all, ".", func(string, fs.DirEntry) (Job, bool) {
		taken++
		return Job{Source: bytesSource("a.mp4", []byte("x")), Target: VODVideo{}}, true
	})) {
		break
	}
	require.LessOrEqual(t, taken, 4)
}
